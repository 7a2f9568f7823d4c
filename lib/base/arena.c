#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, FIRST_CHUNK = 4096, MAX_CHUNK = 1 << 20 };

struct chunk {
	struct chunk *next;
	size_t size, used;
	max_align_t data[];
};

struct at_end {
	struct at_end *next;
	void (*fn)(void *arg);
	void *arg;
};

struct arena {
	struct chunk *head;
	struct at_end *at_end;
	size_t budget, used, next_size;
};

struct arena *arena_new(size_t budget)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->budget = budget;
	a->next_size = FIRST_CHUNK;
	return a;
}

void arena_free(struct arena *a)
{
	struct chunk *c, *next;

	if (a == NULL)
		return;
	for (struct at_end *x = a->at_end; x != NULL; x = x->next)
		x->fn(x->arg);
	for (c = a->head; c != NULL; c = next) {
		next = c->next;
		explicit_bzero(c->data, c->used);
		free(c);
	}
	free(a);
}

static struct chunk *grow(struct arena *a, size_t n)
{
	size_t size = n > a->next_size ? n : a->next_size;
	struct chunk *c = size <= SIZE_MAX - sizeof(*c) ? malloc(sizeof(*c) + size) : NULL;

	if (c == NULL)
		return NULL;
	c->size = size;
	c->used = 0;
	c->next = a->head;
	a->head = c;
	if (a->next_size < MAX_CHUNK)
		a->next_size *= 2;
	return c;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct chunk *c = a->head;
	uint8_t *p;

	if (n > SIZE_MAX - ALIGN || n > a->budget || a->used > a->budget - n)
		return NULL;
	n = n == 0 ? ALIGN : (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (c == NULL || c->size - c->used < n) {
		c = grow(a, n);
		if (c == NULL)
			return NULL;
	}
	/* Zeroed piece by piece: of a large chunk often little is used. */
	p = memset((uint8_t *)c->data + c->used, 0, n);
	c->used += n;
	a->used += n;
	return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return arena_alloc(a, count * size);
}

char *arena_strndup(struct arena *a, const void *s, size_t n)
{
	char *p;

	if (s == NULL && n != 0)
		return NULL;
	p = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;
	if (p != NULL && n != 0)
		memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s != NULL ? arena_strndup(a, s, strlen(s)) : NULL;
}

struct span arena_dup(struct arena *a, struct span s)
{
	uint8_t *p = arena_alloc(a, s.len);

	if (p == NULL)
		return span_of(NULL, 0);
	if (s.len != 0)
		memcpy(p, s.ptr, s.len);
	return span_of(p, s.len);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *p;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	p = arena_alloc(a, (size_t)n + 1);
	if (p == NULL)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

bool arena_at_end(struct arena *a, void (*fn)(void *arg), void *arg)
{
	struct at_end *x = arena_alloc(a, sizeof(*x));

	if (x == NULL)
		return false;
	*x = (struct at_end){a->at_end, fn, arg};
	a->at_end = x;
	return true;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

size_t arena_held(const struct arena *a)
{
	size_t n = sizeof(*a);

	for (const struct chunk *c = a->head; c != NULL; c = c->next)
		n += sizeof(*c) + c->size;
	return n;
}
