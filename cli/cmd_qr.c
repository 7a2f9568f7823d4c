/* yinzheng qr: codes drawn, and read from pictures. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/opt.h"
#include "cli/term.h"
#include "picture/qr_draw.h"
#include "picture/qr_scan.h"

int cmd_qr(int argc, char **argv);

enum { TEXT_MAX = 4096, DRAW_BUDGET = 32 << 20, SCAN_BUDGET = 160 << 20, MODULE_PX = 8 };

struct draw {
	const char *output;
	int level;
	bool json;
};

/* "-" is standard input, less one line end, so that a token need not stand in the list of processes. */
static enum err get_text(struct arena *a, const char *arg, struct span *out, struct err_note *note)
{
	enum err e;

	if (strcmp(arg, "-") != 0) {
		*out = span_str(arg);
		return ERR_OK;
	}
	e = file_read(a, "-", TEXT_MAX, out, note);
	if (e == ERR_OK && out->len != 0 && out->ptr[out->len - 1] == '\n')
		out->len--;
	if (e == ERR_OK && out->len != 0 && out->ptr[out->len - 1] == '\r')
		out->len--;
	return e;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static enum err draw_file(struct arena *a, const struct qr *qr, const char *path, struct err_note *note)
{
	struct span data;
	enum err e;

	if (ends_with(path, ".png"))
		e = qr_png(a, qr, MODULE_PX, &data);
	else
		e = qr_svg(a, qr, &data);
	return e != ERR_OK ? e : file_write(path, data, 0644, note);
}

static enum err draw_terminal(struct arena *a, const struct qr *qr)
{
	char *text;
	enum err e = qr_terminal(a, qr, term_colour(stdout), &text);

	if (e != ERR_OK)
		return e;
	fputs(text, stdout);
	return term_flush();
}

/* With --json and no file, the drawing itself is part of the answer. */
static enum err draw_json(struct arena *a, const struct qr *qr, const char *path)
{
	char *text = NULL;
	enum err e = path == NULL ? qr_terminal(a, qr, false, &text) : ERR_OK;

	if (e != ERR_OK)
		return e;
	return term_json(json_pack("{s:s?, s:i, s:i, s:s?}", "file", path, "version", (int)qr->version, "modules",
	                           (int)qr->size, "drawing", text));
}

static enum err draw(struct arena *a, const struct draw *d, const char *arg, struct err_note *note)
{
	struct span text;
	struct qr qr;
	enum err e = get_text(a, arg, &text, note);

	if (e == ERR_OK)
		e = qr_encode(a, text, (enum qr_level)d->level, &qr, note);
	if (e == ERR_OK && d->output != NULL)
		e = draw_file(a, &qr, d->output, note);
	if (e == ERR_OK && d->json)
		return draw_json(a, &qr, d->output);
	if (e == ERR_OK && d->output == NULL)
		e = draw_terminal(a, &qr);
	return e;
}

static int cmd_draw(int argc, char **argv)
{
	struct draw d = {.level = QR_Q};
	const struct opt opts[] = {
	    {.name = "output",
	     .letter = 'o',
	     .kind = OPT_TEXT,
	     .value = "FILE",
	     .out = &d.output,
	     .help = "write FILE.png or FILE.svg instead of drawing on the terminal"},
	    {.name = "level",
	     .kind = OPT_ENUM,
	     .value = "L|M|Q|H",
	     .out = &d.level,
	     .help = "how much may be lost: 7, 15, 25 or 30 per cent; Q when not given"},
	    {.name = "json", .kind = OPT_FLAG, .out = &d.json, .help = "one JSON object"},
	    {.name = NULL},
	};
	const struct opt_spec spec = {"qr draw", "TEXT", "Draws TEXT as a QR code; '-' reads it from standard input.",
	                              opts,      1,      1};
	struct err_note note = {0};
	struct opt_args args;
	struct arena *a;
	int status = opt_parse(&spec, argc, argv, &args);
	enum err e;

	if (status != OPT_GO)
		return status;
	if (d.output != NULL && !ends_with(d.output, ".png") && !ends_with(d.output, ".svg"))
		return opt_usage(&spec, d.json, "--output takes a name that ends in .png or .svg");
	a = arena_new(DRAW_BUDGET);
	e = a != NULL ? draw(a, &d, args.arg[0], &note) : ERR_NO_MEMORY;
	status = e != ERR_OK ? term_error(d.json, e, &note, NULL) : EXIT_OK;
	arena_free(a);
	return status;
}

/* {"text"} or, for bytes that are not UTF-8, {"text":null,"base64"}. */
static json_t *code_json(struct arena *a, struct span text)
{
	if (text_is_utf8(text))
		return json_pack("{s:s#}", "text", text.len != 0 ? (const char *)text.ptr : "", (int)text.len);
	return json_pack("{s:n, s:s?}", "text", "base64", base64_text(a, text));
}

static enum err scan_json(struct arena *a, const char *path, const struct qr_scan *scan, enum err e,
                          const struct err_note *note)
{
	json_t *codes = json_array();
	json_t *error = e != ERR_OK ? term_error_json(err_name(e), note->field, err_note_text(note)) : json_null();
	size_t i;

	for (i = 0; i < scan->count; i++)
		json_array_append_new(codes, code_json(a, scan->text[i]));
	return term_json(json_pack("{s:s, s:o, s:o}", "file", path, "codes", codes, "error", error));
}

/* Several codes are shown all, and are still not the one code that was asked for. */
static enum err scan_text(struct arena *a, const char *path, const struct qr_scan *scan, bool name)
{
	size_t i;

	for (i = 0; i < scan->count; i++)
		printf("%s%s%s\n", name ? term_safe(a, span_str(path)) : "", name ? ": " : "", term_safe(a, scan->text[i]));
	return term_flush();
}

static enum err scan_file(struct arena *a, const char *path, struct qr_scan *scan, struct err_note *note)
{
	struct span bytes;
	enum err e = file_read(a, path, IMAGE_MAX_FILE, &bytes, note);

	if (e == ERR_OK)
		e = qr_scan_all(a, bytes, scan, note);
	if (e == ERR_OK && scan->count == 0)
		e = ERR_QR_NONE;
	if (e == ERR_OK && scan->count > 1)
		e = ERR_QR_SEVERAL;
	if (e != ERR_OK && note->code != e)
		return err_note_set(note, e, NULL, "%s", err_help(e));
	return e;
}

/* One picture, with memory of its own. */
static int scan_one(const char *path, bool json, bool name)
{
	struct arena *a = arena_new(SCAN_BUDGET);
	struct qr_scan scan = {0};
	struct err_note note = {0};
	enum err e, out;
	int status;

	if (a == NULL)
		return term_error(json, ERR_NO_MEMORY, NULL, path);
	e = scan_file(a, path, &scan, &note);
	out = json ? scan_json(a, path, &scan, e, &note) : scan_text(a, path, &scan, name);
	if (out != ERR_OK)
		status = term_error(false, out, NULL, "standard output");
	else if (e != ERR_OK && !json)
		status = term_error(false, e, &note, path);
	else
		status = term_exit(e);
	arena_free(a);
	return status;
}

static int cmd_scan(int argc, char **argv)
{
	bool json = false;
	const struct opt opts[] = {
	    {.name = "json", .kind = OPT_FLAG, .out = &json, .help = "one JSON object per picture"},
	    {.name = NULL},
	};
	const struct opt_spec spec = {
	    "qr scan",
	    "IMAGE…",
	    "Reads the QR code of each PNG or JPEG picture, one line each; '-' is standard input.\n"
	    "Exit status: 0 each picture has one code; 65 none (QR_NONE), several (QR_SEVERAL), or a\n"
	    "broken or too large picture (IMAGE_INVALID, TOO_LARGE); 66 a file cannot be read. The\n"
	    "highest status wins.",
	    opts,
	    1,
	    -1};
	struct opt_args args;
	int status = opt_parse(&spec, argc, argv, &args), worst = EXIT_OK, i;

	if (status != OPT_GO)
		return status;
	for (i = 0; i < args.count; i++) {
		status = scan_one(args.arg[i], json, args.count > 1);
		worst = status > worst ? status : worst;
	}
	return worst;
}

int cmd_qr(int argc, char **argv)
{
	static const struct subcommand parts[] = {{"draw", cmd_draw}, {"scan", cmd_scan}, {NULL, NULL}};

	return command_dispatch("qr", parts, argc, argv);
}
