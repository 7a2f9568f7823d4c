#include "picture/seal_face.h"

#include <math.h>
#include <pango/pangocairo.h>

#include "base/text.h"
#include "picture/png.h"

enum { SIDE_MAX = 2400, EM = 100, NAME_MAX_ROUND = 60, NAME_MAX_SQUARE = 16, SHORT_MAX = 20 };

#define PI    3.14159265358979323846
#define SERIF "Noto Serif CJK SC Bold"
#define SANS  "Noto Sans CJK SC Bold"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_LEAK_CHECK
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_LEAK_CHECK
#endif
#endif

#ifdef WITH_LEAK_CHECK
/* Fontconfig loads its configuration once per process and holds parts of it by offsets, which the leak checker cannot
 * follow. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig";
}
#endif

/* Everything is drawn in millimetres about the centre of the seal. */
struct pen {
	cairo_t *cr;
	PangoContext *fonts;
	PangoLayout *layout;
	double mm;    /* diameter or side */
	bool missing; /* a character that no font has */
};

/* A box that one character is fitted into. */
struct box {
	double x, y, width, height; /* x, y: its centre */
};

static void set_font(struct pen *p, const char *name)
{
	PangoFontDescription *d = pango_font_description_from_string(name);

	pango_font_description_set_absolute_size(d, EM * PANGO_SCALE);
	pango_layout_set_font_description(p->layout, d);
	pango_font_description_free(d);
}

/* The next character of UTF-8 text that was checked before. */
static const char *next_char(const char **s, int *len)
{
	const char *at = *s;

	*len = 1;
	while ((at[*len] & 0xc0) == 0x80)
		(*len)++;
	*s = at + *len;
	return at;
}

/* Adds the outline of one character, stretched so that its em square fills the box; a narrow letter stays narrow. */
static void char_path(struct pen *p, const char *c, int len, struct box b)
{
	int width, height;
	double above;

	pango_layout_set_text(p->layout, c, len);
	if (pango_layout_get_unknown_glyphs_count(p->layout) != 0)
		p->missing = true;
	pango_layout_get_size(p->layout, &width, &height);
	/* The em square of a Chinese character reaches 0.88 above the base line and 0.12 below it. */
	above = (double)pango_layout_get_baseline(p->layout) / PANGO_SCALE - 0.38 * EM;
	cairo_save(p->cr);
	cairo_translate(p->cr, b.x, b.y);
	cairo_scale(p->cr, b.width / EM, b.height / EM);
	cairo_translate(p->cr, -0.5 * width / PANGO_SCALE, -above);
	cairo_move_to(p->cr, 0, 0);
	pango_cairo_layout_path(p->cr, p->layout);
	cairo_restore(p->cr);
}

static void red(struct pen *p)
{
	cairo_set_source_rgb(p->cr, 0.85, 0.05, 0.06);
}

static void star(struct pen *p, double radius)
{
	int i;

	/* Every second corner of the pentagon in turn; the winding rule fills the middle. */
	for (i = 0; i < 5; i++) {
		double a = i * 4 * PI / 5;

		cairo_line_to(p->cr, radius * sin(a), -radius * cos(a));
	}
	cairo_close_path(p->cr);
	cairo_fill(p->cr);
}

/* Text on a circle, centred at the top and read clockwise; `span` is the angle between first and last character. */
struct arc {
	double radius; /* to the middle of the characters */
	double span;
	double width, height;
	bool bottom; /* centred at the bottom instead, read from left to right, heads to the centre */
};

static void arc_text(struct pen *p, const char *text, size_t n, const struct arc *arc)
{
	double step = n > 1 ? arc->span / (double)(n - 1) : 0, angle = -arc->span / 2 * (n > 1);
	double turn = arc->bottom ? -1 : 1;

	for (; n > 0; n--, angle += step) {
		int len;
		const char *c = next_char(&text, &len);

		cairo_save(p->cr);
		cairo_rotate(p->cr, turn * angle);
		char_path(p, c, len, (struct box){0, -turn * arc->radius, arc->width, arc->height});
		cairo_fill(p->cr);
		cairo_restore(p->cr);
	}
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

/* Characters are 6 mm high on a seal of 42 mm, and become narrow first and small only then. */
static struct arc name_arc(const struct pen *p, size_t n, bool with_line)
{
	double widest = (with_line ? 226 : 264) * PI / 180;
	double span = n > 1 ? least(widest, (70 + 19 * (double)n) * PI / 180) : 0;
	double step = n > 1 ? span / (double)(n - 1) : PI;
	struct arc arc = {.span = span, .height = 0.147 * p->mm};
	double outer = 0.5 * p->mm * 0.90, room;

	room = step * (outer - 0.7 * arc.height) * 0.94;
	arc.height = least(arc.height, room * 2.3);
	arc.width = least(arc.height * 0.86, room);
	arc.radius = outer - arc.height / 2;
	return arc;
}

/* One line in the middle of y, within `room`. */
static void line_text(struct pen *p, const char *text, struct box room)
{
	size_t n = text_length(span_str(text)), i;
	double step = least(room.height * 1.02, room.width / (double)n);

	for (i = 0; i < n; i++) {
		int len;
		const char *c = next_char(&text, &len);

		char_path(p, c, len,
		          (struct box){room.x + ((double)i - (double)(n - 1) / 2) * step, room.y, step * 0.94, room.height});
	}
}

static bool has(const char *s)
{
	return s != NULL && s[0] != '\0';
}

static void round_seal(struct pen *p, const struct seal_face *f)
{
	double ring = 0.0286 * p->mm;
	size_t n = text_length(span_str(f->name));
	struct arc arc = name_arc(p, n, has(f->line) || has(f->code));

	red(p);
	cairo_set_line_width(p->cr, ring);
	cairo_arc(p->cr, 0, 0, (p->mm - ring) / 2 * 0.995, 0, 2 * PI);
	cairo_stroke(p->cr);
	star(p, p->mm / 6);
	set_font(p, SERIF);
	arc_text(p, f->name, n, &arc);
	if (has(f->line)) {
		line_text(p, f->line, (struct box){0, 0.235 * p->mm, 0.46 * p->mm, 0.088 * p->mm});
		cairo_fill(p->cr);
	}
	if (has(f->code)) {
		size_t digits = strlen(f->code);
		struct arc low = {.radius = 0.42 * p->mm, .height = 0.042 * p->mm, .width = 0.042 * p->mm, .bottom = true};

		low.span = least(0.075 * (double)(digits - 1), 84 * PI / 180);
		set_font(p, SANS);
		arc_text(p, f->code, digits, &low);
	}
}

/* Columns from right to left; a column with fewer characters has taller ones. */
static void columns(struct pen *p, const char *text, size_t n, double side)
{
	size_t rows = (size_t)ceil(sqrt((double)n)), cols = (n + rows - 1) / rows, col, row;
	double width = side / (double)cols;

	for (col = 0; col < cols; col++) {
		size_t in_col = n - col * rows < rows ? n - col * rows : rows;
		double height = side / (double)in_col;

		for (row = 0; row < in_col; row++) {
			int len;
			const char *c = next_char(&text, &len);

			char_path(p, c, len,
			          (struct box){side / 2 - ((double)col + 0.5) * width, -side / 2 + ((double)row + 0.5) * height,
			                       width * 0.97, height * 0.97});
		}
	}
	cairo_fill(p->cr);
}

static void square_seal(struct pen *p, const struct seal_face *f)
{
	double frame = 0.045 * p->mm;
	size_t n = text_length(span_str(f->name));
	char text[4 * NAME_MAX_SQUARE + 8];

	/* A name of two or three characters is filled up to four, as is usual on personal seals. */
	snprintf(text, sizeof(text), "%s%s", f->name, n == 2 ? "之印" : n == 3 ? "印" : "");
	red(p);
	cairo_set_line_width(p->cr, frame);
	cairo_rectangle(p->cr, (frame - p->mm) / 2, (frame - p->mm) / 2, p->mm - frame, p->mm - frame);
	cairo_stroke(p->cr);
	set_font(p, SERIF);
	columns(p, text, text_length(span_str(text)), p->mm * 0.87);
}

/* Across everything, with a clear rim, so that no sample is ever taken for a seal. */
static void sample_mark(struct pen *p)
{
	set_font(p, SANS);
	cairo_save(p->cr);
	cairo_rotate(p->cr, -PI / 6);
	line_text(p, "样例", (struct box){0, 0, 0.84 * p->mm, 0.25 * p->mm});
	cairo_set_operator(p->cr, CAIRO_OPERATOR_DEST_OUT);
	cairo_set_source_rgba(p->cr, 0, 0, 0, 1);
	cairo_set_line_width(p->cr, 0.018 * p->mm);
	cairo_set_line_join(p->cr, CAIRO_LINE_JOIN_ROUND);
	cairo_stroke_preserve(p->cr);
	cairo_set_operator(p->cr, CAIRO_OPERATOR_OVER);
	cairo_set_source_rgba(p->cr, 0.25, 0.28, 0.33, 0.8);
	cairo_fill(p->cr);
	cairo_restore(p->cr);
}

/* Cairo's pixels are native-endian words with the colours multiplied by alpha; PNG wants neither. */
static void to_rgba(cairo_surface_t *surface, struct image *img)
{
	const unsigned char *from = cairo_image_surface_get_data(surface);
	size_t stride = (size_t)cairo_image_surface_get_stride(surface), x, y;
	uint8_t *to = img->pix;

	memset(to, 0, 4 * (size_t)img->width * img->height);
	for (y = 0; y < img->height; y++)
		for (x = 0; x < img->width; x++, to += 4) {
			uint32_t word, alpha;

			memcpy(&word, from + y * stride + 4 * x, 4);
			alpha = word >> 24;
			if (alpha == 0)
				continue;
			to[0] = (uint8_t)(((word >> 16 & 255) * 255 + alpha / 2) / alpha);
			to[1] = (uint8_t)(((word >> 8 & 255) * 255 + alpha / 2) / alpha);
			to[2] = (uint8_t)(((word & 255) * 255 + alpha / 2) / alpha);
			to[3] = (uint8_t)alpha;
		}
}

static enum err draw(cairo_surface_t *surface, const struct seal_face *f, int side, struct err_note *note)
{
	/* A font map of our own: Pango's default one belongs to the thread and would outlive the call. */
	PangoFontMap *map = pango_cairo_font_map_new();
	struct pen p = {.cr = cairo_create(surface), .mm = f->size_mm};
	enum err e = ERR_OK;

	p.fonts = pango_font_map_create_context(map);
	p.layout = pango_layout_new(p.fonts);
	cairo_translate(p.cr, side / 2.0, side / 2.0);
	cairo_scale(p.cr, side / p.mm, side / p.mm);
	if (f->shape == SEAL_ROUND)
		round_seal(&p, f);
	else
		square_seal(&p, f);
	sample_mark(&p);
	if (cairo_status(p.cr) != CAIRO_STATUS_SUCCESS)
		e = cairo_status(p.cr) == CAIRO_STATUS_NO_MEMORY ? ERR_NO_MEMORY : ERR_INTERNAL;
	else if (p.missing)
		e = err_note_set(note, ERR_FIELD_INVALID, "name", "No installed font has all characters of the seal.");
	g_object_unref(p.layout);
	g_object_unref(p.fonts);
	g_object_unref(map);
	cairo_destroy(p.cr);
	return e;
}

static enum err check_text(const char *field, const char *s, size_t max, struct err_note *note)
{
	/* A character is four bytes at most. */
	if (!text_is_clean(span_str(s), 4 * max))
		return err_note_set(note, ERR_TEXT_INVALID, field, "The text is too long, or not clean UTF-8.");
	if (text_length(span_str(s)) > max)
		return err_note_set(note, ERR_FIELD_TOO_LONG, field, "At most %zu characters fit on the seal.", max);
	return ERR_OK;
}

static enum err check(struct seal_face *f, int *side, struct err_note *note)
{
	bool round = f->shape == SEAL_ROUND;
	enum err e;

	f->size_mm = f->size_mm != 0 ? f->size_mm : round ? 42 : 20;
	f->dpi = f->dpi != 0 ? f->dpi : 300;
	if (!(f->size_mm >= 10 && f->size_mm <= 80) || f->dpi < 72 || f->dpi > 1200)
		return err_note_set(note, ERR_FIELD_INVALID, "size_mm", "A seal is 10 to 80 mm, drawn with 72 to 1200 dpi.");
	*side = (int)lround(f->size_mm * f->dpi / 25.4);
	if (*side > SIDE_MAX)
		return err_note_set(note, ERR_TOO_LARGE, "dpi", "The picture would be larger than %d pixels.", SIDE_MAX);
	if (!has(f->name))
		return err_note_set(note, ERR_FIELD_MISSING, "name", "A seal bears a name.");
	e = check_text("name", f->name, round ? NAME_MAX_ROUND : NAME_MAX_SQUARE, note);
	if (e == ERR_OK && f->line != NULL)
		e = check_text("line", f->line, SHORT_MAX, note);
	if (e == ERR_OK && f->code != NULL)
		e = check_text("code", f->code, SHORT_MAX, note);
	if (e == ERR_OK && f->code != NULL &&
	    !text_only(span_str(f->code), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
		e = err_note_set(note, ERR_FIELD_INVALID, "code", "The code of a seal has letters and digits only.");
	return e;
}

enum err seal_face_draw(struct arena *a, const struct seal_face *face, struct span *png, struct err_note *note)
{
	struct seal_face f = *face;
	cairo_surface_t *surface;
	struct image img;
	int side = 0;
	enum err e = check(&f, &side, note);

	if (e != ERR_OK)
		return e;
	surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, side, side);
	e = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS ? draw(surface, &f, side, note) : ERR_NO_MEMORY;
	if (e == ERR_OK)
		e = image_new(a, (uint32_t)side, (uint32_t)side, IMAGE_RGBA, &img);
	if (e == ERR_OK) {
		cairo_surface_flush(surface);
		to_rgba(surface, &img);
		e = png_write(a, &img, f.dpi, png);
	}
	cairo_surface_destroy(surface);
	return e;
}
