#include "picture/qr_scan.h"

#include <zbar.h>

#include "picture/qr_prepare.h"

enum {
	WORK_PIXELS = 4 * 1000 * 1000, /* larger pictures are shrunk to this before they are changed */
	SCRATCH = 96 * 1024 * 1024
};

static zbar_image_scanner_t *scanner_new(void)
{
	zbar_image_scanner_t *s = zbar_image_scanner_create();

	if (s == NULL)
		return NULL;
	zbar_image_scanner_set_config(s, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
	zbar_image_scanner_set_config(s, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1);
	/* The bytes as they stand in the code: otherwise ZBar guesses a character set and converts. */
	zbar_image_scanner_set_config(s, ZBAR_QRCODE, ZBAR_CFG_BINARY, 1);
	/* When there is nothing, the same with black and white exchanged. */
	zbar_image_scanner_set_config(s, ZBAR_NONE, ZBAR_CFG_TEST_INVERTED, 1);
	return s;
}

static bool known(const struct qr_scan *scan, struct span text)
{
	size_t i;

	for (i = 0; i < scan->count; i++)
		if (span_eq(scan->text[i], text))
			return true;
	return false;
}

static enum err collect(struct arena *a, const zbar_image_t *zimg, struct qr_scan *scan)
{
	const zbar_symbol_t *sym = zbar_image_first_symbol(zimg);

	for (; sym != NULL && scan->count < QR_SCAN_MAX; sym = zbar_symbol_next(sym)) {
		struct span text = span_of(zbar_symbol_get_data(sym), zbar_symbol_get_data_length(sym));
		char *copy;

		if (zbar_symbol_get_type(sym) != ZBAR_QRCODE || known(scan, text))
			continue;
		copy = arena_strndup(a, text.ptr, text.len);
		if (copy == NULL)
			return ERR_BUDGET;
		scan->text[scan->count++] = span_of(copy, text.len);
	}
	return ERR_OK;
}

/* One pass of ZBar over the pixels as they are. */
static enum err scan_once(struct arena *a, zbar_image_scanner_t *s, const struct image *img, struct qr_scan *scan)
{
	zbar_image_t *zimg = zbar_image_create();
	enum err e = ERR_NO_MEMORY;

	if (zimg == NULL)
		return e;
	zbar_image_set_format(zimg, zbar_fourcc('Y', '8', '0', '0'));
	zbar_image_set_size(zimg, img->width, img->height);
	zbar_image_set_data(zimg, img->pix, (size_t)img->width * img->height, NULL);
	e = zbar_scan_image(s, zimg) < 0 ? ERR_OK : collect(a, zimg, scan);
	zbar_image_destroy(zimg);
	return e;
}

static uint32_t longer_side(const struct image *in)
{
	return in->width > in->height ? in->width : in->height;
}

static enum err make_double(struct arena *a, const struct image *in, struct image *out)
{
	return grey_scale(a, in, in->width * 2, in->height * 2, out);
}

static enum err make_triple(struct arena *a, const struct image *in, struct image *out)
{
	return grey_scale(a, in, in->width * 3, in->height * 3, out);
}

static enum err make_threshold(struct arena *a, const struct image *in, struct image *out)
{
	return grey_threshold(a, in, longer_side(in) / 16 + 1, out);
}

static enum err make_blur(struct arena *a, const struct image *in, struct image *out)
{
	return grey_blur(a, in, 1, out);
}

/* To a longer side of 1000: coarse paper, moire and noise go under. */
static enum err make_small(struct arena *a, const struct image *in, struct image *out)
{
	uint64_t side = longer_side(in);

	return grey_scale(a, in, (uint32_t)(in->width * 1000 / side + 1), (uint32_t)(in->height * 1000 / side + 1), out);
}

/* The changes in the order of what they gained on photographs: 77 of 81 are read as they are, the others doubled. */
static const struct attempt {
	enum err (*make)(struct arena *a, const struct image *in, struct image *out);
	uint32_t min_side, max_side; /* only for pictures whose longer side lies between */
} attempts[] = {
    {make_double, 1, 1500},         {make_threshold, 64, UINT32_MAX},
    {make_small, 1400, UINT32_MAX}, {make_blur, 64, UINT32_MAX},
    {make_triple, 1, 500},
};

static enum err try_changed(struct arena *a, zbar_image_scanner_t *s, const struct image *work,
                            const struct attempt *at, struct qr_scan *scan)
{
	struct arena *scratch;
	struct image img;
	enum err e;

	if (longer_side(work) < at->min_side || longer_side(work) > at->max_side)
		return ERR_OK;
	scratch = arena_new(SCRATCH);
	if (scratch == NULL)
		return ERR_NO_MEMORY;
	e = at->make(scratch, work, &img);
	if (e == ERR_OK)
		e = scan_once(a, s, &img, scan);
	arena_free(scratch);
	return e;
}

/* The picture itself, or a smaller copy in `scratch` when it is large. */
static enum err work_copy(struct arena *scratch, const struct image *in, struct image *out)
{
	uint64_t pixels = (uint64_t)in->width * in->height;
	uint32_t width = in->width, height = in->height;

	if (pixels <= WORK_PIXELS) {
		*out = *in;
		return ERR_OK;
	}
	for (; (uint64_t)width * height > WORK_PIXELS; width = width / 4 * 3 + 1, height = height / 4 * 3 + 1)
		;
	return grey_scale(scratch, in, width, height, out);
}

static enum err try_all(struct arena *a, zbar_image_scanner_t *s, const struct image *grey, struct qr_scan *scan)
{
	enum err e = scan_once(a, s, grey, scan);
	struct arena *scratch;
	struct image work;
	size_t i;

	if (e != ERR_OK || scan->count != 0)
		return e;
	scratch = arena_new(SCRATCH);
	if (scratch == NULL)
		return ERR_NO_MEMORY;
	e = work_copy(scratch, grey, &work);
	for (i = 0; e == ERR_OK && scan->count == 0 && i < sizeof(attempts) / sizeof(attempts[0]); i++)
		e = try_changed(a, s, &work, &attempts[i], scan);
	arena_free(scratch);
	return e;
}

enum err qr_scan_image(struct arena *a, const struct image *grey, struct qr_scan *out)
{
	struct qr_scan scan = {0};
	zbar_image_scanner_t *s;
	enum err e;

	if (grey->form != IMAGE_GREY)
		return ERR_FIELD_INVALID;
	s = scanner_new();
	if (s == NULL)
		return ERR_NO_MEMORY;
	e = try_all(a, s, grey, &scan);
	zbar_image_scanner_destroy(s);
	if (e == ERR_OK)
		*out = scan;
	return e;
}

enum err qr_scan_all(struct arena *a, struct span bytes, struct qr_scan *out, struct err_note *note)
{
	struct image img;
	enum err e = image_read_grey(a, bytes, &img, note);

	return e != ERR_OK ? e : qr_scan_image(a, &img, out);
}

enum err qr_scan_one(struct arena *a, struct span bytes, struct span *text, struct err_note *note)
{
	struct qr_scan scan;
	enum err e = qr_scan_all(a, bytes, &scan, note);

	if (e != ERR_OK)
		return e;
	if (scan.count == 0)
		return err_note_set(note, ERR_QR_NONE, NULL, "No QR code was found in the image.");
	if (scan.count > 1)
		return err_note_set(note, ERR_QR_SEVERAL, NULL, "The image holds %zu different QR codes. Show just one.",
		                    scan.count);
	*text = scan.text[0];
	return ERR_OK;
}
