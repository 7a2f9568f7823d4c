/*
 * Pixels in an arena, and what a picture file claims to be.
 * Every size is read from the file's header and checked before anything is allocated or decoded.
 */
#ifndef YZ_PICTURE_IMAGE_H
#define YZ_PICTURE_IMAGE_H

#include "base/arena.h"
#include "base/err.h"

enum {
	IMAGE_MAX_PIXELS = 40 * 1000 * 1000, /* a phone's largest photograph; 40 MB as grey, 160 MB as RGBA */
	IMAGE_MAX_SIDE = 32767,
	IMAGE_MAX_FILE = 32 * 1024 * 1024 /* what callers give file_read() as its bound */
};

/* The value is the number of bytes of a pixel. */
enum image_form {
	IMAGE_GREY = 1, /* 0 black … 255 white; transparent parts lie on white */
	IMAGE_RGBA = 4  /* not premultiplied */
};

/* Rows from the top, without padding: pix holds width * height * form bytes. */
struct image {
	uint32_t width, height;
	enum image_form form;
	uint8_t *pix;
};

enum image_kind { IMAGE_UNKNOWN, IMAGE_PNG, IMAGE_JPEG };

/* By the first bytes only. */
enum image_kind image_kind_of(struct span bytes);
/* ERR_TOO_LARGE past the bounds above, ERR_IMAGE_INVALID when a side is 0; the note names the size. */
enum err image_check_size(uint32_t width, uint32_t height, struct err_note *note) MUST_CHECK;
/* White pixels (opaque when RGBA). Errors of image_check_size(), ERR_BUDGET. */
enum err image_new(struct arena *a, uint32_t width, uint32_t height, enum image_form form,
                   struct image *out) MUST_CHECK;
/* PNG or JPEG by its first bytes, as grey. ERR_IMAGE_INVALID for anything else or broken, ERR_TOO_LARGE, ERR_BUDGET. */
enum err image_read_grey(struct arena *a, struct span bytes, struct image *out, struct err_note *note) MUST_CHECK;

#endif
