#include "picture/qr_draw.h"

#include <errno.h>
#include <qrencode.h>

#include "base/buf.h"
#include "base/text.h"
#include "picture/png.h"

enum { TEXT_MAX = 2953, MODULE_PX_MAX = 64 };

static QRecLevel level_of(enum qr_level level)
{
	switch (level) {
	case QR_L:
		return QR_ECLEVEL_L;
	case QR_M:
		return QR_ECLEVEL_M;
	case QR_Q:
		return QR_ECLEVEL_Q;
	case QR_H:
		break;
	}
	return QR_ECLEVEL_H;
}

static enum err check_text(struct span text, struct err_note *note)
{
	if (text.len == 0)
		return err_note_set(note, ERR_FIELD_MISSING, "text", "There is no text to draw.");
	if (text.len > TEXT_MAX)
		return err_note_set(note, ERR_TOO_LARGE, "text", "A QR code holds at most %d bytes.", TEXT_MAX);
	if (!text_is_utf8(text) || memchr(text.ptr, '\0', text.len) != NULL)
		return err_note_set(note, ERR_TEXT_INVALID, "text", "The text of a QR code must be UTF-8 without NUL.");
	return ERR_OK;
}

/* The library's bytes carry more than the colour; ours are 0 and 1. */
static enum err copy_modules(struct arena *a, const QRcode *code, struct qr *out)
{
	size_t i, n = (size_t)code->width * (size_t)code->width;
	uint8_t *m = arena_alloc(a, n);

	if (m == NULL)
		return ERR_BUDGET;
	for (i = 0; i < n; i++)
		m[i] = code->data[i] & 1;
	*out = (struct qr){(unsigned)code->version, (unsigned)code->width, m};
	return ERR_OK;
}

enum err qr_encode(struct arena *a, struct span text, enum qr_level level, struct qr *out, struct err_note *note)
{
	enum err e = check_text(text, note);
	QRcode *code;
	char *s;

	if (e != ERR_OK)
		return e;
	s = arena_strndup(a, text.ptr, text.len);
	if (s == NULL)
		return ERR_BUDGET;
	/* Case-sensitive and with the 8-bit hint: the library itself finds the parts fit for the compact modes. */
	code = QRcode_encodeString(s, 0, level_of(level), QR_MODE_8, 1);
	if (code == NULL && errno == ERANGE)
		return err_note_set(note, ERR_TOO_LARGE, "text", "No QR code holds %zu bytes at this level.", text.len);
	if (code == NULL)
		return errno == ENOMEM ? ERR_NO_MEMORY : ERR_INTERNAL;
	e = copy_modules(a, code, out);
	QRcode_free(code);
	return e;
}

/* Coordinates in modules with the quiet zone; the quiet zone and all outside is white. */
static bool dark(const struct qr *qr, unsigned x, unsigned y)
{
	if (x < QR_QUIET || y < QR_QUIET || x >= QR_QUIET + qr->size || y >= QR_QUIET + qr->size)
		return false;
	return qr->modules[(size_t)(y - QR_QUIET) * qr->size + (x - QR_QUIET)] != 0;
}

enum err qr_png(struct arena *a, const struct qr *qr, unsigned module_px, struct span *out)
{
	unsigned side = (qr->size + 2 * QR_QUIET) * module_px, x, y;
	struct image img;
	enum err e;

	if (module_px == 0 || module_px > MODULE_PX_MAX)
		return ERR_FIELD_INVALID;
	e = image_new(a, side, side, IMAGE_GREY, &img);
	if (e != ERR_OK)
		return e;
	for (y = 0; y < side; y++)
		for (x = 0; x < side; x++)
			img.pix[(size_t)y * side + x] = dark(qr, x / module_px, y / module_px) ? 0 : 255;
	return png_write(a, &img, 0, out);
}

/* One rectangle per run of dark modules in a row. */
static void svg_row(struct buf *b, const struct qr *qr, unsigned y)
{
	unsigned side = qr->size + 2 * QR_QUIET, x, from;

	for (x = 0; x < side; x++) {
		if (!dark(qr, x, y))
			continue;
		for (from = x; dark(qr, x, y); x++)
			;
		buf_printf(b, "M%u %uh%uv1h-%uz", from, y, x - from, x - from);
	}
}

enum err qr_svg(struct arena *a, const struct qr *qr, struct span *out)
{
	unsigned side = qr->size + 2 * QR_QUIET, y;
	struct buf b;

	buf_init(&b, a);
	buf_printf(&b,
	           "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	           "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" "
	           "shape-rendering=\"crispEdges\">\n<path fill=\"#fff\" d=\"M0 0h%uv%uH0z\"/>\n<path d=\"",
	           side * 4, side * 4, side, side, side, side);
	for (y = 0; y < side; y++)
		svg_row(&b, qr, y);
	buf_str(&b, "\"/>\n</svg>\n");
	return buf_done(&b, out);
}

/* Two modules, one above the other, as one character. */
static const char *half_block(bool upper_inked, bool lower_inked)
{
	if (upper_inked)
		return lower_inked ? "\u2588" : "\u2580";
	return lower_inked ? "\u2584" : " ";
}

enum err qr_terminal(struct arena *a, const struct qr *qr, bool colour, char **out)
{
	unsigned side = qr->size + 2 * QR_QUIET, x, y;
	struct buf b;
	char *text;

	buf_init(&b, a);
	for (y = 0; y < side; y += 2) {
		/* Black ink on bright white, from the 256-colour palette, which themes leave alone. */
		if (colour)
			buf_str(&b, "\033[38;5;16;48;5;231m");
		for (x = 0; x < side; x++)
			buf_str(&b, half_block(dark(qr, x, y) == colour, (y + 1 < side && dark(qr, x, y + 1)) == colour));
		buf_str(&b, colour ? "\033[0m\n" : "\n");
	}
	text = buf_text(&b);
	if (text == NULL)
		return ERR_BUDGET;
	*out = text;
	return ERR_OK;
}
