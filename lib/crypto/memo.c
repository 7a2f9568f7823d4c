#include "crypto/memo.h"

#include "crypto/digest.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	WAYS = 8,              /* places of a set */
	LOCKS = 64,            /* set i is under lock i % LOCKS */
	CERT_COST = 24 * 1024, /* what a parsed certificate takes, rather more than most */
	CERT_SHARE = 4,        /* one part in so many of the limit is for certificates */
	SALT = 16
};

struct proof_set {
	uint8_t name[WAYS][MEMO_KEY]; /* used last stands first; all zeros: free */
};

struct cert_set {
	uint8_t name[WAYS][MEMO_KEY];
	struct cert *cert[WAYS];
};

struct memo {
	uint8_t salt[SALT];
	size_t limit, n_proofs, n_certs; /* sets */
	struct proof_set *proofs;
	struct cert_set *certs;
	pthread_mutex_t lock[LOCKS];
	atomic_uint_fast64_t epoch, evicted;
	atomic_size_t kept_proofs, kept_certs;
	atomic_uint_fast64_t hits[MEMO_KINDS], misses[MEMO_KINDS];
};

/* ---- life ----------------------------------------------------------------------------------- */

enum err memo_new(size_t limit, const struct rand *r, struct memo **out)
{
	struct memo *m;
	enum err e;

	if (limit < MEMO_LIMIT_MIN)
		return ERR_FIELD_INVALID;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&m->lock[i], NULL);
	m->limit = limit;
	m->n_certs = limit / CERT_SHARE / (WAYS * CERT_COST);
	if (m->n_certs == 0)
		m->n_certs = 1;
	m->n_proofs = (limit - limit / CERT_SHARE) / sizeof(struct proof_set);
	m->proofs = calloc(m->n_proofs, sizeof(*m->proofs));
	m->certs = calloc(m->n_certs, sizeof(*m->certs));
	e = m->proofs != NULL && m->certs != NULL ? rand_fill(r, m->salt, SALT) : ERR_NO_MEMORY;
	if (e != ERR_OK) {
		memo_free(m);
		return e;
	}
	*out = m;
	return ERR_OK;
}

void memo_free(struct memo *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; m->certs != NULL && i < m->n_certs; i++)
		for (size_t k = 0; k < WAYS; k++)
			cert_free(m->certs[i].cert[k]);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&m->lock[i]);
	free(m->proofs);
	free(m->certs);
	free(m);
}

/* The old entries are of other names from now on, so that nobody finds them; they make room as new ones come. */
void memo_next_epoch(struct memo *m)
{
	atomic_fetch_add(&m->epoch, 1);
}

/* ---- places --------------------------------------------------------------------------------- */

static size_t set_of(const uint8_t name[MEMO_KEY], size_t sets)
{
	uint64_t v;

	memcpy(&v, name, sizeof(v));
	return (size_t)(v % sets);
}

/* WAYS when it is not there. */
static size_t way_of(uint8_t names[WAYS][MEMO_KEY], const uint8_t name[MEMO_KEY])
{
	size_t k = 0;

	while (k < WAYS && memcmp(names[k], name, MEMO_KEY) != 0)
		k++;
	return k;
}

static bool is_free(const uint8_t name[MEMO_KEY])
{
	static const uint8_t none[MEMO_KEY];

	return memcmp(name, none, MEMO_KEY) == 0;
}

/* The name moves from place k to the first, those before it one back. */
static void to_front(uint8_t names[WAYS][MEMO_KEY], size_t k, const uint8_t name[MEMO_KEY])
{
	memmove(names[1], names[0], k * MEMO_KEY);
	memcpy(names[0], name, MEMO_KEY);
}

static void tally(struct memo *m, enum memo_kind kind, bool hit)
{
	atomic_fetch_add_explicit(hit ? &m->hits[kind] : &m->misses[kind], 1, memory_order_relaxed);
}

/* ---- signatures ----------------------------------------------------------------------------- */

/* Each part with its length in front, so that no two questions are written alike. False when it could not be made. */
static bool name_of(const struct memo *m, struct memo_question *q)
{
	const uint64_t head[] = {q->epoch, q->kind, q->key.len, q->id.len, q->value.len, q->msg.len};
	const struct span parts[] = {span_of(m->salt, SALT), span_of(head, sizeof(head)), q->key, q->id, q->value, q->msg};

	return sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), q->name) == ERR_OK;
}

bool memo_knows(struct memo *m, struct memo_question *q)
{
	struct proof_set *set;
	pthread_mutex_t *lock;
	size_t i, k;

	if (m == NULL || q->kind == MEMO_NONE)
		return false;
	q->epoch = atomic_load(&m->epoch);
	if (!name_of(m, q)) {
		q->kind = MEMO_NONE;
		return false;
	}
	i = set_of(q->name, m->n_proofs);
	set = &m->proofs[i];
	lock = &m->lock[i % LOCKS];
	pthread_mutex_lock(lock);
	k = way_of(set->name, q->name);
	if (k != WAYS)
		to_front(set->name, k, q->name);
	pthread_mutex_unlock(lock);
	tally(m, q->kind, k != WAYS);
	return k != WAYS;
}

void memo_learn(struct memo *m, const struct memo_question *q)
{
	struct proof_set *set;
	pthread_mutex_t *lock;
	size_t i, k;

	if (m == NULL || q->kind == MEMO_NONE || q->epoch != atomic_load(&m->epoch))
		return;
	i = set_of(q->name, m->n_proofs);
	set = &m->proofs[i];
	lock = &m->lock[i % LOCKS];
	pthread_mutex_lock(lock);
	k = way_of(set->name, q->name);
	if (k == WAYS) {
		k = WAYS - 1;
		if (is_free(set->name[k]))
			atomic_fetch_add(&m->kept_proofs, 1);
		else
			atomic_fetch_add(&m->evicted, 1);
	}
	to_front(set->name, k, q->name);
	pthread_mutex_unlock(lock);
}

/* ---- certificates --------------------------------------------------------------------------- */

static struct cert *cert_find(struct cert_set *set, const uint8_t name[MEMO_KEY])
{
	size_t k = way_of(set->name, name);
	struct cert *c;

	if (k == WAYS)
		return NULL;
	c = set->cert[k];
	to_front(set->name, k, name);
	memmove(&set->cert[1], &set->cert[0], k * sizeof(set->cert[0]));
	set->cert[0] = c;
	return cert_ref(c);
}

static void cert_keep(struct memo *m, struct cert_set *set, const uint8_t name[MEMO_KEY], struct cert *c)
{
	if (way_of(set->name, name) != WAYS)
		return; /* another thread was first */
	if (set->cert[WAYS - 1] == NULL)
		atomic_fetch_add(&m->kept_certs, 1);
	else
		atomic_fetch_add(&m->evicted, 1);
	cert_free(set->cert[WAYS - 1]);
	to_front(set->name, WAYS - 1, name);
	memmove(&set->cert[1], &set->cert[0], (WAYS - 1) * sizeof(set->cert[0]));
	set->cert[0] = cert_ref(c);
}

enum err memo_cert(struct memo *m, struct span der, struct cert **out)
{
	uint8_t name[MEMO_KEY];
	struct cert *c = NULL;
	struct cert_set *set;
	pthread_mutex_t *lock;
	size_t i;
	enum err e;

	if (m == NULL || sha256_parts((const struct span[]){span_of(m->salt, SALT), der}, 2, name) != ERR_OK)
		return cert_parse(der, out);
	i = set_of(name, m->n_certs);
	set = &m->certs[i];
	lock = &m->lock[i % LOCKS];
	pthread_mutex_lock(lock);
	c = cert_find(set, name);
	pthread_mutex_unlock(lock);
	tally(m, MEMO_CERT, c != NULL);
	if (c != NULL) {
		*out = c;
		return ERR_OK;
	}
	e = cert_parse(der, &c);
	if (e != ERR_OK)
		return e;
	pthread_mutex_lock(lock);
	cert_keep(m, set, name, c);
	pthread_mutex_unlock(lock);
	*out = c;
	return ERR_OK;
}

/* ---- figures -------------------------------------------------------------------------------- */

void memo_figures(struct memo *m, struct memo_figures *out)
{
	*out = (struct memo_figures){
	    .evicted = atomic_load(&m->evicted),
	    .epoch = atomic_load(&m->epoch),
	    .signatures = atomic_load(&m->kept_proofs),
	    .certs = atomic_load(&m->kept_certs),
	    .limit = m->limit,
	};
	for (int kind = 0; kind < MEMO_KINDS; kind++) {
		out->hits[kind] = atomic_load(&m->hits[kind]);
		out->misses[kind] = atomic_load(&m->misses[kind]);
	}
	out->bytes = out->signatures * MEMO_KEY + out->certs * CERT_COST;
}
