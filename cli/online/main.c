/* yinzheng-online: the subcommands that speak to a server. Users call them through `yinzheng`. */
#include <signal.h>
#include <string.h>

#include "cli/online/online.h"

static const struct subcommand table[] = {
    {"seal", cmd_seal},     {"catalog", cmd_catalog}, {"licence", cmd_licence},     {"code", cmd_code},
    {"pull", cmd_pull},     {"receipt", cmd_receipt}, {"inspect", cmd_inspect},     {"audit", cmd_audit},
    {"status", cmd_status}, {"health", cmd_health},   {"principal", cmd_principal}, {"bench", cmd_bench},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
	const struct subcommand *s;

	signal(SIGPIPE, SIG_IGN);
	for (s = table; argc > 1 && s->name != NULL; s++)
		if (strcmp(argv[1], s->name) == 0)
			return s->run(argc - 1, argv + 1);
	term_refusal(false, "USAGE", NULL, "Call this through 'yinzheng'; see 'yinzheng --help'.", NULL);
	return EXIT_USAGE;
}
