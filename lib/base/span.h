/* A view of bytes. Never owns, never changes what it points at. */
#ifndef YZ_BASE_SPAN_H
#define YZ_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *ptr; /* may be NULL when len is 0 */
	size_t len;
};

static inline struct span span_of(const void *ptr, size_t len)
{
	return (struct span){(const uint8_t *)ptr, len};
}

static inline struct span span_str(const char *s)
{
	return (struct span){(const uint8_t *)s, s != NULL ? strlen(s) : 0};
}

/* Not for secrets: see crypto/rand.h secret_equal(). */
static inline bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* The part [from, from + len), cut to what is there. */
static inline struct span span_sub(struct span s, size_t from, size_t len)
{
	if (from > s.len)
		from = s.len;
	if (len > s.len - from)
		len = s.len - from;
	return span_of(s.len != 0 ? s.ptr + from : s.ptr, len);
}

#endif
