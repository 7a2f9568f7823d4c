/* yinzheng id: identifiers and codes, checked and made. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/opt.h"
#include "cli/term.h"
#include "crypto/rand.h"
#include "form/ids.h"
#include "form/showcode.h"

int cmd_id(int argc, char **argv);

enum { BUDGET = 8 << 20, INPUT_MAX = 1 << 20, PROBLEMS_MAX = 8, SERIAL_LEN = 20 };

/* What was found out about one text. */
struct finding {
	struct arena *arena;
	const char *kind;  /* "licence_id", "credit_code", "resident_id", "type_code", "showcode", "unknown" */
	const char *label; /* the same for people */
	const char *shown; /* the text; of a show-code, which is a secret, only the beginning */
	char expected;     /* the right check character when the one at the end is wrong, else '\0' */
	size_t n;
	const char *problem[PROBLEMS_MAX];
};

static void kind(struct finding *f, const char *name, const char *label)
{
	f->kind = name;
	f->label = label;
}

static void problem(struct finding *f, const char *text)
{
	if (f->n < PROBLEMS_MAX)
		f->problem[f->n++] = text != NULL ? text : err_help(ERR_BUDGET);
}

/* what: whose check character; "" for the text itself */
static void wrong_check(struct finding *f, const char *what, char have, char want)
{
	problem(f, arena_printf(f->arena, "%scheck character %c is wrong, %c is expected", what, have, want));
	if (what[0] == '\0')
		f->expected = want;
}

/* what: "" or "issuer: " and the like */
static void check_credit(struct finding *f, const char *what, struct span s)
{
	char want = s.len == CREDIT_CODE_LEN ? credit_code_check(span_sub(s, 0, CREDIT_CODE_LEN - 1)) : '\0';

	if (credit_code_ok(s))
		return;
	if (s.len != CREDIT_CODE_LEN)
		problem(f, arena_printf(f->arena, "%snot 18 characters but %zu", what, text_length(s)));
	else if (want == '\0')
		problem(f, arena_printf(f->arena, "%sonly digits and capital letters without I O S V Z are allowed", what));
	else if (!text_only(span_sub(s, 2, 6), "0123456789"))
		problem(f, arena_printf(f->arena, "%scharacters 3 to 8 must be digits (the region)", what));
	else
		wrong_check(f, what, (char)s.ptr[CREDIT_CODE_LEN - 1], want);
}

static void check_resident(struct finding *f, struct span s)
{
	char want = resident_id_check(span_sub(s, 0, RESIDENT_ID_LEN - 1));

	kind(f, "resident_id", "resident id");
	if (resident_id_ok(s))
		return;
	if ((char)s.ptr[RESIDENT_ID_LEN - 1] != want)
		wrong_check(f, "", (char)s.ptr[RESIDENT_ID_LEN - 1], want);
	else
		problem(f, "region or date of birth cannot be");
}

static void check_type(struct finding *f, const char *what, struct span s)
{
	if (type_code_ok(s))
		return;
	if (s.len != TYPE_CODE_LEN)
		problem(f, arena_printf(f->arena, "%snot 21 characters but %zu", what, text_length(s)));
	else if (!text_only(span_sub(s, CREDIT_CODE_LEN, 3), "0123456789"))
		problem(f, arena_printf(f->arena, "%sthe last three characters must be digits", what));
	else
		check_credit(f, arena_printf(f->arena, "%sdefining authority: ", what), span_sub(s, 0, CREDIT_CODE_LEN));
}

static void check_licence(struct finding *f, struct span s)
{
	struct licence_id id;

	kind(f, "licence_id", "licence identifier");
	if (licence_id_parse(s, &id) != ERR_OK) {
		problem(f, "not of the form " LICENCE_ID_ROOT ".TYPE.ISSUER.SERIAL.VERSION.CHECK");
		return;
	}
	if (!id.root_ok)
		problem(f, "does not begin with " LICENCE_ID_ROOT);
	check_type(f, "type: ", id.type);
	check_credit(f, "issuer: ", id.issuer);
	if (span_eq(id.version, span_str("000")))
		problem(f, "versions begin with 001");
	if (id.check != id.computed)
		wrong_check(f, "", id.check, id.computed);
}

static bool looks_like_showcode(struct span s)
{
	return s.len >= 2 && (s.ptr[0] == 'Y' || s.ptr[0] == 'y') && (s.ptr[1] == 'Z' || s.ptr[1] == 'z');
}

static void check_showcode(struct finding *f, struct span s)
{
	char *canonical = NULL;

	kind(f, "showcode", "show-code");
	f->shown = "YZ1…";
	if (showcode_read(f->arena, s, &canonical) != ERR_OK)
		problem(f, "not YZ1 and 32 characters of the code alphabet");
}

/* Digits with a year of birth in them. */
static bool looks_like_resident(struct span s)
{
	struct span century = span_sub(s, 6, 2);

	return resident_id_check(span_sub(s, 0, RESIDENT_ID_LEN - 1)) != '\0' &&
	       (span_eq(century, span_str("18")) || span_eq(century, span_str("19")) || span_eq(century, span_str("20")));
}

/* 18 characters are a credit code or a resident id. */
static void check_18(struct finding *f, struct span s)
{
	if (resident_id_ok(s) || (looks_like_resident(s) && !credit_code_ok(s))) {
		check_resident(f, s);
		return;
	}
	kind(f, "credit_code", "credit code");
	check_credit(f, "", s);
}

static void check(struct finding *f, struct span s)
{
	char *canonical;

	f->shown = term_safe(f->arena, s);
	if (looks_like_showcode(s) || showcode_read(f->arena, s, &canonical) == ERR_OK) {
		check_showcode(f, s);
	} else if (s.len != 0 && memchr(s.ptr, '.', s.len) != NULL) {
		check_licence(f, s);
	} else if (s.len == TYPE_CODE_LEN) {
		kind(f, "type_code", "licence type");
		check_type(f, "", s);
	} else if (s.len == CREDIT_CODE_LEN) {
		check_18(f, s);
	} else {
		kind(f, "unknown", "unknown");
		problem(f, "neither a licence identifier, credit code, resident id, licence type nor show-code");
	}
}

static enum err print_json(const struct finding *f)
{
	char expected[2] = {f->expected, '\0'};
	json_t *problems = json_array();

	for (size_t i = 0; i < f->n; i++)
		json_array_append_new(problems, json_string(f->problem[i]));
	return term_json(json_pack("{s:s, s:s, s:b, s:s?, s:o}", "id", f->shown, "kind", f->kind, "ok", f->n == 0,
	                           "expected", f->expected != '\0' ? expected : NULL, "problems", problems));
}

static enum err print_text(const struct finding *f)
{
	printf("%s: %s: ", f->shown, f->label);
	for (size_t i = 0; i < f->n; i++)
		printf("%s%s", i != 0 ? "; " : "", f->problem[i]);
	puts(f->n == 0 ? "ok" : "");
	return term_flush();
}

static int check_one(struct span s, bool json)
{
	struct finding f = {.arena = arena_new(BUDGET)};
	int status;
	enum err e;

	if (f.arena == NULL)
		return term_error(json, ERR_NO_MEMORY, NULL, NULL);
	check(&f, s);
	e = json ? print_json(&f) : print_text(&f);
	status = e != ERR_OK ? term_error(false, e, NULL, "standard output") : f.n == 0 ? 0 : 1;
	arena_free(f.arena);
	return status;
}

/* "-": one per line, so that personal numbers need not stand in the list of processes. */
static int check_lines(bool json)
{
	struct arena *a = arena_new(2 * INPUT_MAX);
	struct err_note note = {0};
	struct span in = {0};
	int worst = EXIT_OK;
	enum err e = a != NULL ? file_read(a, "-", INPUT_MAX, &in, &note) : ERR_NO_MEMORY;

	while (e == ERR_OK && in.len != 0) {
		const uint8_t *end = memchr(in.ptr, '\n', in.len);
		size_t n = end != NULL ? (size_t)(end - in.ptr) : in.len;
		struct span line = span_sub(in, 0, n != 0 && in.ptr[n - 1] == '\r' ? n - 1 : n);
		int status = line.len != 0 ? check_one(line, json) : EXIT_OK;

		worst = status > worst ? status : worst;
		in = span_sub(in, n + 1, SIZE_MAX);
	}
	arena_free(a);
	return e != ERR_OK ? term_error(json, e, &note, "standard input") : worst;
}

static int cmd_check(int argc, char **argv)
{
	bool json = false;
	const struct opt opts[] = {
	    {.name = "json", .kind = OPT_FLAG, .out = &json, .help = "one JSON object for each"},
	    {.name = NULL},
	};
	const struct opt_spec spec = {
	    "id check",
	    "ID…",
	    "Recognises licence identifiers (GB/T 36904), credit codes (GB 32100), resident ids (GB 11643),\n"
	    "licence types and show-codes, and says what is wrong with them; '-' reads one per line\n"
	    "from standard input, where resident ids and show-codes belong: others can see a command line.\n"
	    "Exit status: 0 all are right, 1 some are wrong.",
	    opts,
	    1,
	    -1};
	struct opt_args args;
	int status = opt_parse(&spec, argc, argv, &args), worst = EXIT_OK;

	if (status != OPT_GO)
		return status;
	for (int i = 0; i < args.count; i++) {
		status = strcmp(args.arg[i], "-") == 0 ? check_lines(json) : check_one(span_str(args.arg[i]), json);
		worst = status > worst ? status : worst;
	}
	return worst;
}

/* ---- make ----------------------------------------------------------------------------------- */

static enum err random_serial(char out[SERIAL_LEN + 1])
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct rand r = rand_system();
	size_t n = 0;

	while (n < SERIAL_LEN) {
		uint8_t byte;
		enum err e = rand_fill(&r, &byte, 1);

		if (e != ERR_OK)
			return e;
		if (byte < 252) /* the largest multiple of 36: every character is as likely */
			out[n++] = alphabet[byte % 36];
	}
	out[SERIAL_LEN] = '\0';
	return ERR_OK;
}

static enum err print_made(const char *id, bool json)
{
	if (json)
		return term_json(json_pack("{s:s}", "id", id));
	puts(id);
	return term_flush();
}

static int made(enum err e, const char *id, bool json)
{
	if (e == ERR_OK)
		e = print_made(id, json);
	return e != ERR_OK ? term_error(json, e, NULL, NULL) : EXIT_OK;
}

static int make_licence(int argc, char **argv)
{
	const char *type = NULL, *issuer = NULL, *serial = NULL;
	char drawn[SERIAL_LEN + 1], *id = NULL;
	int64_t version = 1;
	bool json = false;
	const struct opt opts[] = {
	    {.name = "type",
	     .kind = OPT_TEXT,
	     .value = "CODE",
	     .out = &type,
	     .required = true,
	     .help = "licence type, 21 characters"},
	    {.name = "issuer",
	     .kind = OPT_TEXT,
	     .value = "CODE",
	     .out = &issuer,
	     .required = true,
	     .help = "credit code of the agency"},
	    {.name = "serial",
	     .kind = OPT_TEXT,
	     .value = "TEXT",
	     .out = &serial,
	     .help = "0-9 A-Z; 20 random characters when not given"},
	    {.name = "version",
	     .kind = OPT_INT,
	     .value = "N",
	     .out = &version,
	     .min = 1,
	     .max = 999,
	     .help = "1 when not given"},
	    {.name = "json", .kind = OPT_FLAG, .out = &json, .help = "one JSON object"},
	    {.name = NULL},
	};
	const struct opt_spec spec = {
	    "id make licence", "", "Makes a licence identifier with its check character.", opts, 0, 0};
	struct opt_args args;
	struct arena *a;
	int status = opt_parse(&spec, argc, argv, &args);
	enum err e = ERR_OK;

	if (status != OPT_GO)
		return status;
	a = arena_new(BUDGET);
	if (serial == NULL) {
		e = random_serial(drawn);
		serial = drawn;
	}
	if (e == ERR_OK)
		e = a != NULL ? licence_id_make(a, type, issuer, serial, (unsigned)version, &id) : ERR_NO_MEMORY;
	status = made(e, id, json);
	arena_free(a);
	return status;
}

static int make_credit(int argc, char **argv)
{
	const char *first = NULL;
	char code[CREDIT_CODE_LEN + 1] = {0};
	bool json = false;
	const struct opt opts[] = {
	    {.name = "first17",
	     .kind = OPT_TEXT,
	     .value = "TEXT",
	     .out = &first,
	     .required = true,
	     .help = "all but the check character"},
	    {.name = "json", .kind = OPT_FLAG, .out = &json, .help = "one JSON object"},
	    {.name = NULL},
	};
	const struct opt_spec spec = {"id make credit", "", "Completes a unified social credit code.", opts, 0, 0};
	struct opt_args args;
	int status = opt_parse(&spec, argc, argv, &args);
	char end;

	if (status != OPT_GO)
		return status;
	end = credit_code_check(span_str(first));
	if (end != '\0')
		snprintf(code, sizeof(code), "%.17s%c", first, end);
	return made(credit_code_ok(span_str(code)) ? ERR_OK : ERR_ORG_CODE_INVALID, code, json);
}

static int cmd_make(int argc, char **argv)
{
	static const struct subcommand parts[] = {{"licence", make_licence}, {"credit", make_credit}, {NULL, NULL}};

	return command_dispatch("id", parts, argc, argv);
}

int cmd_id(int argc, char **argv)
{
	static const struct subcommand parts[] = {{"check", cmd_check}, {"make", cmd_make}, {NULL, NULL}};

	return command_dispatch("id", parts, argc, argv);
}
