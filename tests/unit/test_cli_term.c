/* Text fit for terminals, refusals and exit statuses of the command line. */
#include "cli_help.h"

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

static void refusals_say_when_to_come_back(void **state)
{
	struct said said;

	listen(&said);
	term_refusal_hint(false, "OVERLOADED", NULL, "Too many calls.", NULL, 250);
	heard(&said);
	assert_string_equal(said.err, "yinzheng: OVERLOADED: Too many calls. Try again in 0.3 s.\n");
	listen(&said);
	term_refusal_hint(false, "OVERLOADED", NULL, "Too many calls.", NULL, 1000);
	heard(&said);
	assert_string_equal(said.err, "yinzheng: OVERLOADED: Too many calls. Try again in 1.0 s.\n");
	listen(&said);
	term_refusal_hint(false, "OVERLOADED", NULL, "Too many calls.", NULL, 0);
	heard(&said);
	assert_string_equal(said.err, "yinzheng: OVERLOADED: Too many calls.\n");
	listen(&said);
	term_refusal_hint(true, "OVERLOADED", NULL, "Too many calls.", NULL, 250);
	heard(&said);
	assert_string_equal(said.out, "{\"error\":{\"reason\":\"OVERLOADED\",\"field\":null,\"help\":\"Too many calls.\","
	                              "\"retry_after_ms\":250}}\n");
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
	    TEST(refusals_say_when_to_come_back),
	    TEST(errors_take_their_own_note),
	    TEST(lost_output_is_told),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
