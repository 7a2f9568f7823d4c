/* Token buckets: so many calls a minute, saved up to one minute's worth. */
#include <pthread.h>
#include <stdlib.h>

#include "desk/internal.h"

enum {
	BUCKETS = 4096, /* of operators and principals together */
	PROBES = 8,     /* how far a bucket may stand from its place */
	CALL = 1000,    /* tokens are counted in thousandths of a call */
	MINUTE_MS = 60 * 1000
};

/* Named by a digest: the table holds nobody's name, and a caller cannot choose its place. */
struct bucket {
	uint8_t name[SM3_LEN];
	int64_t seen; /* 0: free */
	uint64_t tokens;
};

struct limiter {
	pthread_mutex_t lock;
	unsigned operator_per_minute, principal_per_minute;
	struct bucket table[BUCKETS];
};

enum err limiter_new(unsigned operator_per_minute, unsigned principal_per_minute, struct limiter **out)
{
	struct limiter *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR_NO_MEMORY;
	if (pthread_mutex_init(&l->lock, NULL) != 0) {
		free(l);
		return ERR_NO_MEMORY;
	}
	l->operator_per_minute = operator_per_minute;
	l->principal_per_minute = principal_per_minute;
	*out = l;
	return ERR_OK;
}

void limiter_free(struct limiter *l)
{
	if (l == NULL)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static void refill(struct bucket *b, unsigned per_minute, int64_t now)
{
	uint64_t most = (uint64_t)per_minute * CALL;
	int64_t passed = now - b->seen;

	if (passed < 0) /* a clock set back gives nothing and takes nothing */
		passed = 0;
	if (passed > MINUTE_MS)
		passed = MINUTE_MS;
	b->tokens += (uint64_t)passed * most / MINUTE_MS;
	if (b->tokens > most)
		b->tokens = most;
	b->seen = now;
}

/* The bucket of this name. A new one takes a free place, else that of the longest unseen neighbour: a flood of names
 * can make a few callers start afresh, but not make the table grow. */
static struct bucket *find(struct limiter *l, const uint8_t name[SM3_LEN], unsigned per_minute, int64_t now)
{
	size_t at = ((size_t)name[0] << 8 | name[1]) % BUCKETS, i;
	struct bucket *best = NULL, *b;

	for (i = 0; i < PROBES; i++) {
		b = &l->table[(at + i) % BUCKETS];
		if (b->seen != 0 && memcmp(b->name, name, SM3_LEN) == 0) {
			refill(b, per_minute, now);
			return b;
		}
		if (best == NULL || b->seen < best->seen)
			best = b;
	}
	memcpy(best->name, name, SM3_LEN);
	best->seen = now;
	best->tokens = (uint64_t)per_minute * CALL;
	return best;
}

static enum err bucket_name(const char *principal, const char *operator_id, uint8_t out[SM3_LEN])
{
	struct span parts[] = {span_str(principal), span_of("", 1), span_str(operator_id)};

	return sm3_parts(parts, operator_id != NULL ? 3 : 1, out);
}

static enum err take(struct limiter *l, const uint8_t principal[SM3_LEN], const uint8_t operator[SM3_LEN], bool named,
                     int64_t now)
{
	struct bucket *p = NULL, *o = NULL;

	if (l->principal_per_minute != 0) {
		p = find(l, principal, l->principal_per_minute, now);
		if (p->tokens < CALL)
			return ERR_PRINCIPAL_LIMIT;
	}
	if (l->operator_per_minute != 0 && named) {
		o = find(l, operator, l->operator_per_minute, now);
		if (o->tokens < CALL)
			return ERR_OPERATOR_LIMIT;
		o->tokens -= CALL;
	}
	if (p != NULL && memcmp(p->name, principal, SM3_LEN) == 0) /* else the operator's bucket has taken its place */
		p->tokens -= CALL;
	return ERR_OK;
}

enum err limiter_take(struct limiter *l, const char *principal, const char *operator_id, int64_t now)
{
	bool named = operator_id != NULL && operator_id[0] != '\0';
	uint8_t p[SM3_LEN], o[SM3_LEN];
	enum err e;

	if (l->principal_per_minute == 0 && l->operator_per_minute == 0)
		return ERR_OK;
	if (now < 1) /* 0 marks a free bucket */
		now = 1;
	e = bucket_name(principal, NULL, p);
	if (e == ERR_OK)
		e = bucket_name(principal, named ? operator_id : "", o);
	if (e != ERR_OK)
		return e;
	pthread_mutex_lock(&l->lock);
	e = take(l, p, o, named, now);
	pthread_mutex_unlock(&l->lock);
	return e;
}
