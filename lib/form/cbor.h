/*
 * Deterministic CBOR (RFC 8949 section 4.2.1) for our own records: a writer and a pull reader over received bytes.
 * Only unsigned and negative integers, byte and text strings, arrays, maps with unsigned-integer keys in rising
 * order, booleans, null and one leading tag are known; shortest forms and definite lengths only; text must be clean
 * UTF-8. Anything else is ERR_FORMAT: a record has exactly one encoding, so its hash means something.
 * The wire syntax is libcbor's (streaming decoder and encoders, which allocate nothing).
 */
#ifndef YZ_FORM_CBOR_H
#define YZ_FORM_CBOR_H

#include "base/buf.h"

enum { CBOR_DEPTH_MAX = 8 };

/* libcbor exports two functions of the same names: ours are linked under their own. */
#define cbor_get_int  yz_cbor_get_int
#define cbor_get_bool yz_cbor_get_bool

void cbor_put_uint(struct buf *b, uint64_t v);
void cbor_put_int(struct buf *b, int64_t v);
void cbor_put_bytes(struct buf *b, struct span s);
void cbor_put_text(struct buf *b, const char *s);
void cbor_put_array(struct buf *b, size_t n);
void cbor_put_map(struct buf *b, size_t n);
void cbor_put_bool(struct buf *b, bool v);
void cbor_put_tag(struct buf *b, uint64_t tag);

struct cbor_reader {
	struct span rest;
};

enum cbor_kind {
	CBOR_END,
	CBOR_UINT,
	CBOR_NEGINT,
	CBOR_BYTES,
	CBOR_TEXT,
	CBOR_ARRAY,
	CBOR_MAP,
	CBOR_BOOL,
	CBOR_NULL,
	CBOR_TAG
};

/* What comes next; ERR_FORMAT when it is none of the known kinds, or not in shortest form. */
enum err cbor_peek(const struct cbor_reader *r, enum cbor_kind *kind) MUST_CHECK;
enum err cbor_get_uint(struct cbor_reader *r, uint64_t max, uint64_t *v) MUST_CHECK;
enum err cbor_get_int(struct cbor_reader *r, int64_t *v) MUST_CHECK;
enum err cbor_get_bytes(struct cbor_reader *r, size_t max, struct span *s) MUST_CHECK;
/* The next key of a map, which must be this one. */
enum err cbor_get_key(struct cbor_reader *r, uint64_t want) MUST_CHECK;
/* Checked with text_is_clean(). ERR_TOO_LARGE past max (bytes), for bytes too. */
enum err cbor_get_text_view(struct cbor_reader *r, size_t max, struct span *s) MUST_CHECK;
enum err cbor_get_text(struct cbor_reader *r, struct arena *a, size_t max, char **s) MUST_CHECK;
/* The count is bounded by max and by the bytes that are left. */
enum err cbor_get_array(struct cbor_reader *r, size_t max, size_t *n) MUST_CHECK;
enum err cbor_get_map(struct cbor_reader *r, size_t max, size_t *n) MUST_CHECK;
enum err cbor_get_bool(struct cbor_reader *r, bool *v) MUST_CHECK;
enum err cbor_get_tag(struct cbor_reader *r, uint64_t want) MUST_CHECK;
/* A tag is only known at the head of a whole; cbor_skip() takes none.
 * Step over one item of any known kind, nested at most CBOR_DEPTH_MAX; *raw (may be NULL) is its bytes. */
enum err cbor_skip(struct cbor_reader *r, struct span *raw) MUST_CHECK;
/* ERR_FORMAT unless everything was read. */
enum err cbor_end(const struct cbor_reader *r) MUST_CHECK;

#endif
