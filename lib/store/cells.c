#include "store/cells.h"

#include "crypto/digest.h"

#include <pthread.h>
#include <stdlib.h>

enum { SHARDS = 16, BUCKETS = 1024, SALT = 16, VALUE_MAX = 64 * 1024 };

struct value {
	struct value *next;          /* in its bucket */
	struct value *newer, *older; /* by use */
	uint8_t name[CELL_NAME];
	int64_t since; /* shard's now when it was put here */
	size_t len;
	uint8_t bytes[];
};

struct shard {
	pthread_mutex_t lock;
	size_t used;
	uint64_t hits, misses;
	int64_t now; /* as of the last cells_age() */
	struct value *newest, *oldest;
	struct value *bucket[BUCKETS];
};

struct cells {
	uint8_t salt[SALT];
	size_t shard_limit;
	int64_t next_age; /* of the one who calls cells_age() */
	struct shard shard[SHARDS];
};

/* ---- one shard; its lock is held ------------------------------------------------------------ */

static struct value **place_of(struct shard *s, const uint8_t name[CELL_NAME])
{
	struct value **at = &s->bucket[(name[1] | name[2] << 8) % BUCKETS];

	while (*at != NULL && memcmp((*at)->name, name, CELL_NAME) != 0)
		at = &(*at)->next;
	return at;
}

static void unlink_use(struct shard *s, struct value *v)
{
	*(v->newer != NULL ? &v->newer->older : &s->newest) = v->older;
	*(v->older != NULL ? &v->older->newer : &s->oldest) = v->newer;
}

static void link_newest(struct shard *s, struct value *v)
{
	v->newer = NULL;
	v->older = s->newest;
	*(s->newest != NULL ? &s->newest->newer : &s->oldest) = v;
	s->newest = v;
}

static size_t cost_of(const struct value *v)
{
	return sizeof(*v) + v->len;
}

static void drop(struct shard *s, struct value *v)
{
	*place_of(s, v->name) = v->next;
	unlink_use(s, v);
	s->used -= cost_of(v);
	secret_wipe(v->bytes, v->len);
	free(v);
}

/* ---- all ------------------------------------------------------------------------------------ */

static struct shard *shard_of(struct cells *c, const uint8_t name[CELL_NAME])
{
	return &c->shard[name[0] % SHARDS];
}

enum err cells_new(size_t limit, const struct rand *r, struct cells **out)
{
	struct cells *c = calloc(1, sizeof(*c));
	enum err e;

	if (c == NULL)
		return ERR_NO_MEMORY;
	c->shard_limit = limit / SHARDS;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&c->shard[i].lock, NULL);
	e = rand_fill(r, c->salt, SALT);
	if (e == ERR_OK)
		*out = c;
	else
		cells_free(c);
	return e;
}

void cells_free(struct cells *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		while (c->shard[i].oldest != NULL)
			drop(&c->shard[i], c->shard[i].oldest);
		pthread_mutex_destroy(&c->shard[i].lock);
	}
	free(c);
}

static void age_shard(struct shard *s, int64_t now)
{
	struct value *v, *newer;

	pthread_mutex_lock(&s->lock);
	s->now = now;
	for (v = s->oldest; v != NULL; v = newer) {
		newer = v->newer;
		if (now - v->since >= CELLS_KEPT_MS)
			drop(s, v);
	}
	pthread_mutex_unlock(&s->lock);
}

void cells_age(struct cells *c, int64_t now)
{
	if (c == NULL || now < c->next_age)
		return;
	c->next_age = now + CELLS_AGE_MS;
	for (size_t i = 0; i < SHARDS; i++)
		age_shard(&c->shard[i], now);
}

void cells_figures(struct cells *c, struct store_kept *out)
{
	*out = (struct store_kept){0};
	for (size_t i = 0; c != NULL && i < SHARDS; i++) {
		struct shard *s = &c->shard[i];

		pthread_mutex_lock(&s->lock);
		out->hits += s->hits;
		out->misses += s->misses;
		out->bytes += s->used;
		out->limit += c->shard_limit;
		pthread_mutex_unlock(&s->lock);
	}
}

bool cells_name(const struct cells *c, struct span context, struct span sealed, uint8_t name[CELL_NAME])
{
	const uint64_t len = context.len;

	if (c == NULL)
		return false;
	return sha256_parts((const struct span[]){span_of(c->salt, SALT), span_of(&len, sizeof(len)), context, sealed}, 4,
	                    name) == ERR_OK;
}

bool cells_get(struct cells *c, const uint8_t name[CELL_NAME], struct arena *a, struct span *plain)
{
	struct shard *s = shard_of(c, name);
	struct span copy = {0};
	struct value *v;

	pthread_mutex_lock(&s->lock);
	v = *place_of(s, name);
	if (v != NULL) {
		unlink_use(s, v);
		link_newest(s, v);
		copy = arena_dup(a, span_of(v->bytes, v->len));
		s->hits++;
	} else {
		s->misses++;
	}
	pthread_mutex_unlock(&s->lock);
	if (v == NULL || copy.ptr == NULL)
		return false;
	*plain = copy;
	return true;
}

void cells_put(struct cells *c, const uint8_t name[CELL_NAME], struct span plain)
{
	struct shard *s = shard_of(c, name);
	struct value *v = plain.len <= VALUE_MAX ? malloc(sizeof(*v) + plain.len) : NULL;

	if (v == NULL)
		return;
	memcpy(v->name, name, CELL_NAME);
	v->len = plain.len;
	if (plain.len != 0)
		memcpy(v->bytes, plain.ptr, plain.len);
	pthread_mutex_lock(&s->lock);
	if (*place_of(s, name) == NULL && cost_of(v) <= c->shard_limit) {
		while (s->used + cost_of(v) > c->shard_limit)
			drop(s, s->oldest);
		v->since = s->now;
		v->next = NULL;
		*place_of(s, name) = v;
		link_newest(s, v);
		s->used += cost_of(v);
		v = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	if (v != NULL)
		secret_wipe(v->bytes, v->len);
	free(v);
}
