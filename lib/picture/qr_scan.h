/*
 * QR codes in a picture (PNG or JPEG by its first bytes), through ZBar.
 *
 * The picture is tried as it is, then with a bounded series of changes (scale, local contrast, blur) until one of
 * them shows a code. Texts are given as the bytes in the code; a code that stands twice in the picture counts once.
 * NOT done: parts of a structured append are not joined; a second code that is only readable under a later change
 * than the first is not seen.
 */
#ifndef YZ_PICTURE_QR_SCAN_H
#define YZ_PICTURE_QR_SCAN_H

#include "picture/image.h"

enum { QR_SCAN_MAX = 16 /* codes of one picture; more are left out */ };

struct qr_scan {
	size_t count;
	struct span text[QR_SCAN_MAX]; /* in the arena, a NUL stands behind each; may be other than UTF-8 */
};

/* All codes, count 0 when there is none. ERR_IMAGE_INVALID, ERR_TOO_LARGE, ERR_BUDGET, ERR_NO_MEMORY. */
enum err qr_scan_all(struct arena *a, struct span bytes, struct qr_scan *out, struct err_note *note) MUST_CHECK;
/* The same for pixels (IMAGE_GREY). */
enum err qr_scan_image(struct arena *a, const struct image *grey, struct qr_scan *out) MUST_CHECK;
/* The picture's only code. Besides: ERR_QR_NONE, ERR_QR_SEVERAL. */
enum err qr_scan_one(struct arena *a, struct span bytes, struct span *text, struct err_note *note) MUST_CHECK;

#endif
