#include "desk/kept.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SETS_MIN = 256, SETS_MAX = 1 << 20, WAYS = 4, VALUE_SIZE = 8 * 1024, VALUE_BUDGET = 1024 * 1024 };

struct value {
	atomic_uint refs;
	struct arena *arena;
	enum kept_kind kind;
	uint64_t epoch;
	int64_t since;    /* kept->now when it was kept */
	struct span name; /* in the arena, as all that could be personal data */
	const void *made;
};

struct kept {
	pthread_mutex_t lock;
	size_t limit, values, bytes;
	uint64_t hits, misses;
	int64_t now;                /* as of the last kept_age() */
	size_t sets;                /* a power of two */
	size_t next_room;           /* the set where room is made next when all is full */
	struct value *(*set)[WAYS]; /* used last stands first */
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
	return sizeof(*v) + arena_held(v->arena);
}

/* ---- life ----------------------------------------------------------------------------------- */

enum err kept_new(size_t limit, struct kept **out)
{
	struct kept *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return ERR_NO_MEMORY;
	k->sets = SETS_MIN;
	while (k->sets < SETS_MAX && k->sets * WAYS * VALUE_SIZE < limit)
		k->sets *= 2;
	k->set = calloc(k->sets, sizeof(*k->set));
	if (k->set == NULL) {
		free(k);
		return ERR_NO_MEMORY;
	}
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
	for (size_t i = 0; i < k->sets; i++)
		for (size_t w = 0; w < WAYS; w++)
			take_out(k, &k->set[i][w]);
	pthread_mutex_unlock(&k->lock);
}

/* The places that are left move to the front. */
static void age_set(struct kept *k, struct value **set, int64_t max_age)
{
	size_t left = 0;

	for (size_t w = 0; w < WAYS; w++) {
		if (set[w] != NULL && k->now - set[w]->since >= max_age)
			take_out(k, &set[w]);
		if (set[w] != NULL)
			set[left++] = set[w];
	}
	while (left < WAYS)
		set[left++] = NULL;
}

void kept_age(struct kept *k, int64_t now, int64_t max_age)
{
	if (k == NULL)
		return;
	pthread_mutex_lock(&k->lock);
	k->now = now;
	for (size_t i = 0; i < k->sets; i++)
		age_set(k, k->set[i], max_age);
	pthread_mutex_unlock(&k->lock);
}

void kept_free(struct kept *k)
{
	if (k == NULL)
		return;
	kept_clear(k);
	pthread_mutex_destroy(&k->lock);
	free(k->set);
	free(k);
}

/* ---- places --------------------------------------------------------------------------------- */

/* FNV-1a. Only what the store has is kept, so nobody can fill a set by asking. */
static struct value **set_of(struct kept *k, const struct kept_question *q)
{
	uint64_t h = 14695981039346656037u ^ (uint64_t)q->kind;

	for (size_t i = 0; i < q->name.len; i++)
		h = (h ^ q->name.ptr[i]) * 1099511628211u;
	return k->set[(h ^ h >> 32) & (k->sets - 1)];
}

static bool is_it(const struct value *v, const struct kept_question *q)
{
	return v != NULL && v->kind == q->kind && span_eq(v->name, q->name);
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
	if (v->arena != NULL)
		v->name = arena_dup(v->arena, q->name);
	e = v->name.ptr != NULL ? make(v->arena, arg, &v->made) : ERR_NO_MEMORY;
	if (e == ERR_OK)
		*out = v;
	else
		value_drop(v);
	return e;
}

/* Where it stands already, else a free place, else that of the one used longest ago. */
static size_t place_for(struct value *const *set, const struct kept_question *q)
{
	size_t w = way_of(set, q);

	for (size_t i = 0; w == WAYS && i < WAYS; i++)
		if (set[i] == NULL)
			return i;
	return w < WAYS ? w : WAYS - 1;
}

static size_t last_of(struct value *const *set)
{
	size_t w = WAYS;

	while (w > 0 && set[w - 1] == NULL)
		w--;
	return w;
}

/* Of one set after the other the value that was used longest ago. */
static bool make_room(struct kept *k, size_t needed)
{
	if (needed > k->limit)
		return false;
	while (k->bytes + needed > k->limit) {
		struct value **set = k->set[k->next_room];
		size_t n = last_of(set);

		k->next_room = (k->next_room + 1) & (k->sets - 1);
		if (n != 0)
			take_out(k, &set[n - 1]);
	}
	return true;
}

/* Takes over the reference. */
static void keep(struct kept *k, const struct kept_question *q, struct value *v)
{
	struct value **set;
	size_t w;

	pthread_mutex_lock(&k->lock);
	set = set_of(k, q);
	w = place_for(set, q);
	take_out(k, &set[w]);
	if (make_room(k, cost_of(v))) {
		k->values++;
		k->bytes += cost_of(v);
		v->since = k->now;
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
