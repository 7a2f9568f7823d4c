/*
 * A seal's picture as a SAMPLE, for tests and demonstrations: 样例 stands across it, always. Real pictures are
 * supplied by the maker of the seal. Red on transparent, the mark in grey, PNG with its resolution stated.
 * A long name becomes narrow first and small only then. On a square seal a name of two characters is followed by 之印,
 * one of three by 印, as is usual.
 */
#ifndef YZ_PICTURE_SEAL_FACE_H
#define YZ_PICTURE_SEAL_FACE_H

#include "base/arena.h"
#include "base/err.h"

enum seal_shape {
	SEAL_ROUND, /* official seal: ring, five-pointed star, name along the arc */
	SEAL_SQUARE /* personal seal: frame, name in columns from the right */
};

struct seal_face {
	enum seal_shape shape;
	const char *name; /* organisation or person; 1..60 characters, round; 1..16, square */
	const char *line; /* round: the straight line under the star, e.g. 电子证照专用章; NULL or "" for none; up to 20 */
	const char *
	    code; /* round: the seal's code along the lower edge, ASCII letters and digits; NULL or "" for none; up to 20 */
	double size_mm; /* diameter or side: 10..80; 0 takes the usual size (42 official, 20 personal) */
	unsigned dpi;   /* 72..1200; 0 is 300 */
};

/* width_mm and height_mm as SES_ESPictureInfo wants them are size_mm rounded up. ERR_FIELD_MISSING, ERR_FIELD_INVALID,
 * ERR_FIELD_TOO_LONG, ERR_TEXT_INVALID (note: the field), ERR_BUDGET, ERR_NO_MEMORY, ERR_INTERNAL when no font is
 * found. */
enum err seal_face_draw(struct arena *a, const struct seal_face *face, struct span *png,
                        struct err_note *note) MUST_CHECK;

#endif
