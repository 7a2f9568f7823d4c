/* Options of the command line, by table. */
#include "cli_help.h"

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
	    TEST(options_of_all_kinds),      TEST(operands_stand_anywhere), TEST(wrong_options_are_told),
	    TEST(counts_are_checked),        TEST(lists_are_bounded),       TEST(usage_errors_for_programs),
	    TEST(help_comes_from_the_table),
	};

	return cmocka_run_group_tests_name("cli options", tests, NULL, NULL);
}
