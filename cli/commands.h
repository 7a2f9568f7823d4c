/* The subcommands: names and help in one table, from which both executables and the manual pages take them. */
#ifndef YZ_CLI_COMMANDS_H
#define YZ_CLI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

struct command {
	const char *name;
	const char *args;    /* summary of what may follow */
	const char *summary; /* one line, no full stop */
	const char *help;    /* the long text; lines are printed as they stand */
	bool online;         /* lives in yinzheng-online and speaks to a server */
};

extern const struct command commands[];
extern const size_t commands_count;

/* NULL when there is none of this name. */
const struct command *command_find(const char *name);

/* A part of a command, e.g. `draw` of `qr`. */
struct subcommand {
	const char *name; /* NULL ends a table */
	int (*run)(int argc, char **argv);
};
/* Runs argv[1] of the table with argv moved on by one. --help prints usage, summary and long text; no word or an
 * unknown one is a usage error (64). */
int command_dispatch(const char *name, const struct subcommand *table, int argc, char **argv);

#endif
