/*
 * DER (X.690) over received bytes: a reader whose calls look like the schema, and a writer into a buf.
 *
 * The reader hands out views and never copies (text apart, which becomes a C string). It is strict: definite lengths,
 * shortest length and integer forms, low tag numbers, BOOLEAN 00 or FF; anything else is ERR_FORMAT. It does not
 * recurse: the caller descends with der_enter(), which counts the depth. What the reader does NOT check: that a
 * DEFAULT value is left out (a common library writes `critical FALSE`), and the order of a SET.
 * A call that fails consumes nothing.
 * All form rules of lengths and tags stand in one function (der_take), so that a reader with tolerances can differ
 * there alone.
 */
#ifndef YZ_FORM_DER_H
#define YZ_FORM_DER_H

#include "base/buf.h"
#include "form/deviation.h"

enum {
	DER_DEPTH_MAX = 32,
	DER_OID_ARCS_MAX = 32 /* each below 2^63 */
};

/* Identifier octets as they stand on the wire. */
enum {
	DER_ANY = 0,
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_PRINTABLE = 0x13,
	DER_IA5 = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_CONTEXT_0_PRIMITIVE = 0x80,
	DER_CONTEXT_0 = 0xa0
};

/* What is left of one constructed value. Copying it makes a look-ahead. */
struct der {
	struct span rest;
	unsigned depth;
};

struct der_item {
	uint8_t tag;
	struct span raw;   /* tag and length included */
	struct span value; /* contents */
};

struct der der_of(struct span in);
bool der_more(const struct der *d);
/* The next item's identifier octet; DER_ANY at the end. */
uint8_t der_peek(const struct der *d);
/* The next item, whose tag must be `tag` (DER_ANY: any). */
enum err der_take(struct der *d, uint8_t tag, struct der_item *out) MUST_CHECK;
/* Into a constructed item: *inner reads its contents, *d goes on behind it. *raw (may be NULL) is the whole item. */
enum err der_enter(struct der *d, uint8_t tag, struct der *inner, struct span *raw) MUST_CHECK;
/* ERR_FORMAT unless everything was read. */
enum err der_end(const struct der *d) MUST_CHECK;
/* How many items are left; ERR_TOO_LARGE past max. Nothing is consumed. */
enum err der_count(const struct der *d, size_t max, size_t *n) MUST_CHECK;

enum err der_bool(struct der *d, bool *v) MUST_CHECK;
/* ERR_FORMAT when it does not fit. */
enum err der_int64(struct der *d, int64_t *v) MUST_CHECK;
enum err der_octets(struct der *d, struct span *v) MUST_CHECK;
/* A BIT STRING of whole bytes: no unused bits. */
enum err der_bits(struct der *d, struct span *v) MUST_CHECK;
/* The same from the contents of a BIT STRING under another tag (IMPLICIT). */
enum err der_bits_value(struct span contents, struct span *v) MUST_CHECK;
/* Dotted text. */
enum err der_oid(struct der *d, struct arena *a, char **v) MUST_CHECK;
/* Text of at most max bytes (ERR_TOO_LARGE). UTF8String: clean by text_is_clean(). IA5String and PrintableString:
 * printable ASCII only. Empty text is text. */
enum err der_utf8(struct der *d, struct arena *a, size_t max, char **v) MUST_CHECK;
enum err der_ia5(struct der *d, struct arena *a, size_t max, char **v) MUST_CHECK;
enum err der_printable(struct der *d, struct arena *a, size_t max, char **v) MUST_CHECK;
/* GeneralizedTime, exactly YYYYMMDDHHMMSSZ. */
enum err der_gentime(struct der *d, int64_t *ms) MUST_CHECK;

/*
 * BER, which some software writes where DER is asked for, made DER before it is read: *out is the first value of `in`
 * itself when it has only lengths of DER, else a copy in the arena with definite shortest lengths (BER_LENGTHS) and
 * with strings in one piece (BER_STRINGS: BIT STRING and OCTET STRING of one level of parts). *rest is what follows in
 * `in`. Contents of primitive values stay as they are. ERR_FORMAT: nested deeper than DER_DEPTH_MAX, cut off, or not
 * DER while `list` is NULL. The copy is never longer than `in` and some octets for each of its values.
 */
enum err der_normalise(struct arena *a, struct span in, struct deviations *list, const char *where, struct span *out,
                       struct span *rest) MUST_CHECK;
/* The bytes as received of the value that is reached from the first value of `in` (BER) by these indices. */
enum err der_received(struct span in, const unsigned *path, size_t n, struct span *out) MUST_CHECK;

/* Writer. A constructed value is opened, filled and closed in this order; der_close() puts the length in. */
size_t der_open(struct buf *b, uint8_t tag);
void der_close(struct buf *b, size_t mark);
void der_put(struct buf *b, uint8_t tag, struct span contents);
void der_put_int(struct buf *b, int64_t v);
/* A non-negative integer from big-endian bytes of any length. */
void der_put_unsigned(struct buf *b, struct span big_endian);
void der_put_bits(struct buf *b, struct span bytes);
/* GeneralizedTime; milliseconds are cut off. The year must be 0..9999. */
void der_put_gentime(struct buf *b, int64_t ms);
/* From dotted text; ERR_FORMAT when it is not an object identifier. */
enum err der_put_oid(struct buf *b, const char *dotted) MUST_CHECK;

#endif
