#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buf_init(struct buf *b, struct arena *a)
{
	*b = (struct buf){.arena = a};
}

static bool grow(struct buf *b, size_t more)
{
	size_t cap = b->cap != 0 ? b->cap : 256;
	uint8_t *p;

	if (b->failed || more > SIZE_MAX / 4 - b->len) {
		b->failed = true;
		return false;
	}
	while (cap < b->len + more)
		cap *= 2;
	p = arena_alloc(b->arena, cap);
	if (p == NULL) {
		b->failed = true;
		return false;
	}
	if (b->len != 0)
		memcpy(p, b->ptr, b->len);
	b->ptr = p;
	b->cap = cap;
	return true;
}

static inline bool reserve(struct buf *b, size_t more)
{
	return (!b->failed && more <= b->cap - b->len) || grow(b, more);
}

uint8_t *buf_room(struct buf *b, size_t n)
{
	return reserve(b, n) ? b->ptr + b->len : NULL;
}

void buf_add(struct buf *b, struct span s)
{
	if (s.len == 0 || !reserve(b, s.len))
		return;
	memcpy(b->ptr + b->len, s.ptr, s.len);
	b->len += s.len;
}

void buf_byte(struct buf *b, uint8_t c)
{
	if (reserve(b, 1))
		b->ptr[b->len++] = c;
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, span_str(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	if (n < 0 || !reserve(b, (size_t)n + 1))
		return;
	va_start(ap, fmt);
	vsnprintf((char *)b->ptr + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

enum err buf_done(const struct buf *b, struct span *out)
{
	if (b->failed)
		return ERR_BUDGET;
	*out = span_of(b->ptr, b->len);
	return ERR_OK;
}

char *buf_text(struct buf *b)
{
	if (!reserve(b, 1))
		return NULL;
	b->ptr[b->len] = '\0';
	return (char *)b->ptr;
}
