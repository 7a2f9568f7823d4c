/* Changes of a grey picture that help a reader of codes. Private to the room. Each gives a new picture. */
#ifndef YZ_PICTURE_QR_PREPARE_H
#define YZ_PICTURE_QR_PREPARE_H

#include "picture/image.h"

/* To width x height: averages of areas when smaller, bilinear when larger. */
enum err grey_scale(struct arena *a, const struct image *in, uint32_t width, uint32_t height,
                    struct image *out) MUST_CHECK;
/* Box blur over (2 * radius + 1) pixels a side. */
enum err grey_blur(struct arena *a, const struct image *in, uint32_t radius, struct image *out) MUST_CHECK;
/* Black where a pixel is darker than the mean around it (radius as above), else white. */
enum err grey_threshold(struct arena *a, const struct image *in, uint32_t radius, struct image *out) MUST_CHECK;

#endif
