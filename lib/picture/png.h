/*
 * PNG (ISO/IEC 15948) through libpng.
 * Strict about what it shows: a wrong check sum in any chunk, a missing end, or a chunk above 1 MB other than
 * image data is an error. Ancillary chunks (profiles, texts, gamma, EXIF) are skipped unread.
 * NOT checked: bytes after IEND.
 */
#ifndef YZ_PICTURE_PNG_H
#define YZ_PICTURE_PNG_H

#include "picture/image.h"

/* Any PNG as `form`. ERR_IMAGE_INVALID (note: what libpng says), ERR_TOO_LARGE from the header alone, ERR_BUDGET. */
enum err png_read(struct arena *a, struct span bytes, enum image_form form, struct image *out,
                  struct err_note *note) MUST_CHECK;
/* Width and height in pixels from the header alone; the rest is not looked at. Errors as above. */
enum err png_size(struct span bytes, uint32_t *width, uint32_t *height, struct err_note *note) MUST_CHECK;
/* 8 bits a channel, not interlaced. dpi 0: no resolution is stated. ERR_BUDGET, ERR_NO_MEMORY. */
enum err png_write(struct arena *a, const struct image *img, unsigned dpi, struct span *out) MUST_CHECK;

#endif
