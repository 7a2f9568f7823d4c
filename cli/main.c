/* yinzheng: the commands that need no server, and the door to those that do. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/term.h"

int cmd_id(int argc, char **argv);
int cmd_qr(int argc, char **argv);
int cmd_verify(int argc, char **argv);

static const struct subcommand offline[] = {{"verify", cmd_verify}, {"qr", cmd_qr}, {"id", cmd_id}, {NULL, NULL}};

static void list_commands(bool online)
{
	size_t i;

	for (i = 0; i < commands_count; i++)
		if (commands[i].online == online)
			printf("  %-10s %s\n", commands[i].name, commands[i].summary);
}

static int help(void)
{
	puts("usage: yinzheng SUBCOMMAND …\n\nElectronic seals and licences: issue, show, check.\n\noffline:");
	list_commands(false);
	puts("\nonline (a server is asked):");
	list_commands(true);
	puts("\n'yinzheng SUBCOMMAND --help' says more; --json everywhere gives one JSON object per line.");
	return term_flush() == ERR_OK ? EXIT_OK : EXIT_NO_OUTPUT;
}

/* Becomes `dir`/`rest` with the same arguments; returns only when that is not there. */
static void try_exec(const char *dir, const char *rest, char **argv)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, rest);

	if (n > 0 && (size_t)n < sizeof(path))
		execv(path, argv);
}

/* The online commands live in an executable of their own, so that the others need not load gRPC. */
static int run_online(char **argv)
{
	char dir[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	if (n > 0) {
		dir[n] = '\0';
		slash = strrchr(dir, '/');
		if (slash != NULL)
			*slash = '\0';
		try_exec(dir, "yinzheng-online", argv);
		try_exec(dir, "../libexec/yinzheng/yinzheng-online", argv);
	}
	fprintf(stderr, "yinzheng: INTERNAL: yinzheng-online cannot be started (%s). Install it beside yinzheng.\n",
	        strerror(errno));
	return EXIT_INTERNAL;
}

/* The command of which `name` is a slip: the longer of both begins with the shorter, or both with the same three. */
static const char *similar(const char *name)
{
	size_t i;

	for (i = 0; i < commands_count; i++) {
		size_t n = strlen(commands[i].name) < strlen(name) ? strlen(commands[i].name) : strlen(name);

		if (n != 0 && strncmp(commands[i].name, name, n < 3 ? n : 3) == 0)
			return commands[i].name;
	}
	return NULL;
}

static int unknown(const char *name)
{
	const char *meant = similar(name);
	char text[160];

	snprintf(text, sizeof(text), "There is no subcommand '%.32s'. %s%s%sSee 'yinzheng --help'.", name,
	         meant != NULL ? "Did you mean '" : "", meant != NULL ? meant : "", meant != NULL ? "'? " : "");
	term_refusal(false, "USAGE", NULL, text, NULL);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const struct command *c;
	const struct subcommand *s;

	if (argc < 2) {
		term_refusal(false, "USAGE", NULL, "A subcommand is missing. See 'yinzheng --help'.", NULL);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
		return help();
	if (strcmp(argv[1], "--version") == 0) {
		puts("yinzheng " YZ_VERSION);
		return term_flush() == ERR_OK ? EXIT_OK : EXIT_NO_OUTPUT;
	}
	c = command_find(argv[1]);
	if (c != NULL && c->online)
		return run_online(argv);
	for (s = offline; s->name != NULL; s++)
		if (strcmp(s->name, argv[1]) == 0)
			return s->run(argc - 1, argv + 1);
	return unknown(argv[1]);
}
