/*
 * Options by table. Long options (--name VALUE, --name=VALUE), one-letter ones (-o VALUE, -oVALUE), in any order with
 * the operands; "--" ends options, "-" is an operand. --help is always understood and printed from the same table.
 */
#ifndef YZ_CLI_OPT_H
#define YZ_CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opt_kind {
	OPT_FLAG, /* bool * */
	OPT_TEXT, /* const char ** */
	OPT_LIST, /* struct opt_list *, may be given again */
	OPT_INT,  /* int64_t *, decimal within min..max */
	OPT_ENUM  /* int *: the index among `value`, which is written "A|B|C"; case is ignored */
};

enum { OPT_LIST_MAX = 64 };

struct opt_list {
	size_t count;
	const char *item[OPT_LIST_MAX];
};

struct opt {
	const char *name; /* without dashes; NULL ends the table */
	char letter;      /* 0: none */
	enum opt_kind kind;
	const char *value; /* what the value is called in the help, e.g. "FILE"; NULL for a flag */
	const char *help;
	void *out; /* left as it was when the option is not given: defaults are set by the caller */
	int64_t min, max;
	bool required;
};

struct opt_spec {
	const char *name;  /* "qr draw" */
	const char *args;  /* operands as the help shows them: "TEXT", "IMAGE…", "" */
	const char *about; /* sentences for the help; lines are printed as they stand */
	const struct opt *opts;
	int min_args, max_args; /* max_args -1: any number */
};

struct opt_args {
	int count;
	char **arg; /* the operands, in order, moved to the front of argv + 1 */
};

enum { OPT_GO = -1 };

/* argv[0] is skipped. OPT_GO: all is well, run. Otherwise the exit status to return at once: 0 after --help, 64 after
 * a usage error, which is printed (as JSON when --json is among the arguments). */
int opt_parse(const struct opt_spec *spec, int argc, char **argv, struct opt_args *out);
/* A usage error that the table cannot express; returns 64. */
int opt_usage(const struct opt_spec *spec, bool json, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
