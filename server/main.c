/* yinzhengd: the daemon. */
#include "server/init.h"
#include "server/log.h"
#include "server/maintain.h"
#include "server/run.h"

#include <getopt.h>
#include <malloc.h>
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
    "       yinzhengd check --config FILE [--store]\n"
    "       yinzhengd init --config FILE --admin-cert CRT [--admin-cert CRT]\n"
    "                      [--admin-org CODE] [--admin-name TEXT]\n"
    "       yinzhengd enrol --config FILE --admin-cert CRT [--admin-org CODE] [--admin-name TEXT]\n"
    "       yinzhengd backup --config FILE --to COPY\n"
    "       yinzhengd restore --config FILE --from COPY\n"
    "       yinzhengd rotate-key --config FILE [--finish]\n"
    "       yinzhengd --help | --version\n"
    "\n"
    "  run      serve until SIGTERM or SIGINT; a second signal exits at once. SIGHUP reads\n"
    "           certificates, keys, trust list, limits and log level anew. One server serves an\n"
    "           SQLite store: refuses when another does\n"
    "  check    open everything that the configuration names, and say what is wrong;\n"
    "           with --store look at every row of the store, also beside a serving daemon\n"
    "  init     make the master key (when absent) and the store, and enrol the first one or two\n"
    "           security administrators by their certificates; refuses when the store exists\n"
    "  enrol    one more security administrator, when there are not two any more who could agree\n"
    "           on one; told in the audit log\n"
    "  backup   copy the store into a new file, also beside a serving daemon; the master key is\n"
    "           not in it\n"
    "  restore  make such a copy the store; refuses when there is one, or a server that serves it;\n"
    "           codes that were open in the copy are cancelled\n"
    "  rotate-key\n"
    "           make a new master key and put it into its file; the one before opens the store\n"
    "           until rotate-key --finish\n"
    "\n"
    "  --config FILE      the configuration, see docs/operations.md\n"
    "  --admin-cert CRT   certificate of a security administrator (PEM or DER)\n"
    "  --admin-org CODE   its organisation's unified credit code, when the certificate does not name it\n"
    "  --admin-name TEXT  its name; else the certificate's common name\n"
    "  --to COPY          the file to make\n"
    "  --from COPY        the file to read\n"
    "\n"
    "Exit status: 0 done, 64 usage, 69 the port or the store is taken, or the store is away,\n"
    "70 internal error, 78 configuration, key, certificate, file or store is wrong.\n";

enum options { HAS_ADMIN = 1, HAS_TO = 2, HAS_FROM = 4, HAS_STORE = 8, HAS_FINISH = 16 };

struct arguments {
	const struct command *command;
	struct init_options o;
	const char *file; /* of --to or --from */
	unsigned given;   /* enum options */
};

static enum err run(const struct arguments *a, struct err_note *note)
{
	return run_server(a->o.config_path, note);
}

static enum err check(const struct arguments *a, struct err_note *note)
{
	enum err e =
	    (a->given & HAS_STORE) != 0 ? maintain_check(a->o.config_path, note) : run_check(a->o.config_path, note);

	if (e == ERR_OK)
		log_event(LOG_INFO, "checked", LOG_TEXT("config", a->o.config_path), LOG_TEXT("result", "good"));
	return e;
}

static enum err init(const struct arguments *a, struct err_note *note)
{
	return init_store(&a->o, note);
}

static enum err enrol(const struct arguments *a, struct err_note *note)
{
	return a->o.n_admins == 1 ? init_enrol(&a->o, note) : ERR_USAGE;
}

static enum err backup(const struct arguments *a, struct err_note *note)
{
	return maintain_backup(a->o.config_path, a->file, note);
}

static enum err restore(const struct arguments *a, struct err_note *note)
{
	return maintain_restore(a->o.config_path, a->file, note);
}

static enum err rotate_key(const struct arguments *a, struct err_note *note)
{
	return (a->given & HAS_FINISH) != 0 ? maintain_rotate_finish(a->o.config_path, note)
	                                    : maintain_rotate(a->o.config_path, note);
}

static const struct command {
	const char *name;
	enum err (*fn)(const struct arguments *a, struct err_note *note);
	unsigned needs, takes; /* enum options */
} commands[] = {
    {"run", run, 0, 0},
    {"check", check, 0, HAS_STORE},
    {"init", init, HAS_ADMIN, HAS_ADMIN},
    {"enrol", enrol, HAS_ADMIN, HAS_ADMIN},
    {"backup", backup, HAS_TO, HAS_TO},
    {"restore", restore, HAS_FROM, HAS_FROM},
    {"rotate-key", rotate_key, 0, HAS_FINISH},
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static enum err take_option(struct arguments *a, int c)
{
	switch (c) {
	case 'c':
		a->o.config_path = optarg;
		return ERR_OK;
	case 'a':
		if (a->o.n_admins == INIT_ADMINS_MAX)
			return ERR_USAGE;
		a->o.admin_cert[a->o.n_admins++] = optarg;
		a->given |= HAS_ADMIN;
		return ERR_OK;
	case 'o':
		a->o.admin_org = optarg;
		a->given |= HAS_ADMIN;
		return ERR_OK;
	case 'n':
		a->o.admin_name = optarg;
		a->given |= HAS_ADMIN;
		return ERR_OK;
	case 't':
	case 'f':
		a->file = optarg;
		a->given |= c == 't' ? HAS_TO : HAS_FROM;
		return ERR_OK;
	case 's':
		a->given |= HAS_STORE;
		return ERR_OK;
	case 'e':
		a->given |= HAS_FINISH;
		return ERR_OK;
	default:
		return ERR_USAGE;
	}
}

static enum err parse(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
	                                        {"admin-cert", required_argument, NULL, 'a'},
	                                        {"admin-org", required_argument, NULL, 'o'},
	                                        {"admin-name", required_argument, NULL, 'n'},
	                                        {"to", required_argument, NULL, 't'},
	                                        {"from", required_argument, NULL, 'f'},
	                                        {"store", no_argument, NULL, 's'},
	                                        {"finish", no_argument, NULL, 'e'},
	                                        {0}};
	int c;

	a->command = argc > 1 ? find_command(argv[1]) : NULL;
	if (a->command == NULL)
		return ERR_USAGE;
	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1)
		if (take_option(a, c) != ERR_OK)
			return ERR_USAGE;
	if (a->o.config_path == NULL || optind + 1 != argc || strcmp(argv[optind], a->command->name) != 0)
		return ERR_USAGE;
	if ((a->command->needs & HAS_ADMIN) != 0 && a->o.n_admins == 0)
		return ERR_USAGE;
	return (a->given & a->command->needs) == a->command->needs && (a->given & ~a->command->takes) == 0 ? ERR_OK
	                                                                                                   : ERR_USAGE;
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
	case ERRC_NOT_FOUND:
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
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	setenv("GRPC_VERBOSITY", "NONE", 0); /* its own words are not ours, and name peers */
}

/* What one call gives back the next one takes: returned to the system, every page would have to be had and cleared
 * anew. */
static void keep_memory(void)
{
	enum { KEPT = 64 * 1024 * 1024, OF_ITS_OWN = 8 * 1024 * 1024 };

	mallopt(M_TRIM_THRESHOLD, KEPT);
	mallopt(M_MMAP_THRESHOLD, OF_ITS_OWN);
}

static bool wants_help(int argc, char **argv)
{
	return argc >= 2 && strcmp(argv[argc - 1], "--help") == 0 && (argc == 2 || find_command(argv[1]) != NULL);
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	struct err_note note = {0};
	enum err e;

	keep_memory();
	if (wants_help(argc, argv)) {
		fputs(usage_text, stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("yinzhengd " YZ_VERSION);
		return 0;
	}
	e = parse(argc, argv, &a);
	if (e == ERR_OK) {
		prepare_process();
		e = a.command->fn(&a, &note);
	}
	if (e == ERR_USAGE)
		fputs(usage_text, stderr);
	else if (e != ERR_OK)
		log_error(LOG_ERROR, a.command->name, e, &note);
	return exit_status(e);
}
