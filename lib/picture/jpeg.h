/*
 * JPEG through libjpeg, as grey: pictures of codes are all that we read in this format.
 * Bounds: the size before anything is allocated, 64 scans and 96 MB of coefficients in a progressive file,
 * 16 warnings of corrupt data (a premature end is an error at once).
 * CMYK pictures are refused. EXIF is not read: a turned photograph stays turned.
 */
#ifndef YZ_PICTURE_JPEG_H
#define YZ_PICTURE_JPEG_H

#include "picture/image.h"

/* ERR_IMAGE_INVALID (note: what libjpeg says), ERR_TOO_LARGE, ERR_BUDGET. */
enum err jpeg_read(struct arena *a, struct span bytes, struct image *out, struct err_note *note) MUST_CHECK;

#endif
