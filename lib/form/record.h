/*
 * Records of fixed shape as CBOR maps, by table: element i of the table stands under key i + 1, every key is present,
 * nothing else is. So a record has one encoding, and a reader needs no list of unknown keys.
 * Lists (holders, fields, materials) follow the table's elements under the next keys and are written by hand.
 */
#ifndef YZ_FORM_RECORD_H
#define YZ_FORM_RECORD_H

#include "form/cbor.h"

enum record_kind {
	RECORD_TEXT,     /* char *, 1..max bytes of clean text */
	RECORD_OPTIONAL, /* char *, 0..max bytes: "" for none */
	RECORD_NUMBER,   /* unsigned (or an enum without negative values), 1..max */
	RECORD_TIME,     /* int64_t, milliseconds; 0 when not known */
	RECORD_DIGEST    /* uint8_t[max] */
};

struct record_element {
	const char *name; /* as the documents spell it */
	enum record_kind kind;
	size_t at; /* offset in the struct */
	size_t max;
};

/* Writes keys and values (not the map's head). ERR_FIELD_INVALID when an element does not fit its row. */
enum err record_put(struct buf *b, const struct record_element *t, size_t n, const void *from) MUST_CHECK;
/* ERR_FORMAT, ERR_TOO_LARGE, ERR_BUDGET; the note names the element. Elements read so far are written to `to`. */
enum err record_get(struct cbor_reader *r, struct arena *a, const struct record_element *t, size_t n, void *to,
                    struct err_note *note) MUST_CHECK;
/* Text of 1..max bytes. */
enum err record_get_name(struct cbor_reader *r, struct arena *a, size_t max, char **out) MUST_CHECK;
bool record_name_ok(const char *s, size_t max);
/* Head of an array that must have exactly n elements. */
enum err record_get_tuple(struct cbor_reader *r, size_t n) MUST_CHECK;

#endif
