/* Text to a QR code (ISO/IEC 18004), as modules, PNG, SVG or terminal text. */
#ifndef YZ_PICTURE_QR_DRAW_H
#define YZ_PICTURE_QR_DRAW_H

#include "base/arena.h"
#include "base/err.h"

/* Share of the code words that may be lost: about 7, 15, 25, 30 per cent. Q is what we print on paper. */
enum qr_level { QR_L, QR_M, QR_Q, QR_H };

enum { QR_QUIET = 4 /* modules of white around the code, as the standard asks */ };

struct qr {
	unsigned version;       /* 1..40 */
	unsigned size;          /* modules of a side, without the quiet zone: 17 + 4 * version */
	const uint8_t *modules; /* size * size, row by row; 1 is dark */
};

/* The smallest symbol that holds the text. Digits and the upper-case alphabet (0-9 A-Z space $%*+-./:) go in their
 * compact modes, everything else as UTF-8 bytes without ECI. ERR_FIELD_MISSING when empty, ERR_TEXT_INVALID when not
 * UTF-8 or with NUL, ERR_TOO_LARGE when no symbol of this level holds it (2,953 bytes at L at most), ERR_BUDGET. */
enum err qr_encode(struct arena *a, struct span text, enum qr_level level, struct qr *out,
                   struct err_note *note) MUST_CHECK;

/* With quiet zone. module_px: pixels of a module's side, 1..64. ERR_FIELD_INVALID, ERR_BUDGET, ERR_NO_MEMORY. */
enum err qr_png(struct arena *a, const struct qr *qr, unsigned module_px, struct span *out) MUST_CHECK;
/* With quiet zone, one path, scalable, 4 px a module as natural size. ERR_BUDGET. */
enum err qr_svg(struct arena *a, const struct qr *qr, struct span *out) MUST_CHECK;
/* Lines of UTF-8 half blocks with quiet zone, each closed by '\n'; two modules high, one wide per character.
 * colour: black on white by ANSI sequences, right on every terminal that knows colours. Otherwise the white modules
 * are what is inked, which is right on a dark background (and read by most scanners on a light one). ERR_BUDGET. */
enum err qr_terminal(struct arena *a, const struct qr *qr, bool colour, char **out) MUST_CHECK;

#endif
