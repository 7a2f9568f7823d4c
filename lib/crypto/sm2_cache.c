#include "crypto/sm2_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	WAYS = 8,          /* keys that share a set: as many are counted per table */
	SETS_MIN = 64,     /* per shard */
	SHARDS_MAX = 16,   /* each under a lock of its own */
	SHARD_TABLES = 16, /* no second shard is made for less */
	HALVING = 32,      /* uses per counted key until all counts are halved */
	ASK_AGAIN = 8,     /* uses between two tries to get a place among the tables */
	SAMPLE = 32,       /* tables looked at to find one that is used little */
	USES_MAX = 1 << 30
};

/* A table in memory. The cache holds one reference, each taker another. */
struct kept {
	struct sm2_table table; /* first: takers hold a pointer to it */
	atomic_uint refs;
};

enum state { FREE, SEEN, BUILDING, READY };

struct counted {
	struct sm2_affine key;
	struct kept *kept; /* when READY */
	uint32_t uses;
	enum state state;
};

struct shard {
	pthread_mutex_t lock;
	struct counted *place; /* sets of WAYS */
	size_t sets;
	size_t tables, tables_max; /* READY and BUILDING */
	size_t until_halving;
	size_t hand; /* where the search for a table to let go of goes on */
	uint64_t hits, misses, built, evicted;
};

struct sm2_cache {
	uint64_t seed[2];
	size_t limit, shards;
	struct shard shard[SHARDS_MAX];
};

/* ---- life ----------------------------------------------------------------------------------- */

static enum err shard_open(struct shard *s, size_t tables)
{
	s->sets = tables > SETS_MIN ? tables : SETS_MIN;
	s->tables_max = tables;
	s->until_halving = s->sets * WAYS * HALVING;
	s->place = calloc(s->sets * WAYS, sizeof(*s->place));
	if (s->place == NULL)
		return ERR_NO_MEMORY;
	if (pthread_mutex_init(&s->lock, NULL) == 0)
		return ERR_OK;
	free(s->place);
	s->place = NULL;
	return ERR_NO_MEMORY;
}

static void shard_close(struct shard *s)
{
	if (s->place == NULL)
		return;
	for (size_t i = 0; i < s->sets * WAYS; i++)
		if (s->place[i].state == READY)
			sm2_cache_give(&s->place[i].kept->table);
	pthread_mutex_destroy(&s->lock);
	free(s->place);
}

enum err sm2_cache_new(size_t limit, const struct rand *r, struct sm2_cache **out)
{
	size_t tables = limit / sizeof(struct kept);
	struct sm2_cache *c = calloc(1, sizeof(*c));
	enum err e;

	if (c == NULL)
		return ERR_NO_MEMORY;
	c->limit = limit;
	while (c->shards < SHARDS_MAX && (c->shards == 0 || tables / (c->shards + 1) >= SHARD_TABLES))
		c->shards++;
	if (tables == 0)
		c->shards = 0;
	e = rand_fill(r, (uint8_t *)c->seed, sizeof(c->seed));
	for (size_t i = 0; e == ERR_OK && i < c->shards; i++)
		e = shard_open(&c->shard[i], tables / c->shards);
	if (e == ERR_OK)
		*out = c;
	else
		sm2_cache_free(c);
	return e;
}

void sm2_cache_free(struct sm2_cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->shards; i++)
		shard_close(&c->shard[i]);
	free(c);
}

/* ---- where a key is counted ----------------------------------------------------------------- */

__extension__ typedef unsigned __int128 wide;

static uint64_t fold(uint64_t a, uint64_t b)
{
	wide p = (wide)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* Keyed, so that the places cannot be known from outside; x alone would do but for P and -P. */
static uint64_t hash(const struct sm2_cache *c, const struct sm2_affine *key)
{
	uint64_t h = fold(key->x.v[0] ^ c->seed[0], key->x.v[1] ^ c->seed[1]);

	h = fold(h ^ key->x.v[2] ^ c->seed[1], key->x.v[3] ^ c->seed[0]);
	return fold(h ^ key->y.v[0], c->seed[0] | 1);
}

static bool is_key(const struct counted *p, const struct sm2_affine *key)
{
	return p->state != FREE && memcmp(&p->key, key, sizeof(*key)) == 0;
}

/* The key's entry in its set; else the free or least used one that has no table. NULL: all have one. */
static struct counted *find(struct counted *set, const struct sm2_affine *key)
{
	struct counted *least = NULL;

	for (size_t i = 0; i < WAYS; i++) {
		if (is_key(&set[i], key))
			return &set[i];
		if (set[i].state > SEEN)
			continue;
		if (least == NULL || set[i].uses < least->uses)
			least = &set[i];
	}
	return least;
}

static struct counted *set_of(struct shard *s, uint64_t h)
{
	return s->place + (size_t)((h >> 8) % s->sets) * WAYS;
}

static void halve(struct shard *s)
{
	for (size_t i = 0; i < s->sets * WAYS; i++) {
		s->place[i].uses /= 2;
		if (s->place[i].state == SEEN && s->place[i].uses == 0)
			s->place[i].state = FREE;
	}
	s->until_halving = s->sets * WAYS * HALVING;
}

/* ---- promotion ------------------------------------------------------------------------------ */

/* Of the next SAMPLE tables round the shard. */
static struct counted *little_used_table(struct shard *s)
{
	struct counted *least = NULL;
	size_t seen = 0, places = s->sets * WAYS;

	for (size_t i = 0; i < places && seen < SAMPLE; i++) {
		struct counted *p = &s->place[s->hand];

		s->hand = (s->hand + 1) % places;
		if (p->state != READY)
			continue;
		seen++;
		if (least == NULL || p->uses < least->uses)
			least = p;
	}
	return least;
}

/* Clearly more, so that two keys that are used alike do not take the place from one another time and again. */
static bool is_worth_more(uint32_t uses, const struct counted *than)
{
	return uses > than->uses + than->uses / 4 + CACHE_PROMOTES;
}

/* Room for one more table for a key of that many uses, if need be another's. *out: the one to let go of, or NULL. */
static bool make_room(struct shard *s, uint32_t uses, struct kept **out)
{
	struct counted *least;

	*out = NULL;
	if (s->tables < s->tables_max)
		return true;
	least = little_used_table(s);
	if (least == NULL || !is_worth_more(uses, least))
		return false;
	*out = least->kept;
	least->kept = NULL;
	least->state = SEEN;
	s->tables--;
	s->evicted++;
	return true;
}

static bool is_due(const struct counted *p)
{
	return p->state == SEEN && p->uses >= CACHE_PROMOTES && (p->uses - CACHE_PROMOTES) % ASK_AGAIN == 0;
}

static struct kept *build(const struct sm2_affine *key)
{
	struct kept *k = aligned_alloc(SM2_TABLE_ALIGN, sizeof(*k));

	if (k == NULL)
		return NULL;
	sm2_table_build(&k->table, key);
	atomic_init(&k->refs, 2); /* the cache, and who asked */
	return k;
}

/* The entry is BUILDING and stays where it is until this ends. Without memory the key goes on without a table. */
static const struct sm2_table *promote(struct shard *s, struct counted *p, const struct sm2_affine *key)
{
	struct kept *k = build(key);

	pthread_mutex_lock(&s->lock);
	p->state = k != NULL ? READY : SEEN;
	p->kept = k;
	if (k != NULL)
		s->built++;
	else
		s->tables--;
	pthread_mutex_unlock(&s->lock);
	return k != NULL ? &k->table : NULL;
}

/* ---- use ------------------------------------------------------------------------------------ */

/* Under the lock. The key's entry, this use counted; NULL when it has no place. */
static struct counted *count(struct shard *s, uint64_t h, const struct sm2_affine *key)
{
	struct counted *p = find(set_of(s, h), key);

	if (--s->until_halving == 0)
		halve(s);
	if (p == NULL)
		return NULL;
	if (!is_key(p, key))
		*p = (struct counted){.key = *key, .state = SEEN};
	if (p->uses < USES_MAX)
		p->uses++;
	return p;
}

static struct shard *shard_of(struct sm2_cache *c, uint64_t h)
{
	return &c->shard[(h & 0xff) % c->shards];
}

const struct sm2_table *sm2_cache_take(struct sm2_cache *c, const struct sm2_affine *key)
{
	uint64_t h = hash(c, key);
	struct kept *hit = NULL, *dropped = NULL;
	struct counted *p;
	struct shard *s;
	bool builds = false;

	if (c->shards == 0)
		return NULL;
	s = shard_of(c, h);
	pthread_mutex_lock(&s->lock);
	p = count(s, h, key);
	if (p != NULL && p->state == READY) {
		hit = p->kept;
		atomic_fetch_add_explicit(&hit->refs, 1, memory_order_relaxed);
	} else if (p != NULL && is_due(p) && make_room(s, p->uses, &dropped)) {
		builds = true;
		p->state = BUILDING;
		s->tables++;
	}
	s->hits += hit != NULL;
	s->misses += hit == NULL;
	pthread_mutex_unlock(&s->lock);
	if (dropped != NULL)
		sm2_cache_give(&dropped->table);
	if (hit != NULL)
		return &hit->table;
	return builds ? promote(s, p, key) : NULL;
}

void sm2_cache_give(const struct sm2_table *t)
{
	struct kept *k = (struct kept *)(uintptr_t)t;

	if (atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) == 1)
		free(k);
}

void sm2_cache_figures(struct sm2_cache *c, struct sm2_cache_figures *out)
{
	struct sm2_cache_figures f = {.limit = c->limit};

	for (size_t i = 0; i < c->shards; i++) {
		struct shard *s = &c->shard[i];

		pthread_mutex_lock(&s->lock);
		f.hits += s->hits;
		f.misses += s->misses;
		f.built += s->built;
		f.evicted += s->evicted;
		f.tables += s->tables;
		pthread_mutex_unlock(&s->lock);
	}
	f.bytes = f.tables * sizeof(struct kept);
	*out = f;
}
