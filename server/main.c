/* yinzhengd: the daemon. */
#include "server/accept.h"
#include "server/init.h"
#include "server/log.h"
#include "server/run.h"

#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { EXIT_UNAVAILABLE = 69, EXIT_INTERNAL = 70, EXIT_CONFIG = 78, EXIT_USAGE = 64 };

static const char usage_text[] =
    "usage: yinzhengd run --config FILE\n"
    "       yinzhengd check --config FILE\n"
    "       yinzhengd init --config FILE --admin-cert CRT [--admin-cert CRT]\n"
    "                      [--admin-org CODE] [--admin-name TEXT]\n"
    "       yinzhengd enrol --config FILE --admin-cert CRT [--admin-org CODE] [--admin-name TEXT]\n"
    "       yinzhengd --help | --version\n"
    "\n"
    "  run    serve until SIGTERM or SIGINT; a second signal exits at once\n"
    "  check  open everything that the configuration names, and say what is wrong\n"
    "  init   make the master key (when absent) and the store, and enrol the first one or two\n"
    "         security administrators by their certificates; refuses when the store exists\n"
    "  enrol  one more security administrator, when there are not two any more who could agree\n"
    "         on one; told in the audit log\n"
    "\n"
    "  --config FILE      the configuration, see docs/operations.md\n"
    "  --admin-cert CRT   certificate of a security administrator (PEM or DER)\n"
    "  --admin-org CODE   its organisation's unified credit code, when the certificate does not name it\n"
    "  --admin-name TEXT  its name; else the certificate's common name\n"
    "\n"
    "Exit status: 0 done, 64 usage, 69 the port is taken or the store is away, 70 internal error,\n"
    "78 configuration, key, certificate or store is wrong.\n";

struct arguments {
	const char *command;
	struct init_options o;
};

static enum err parse(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
	                                        {"admin-cert", required_argument, NULL, 'a'},
	                                        {"admin-org", required_argument, NULL, 'o'},
	                                        {"admin-name", required_argument, NULL, 'n'},
	                                        {0}};
	int c;

	a->command = argc > 1 ? argv[1] : "";
	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (c == 'c')
			a->o.config_path = optarg;
		else if (c == 'a' && a->o.n_admins < INIT_ADMINS_MAX)
			a->o.admin_cert[a->o.n_admins++] = optarg;
		else if (c == 'o')
			a->o.admin_org = optarg;
		else if (c == 'n')
			a->o.admin_name = optarg;
		else
			return ERR_USAGE;
	}
	if (a->o.config_path == NULL || optind + 1 != argc || strcmp(argv[optind], a->command) != 0)
		return ERR_USAGE;
	bool init = strcmp(a->command, "init") == 0, enrol = strcmp(a->command, "enrol") == 0;
	bool admin = a->o.n_admins != 0 || a->o.admin_org != NULL || a->o.admin_name != NULL;
	if (init || enrol)
		return a->o.n_admins == 0 || (enrol && a->o.n_admins > 1) ? ERR_USAGE : ERR_OK;
	return admin ? ERR_USAGE : ERR_OK;
}

static bool command_known(const char *name)
{
	return strcmp(name, "run") == 0 || strcmp(name, "check") == 0 || strcmp(name, "init") == 0 ||
	       strcmp(name, "enrol") == 0;
}

static int exit_status(enum err e)
{
	if (e == ERR_OK)
		return 0;
	if (e == ERR_USAGE)
		return EXIT_USAGE;
	switch (err_class_of(e)) {
	case ERRC_UNAVAILABLE:
		return EXIT_UNAVAILABLE;
	case ERRC_INVALID:
	case ERRC_DATA:
	case ERRC_EXISTS:
	case ERRC_PRECONDITION:
		return EXIT_CONFIG;
	default:
		return EXIT_INTERNAL;
	}
}

/* Before any thread exists: gRPC's threads inherit what is set here. */
static void prepare_process(void)
{
	sigset_t set;

	umask(077);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* keys are not to lie about in core files */
	accept_prepare();
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	setenv("GRPC_VERBOSITY", "NONE", 0); /* its own words are not ours, and name peers */
}

static enum err run_command(const struct arguments *a, struct err_note *note)
{
	enum err e;

	prepare_process();
	if (strcmp(a->command, "init") == 0)
		return init_store(&a->o, note);
	if (strcmp(a->command, "enrol") == 0)
		return init_enrol(&a->o, note);
	if (strcmp(a->command, "run") == 0)
		return run_server(a->o.config_path, note);
	e = run_check(a->o.config_path, note);
	if (e == ERR_OK)
		log_event(LOG_INFO, "checked", LOG_TEXT("config", a->o.config_path), LOG_TEXT("result", "good"));
	return e;
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	struct err_note note = {0};
	enum err e;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage_text, stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("yinzhengd " YZ_VERSION);
		return 0;
	}
	if (parse(argc, argv, &a) != ERR_OK || !command_known(a.command)) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	e = run_command(&a, &note);
	if (e != ERR_OK)
		log_error(LOG_ERROR, a.command, e, &note);
	return exit_status(e);
}
