/* Text: UTF-8 checks, hex, base64, normalising what people and scan guns type. */
#ifndef YZ_BASE_TEXT_H
#define YZ_BASE_TEXT_H

#include "base/arena.h"
#include "base/err.h"

/* Well-formed UTF-8: no overlong forms, surrogates, or above U+10FFFF. NUL is well-formed here. */
bool text_is_utf8(struct span s);
/* Fit to be stored and shown: UTF-8, no NUL, no control characters (C0, DEL, C1), no line or paragraph ends, no
 * bidirectional marks and overrides, nothing else invisible (soft hyphen, zero-width space, U+2060-206F, byte order
 * mark, tags) but the joiners U+200C/D, no noncharacters, not above max_bytes. Empty is clean. */
bool text_is_clean(struct span s, size_t max_bytes);
/* Nothing but white space of any width (U+3000, too), fillers and joiners. Empty is blank; text that is not UTF-8 is
 * not. */
bool text_is_blank(struct span s);
/* Neither begins nor ends with such a character. Empty is trimmed; text that is not UTF-8 is not. */
bool text_is_trimmed(struct span s);
/* Number of code points of well-formed text. */
size_t text_length(struct span s);
/* True when every byte is one of `alphabet`. */
bool text_only(struct span s, const char *alphabet);
/* Full-width ASCII (U+FF01..FF5E, U+3000) becomes ASCII, lower case becomes upper case, ASCII white space,
 * CR, LF and NUL at both ends are dropped. ERR_TEXT_INVALID when not UTF-8, ERR_BUDGET. */
enum err text_scanned(struct arena *a, struct span in, char **out) MUST_CHECK;

/* Lower-case hex, NUL-terminated; out holds 2 * len + 1. */
void hex_encode(struct span in, char *out);
char *hex_text(struct arena *a, struct span in);
/* ERR_FORMAT on odd length or other characters, or when it does not fill exactly n bytes. */
enum err hex_decode(struct span in, uint8_t *out, size_t n) MUST_CHECK;
/* RFC 4648 section 4 with padding. */
char *base64_text(struct arena *a, struct span in);
enum err base64_decode(struct arena *a, struct span in, struct span *out) MUST_CHECK;

#endif
