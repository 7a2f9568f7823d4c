#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "cli/term.h"

const struct command commands[] = {
    {"verify", "[--trust PATH]… [--data FILE] FILE…",
     "say whether seals, signatures, licences and receipts are genuine",
     "The kind is recognised from the content; trust comes from the certificates and CRLs named by --trust.\n"
     "Exit status: 0 all passed, 1 some failed, 2 some could not be decided, 3 some unsigned, 66 unreadable.\n",
     false},
    {"qr", "draw TEXT | scan IMAGE…", "draw QR codes, and read them from pictures",
     "  qr draw TEXT    draws on the terminal, or into a PNG or SVG file with -o\n"
     "  qr scan IMAGE…  reads the codes of PNG and JPEG pictures\n",
     false},
    {"id", "check ID… | make licence|credit …", "check and make licence identifiers and credit codes",
     "Knows licence identifiers (GB/T 36904), unified social credit codes (GB 32100), resident ids (GB 11643),\n"
     "licence type codes and show-codes.\n",
     false},
    {"seal", "create|import|list|show|status|history|sign|sign-document|verify …", "make, import and use seals",
     "Seals (SES_Seal) of the organisations that this service keeps: import those of the competent\n"
     "authority, make new ones, look at them, suspend or revoke them, sign with them.\n",
     true},
    {"catalog", "load|types|items …", "licence types and service items",
     "The catalogue says which fields a licence type has, and which licences and fields a service item needs.\n", true},
    {"licence", "issue|show|list|status|history|file …", "issue licences and keep their states",
     "Licences are issued under the agency's seal, for its own types only; their state changes by events.\n", true},
    {"code", "preview|issue|cancel …", "show-codes of a holder",
     "What a citizen app does: see what would leave, make the code that a window or an officer scans,\n"
     "withdraw it.\n",
     true},
    {"pull", "--item CODE --case NUMBER --purpose TEXT [--qr IMAGE]", "a window takes what its item needs",
     "Redeems a use code: the licence fields that the service item names, each with its verdict, and a receipt.\n",
     true},
    {"receipt", "ID -o FILE", "fetch a receipt of one's own again",
     "The same statement, newly signed; check it with `yinzheng verify`.\n", true},
    {"inspect", "--purpose TEXT [--qr IMAGE | --licence ID --basis TEXT]", "an officer checks a licence",
     "By show-code, or by licence identifier as a statutory use with its basis stated.\n", true},
    {"audit", "list …", "entries of the audit log", "Who used and changed what, when, for which case.\n", true},
    {"principal", "put|list|disable …", "who may use the service",
     "Principals are organisations' systems, known by their TLS keys, with roles.\n", true},
    {"status", "", "the server's own account", "Counts of calls, the trust list, warnings.\n", true},
    {"health", "[SERVICE]", "is the server serving", "Asks the standard health service.\n", true},
    {"bench", "load …", "load a trial server and measure it",
     "Many connections, calls of several kinds at a steady rate or as fast as they are answered; latencies as a\n"
     "table, a picture, JSON. See `yinzheng bench load --help`.\n",
     true},
};
const size_t commands_count = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; i < commands_count; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void command_help(const struct command *c)
{
	printf("usage: yinzheng %s %s\n\n%s\n\n%s", c->name, c->args, c->summary, c->help);
}

static const struct subcommand *find_sub(const struct subcommand *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

int command_dispatch(const char *name, const struct subcommand *table, int argc, char **argv)
{
	const struct command *c = command_find(name);
	const struct subcommand *sub;
	char help[160];

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		command_help(c);
		return term_flush() == ERR_OK ? EXIT_OK : EXIT_NO_OUTPUT;
	}
	sub = argc > 1 ? find_sub(table, argv[1]) : NULL;
	if (sub != NULL)
		return sub->run(argc - 1, argv + 1);
	snprintf(help, sizeof(help), "'yinzheng %s' is followed by: %s. See 'yinzheng %s --help'.", name, c->args, name);
	term_refusal(false, "USAGE", NULL, help, NULL);
	return EXIT_USAGE;
}
