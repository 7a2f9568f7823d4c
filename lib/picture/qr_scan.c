#include "picture/qr_scan.h"

#include <zbar.h>

#include "picture/qr_prepare.h"

static zbar_image_scanner_t *scanner_new(void)
{
	zbar_image_scanner_t *s = zbar_image_scanner_create();

	if (s == NULL)
		return NULL;
	zbar_image_scanner_set_config(s, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
	zbar_image_scanner_set_config(s, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1);
	/* The bytes as they stand in the code: otherwise ZBar guesses a character set and converts. */
	zbar_image_scanner_set_config(s, ZBAR_QRCODE, ZBAR_CFG_BINARY, 1);
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
