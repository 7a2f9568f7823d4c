/* A picture of a load: answers per second over time above, latency by percentile below. */
#include <cairo-svg.h>
#include <cairo.h>
#include <math.h>
#include <string.h>

#include "cli/online/bench.h"

enum { WIDTH = 900, HEIGHT = 640, LEFT = 80, RIGHT = 120, TOP = 40, GAP = 60, BOTTOM = 50 };

struct panel { /* a frame with its scales: value v stands at fraction f(v) of it */
	double x, y, w, h;
};

static const double colours[BENCH_OPS + 1][3] = {{0.45, 0.45, 0.45}, {0.12, 0.47, 0.71}, {0.17, 0.63, 0.17},
                                                 {0.84, 0.15, 0.16}, {0.58, 0.40, 0.74}, {0, 0, 0}};

static void colour(cairo_t *c, int op)
{
	cairo_set_source_rgb(c, colours[op][0], colours[op][1], colours[op][2]);
}

static void text(cairo_t *c, double x, double y, double align, const char *s)
{
	cairo_text_extents_t e;

	cairo_text_extents(c, s, &e);
	cairo_move_to(c, x - align * e.width, y);
	cairo_show_text(c, s);
}

static void frame(cairo_t *c, const struct panel *p, const char *title)
{
	cairo_set_source_rgb(c, 0.2, 0.2, 0.2);
	cairo_set_line_width(c, 1);
	cairo_rectangle(c, p->x, p->y, p->w, p->h);
	cairo_stroke(c);
	text(c, p->x, p->y - 8, 0, title);
}

static void line_at(cairo_t *c, const struct panel *p, bool across, double at, const char *label)
{
	cairo_set_source_rgb(c, 0.88, 0.88, 0.88);
	if (across) {
		cairo_move_to(c, p->x, p->y + p->h * (1 - at));
		cairo_rel_line_to(c, p->w, 0);
	} else {
		cairo_move_to(c, p->x + p->w * at, p->y);
		cairo_rel_line_to(c, 0, p->h);
	}
	cairo_stroke(c);
	cairo_set_source_rgb(c, 0.2, 0.2, 0.2);
	if (across)
		text(c, p->x - 6, p->y + p->h * (1 - at) + 4, 1, label);
	else
		text(c, p->x + p->w * at, p->y + p->h + 16, 0.5, label);
}

static void point(cairo_t *c, const struct panel *p, bool first, double x, double y)
{
	double px = p->x + p->w * x, py = p->y + p->h * (1 - y);

	if (first)
		cairo_move_to(c, px, py);
	else
		cairo_line_to(c, px, py);
}

/* ---- answers per second --------------------------------------------------------------------- */

static double series(const struct bench_second *s, int op)
{
	return op < BENCH_OPS ? s->ok[op] : s->bad;
}

/* 1, 2 or 5 times a power of ten, not below v. */
static double round_up(double v)
{
	double ten = v > 1 ? pow(10, floor(log10(v))) : 1;
	const double steps[] = {1, 2, 5, 10};

	for (size_t i = 0; i < 4; i++)
		if (steps[i] * ten >= v)
			return steps[i] * ten;
	return 10 * ten;
}

static size_t seconds_of(const struct bench_stats *s, const struct drive_result *r)
{
	return r->seconds < (double)s->n_seconds ? (size_t)r->seconds : s->n_seconds;
}

static void draw_rate(cairo_t *c, const struct panel *p, const struct bench_stats *s, size_t n)
{
	double top = 1;
	char label[32];

	for (size_t i = 0; i < n; i++)
		for (int op = 0; op <= BENCH_OPS; op++)
			top = fmax(top, series(&s->seconds[i], op));
	top = round_up(top);
	for (int i = 0; i <= 4; i++) {
		snprintf(label, sizeof(label), "%.0f", top * i / 4);
		line_at(c, p, true, i / 4.0, label);
		snprintf(label, sizeof(label), "%.3g s", (double)n * i / 4);
		line_at(c, p, false, i / 4.0, label);
	}
	frame(c, p, "answers per second (black: refused)");
	cairo_set_line_width(c, 1.5);
	for (int op = 0; op <= BENCH_OPS; op++) {
		for (size_t i = 0; i < n; i++)
			point(c, p, i == 0, ((double)i + 0.5) / (double)n, series(&s->seconds[i], op) / top);
		colour(c, op);
		if (op == BENCH_OPS || s->latency[op].n != 0)
			cairo_stroke(c);
		cairo_new_path(c);
	}
}

/* ---- latency by percentile ------------------------------------------------------------------ */

/* Percentiles are spaced by how rare it is to be worse: 0, 90, 99, 99.9 … at equal distances. */
enum { NINES = 5 };

static void draw_curve(cairo_t *c, const struct panel *p, const struct hist *h, double low, double high)
{
	for (int i = 0; i <= 400; i++) {
		double nines = (double)NINES * i / 400, rarity = pow(10, -nines);

		if ((double)h->n * rarity < 1 && i > 0)
			break; /* fewer answers than this percentile needs */
		point(c, p, i == 0, nines / NINES,
		      (log10(fmax((double)hist_quantile(h, 1 - rarity), low)) - log10(low)) / (log10(high) - log10(low)));
	}
	cairo_stroke(c);
}

static void label_duration(double ns, char out[32])
{
	if (ns < 1e6)
		snprintf(out, 32, "%g µs", ns / 1e3);
	else if (ns < 1e9)
		snprintf(out, 32, "%g ms", ns / 1e6);
	else
		snprintf(out, 32, "%g s", ns / 1e9);
}

static void draw_latency(cairo_t *c, const struct panel *p, const struct bench_stats *s)
{
	static const char *const marks[] = {"0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"};
	double low = 1e5, high = 1e6;
	char label[32];

	for (int op = 0; op < BENCH_OPS; op++) {
		while (s->latency[op].n != 0 && low > (double)hist_quantile(&s->latency[op], 0) && low > 1e3)
			low /= 10;
		while ((double)s->latency[op].max > high)
			high *= 10;
	}
	for (double v = low; v <= high * 1.01; v *= 10) {
		label_duration(v, label);
		line_at(c, p, true, (log10(v) - log10(low)) / (log10(high) - log10(low)), label);
	}
	for (int i = 0; i <= NINES; i++)
		line_at(c, p, false, (double)i / NINES, marks[i]);
	frame(c, p, "latency by percentile");
	cairo_set_line_width(c, 1.5);
	for (int op = 0; op < BENCH_OPS; op++) {
		if (s->latency[op].n == 0)
			continue;
		colour(c, op);
		draw_curve(c, p, &s->latency[op], low, high);
	}
}

static void draw_legend(cairo_t *c, const struct bench *b)
{
	double y = TOP + 14;

	for (int op = 0; op < BENCH_OPS; op++) {
		if (!mix_has(&b->mix, (enum bench_op)op))
			continue;
		colour(c, op);
		cairo_rectangle(c, WIDTH - RIGHT + 16, y - 9, 10, 10);
		cairo_fill(c);
		text(c, WIDTH - RIGHT + 32, y, 0, bench_op_name((enum bench_op)op));
		y += 20;
	}
}

static bool ends_with(const char *s, const char *end)
{
	size_t ls = strlen(s), le = strlen(end);

	return ls >= le && strcmp(s + ls - le, end) == 0;
}

enum err bench_picture(const struct bench *b, const struct bench_stats *s, const struct drive_result *r,
                       const char *path)
{
	struct panel rate = {LEFT, TOP, WIDTH - LEFT - RIGHT, 200};
	struct panel latency = {LEFT, TOP + 200 + GAP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - 200 - GAP - BOTTOM};
	bool png = ends_with(path, ".png");
	cairo_surface_t *surface = png ? cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT)
	                               : cairo_svg_surface_create(path, WIDTH, HEIGHT);
	cairo_t *c = cairo_create(surface);
	cairo_status_t bad;

	cairo_set_source_rgb(c, 1, 1, 1);
	cairo_paint(c);
	cairo_select_font_face(c, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(c, 12);
	draw_rate(c, &rate, s, seconds_of(s, r));
	draw_latency(c, &latency, s);
	draw_legend(c, b);
	bad = cairo_status(c);
	cairo_destroy(c);
	if (bad == CAIRO_STATUS_SUCCESS && png)
		bad = cairo_surface_write_to_png(surface, path);
	cairo_surface_finish(surface);
	if (bad == CAIRO_STATUS_SUCCESS)
		bad = cairo_surface_status(surface);
	cairo_surface_destroy(surface);
	if (bad == CAIRO_STATUS_NO_MEMORY)
		return ERR_NO_MEMORY;
	return bad == CAIRO_STATUS_SUCCESS ? ERR_OK : ERR_FILE_UNWRITABLE;
}
