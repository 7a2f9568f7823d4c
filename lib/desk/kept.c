#include "desk/kept.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SETS = 256, WAYS = 4, VALUE_BUDGET = 1024 * 1024 };

struct value {
	atomic_uint refs;
	struct arena *arena;
	enum kept_kind kind;
	uint64_t epoch;
	size_t name_len;
	uint8_t name[KEPT_NAME_MAX];
	const void *made;
};

struct kept {
	pthread_mutex_t lock;
	size_t limit, values, bytes;
	uint64_t hits, misses;
	struct value *set[SETS][WAYS]; /* used last stands first */
};

static void value_drop(void *arg)
{
	struct value *v = arg;

	if (atomic_fetch_sub(&v->refs, 1) != 1)
		return;
	arena_free(v->arena);
	free(v);
}

static size_t cost_of(const struct value *v)
{
	return sizeof(*v) + arena_used(v->arena);
}

/* ---- life ----------------------------------------------------------------------------------- */

enum err kept_new(size_t limit, struct kept **out)
{
	struct kept *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&k->lock, NULL);
	k->limit = limit;
	*out = k;
	return ERR_OK;
}

/* The lock is held. */
static void take_out(struct kept *k, struct value **at)
{
	if (*at == NULL)
		return;
	k->values--;
	k->bytes -= cost_of(*at);
	value_drop(*at);
	*at = NULL;
}

void kept_clear(struct kept *k)
{
	if (k == NULL)
		return;
	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < SETS; i++)
		for (size_t w = 0; w < WAYS; w++)
			take_out(k, &k->set[i][w]);
	pthread_mutex_unlock(&k->lock);
}

void kept_free(struct kept *k)
{
	if (k == NULL)
		return;
	kept_clear(k);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

/* ---- places --------------------------------------------------------------------------------- */

/* FNV-1a. Only what the store has is kept, so nobody can fill a set by asking. */
static struct value **set_of(struct kept *k, const struct kept_question *q)
{
	uint64_t h = 14695981039346656037u ^ (uint64_t)q->kind;

	for (size_t i = 0; i < q->name.len; i++)
		h = (h ^ q->name.ptr[i]) * 1099511628211u;
	return k->set[(h ^ h >> 32) % SETS];
}

static bool is_it(const struct value *v, const struct kept_question *q)
{
	return v != NULL && v->kind == q->kind && span_eq(span_of(v->name, v->name_len), q->name);
}

static size_t way_of(struct value *const *set, const struct kept_question *q)
{
	size_t w = 0;

	while (w < WAYS && !is_it(set[w], q))
		w++;
	return w;
}

static void to_front(struct value **set, size_t w)
{
	struct value *v = set[w];

	memmove(&set[1], &set[0], w * sizeof(set[0]));
	set[0] = v;
}

/* False when the holder has no room to remember it. */
static bool hold(struct value *v, struct arena *holder)
{
	atomic_fetch_add(&v->refs, 1);
	if (arena_at_end(holder, value_drop, v))
		return true;
	value_drop(v);
	return false;
}

const void *kept_find(struct kept *k, const struct kept_question *q)
{
	struct value **set, *v = NULL;
	size_t w;

	if (k == NULL)
		return NULL;
	pthread_mutex_lock(&k->lock);
	set = set_of(k, q);
	w = way_of(set, q);
	if (w < WAYS && set[w]->epoch != q->epoch)
		take_out(k, &set[w]);
	else if (w < WAYS) {
		to_front(set, w);
		v = hold(set[0], q->holder) ? set[0] : NULL;
	}
	if (v != NULL)
		k->hits++;
	else
		k->misses++;
	pthread_mutex_unlock(&k->lock);
	return v != NULL ? v->made : NULL;
}

/* ---- keeping -------------------------------------------------------------------------------- */

static enum err value_make(const struct kept_question *q, kept_make *make, void *arg, struct value **out)
{
	struct value *v = calloc(1, sizeof(*v));
	enum err e;

	if (v == NULL)
		return ERR_NO_MEMORY;
	atomic_init(&v->refs, 1);
	v->arena = arena_new(VALUE_BUDGET);
	v->kind = q->kind;
	v->epoch = q->epoch;
	v->name_len = q->name.len;
	memcpy(v->name, q->name.ptr, q->name.len);
	e = v->arena != NULL ? make(v->arena, arg, &v->made) : ERR_NO_MEMORY;
	if (e == ERR_OK)
		*out = v;
	else
		value_drop(v);
	return e;
}

/* Takes over the reference. */
static void keep(struct kept *k, const struct kept_question *q, struct value *v)
{
	struct value **set;
	size_t w;

	pthread_mutex_lock(&k->lock);
	set = set_of(k, q);
	w = way_of(set, q);
	if (w == WAYS)
		w = WAYS - 1; /* the one used longest ago, or a free place */
	take_out(k, &set[w]);
	if (k->bytes + cost_of(v) <= k->limit) {
		k->values++;
		k->bytes += cost_of(v);
		set[w] = v;
		to_front(set, w);
		v = NULL;
	}
	pthread_mutex_unlock(&k->lock);
	if (v != NULL)
		value_drop(v);
}

enum err kept_put(struct kept *k, const struct kept_question *q, kept_make *make, void *arg, const void **value)
{
	struct value *v = NULL;
	enum err e;

	if (k == NULL || q->name.len > KEPT_NAME_MAX)
		return make(q->holder, arg, value);
	e = value_make(q, make, arg, &v);
	if (e != ERR_OK)
		return e;
	if (!hold(v, q->holder)) {
		value_drop(v);
		return ERR_BUDGET;
	}
	*value = v->made;
	keep(k, q, v);
	return ERR_OK;
}

void kept_figures(struct kept *k, struct kept_figures *out)
{
	pthread_mutex_lock(&k->lock);
	*out = (struct kept_figures){k->hits, k->misses, k->values, k->bytes, k->limit};
	pthread_mutex_unlock(&k->lock);
}
