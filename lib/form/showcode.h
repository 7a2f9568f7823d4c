/* The text of an online show-code: "YZ1" and 160 random bits in Crockford's base 32 (32 characters), so that the QR
 * stays in alphanumeric mode. It names a record; it holds no data. */
#ifndef YZ_FORM_SHOWCODE_H
#define YZ_FORM_SHOWCODE_H

#include "base/arena.h"
#include "base/err.h"
#include "crypto/digest.h"
#include "crypto/rand.h"

enum { SHOWCODE_BITS = 160, SHOWCODE_TEXT = 3 + 32 };

/* A new one. The text is a secret for as long as the code lives: the store keeps showcode_hash() only. */
enum err showcode_make(const struct rand *r, char out[SHOWCODE_TEXT + 1]) MUST_CHECK;
/* What a scan gun or a person typed -> canonical text: lower case, full-width, CR/LF and blanks at the ends, and
 * Crockford's look-alikes (I L O) are accepted. ERR_CODE_MALFORMED otherwise. */
enum err showcode_read(struct arena *a, struct span typed, char **canonical) MUST_CHECK;
/* SM3 of the canonical text. */
enum err showcode_hash(const char *canonical, uint8_t out[SM3_LEN]) MUST_CHECK;

#endif
