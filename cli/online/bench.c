/* yinzheng bench load: options, and the phases one after the other. */
#include "cli/online/bench.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
	STOCK_CLOSED = 20000, /* codes made before a closed loop, whose rate nobody knows */
	STOCK_MAX = 500000,
	FILL_IN_FLIGHT = 16,
	IN_FLIGHT_MAX = 100000
};

static const char *role_name(int role)
{
	static const char *const names[BENCH_ROLES] = {"window", "wallet", "inspector"};

	return names[role];
}

static void find_roles(struct bench *b)
{
	for (int op = 0; op < BENCH_OPS; op++)
		if (mix_has(&b->mix, (enum bench_op)op))
			b->used[bench_method((enum bench_op)op)->role] = true;
	if (mix_has(&b->mix, BENCH_PULL) || mix_has(&b->mix, BENCH_INSPECT))
		b->used[BENCH_WALLET] = true;
}

/* The window's arena takes what all share, so it is opened in any case. */
static int open_roles(struct bench *b)
{
	int st = 0;

	for (int role = 0; st == 0 && role < BENCH_ROLES; role++) {
		struct online *o = &b->as[role];

		o->json = b->o.json;
		o->timeout = b->o.timeout;
		o->config = b->o.config;
		o->server = b->o.servers.count != 0 ? b->o.servers.item[0] : NULL;
		o->profile = b->o.profile[role] != NULL ? b->o.profile[role] : role_name(role);
		if (b->used[role] || role == BENCH_WINDOW)
			st = online_open(o);
	}
	return st;
}

/* How many codes the load will redeem of this kind, as far as one can know. */
static size_t stock_wanted(const struct bench *b, enum bench_op op)
{
	size_t share = 0;
	double n;

	for (size_t i = 0; i < b->mix.n; i++)
		share += b->mix.op[i] == op;
	if (share == 0)
		return 0;
	if (b->o.stock >= 0)
		return (size_t)b->o.stock;
	n = (double)STOCK_CLOSED;
	if (b->o.rate != 0)
		n = (double)(b->o.rate * (b->o.warm_up + b->o.duration)) * (double)share / (double)b->mix.n + 1;
	return n < STOCK_MAX ? (size_t)n : STOCK_MAX;
}

/* Codes that a load redeems are made before it, so that making them is no part of what is measured. */
static enum err fill_stock(struct bench *b, struct drive *d, enum bench_op op, bool *interrupted)
{
	struct stock *s = &b->stock[op];
	struct drive_phase fill = {.fill = op, .in_flight = FILL_IN_FLIGHT, .wanted = stock_wanted(b, op)};
	struct drive_result result = {0};
	enum err e = ERR_OK;

	if (fill.wanted == 0)
		return ERR_OK;
	s->cap = fill.wanted;
	s->code = calloc(s->cap, sizeof(*s->code));
	if (s->code == NULL)
		return ERR_NO_MEMORY;
	if (!b->o.json && term_is_tty(stderr))
		fprintf(stderr, "making %zu codes to be redeemed by %s …\n", s->cap, bench_op_name(op));
	e = drive_run(d, &fill, &result);
	*interrupted = result.interrupted;
	return e;
}

static enum err run_phases(struct bench *b, struct drive *d, struct bench_stats *stats, struct drive_result *result)
{
	struct drive_phase load = {
	    .mix = &b->mix,
	    .rate = (uint64_t)b->o.rate,
	    .in_flight = (size_t)(b->o.rate != 0 ? b->o.in_flight : b->o.concurrency),
	    .warm_up = (double)b->o.warm_up,
	    .duration = (double)b->o.duration,
	    .stats = stats,
	};
	bool interrupted = false;
	enum err e = fill_stock(b, d, BENCH_PULL, &interrupted);

	if (e == ERR_OK && !interrupted)
		e = fill_stock(b, d, BENCH_INSPECT, &interrupted);
	if (e == ERR_OK && !interrupted)
		e = drive_run(d, &load, result);
	return e;
}

static int tell(struct bench *b, const struct bench_stats *stats, const struct drive_result *result)
{
	int st = report_print(b, stats, result);
	enum err e;

	if (b->o.picture == NULL)
		return st;
	e = bench_picture(b, stats, result, b->o.picture);
	return e == ERR_OK ? st : online_fail(&b->as[BENCH_WINDOW], e, NULL, b->o.picture);
}

static int drive(struct bench *b)
{
	struct bench_stats *stats = stats_new((size_t)b->o.duration);
	struct refusal why = {.reason = "NO_MEMORY"};
	struct drive_result result = {0};
	struct drive *d = NULL;
	enum err e = stats != NULL ? drive_open(b, &d, &why) : ERR_NO_MEMORY;
	int st;

	if (e == ERR_SERVER_UNREACHABLE) {
		term_refusal_hint(b->o.json, why.reason, why.field, why.help, b->as[BENCH_WINDOW].server, why.retry_ms);
		st = EXIT_NO_SERVER;
	} else {
		if (e == ERR_OK)
			e = run_phases(b, d, stats, &result);
		st = e == ERR_OK ? tell(b, stats, &result) : online_fail(&b->as[BENCH_WINDOW], e, NULL, NULL);
	}
	drive_close(d);
	stats_free(stats);
	return st;
}

/* Signals come to the leading thread, which waits for them; all threads inherit the mask. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int load(struct bench *b, const struct opt_spec *spec)
{
	struct err_note note;
	int st;

	if (mix_parse(b->o.mix, &b->mix, &note) != ERR_OK)
		return opt_usage(spec, b->o.json, "--mix: %s", note.help);
	for (int op = 0; op < BENCH_OPS; op++)
		pthread_mutex_init(&b->stock[op].lock, NULL);
	find_roles(b);
	block_signals();
	st = open_roles(b);
	if (st == 0)
		st = work_prepare(b);
	if (st == 0)
		st = drive(b);
	for (int op = 0; op < BENCH_OPS; op++)
		free(b->stock[op].code);
	for (int role = BENCH_ROLES - 1; role >= 0; role--)
		online_close(&b->as[role]);
	return st;
}

static int bench_load(int argc, char **argv)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct opt_args args;
	int st;

	if (b == NULL)
		return term_error(false, ERR_NO_MEMORY, NULL, NULL);
	b->o = (struct bench_options){.connections = 8,
	                              .concurrency = 64,
	                              .in_flight = 10000,
	                              .threads = 1,
	                              .stock = -1,
	                              .warm_up = 2,
	                              .duration = 10,
	                              .timeout = 20};

	struct bench_options *o = &b->o;
	const struct opt opts[] = {
	    {"mix", 'm', OPT_TEXT, "KIND[=WEIGHT],…", "of null, verify, show, pull, inspect", &o->mix, 0, 0, true},
	    {"rate", 'r', OPT_INT, "CALLS", "open loop: so many calls a second, whatever the answers", &o->rate, 1, 1000000,
	     false},
	    {"concurrency", 'c', OPT_INT, "N", "closed loop: so many calls in flight (64)", &o->concurrency, 1,
	     IN_FLIGHT_MAX, false},
	    {"in-flight", 0, OPT_INT, "N", "open loop: at most so many calls in flight (10000)", &o->in_flight, 1,
	     IN_FLIGHT_MAX, false},
	    {"connections", 'n', OPT_INT, "N", "connections of each role (8)", &o->connections, 1, 10000, false},
	    {"threads", 0, OPT_INT, "N", "that take answers (1)", &o->threads, 1, 64, false},
	    {"duration", 'd', OPT_INT, "SECONDS", "measured (10)", &o->duration, 1, SECONDS_MAX, false},
	    {"warm-up", 'w', OPT_INT, "SECONDS", "before that (2)", &o->warm_up, 0, 3600, false},
	    {"document", 0, OPT_TEXT, "FILE|FOLDER",
	     "what 'verify' sends; a folder: each of its files in turn, NAME.dat being the data of NAME.sig", &o->document,
	     0, 0, false},
	    {"data", 0, OPT_TEXT, "FILE", "the data of a bare seal signature", &o->data, 0, 0, false},
	    {"policy", 0, OPT_TEXT, "NAME", "to verify under (default)", &o->policy, 0, 0, false},
	    {"brief", 0, OPT_FLAG, NULL, "verify, pull, inspect: no report of what is good", &o->brief, 0, 0, false},
	    {"codes", 0, OPT_TEXT, "FILE", "JSON list of IssueCodeRequests: holders for 'show', 'pull', 'inspect'",
	     &o->codes, 0, 0, false},
	    {"stock", 0, OPT_INT, "N", "codes made before the load (as many as it will need)", &o->stock, 0, STOCK_MAX,
	     false},
	    {"picture", 0, OPT_TEXT, "FILE.svg|FILE.png", "draw rate and latencies", &o->picture, 0, 0, false},
	    {"server", 0, OPT_LIST, "HOST:PORT", "instead of the profiles'; more than one share the connections",
	     &o->servers, 0, 0, false},
	    {"config", 0, OPT_TEXT, "FILE", "configuration (~/.config/yinzheng/config.ini)", &o->config, 0, 0, false},
	    {"window", 0, OPT_TEXT, "PROFILE", "of null, verify, pull (window)", &o->profile[BENCH_WINDOW], 0, 0, false},
	    {"wallet", 0, OPT_TEXT, "PROFILE", "of show, and of the codes (wallet)", &o->profile[BENCH_WALLET], 0, 0,
	     false},
	    {"inspector", 0, OPT_TEXT, "PROFILE", "of inspect (inspector)", &o->profile[BENCH_INSPECTOR], 0, 0, false},
	    {"timeout", 0, OPT_INT, "SECONDS", "of one call (20)", &o->timeout, 1, 3600, false},
	    {"json", 0, OPT_FLAG, NULL, "one JSON object", &o->json, 0, 0, false},
	    {0},
	};
	const struct opt_spec spec = {
	    "bench load",
	    "",
	    "Loads a server and says how many calls it answers and how long they take.\n"
	    "Closed loop (the default): --concurrency calls are always in flight; the rate is what comes of it.\n"
	    "Open loop (--rate): a call is due every 1/RATE s. Latency is measured from then, also when the call\n"
	    "could not be started in time, so that a stall is not hidden by what was not sent meanwhile.\n"
	    "A pull or an inspection redeems a code of its own. Codes are made before the load begins, and beside\n"
	    "it when they run out; making them is not part of the latency. Every call is real: it is audited and\n"
	    "leaves receipts. Use a trial server, and set its limits (operator_per_minute …) high enough.\n"
	    "Ends with 0 when any call was answered well; refusals are counted by status and reason.",
	    opts,
	    0,
	    0};

	st = opt_parse(&spec, argc, argv, &args);
	if (st == OPT_GO)
		st = load(b, &spec);
	free(b);
	return st;
}

int cmd_bench(int argc, char **argv)
{
	static const struct subcommand table[] = {{"load", bench_load}, {NULL, NULL}};

	return command_dispatch("bench", table, argc, argv);
}
