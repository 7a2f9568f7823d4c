/* A growing byte string in an arena. Failure is remembered, so that a writer checks once at the end. */
#ifndef YZ_BASE_BUF_H
#define YZ_BASE_BUF_H

#include "base/arena.h"
#include "base/err.h"

struct buf {
	struct arena *arena;
	uint8_t *ptr;
	size_t len, cap;
	bool failed; /* the arena's budget was exhausted; everything after it was dropped */
};

void buf_init(struct buf *b, struct arena *a);
void buf_add(struct buf *b, struct span s);
void buf_byte(struct buf *b, uint8_t c);
void buf_str(struct buf *b, const char *s);
/* Where the next n octets can be written by who then adds to len what was; NULL when there is no room (failed). */
uint8_t *buf_room(struct buf *b, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* ERR_BUDGET when anything was dropped; else the view, valid as long as the arena. */
enum err buf_done(const struct buf *b, struct span *out) MUST_CHECK;
/* NUL-terminated text, NULL when anything was dropped. */
char *buf_text(struct buf *b);

#endif
