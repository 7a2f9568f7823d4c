#include "desk/fresh.h"

#include <pthread.h>
#include <stdlib.h>

enum { BUCKETS_MIN = 256, BUCKETS_MAX = 1 << 20, ROW_SIZE = 1024, TEXTS = 4 };

/* The texts and the body stand behind it, in this order; each text with its NUL. */
struct entry {
	struct entry *chain;           /* of its bucket */
	struct entry *older, *younger; /* of all */
	int64_t since;                 /* fresh->now when it was kept */
	size_t size;                   /* of all this */
	size_t text[TEXTS];            /* with NUL */
	struct code_row row;           /* its pointers mean nothing */
	uint8_t octets[];
};

struct fresh {
	pthread_mutex_t lock;
	size_t limit, rows, bytes;
	uint64_t hits, misses;
	int64_t now;    /* as of the last fresh_age() */
	size_t buckets; /* a power of two */
	struct entry *oldest, *youngest;
	struct entry *bucket[];
};

enum err fresh_new(size_t limit, struct fresh **out)
{
	size_t n = BUCKETS_MIN;
	struct fresh *f;

	while (n < BUCKETS_MAX && n * ROW_SIZE < limit)
		n *= 2;
	f = calloc(1, sizeof(*f) + n * sizeof(f->bucket[0]));
	if (f == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&f->lock, NULL);
	f->limit = limit;
	f->buckets = n;
	*out = f;
	return ERR_OK;
}

/* The hash is one of a random text: nobody chooses its place. */
static struct entry **bucket_of(struct fresh *f, const uint8_t hash[SM3_LEN])
{
	uint64_t at;

	memcpy(&at, hash, sizeof(at));
	return &f->bucket[at & (f->buckets - 1)];
}

/* NULL at the end of the bucket when it is not there. */
static struct entry **place_of(struct fresh *f, const uint8_t hash[SM3_LEN])
{
	struct entry **at = bucket_of(f, hash);

	while (*at != NULL && memcmp((*at)->row.hash, hash, SM3_LEN) != 0)
		at = &(*at)->chain;
	return at;
}

static void entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	explicit_bzero(e, e->size);
	free(e);
}

/* The lock is held, here and below. */
static struct entry *take_out(struct fresh *f, struct entry **at)
{
	struct entry *e = *at;

	*at = e->chain;
	*(e->older != NULL ? &e->older->younger : &f->oldest) = e->younger;
	*(e->younger != NULL ? &e->younger->older : &f->youngest) = e->older;
	f->rows--;
	f->bytes -= e->size;
	return e;
}

static void drop_oldest(struct fresh *f)
{
	entry_free(take_out(f, place_of(f, f->oldest->row.hash)));
}

void fresh_free(struct fresh *f)
{
	if (f == NULL)
		return;
	while (f->oldest != NULL)
		drop_oldest(f);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

void fresh_age(struct fresh *f, int64_t now, int64_t max_age)
{
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	f->now = now;
	while (f->oldest != NULL && now - f->oldest->since >= max_age)
		drop_oldest(f);
	pthread_mutex_unlock(&f->lock);
}

static struct entry *entry_of(const struct code_row *row)
{
	const char *texts[TEXTS] = {row->audience_org != NULL ? row->audience_org : "", row->wallet, row->item_code,
	                            row->used_by};
	size_t text[TEXTS], size = sizeof(struct entry) + row->body.len;
	struct entry *e;
	uint8_t *p;

	for (int i = 0; i < TEXTS; i++) {
		text[i] = strlen(texts[i]) + 1;
		size += text[i];
	}
	e = malloc(size);
	if (e == NULL)
		return NULL;
	*e = (struct entry){.size = size, .row = *row};
	p = e->octets;
	for (int i = 0; i < TEXTS; p += text[i++]) {
		e->text[i] = text[i];
		memcpy(p, texts[i], text[i]);
	}
	memcpy(p, row->body.ptr, row->body.len);
	return e;
}

/* In the arena that its octets were copied to. */
static void row_of(const struct entry *e, const uint8_t *octets, struct code_row *out)
{
	char *p = (char *)(uintptr_t)octets;

	*out = e->row;
	out->audience_org = p;
	out->wallet = p + e->text[0];
	out->item_code = p + e->text[0] + e->text[1];
	out->used_by = p + e->text[0] + e->text[1] + e->text[2];
	p += e->text[0] + e->text[1] + e->text[2] + e->text[3];
	out->body = span_of((const uint8_t *)p, e->row.body.len);
}

void fresh_put(struct fresh *f, const struct code_row *row)
{
	struct entry *e = f != NULL ? entry_of(row) : NULL, **at;

	if (e == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	at = place_of(f, row->hash);
	if (*at == NULL && e->size <= f->limit) {
		while (f->bytes + e->size > f->limit)
			drop_oldest(f);
		at = bucket_of(f, row->hash);
		e->chain = *at;
		*at = e;
		e->since = f->now;
		e->older = f->youngest;
		*(f->youngest != NULL ? &f->youngest->younger : &f->oldest) = e;
		f->youngest = e;
		f->rows++;
		f->bytes += e->size;
		e = NULL;
	}
	pthread_mutex_unlock(&f->lock);
	entry_free(e);
}

bool fresh_take(struct fresh *f, const uint8_t hash[SM3_LEN], struct arena *a, struct code_row *out)
{
	struct entry *e = NULL, **at;
	struct span copy;

	if (f == NULL)
		return false;
	pthread_mutex_lock(&f->lock);
	at = place_of(f, hash);
	if (*at != NULL) {
		e = take_out(f, at);
		f->hits++;
	} else {
		f->misses++;
	}
	pthread_mutex_unlock(&f->lock);
	if (e == NULL)
		return false;
	copy = arena_dup(a, span_of(e->octets, e->size - sizeof(*e)));
	if (copy.ptr != NULL)
		row_of(e, copy.ptr, out);
	entry_free(e);
	return copy.ptr != NULL;
}

void fresh_drop(struct fresh *f, const uint8_t hash[SM3_LEN])
{
	struct entry **at;

	if (f == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	at = place_of(f, hash);
	if (*at != NULL)
		entry_free(take_out(f, at));
	pthread_mutex_unlock(&f->lock);
}

void fresh_figures(struct fresh *f, struct fresh_figures *out)
{
	*out = (struct fresh_figures){0};
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	*out = (struct fresh_figures){f->hits, f->misses, f->rows, f->bytes, f->limit};
	pthread_mutex_unlock(&f->lock);
}
