/*
 * Memory for one call (or one file, one command): taken piece by piece, given back all at once.
 * Every byte counts against a budget; past it allocations return NULL and the caller answers ERR_BUDGET.
 * Memory is zeroed when handed out and wiped when given back, because it holds personal data.
 * One arena belongs to one thread at a time.
 */
#ifndef YZ_BASE_ARENA_H
#define YZ_BASE_ARENA_H

#include "base/span.h"

struct arena;

/* NULL when out of memory. budget: the most that may ever be asked of it. */
struct arena *arena_new(size_t budget);
void arena_free(struct arena *a);

/* Zeroed, aligned for any type. NULL when the budget or memory is exhausted. n == 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t n);
/* The same for an array; NULL on overflow of count * size. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* NUL-terminated copy of bytes / of text; NULL as above, or when s is NULL. */
char *arena_strndup(struct arena *a, const void *s, size_t n);
char *arena_strdup(struct arena *a, const char *s);
/* Copy; on failure {NULL, 0} with s.len > 0. */
struct span arena_dup(struct arena *a, struct span s);
/* Formatted text; NULL as above. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Have fn(arg) called when the arena is freed, last come first. False when the budget or memory is exhausted: it will
 * not be called. For what is shared and outlives the arena: a reference to give back. */
bool arena_at_end(struct arena *a, void (*fn)(void *arg), void *arg);
/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);
/* Bytes of memory that it takes for them. */
size_t arena_held(const struct arena *a);

#endif
