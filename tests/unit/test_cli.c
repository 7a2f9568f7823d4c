/* The command line's own parts: options by table, text fit for terminals, refusals and exit statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/opt.h"
#include "cli/term.h"

static int with_arena(void **state)
{
	*state = arena_new(1 << 20);
	return *state != NULL ? 0 : -1;
}

static int without_arena(void **state)
{
	arena_free(*state);
	return 0;
}

#define TEST(f)  cmocka_unit_test_setup_teardown(f, with_arena, without_arena)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- what is printed ------------------------------------------------------------------------ */

enum { SAID_MAX = 8192 };

/* Standard output and error, turned into files while something runs. */
struct said {
	FILE *file[2];
	int kept[2];
	char out[SAID_MAX], err[SAID_MAX];
};

static void listen(struct said *s)
{
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		s->file[i] = tmpfile();
		assert_non_null(s->file[i]);
		s->kept[i] = dup(i + 1);
		assert_true(dup2(fileno(s->file[i]), i + 1) >= 0);
	}
}

static void heard(struct said *s)
{
	char *text[] = {s->out, s->err};

	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		size_t n;

		dup2(s->kept[i], i + 1);
		close(s->kept[i]);
		rewind(s->file[i]);
		n = fread(text[i], 1, SAID_MAX - 1, s->file[i]);
		text[i][n] = '\0';
		fclose(s->file[i]);
	}
}

/* ---- exit statuses -------------------------------------------------------------------------- */

static int expected_status(enum err e)
{
	static const struct {
		enum err e;
		int status;
	} own[] = {
	    {ERR_USAGE, EXIT_USAGE},
	    {ERR_CONFIG_INVALID, EXIT_USAGE},
	    {ERR_FILE_UNREADABLE, EXIT_NO_INPUT},
	    {ERR_FILE_UNWRITABLE, EXIT_NO_OUTPUT},
	    {ERR_TOO_LARGE, EXIT_DATA},
	    {ERR_BUDGET, EXIT_DATA},
	};
	static const int by_class[] = {
	    [ERRC_OK] = EXIT_OK,
	    [ERRC_INVALID] = EXIT_DATA,
	    [ERRC_UNAUTHENTICATED] = EXIT_REFUSED,
	    [ERRC_DENIED] = EXIT_REFUSED,
	    [ERRC_NOT_FOUND] = EXIT_REFUSED,
	    [ERRC_EXISTS] = EXIT_REFUSED,
	    [ERRC_PRECONDITION] = EXIT_REFUSED,
	    [ERRC_EXHAUSTED] = EXIT_TRY_LATER,
	    [ERRC_DEADLINE] = EXIT_TRY_LATER,
	    [ERRC_CANCELLED] = EXIT_TRY_LATER,
	    [ERRC_UNAVAILABLE] = EXIT_NO_SERVER,
	    [ERRC_DATA] = EXIT_DATA,
	    [ERRC_INTERNAL] = EXIT_INTERNAL,
	};

	for (size_t i = 0; i < COUNT(own); i++)
		if (own[i].e == e)
			return own[i].status;
	return by_class[err_class_of(e)];
}

static void every_error_has_its_status(void **state)
{
	for (int i = 0; i < ERR_COUNT; i++) {
		enum err e = (enum err)i;

		if (term_exit(e) != expected_status(e))
			fail_msg("%s ends with %d", err_name(e), term_exit(e));
		if (e != ERR_OK)
			assert_int_equal(term_exit_reason(err_name(e)), term_exit(e));
		assert_true((term_exit(e) == EXIT_OK) == (e == ERR_OK));
	}
	assert_int_equal(term_exit(ERR_COUNT), EXIT_INTERNAL);
	assert_int_equal(term_exit_reason("A_NEW_REASON"), EXIT_REFUSED);
	assert_int_equal(term_exit_reason("code_used"), EXIT_REFUSED);
	assert_int_equal(term_exit_reason("OK"), EXIT_REFUSED); /* a refusal is never a success */
	assert_int_equal(term_exit_reason(""), EXIT_REFUSED);
}

/* Scripts of users depend on the numbers. */
static void statuses_are_those_of_sysexits(void **state)
{
	assert_int_equal(term_exit(ERR_USAGE), 64);
	assert_int_equal(term_exit(ERR_FORMAT), 65);
	assert_int_equal(term_exit(ERR_FILE_UNREADABLE), 66);
	assert_int_equal(term_exit(ERR_SERVER_UNREACHABLE), 69);
	assert_int_equal(term_exit(ERR_INTERNAL), 70);
	assert_int_equal(term_exit(ERR_FILE_UNWRITABLE), 73);
	assert_int_equal(term_exit(ERR_OVERLOADED), 75);
	assert_int_equal(term_exit(ERR_CODE_USED), 77);
}

/* ---- text ----------------------------------------------------------------------------------- */

static void widths_are_columns(void **state)
{
	static const struct {
		const char *text;
		size_t width;
	} table[] = {
	    {"", 0},
	    {"abc", 3},
	    {"营业执照", 8},
	    {"A证B", 4},
	    {"，。（）", 8}, /* punctuation of Chinese text */
	    {"ＡＢ", 4},     /* full width */
	    {"ｱ", 1},        /* half width */
	    {"é", 1},
	    {"e\xcc\x81", 1},    /* with a combining accent */
	    {"\xe2\x80\x8b", 0}, /* zero width space */
	    {"\xef\xb8\x8f", 0}, /* variation selector */
	    {"한글", 4},
	    {"𠮷", 2}, /* beyond the basic plane */
	    {"😀", 2},
	    {"·", 1},
	    {"\xff", 1},     /* not UTF-8: a byte each */
	    {"\xe8\xaf", 2}, /* half a character */
	    {"a\xe8z", 3},
	};

	for (size_t i = 0; i < COUNT(table); i++)
		if (term_width(table[i].text) != table[i].width)
			fail_msg("row %zu: %s takes %zu", i, table[i].text, term_width(table[i].text));
}

static void text_is_made_safe(void **state)
{
	static const struct {
		const char *text, *safe;
	} table[] = {
	    {"", ""},
	    {"营业执照 A-1", "营业执照 A-1"},
	    {"\x1b[31mred", "\\x1b[31mred"},
	    {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
	    {"\x7f", "\\x7f"},
	    {"\xc2\x9b"
	     "2J",
	     "\\xc2\\x9b2J"}, /* the C1 form of ESC [ */
	    {"\xe2\x80\xae"
	     "gpj.exe",
	     "\\xe2\\x80\\xaegpj.exe"},            /* right-to-left override */
	    {"\xe2\x81\xa6x", "\\xe2\\x81\\xa6x"}, /* isolate */
	    {"\xff\xfe", "\\xff\\xfe"},
	    {"证\xe8\xaf", "证\\xe8\\xaf"},               /* cut in the middle */
	    {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
	    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate */
	    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* past the last code point */
	};

	for (size_t i = 0; i < COUNT(table); i++)
		assert_string_equal(term_safe(*state, span_str(table[i].text)), table[i].safe);
	assert_string_equal(term_safe(*state, span_of("a\0b", 3)), "a\\x00b");
	assert_string_equal(term_safe(*state, span_of("\xe8\xaf\x81", 2)), "\\xe8\\xaf");
}

static void text_without_memory_is_still_text(void **state)
{
	struct arena *tiny = arena_new(8);
	char big[4096];

	memset(big, 'x', sizeof(big));
	assert_non_null(tiny);
	assert_string_equal(term_safe(tiny, span_of(big, sizeof(big))), "(out of memory)");
	arena_free(tiny);
}

/* ---- terminals ------------------------------------------------------------------------------ */

static FILE *open_terminal(int *master)
{
	const char *name;

	*master = posix_openpt(O_RDWR | O_NOCTTY);
	if (*master < 0)
		return NULL;
	name = grantpt(*master) == 0 && unlockpt(*master) == 0 ? ptsname(*master) : NULL;
	return name != NULL ? fopen(name, "w") : NULL;
}

static void colours_need_a_terminal_that_takes_them(void **state)
{
	FILE *file = tmpfile(), *tty;
	int master;

	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	assert_false(term_is_tty(file));
	assert_false(term_colour(file));
	fclose(file);
	tty = open_terminal(&master);
	if (tty == NULL) {
		printf("note: no terminal to be had, skipped\n");
		return;
	}
	assert_true(term_is_tty(tty));
	assert_true(term_colour(tty));
	setenv("NO_COLOR", "", 1); /* empty counts as not set (no-color.org) */
	assert_true(term_colour(tty));
	setenv("NO_COLOR", "1", 1);
	assert_false(term_colour(tty));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(term_colour(tty));
	unsetenv("TERM");
	assert_false(term_colour(tty));
	fclose(tty);
	close(master);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void refusals_for_people(void **state)
{
	static const struct {
		const char *reason, *field, *help, *subject, *said;
	} table[] = {
	    {"FORMAT", NULL, "It is damaged.", NULL, "yinzheng: FORMAT: It is damaged.\n"},
	    {"FORMAT", "", "It is damaged.", "a.esl", "yinzheng: FORMAT: a.esl: It is damaged.\n"},
	    {"FORMAT", "esID", "It is damaged.", "a.esl", "yinzheng: FORMAT: a.esl: It is damaged. [esID]\n"},
	    /* the subject is not said twice */
	    {"FORMAT", NULL, "a.esl: no such file", "a.esl", "yinzheng: FORMAT: a.esl: no such file\n"},
	    {"FORMAT", NULL, "bad \x1b[2J", "\xff", "yinzheng: FORMAT: \\xff: bad \\x1b[2J\n"},
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		struct said said;

		listen(&said);
		term_refusal(false, table[i].reason, table[i].field, table[i].help, table[i].subject);
		heard(&said);
		assert_string_equal(said.out, "");
		assert_string_equal(said.err, table[i].said);
	}
}

static void refusals_for_programs(void **state)
{
	struct said said;

	listen(&said);
	term_refusal(true, "FORMAT", "esID", "It is damaged.", "证.esl");
	heard(&said);
	assert_string_equal(said.err, "");
	assert_string_equal(said.out, "{\"error\":{\"reason\":\"FORMAT\",\"field\":\"esID\",\"help\":\"It is damaged.\"},"
	                              "\"subject\":\"证.esl\"}\n");
	listen(&said);
	term_refusal(true, "FORMAT", "", "It is damaged.", NULL);
	heard(&said);
	assert_string_equal(said.out, "{\"error\":{\"reason\":\"FORMAT\",\"field\":null,\"help\":\"It is damaged.\"}}\n");
	/* What JSON cannot say is said to people rather than not at all. */
	listen(&said);
	term_refusal(true, "USAGE", NULL, "no \xff", NULL);
	heard(&said);
	assert_string_equal(said.out, "");
	assert_string_equal(said.err, "yinzheng: USAGE: no \\xff\n");
}

static void errors_take_their_own_note(void **state)
{
	const struct err_note note = {.code = ERR_FORMAT, .field = "esID", .help = "The seal's id is missing."};
	struct said said;
	int status;

	listen(&said);
	status = term_error(false, ERR_FORMAT, &note, NULL);
	heard(&said);
	assert_int_equal(status, EXIT_DATA);
	assert_string_equal(said.err, "yinzheng: FORMAT: The seal's id is missing. [esID]\n");
	/* A note that is left over from another error says nothing about this one. */
	listen(&said);
	status = term_error(false, ERR_CODE_USED, &note, NULL);
	heard(&said);
	assert_int_equal(status, EXIT_REFUSED);
	assert_null(strstr(said.err, "esID"));
	assert_non_null(strstr(said.err, err_help(ERR_CODE_USED)));
	listen(&said);
	status = term_error(true, ERR_NO_MEMORY, NULL, NULL);
	heard(&said);
	assert_int_equal(status, EXIT_INTERNAL);
	assert_non_null(strstr(said.out, "\"reason\":\"NO_MEMORY\""));
}

static void lost_output_is_told(void **state)
{
	int full = open("/dev/full", O_WRONLY), kept;
	enum err flushed, dumped;

	assert_int_equal(term_json(NULL), ERR_NO_MEMORY);
	assert_int_equal(term_flush(), ERR_OK);
	if (full < 0) {
		printf("note: no /dev/full, skipped\n");
		return;
	}
	fflush(stdout);
	kept = dup(1);
	dup2(full, 1);
	dumped = term_json(json_pack("{s:i}", "n", 1));
	flushed = term_flush(); /* told again, not forgotten */
	clearerr(stdout);
	dup2(kept, 1);
	close(kept);
	close(full);
	assert_int_equal(dumped, ERR_FILE_UNWRITABLE);
	assert_int_equal(flushed, ERR_FILE_UNWRITABLE);
}

/* ---- options -------------------------------------------------------------------------------- */

enum { WORDS_MAX = 80, MANY = 7 };

struct values {
	bool json, flag;
	const char *text, *must;
	struct opt_list list;
	int64_t number;
	int choice;
};

/* One parse of words that are separated by blanks. */
struct parse {
	struct values v;
	struct opt_args args;
	struct said said;
	int status;
	char words[512];
	char *argv[WORDS_MAX];
};

static void parse_spec(struct parse *p, const char *words, bool required, int min_args, int max_args)
{
	const struct opt opts[] = {
	    {"json", 0, OPT_FLAG, NULL, "for programs", &p->v.json, 0, 0, false},
	    {"flag", 'f', OPT_FLAG, NULL, "a flag", &p->v.flag, 0, 0, false},
	    {"text", 't', OPT_TEXT, "TEXT", "a text", &p->v.text, 0, 0, false},
	    {"list", 'l', OPT_LIST, "PATH", "a list", &p->v.list, 0, 0, false},
	    {"number", 'n', OPT_INT, "N", "a number", &p->v.number, -5, 300, false},
	    {"choice", 0, OPT_ENUM, "SELF|AGENT|LEGAL", "one of", &p->v.choice, 0, 0, false},
	    {"must", 'm', OPT_TEXT, "ID", "a text", &p->v.must, 0, 0, required},
	    {0},
	};
	const struct opt_spec spec = {"thing do", "FILE…", "Does things.", opts, min_args, max_args};
	int argc = 0;

	*p = (struct parse){.v = {.number = MANY, .choice = -1}};
	snprintf(p->words, sizeof(p->words), "do %s", words);
	for (char *save = NULL, *w = strtok_r(p->words, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		assert_true(argc < WORDS_MAX);
		p->argv[argc++] = w;
	}
	listen(&p->said);
	p->status = opt_parse(&spec, argc, p->argv, &p->args);
	heard(&p->said);
}

static void parse(struct parse *p, const char *words)
{
	parse_spec(p, words, false, 0, -1);
}

static void parsed(struct parse *p, const char *words)
{
	parse(p, words);
	if (p->status != OPT_GO)
		fail_msg("%s: %d, %s", words, p->status, p->said.err);
	assert_string_equal(p->said.out, "");
	assert_string_equal(p->said.err, "");
}

static void options_of_all_kinds(void **state)
{
	struct parse *p = calloc(1, sizeof(*p));

	parsed(p, "");
	assert_int_equal(p->args.count, 0);
	assert_false(p->v.flag);
	assert_null(p->v.text);
	assert_int_equal(p->v.list.count, 0);
	assert_int_equal(p->v.number, MANY); /* defaults stay */
	assert_int_equal(p->v.choice, -1);
	parsed(p, "--flag --text hello --list a --list=b -lc -l d --number 12 --choice agent --json");
	assert_true(p->v.flag && p->v.json);
	assert_string_equal(p->v.text, "hello");
	assert_int_equal(p->v.list.count, 4);
	assert_string_equal(p->v.list.item[0], "a");
	assert_string_equal(p->v.list.item[1], "b");
	assert_string_equal(p->v.list.item[2], "c");
	assert_string_equal(p->v.list.item[3], "d");
	assert_int_equal(p->v.number, 12);
	assert_int_equal(p->v.choice, 1);
	parsed(p, "-f -thello -n-5 --choice=SELF");
	assert_true(p->v.flag);
	assert_string_equal(p->v.text, "hello");
	assert_int_equal(p->v.number, -5);
	assert_int_equal(p->v.choice, 0);
	parsed(p, "--text=a=b");
	assert_string_equal(p->v.text, "a=b");
	parsed(p, "--text=");
	assert_string_equal(p->v.text, "");
	parsed(p, "--text one --text two"); /* the last one counts */
	assert_string_equal(p->v.text, "two");
	parsed(p, "--text --flag"); /* a value may look like an option */
	assert_string_equal(p->v.text, "--flag");
	assert_false(p->v.flag);
	free(p);
}

static void operands_stand_anywhere(void **state)
{
	struct parse *p = calloc(1, sizeof(*p));

	parsed(p, "one --flag two -t x - three");
	assert_int_equal(p->args.count, 4);
	assert_string_equal(p->args.arg[0], "one");
	assert_string_equal(p->args.arg[1], "two");
	assert_string_equal(p->args.arg[2], "-");
	assert_string_equal(p->args.arg[3], "three");
	parsed(p, "one -- --flag --help -- -x");
	assert_int_equal(p->args.count, 5);
	assert_string_equal(p->args.arg[1], "--flag");
	assert_string_equal(p->args.arg[3], "--");
	assert_false(p->v.flag);
	free(p);
}

static void wrong_options_are_told(void **state)
{
	static const struct {
		const char *words, *said;
	} table[] = {
	    {"--nothing", "there is no option --nothing."},
	    {"--nothing=secret", "there is no option --nothing."}, /* values are not repeated */
	    {"--fla", "there is no option --fla."},                /* nor are names guessed */
	    {"--flags", "there is no option --flags."},
	    {"-x", "there is no option -x."},
	    {"-flag", "takes no value"}, /* -f with "lag" behind it */
	    {"--=x", "there is no option --."},
	    {"--\x1b[2J", "there is no option --\\x1b[2J."},
	    {"--flag=yes", "--flag takes no value."},
	    {"--text", "--text needs a value: TEXT."},
	    {"one -t", "--text needs a value: TEXT."},
	    {"--number x", "--number takes a number from -5 to 300."},
	    {"--number=", "--number takes a number from -5 to 300."},
	    {"--number 301", "--number takes a number from -5 to 300."},
	    {"--number -6", "--number takes a number from -5 to 300."},
	    {"--number 12x", "--number takes a number from -5 to 300."},
	    {"--number 0x10", "--number takes a number from -5 to 300."},
	    {"--number 1.0", "--number takes a number from -5 to 300."},
	    {"--number 99999999999999999999", "--number takes a number from -5 to 300."},
	    {"--choice other", "--choice takes one of SELF|AGENT|LEGAL."},
	    {"--choice SEL", "--choice takes one of SELF|AGENT|LEGAL."},
	    {"--choice SELF|AGENT", "--choice takes one of SELF|AGENT|LEGAL."},
	    {"--choice=", "--choice takes one of SELF|AGENT|LEGAL."},
	};
	struct parse *p = calloc(1, sizeof(*p));

	for (size_t i = 0; i < COUNT(table); i++) {
		parse(p, table[i].words);
		assert_int_equal(p->status, EXIT_USAGE);
		assert_string_equal(p->said.out, "");
		if (strstr(p->said.err, table[i].said) == NULL || strncmp(p->said.err, "yinzheng: USAGE: ", 17) != 0)
			fail_msg("%s: %s", table[i].words, p->said.err);
		assert_non_null(strstr(p->said.err, "See 'yinzheng thing do --help'."));
		assert_null(p->args.arg);
		assert_int_equal(p->v.number, MANY);
	}
	free(p);
}

static void counts_are_checked(void **state)
{
	static const struct {
		const char *words;
		bool required;
		int min, max, status;
		const char *said;
	} table[] = {
	    {"--must x", true, 0, -1, OPT_GO, ""},
	    {"--must=x", true, 0, -1, OPT_GO, ""},
	    {"-mx", true, 0, -1, OPT_GO, ""},
	    {"-f -m x one", true, 1, 1, OPT_GO, ""},
	    {"one", true, 0, -1, EXIT_USAGE, "--must is required"},
	    {"-- --must x", true, 0, -1, EXIT_USAGE, "--must is required"},
	    {"--text --must", true, 0, -1, EXIT_USAGE, "--must is required"}, /* a value, not the option */
	    {"-t -m", true, 0, -1, EXIT_USAGE, "--must is required"},
	    {"", false, 1, 1, EXIT_USAGE, "FILE… is missing"},
	    {"--flag", false, 1, 1, EXIT_USAGE, "FILE… is missing"},
	    {"one two", false, 1, 1, EXIT_USAGE, "there are too many arguments"},
	    {"one", false, 0, 0, EXIT_USAGE, "there are too many arguments"},
	    {"one two three", false, 1, -1, OPT_GO, ""},
	};
	struct parse *p = calloc(1, sizeof(*p));

	for (size_t i = 0; i < COUNT(table); i++) {
		parse_spec(p, table[i].words, table[i].required, table[i].min, table[i].max);
		if (p->status != table[i].status || strstr(p->said.err, table[i].said) == NULL)
			fail_msg("%s: %d, %s", table[i].words, p->status, p->said.err);
	}
	free(p);
}

static void lists_are_bounded(void **state)
{
	struct parse *p = calloc(1, sizeof(*p));
	char words[400] = "";

	for (int i = 0; i < OPT_LIST_MAX; i++)
		strcat(words, " -lx");
	parsed(p, words);
	assert_int_equal(p->v.list.count, OPT_LIST_MAX);
	strcat(words, " -ly");
	parse(p, words);
	assert_int_equal(p->status, EXIT_USAGE);
	assert_int_equal(p->v.list.count, OPT_LIST_MAX);
	assert_non_null(strstr(p->said.err, "--list is given more than 64 times"));
	free(p);
}

static void usage_errors_for_programs(void **state)
{
	struct parse *p = calloc(1, sizeof(*p));

	parse(p, "--number x --json"); /* --json counts wherever it stands */
	assert_int_equal(p->status, EXIT_USAGE);
	assert_string_equal(p->said.err, "");
	assert_string_equal(p->said.out,
	                    "{\"error\":{\"reason\":\"USAGE\",\"field\":null,\"help\":\"--number takes a number "
	                    "from -5 to 300. See 'yinzheng thing do --help'.\"}}\n");
	parse(p, "--number x -- --json");
	assert_string_equal(p->said.out, "");
	assert_non_null(strstr(p->said.err, "--number"));
	free(p);
}

static void help_comes_from_the_table(void **state)
{
	static const char *const lines[] = {
	    "usage: yinzheng thing do [options] FILE…\n",  "\nDoes things.\n",
	    "      --json                 for programs\n", "  -t, --text TEXT            a text\n",
	    "      --choice SELF|AGENT|LEGAL one of\n",    "  -m, --must ID              a text (required)\n",
	    "      --help                 this text\n",
	};
	struct parse *p = calloc(1, sizeof(*p));

	parse_spec(p, "one --help --nothing", true, 5, 5); /* help is given before anything is complained of */
	assert_int_equal(p->status, EXIT_OK);
	assert_string_equal(p->said.err, "");
	for (size_t i = 0; i < COUNT(lines); i++)
		if (strstr(p->said.out, lines[i]) == NULL)
			fail_msg("no line %s in:\n%s", lines[i], p->said.out);
	parse(p, "--text --help");
	assert_int_equal(p->status, OPT_GO);
	assert_string_equal(p->v.text, "--help");
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_error_has_its_status),
	    TEST(statuses_are_those_of_sysexits),
	    TEST(widths_are_columns),
	    TEST(text_is_made_safe),
	    TEST(text_without_memory_is_still_text),
	    TEST(colours_need_a_terminal_that_takes_them),
	    TEST(refusals_for_people),
	    TEST(refusals_for_programs),
	    TEST(errors_take_their_own_note),
	    TEST(lost_output_is_told),
	    TEST(options_of_all_kinds),
	    TEST(operands_stand_anywhere),
	    TEST(wrong_options_are_told),
	    TEST(counts_are_checked),
	    TEST(lists_are_bounded),
	    TEST(usage_errors_for_programs),
	    TEST(help_comes_from_the_table),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
