#include "verify/seal_memo.h"

#include "crypto/memo.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	WAYS = 16,              /* seals of a set */
	SET_BYTES = 128 * 1024, /* what a set may take, and no less */
	SEEN = 16,              /* of those that came once, the last so many of a set are known again */
	HEADS = 4,              /* of a seal: a few signers, and signatures of a few lengths */
	FIRST_MAX = 16,         /* what stands before the seal in TBS_Sign */
	DEVIATIONS = 16,        /* of a seal that is kept */
	READ_BUDGET = 256 * 1024,
	HASHED = 3, /* words of the end of a seal, which is its signature value */
	CHUNK = 4096
};

struct seal_known {
	atomic_uint refs;
	uint64_t epoch;
	int zone_minutes;
	size_t bytes; /* that it takes */
	struct arena *arena;
	struct ses_known read;
	struct deviation item[DEVIATIONS];
	struct sm2_key *maker;
	struct sm2_job job;
	struct sm2_ahead value;
	atomic_size_t n_heads; /* those before do not change any more */
	uint8_t first[HEADS][FIRST_MAX];
	struct sm2_head heads[HEADS];
	struct span octets;
	uint8_t copy[];
};

struct set {
	pthread_mutex_t lock;
	struct seal_known *seal[WAYS]; /* used last stands first; NULL: free */
	size_t bytes;
	uint64_t seen[SEEN];
	size_t next_seen;
};

struct seal_memo {
	uint64_t salt[HASHED + 1];
	size_t limit, n, set_bytes; /* n: sets */
	atomic_uint_fast64_t epoch, hits, misses, evicted;
	struct set sets[];
};

/* ---- life ----------------------------------------------------------------------------------- */

enum err seal_memo_new(size_t limit, const struct rand *r, struct seal_memo **out)
{
	size_t n = limit / SET_BYTES > 0 ? limit / SET_BYTES : 1;
	struct seal_memo *m;
	enum err e;

	if (limit < SEAL_MEMO_MIN)
		return ERR_FIELD_INVALID;
	m = calloc(1, sizeof(*m) + n * sizeof(m->sets[0]));
	if (m == NULL)
		return ERR_NO_MEMORY;
	m->limit = limit;
	m->n = n;
	m->set_bytes = limit / n;
	for (size_t i = 0; i < n; i++)
		pthread_mutex_init(&m->sets[i].lock, NULL);
	e = rand_fill(r, (uint8_t *)m->salt, sizeof(m->salt));
	if (e != ERR_OK) {
		seal_memo_free(m);
		return e;
	}
	*out = m;
	return ERR_OK;
}

static void give_back(void *known)
{
	struct seal_known *k = known;

	if (k == NULL || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
		return;
	sm2_key_free(k->maker);
	arena_free(k->arena);
	free(k);
}

void seal_memo_free(struct seal_memo *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n; i++) {
		for (size_t w = 0; w < WAYS; w++)
			give_back(m->sets[i].seal[w]);
		pthread_mutex_destroy(&m->sets[i].lock);
	}
	free(m);
}

/* The old ones are not found from now on; they make room as new ones come. */
void seal_memo_next_epoch(struct seal_memo *m)
{
	atomic_fetch_add(&m->epoch, 1);
}

/* ---- places --------------------------------------------------------------------------------- */

/* Of the end alone, which is a signature value: seals that differ, differ there. What is found is compared whole. */
static uint64_t hash(const struct seal_memo *m, struct span seal)
{
	uint64_t word[HASHED] = {0}, h = m->salt[HASHED] ^ seal.len;

	if (seal.len >= sizeof(word))
		memcpy(word, seal.ptr + seal.len - sizeof(word), sizeof(word));
	for (size_t i = 0; i < HASHED; i++) {
		h = (h ^ word[i] ^ m->salt[i]) * 0x9e3779b97f4a7c15;
		h ^= h >> 29;
	}
	return h;
}

static struct set *set_of(struct seal_memo *m, uint64_t h)
{
	return &m->sets[h % m->n];
}

static bool answers(const struct seal_known *k, struct span seal, int zone_minutes, uint64_t epoch)
{
	return k != NULL && k->epoch == epoch && (zone_minutes == SEAL_ANY_ZONE || k->zone_minutes == zone_minutes) &&
	       span_eq(k->octets, seal);
}

/* The lock is held. NULL: not known; else it stands first. */
static struct seal_known *find(struct set *s, struct span seal, int zone_minutes, uint64_t epoch)
{
	struct seal_known *k;
	size_t w = 0;

	while (w < WAYS && !answers(s->seal[w], seal, zone_minutes, epoch))
		w++;
	if (w == WAYS)
		return NULL;
	k = s->seal[w];
	memmove(&s->seal[1], &s->seal[0], w * sizeof(s->seal[0]));
	s->seal[0] = k;
	return k;
}

const struct ses_known *seal_memo_recall(void *question, struct span seal)
{
	struct seal_question *q = question;
	struct seal_memo *m = q->memo;
	struct seal_known *k;
	struct set *s;

	if (m == NULL)
		return NULL;
	q->asked = true;
	q->epoch = atomic_load(&m->epoch);
	s = set_of(m, hash(m, seal));
	pthread_mutex_lock(&s->lock);
	k = find(s, seal, q->zone_minutes, q->epoch);
	if (k != NULL)
		atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
	pthread_mutex_unlock(&s->lock);
	atomic_fetch_add_explicit(k != NULL ? &m->hits : &m->misses, 1, memory_order_relaxed);
	if (k != NULL && !arena_at_end(q->arena, give_back, k)) {
		give_back(k);
		k = NULL;
	}
	q->found = k;
	return k != NULL ? &k->read : NULL;
}

const struct sm2_ahead *seal_known_value(const struct seal_known *k)
{
	return &k->value;
}

const struct sm2_head *seal_known_heads(const struct seal_known *k, size_t *n)
{
	*n = atomic_load_explicit(&k->n_heads, memory_order_acquire);
	return k->heads;
}

/* ---- keeping -------------------------------------------------------------------------------- */

static enum err read_again(struct seal_known *k)
{
	struct deviations list = {0};
	const struct ses_reading how = {.list = &list, .zone_minutes = k->zone_minutes};
	enum err e = ses_seal_read(k->arena, k->octets, &how, &k->read.seal, NULL);

	if (e == ERR_OK && list.n > DEVIATIONS)
		e = ERR_TOO_LARGE;
	if (e != ERR_OK)
		return e;
	memcpy(k->item, list.item, list.n * sizeof(list.item[0]));
	k->read.item = k->item;
	k->read.n = list.n;
	return ERR_OK;
}

/* The maker's value in the form in which the judge will ask for it. */
static enum err prove(struct seal_known *k, const struct seal_found *f)
{
	struct deviations list = {0};
	struct sm2_job *j = &k->job;
	struct cert *maker = NULL;
	enum err e = ses_value_read(k->arena, k->read.seal.value, &list, "", &j->sig);

	if (e == ERR_OK)
		e = memo_cert(f->by.memo, k->read.seal.maker_cert, &maker);
	if (e == ERR_OK && cert_sm2_key(maker) == NULL)
		e = ERR_FIELD_INVALID;
	if (e == ERR_OK)
		e = sm2_key_new(sm2_key_point(cert_sm2_key(maker)), &k->maker);
	cert_free(maker);
	if (e != ERR_OK)
		return e;
	j->key = k->maker;
	j->id = sm2_default_id();
	j->msg = k->read.seal.signed_raw;
	j->verdict = sm2_verify_by(f->by, j->key, j->id, j->msg, j->sig);
	k->value = (struct sm2_ahead){j, 1};
	return j->verdict;
}

static struct seal_known *known_new(const struct seal_question *q, const struct seal_found *f)
{
	struct span seal = f->sig->seal.raw;
	struct seal_known *k = calloc(1, sizeof(*k) + seal.len);
	size_t used;

	if (k == NULL)
		return NULL;
	atomic_init(&k->refs, 1);
	memcpy(k->copy, seal.ptr, seal.len);
	k->octets = span_of(k->copy, seal.len);
	k->epoch = q->epoch;
	k->zone_minutes = q->zone_minutes;
	k->arena = arena_new(READ_BUDGET);
	if (k->arena == NULL || read_again(k) != ERR_OK || prove(k, f) != ERR_OK) {
		give_back(k);
		return NULL;
	}
	used = arena_used(k->arena);
	k->bytes = sizeof(*k) + seal.len + (used <= CHUNK ? CHUNK : 2 * used + 2 * CHUNK);
	return k;
}

/* What stands before the seal in what is signed; false when that is not how it stands there. */
static bool before_seal(const struct ses_signature *sig, struct span *first)
{
	const uint8_t *tbs = sig->tbs_raw.ptr, *seal = sig->seal.raw.ptr;

	if (seal < tbs || (size_t)(seal - tbs) > FIRST_MAX || sig->seal.raw.len > sig->tbs_raw.len - (size_t)(seal - tbs))
		return false;
	*first = span_of(tbs, (size_t)(seal - tbs));
	return true;
}

static bool has_head(const struct seal_known *k, const struct sm2_key *signer, struct span first)
{
	size_t n = atomic_load_explicit(&k->n_heads, memory_order_acquire);

	for (size_t i = 0; i < n; i++)
		if (sm2_head_is(&k->heads[i], signer, first, k->octets))
			return true;
	return n == HEADS;
}

/* The lock of its set is held, or nobody else has it. */
static void add_head(struct seal_known *k, const struct sm2_key *signer, struct span first)
{
	size_t n = atomic_load_explicit(&k->n_heads, memory_order_relaxed);

	if (has_head(k, signer, first))
		return;
	memcpy(k->first[n], first.ptr, first.len);
	sm2_head_make(&k->heads[n], signer, span_of(k->first[n], first.len), k->octets);
	atomic_store_explicit(&k->n_heads, n + 1, memory_order_release);
}

static void drop_last(struct seal_memo *m, struct set *s)
{
	size_t w = WAYS;

	while (w > 0 && s->seal[w - 1] == NULL)
		w--;
	s->bytes -= s->seal[w - 1]->bytes;
	give_back(s->seal[w - 1]);
	s->seal[w - 1] = NULL;
	atomic_fetch_add_explicit(&m->evicted, 1, memory_order_relaxed);
}

/* The lock is held. */
static void put(struct seal_memo *m, struct set *s, struct seal_known *k)
{
	if (k->bytes > m->set_bytes || find(s, k->octets, k->zone_minutes, k->epoch) != NULL) {
		give_back(k); /* too large, or another thread was faster */
		return;
	}
	while (s->seal[WAYS - 1] != NULL || s->bytes > m->set_bytes - k->bytes)
		drop_last(m, s);
	memmove(&s->seal[1], &s->seal[0], (WAYS - 1) * sizeof(s->seal[0]));
	s->seal[0] = k;
	s->bytes += k->bytes;
}

/* Did it come before? Else it is noted. */
static bool seen_before(struct set *s, uint64_t h)
{
	bool seen = false;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < SEEN; i++)
		seen = seen || s->seen[i] == h;
	if (!seen)
		s->seen[s->next_seen++ % SEEN] = h;
	pthread_mutex_unlock(&s->lock);
	return seen;
}

static void keep_new(const struct seal_question *q, const struct seal_found *f, struct span first)
{
	struct seal_memo *m = q->memo;
	uint64_t h = hash(m, f->sig->seal.raw);
	struct set *s = set_of(m, h);
	struct seal_known *k = seen_before(s, h) ? known_new(q, f) : NULL;

	if (k == NULL)
		return;
	add_head(k, f->signer, first);
	pthread_mutex_lock(&s->lock);
	put(m, s, k);
	pthread_mutex_unlock(&s->lock);
}

void seal_memo_keep(const struct seal_question *q, const struct seal_found *f)
{
	struct seal_memo *m = q->memo;
	struct span first;
	struct set *s;

	/* In BER or in a string it is not asked for. */
	if (!q->asked || f->signer == NULL || q->epoch != atomic_load(&m->epoch) || f->sig->seal.raw.len > m->set_bytes ||
	    !before_seal(f->sig, &first))
		return;
	if (q->found == NULL) {
		keep_new(q, f, first);
		return;
	}
	if (has_head(q->found, f->signer, first))
		return;
	s = set_of(m, hash(m, q->found->octets));
	pthread_mutex_lock(&s->lock);
	add_head(q->found, f->signer, first);
	pthread_mutex_unlock(&s->lock);
}

/* ---- figures -------------------------------------------------------------------------------- */

void seal_memo_figures(struct seal_memo *m, struct seal_memo_figures *out)
{
	struct seal_memo_figures f = {
	    .hits = atomic_load(&m->hits),
	    .misses = atomic_load(&m->misses),
	    .evicted = atomic_load(&m->evicted),
	    .limit = m->limit,
	};

	for (size_t i = 0; i < m->n; i++) {
		struct set *s = &m->sets[i];

		pthread_mutex_lock(&s->lock);
		f.bytes += s->bytes;
		for (size_t w = 0; w < WAYS; w++)
			f.seals += s->seal[w] != NULL;
		pthread_mutex_unlock(&s->lock);
	}
	*out = f;
}
