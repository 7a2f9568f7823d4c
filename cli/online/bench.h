/*
 * Private to `yinzheng bench load`: a load generator over real connections. bench.c reads the options and leads through
 * the phases; bench_work.c makes the requests; bench_drive.c sends them; bench_report.c and bench_picture.c tell.
 */
#ifndef YZ_CLI_BENCH_H
#define YZ_CLI_BENCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "cli/bench_hist.h"
#include "cli/bench_pace.h"
#include "cli/online/online.h"

/* As whom the calls are made: null and verify as the window. */
enum bench_role { BENCH_WINDOW, BENCH_WALLET, BENCH_INSPECTOR, BENCH_ROLES };

struct bench_method {
	enum bench_role role;
	const ProtobufCServiceDescriptor *service;
	const char *name;
};
const struct bench_method *bench_method(enum bench_op op);

enum { CODE_TEXT = 48, REQUEST_ID = 16, HEAD_MAX = 2 + REQUEST_ID + 2 + CODE_TEXT };

/* A show-code that nobody has redeemed yet, and the request that it was made by. */
struct bench_code {
	char text[CODE_TEXT];
	uint32_t request;
};

/* First in, first out; full, it takes no more. */
struct stock {
	pthread_mutex_t lock;
	size_t cap, n, first;
	struct bench_code *code;
};
bool stock_take(struct stock *s, struct bench_code *out);
bool stock_put(struct stock *s, const struct bench_code *c);
size_t stock_count(struct stock *s);

/*
 * Requests are packed once. What differs from call to call (request_id, code) is packed anew each time and stands in
 * front: the order of fields is free in protobuf. The wallet's say when the citizen was authenticated and so are packed
 * again from time to time; the old bytes stay in the arena.
 */
struct bench_packed {
	_Atomic(const struct span *) bytes;
};
struct bench_request { /* of one holder */
	ProtobufCMessage *issue;
	enum bench_op redeemed_by; /* BENCH_PULL or BENCH_INSPECT */
	struct bench_packed issue_packed, redeem_packed;
};

struct bench_options {
	struct opt_list servers;
	const char *config, *codes, *document, *data, *policy, *picture, *mix;
	const char *profile[BENCH_ROLES];
	int64_t connections, concurrency, in_flight, rate, threads, stock, warm_up, duration, timeout;
	bool brief, json;
};

struct bench {
	struct bench_options o;
	struct mix mix;
	struct online as[BENCH_ROLES]; /* the first connection of each role, for preparing; arena of BENCH_WINDOW: all */
	bool used[BENCH_ROLES];
	struct bench_packed null_packed;
	size_t n_documents;
	struct bench_packed *documents; /* of --document, in turn */
	atomic_size_t next_document;
	size_t n_requests;
	struct bench_request *requests;      /* of --codes */
	atomic_size_t next_issue[BENCH_OPS]; /* per redeeming kind, which holder is next */
	struct stock stock[BENCH_OPS];       /* of BENCH_PULL and BENCH_INSPECT */
	const char *verify_indication;       /* what the server said about the document; NULL: not asked */
};

/* ---- bench_work.c --------------------------------------------------------------------------- */

/* Reads documents and code requests, asks for previews, packs, and makes each call of the mix once so that what is
 * wrong is said before the load begins. 0, or the exit status after printing. */
int work_prepare(struct bench *b);
/* Packs the wallet's requests with the time as it is now. */
enum err work_refresh(struct bench *b) MUST_CHECK;
/* The next holder to issue a code for, to be redeemed by op (BENCH_OPS: any). */
uint32_t work_next_issue(struct bench *b, enum bench_op op);
uint32_t work_next_document(struct bench *b);
/* The bytes that come first: a new request_id, and the code unless it is NULL. Returns their length. */
size_t work_head(enum bench_op op, const char *code, uint8_t out[HEAD_MAX]);
struct span work_body(const struct bench *b, enum bench_op op, uint32_t request);
/* The code of an IssueCodeReply. */
bool work_read_code(struct span reply, char out[CODE_TEXT]);

/* ---- bench_drive.c -------------------------------------------------------------------------- */

enum { FAULTS_MAX = 48, SECONDS_MAX = 24 * 3600 };

struct bench_fault { /* calls that ended badly, by kind, status and reason */
	enum bench_op op;
	int status;
	char reason[48];
	uint64_t n;
};

struct bench_second { /* answers of one second of the measured phase */
	uint32_t ok[BENCH_OPS], bad;
};

struct bench_stats {
	pthread_mutex_t lock;
	struct hist latency[BENCH_OPS]; /* of good answers, in ns, from when they were due */
	struct hist answer[BENCH_OPS];  /* the same from when they were sent */
	struct hist recent;             /* all kinds, since the progress line was printed */
	size_t n_faults;
	struct bench_fault fault[FAULTS_MAX]; /* the last takes what finds no room */
	uint64_t codes_beside;                /* codes made during the measured phase for a pull or an inspection */
	size_t n_seconds;
	struct bench_second *seconds;
};
struct bench_stats *stats_new(size_t seconds);
void stats_free(struct bench_stats *s);
/* One refusal more; past FAULTS_MAX kinds as "OTHER". With its lock held. */
void stats_fault(struct bench_stats *s, enum bench_op op, int status, const char *reason);

struct drive;

struct drive_phase {
	const struct mix *mix; /* NULL: fill the stock of `fill` up to `wanted` */
	enum bench_op fill;
	size_t wanted;
	uint64_t rate;            /* per second; 0: closed loop */
	size_t in_flight;         /* closed loop: always so many; open loop: at most */
	double warm_up, duration; /* seconds; filling ends when full */
	struct bench_stats *stats;
};

struct drive_result {
	double seconds;     /* measured */
	double cpu_seconds; /* of this process meanwhile, user and system */
	double late_ms;     /* open loop: by how much at most a call was started after it was due */
	bool interrupted;
};

/* All connections, made and tried. ERR_NO_MEMORY; ERR_SERVER_UNREACHABLE with *why. */
enum err drive_open(struct bench *b, struct drive **out, struct refusal *why) MUST_CHECK;
void drive_close(struct drive *d);
/* Runs one phase to its end, or to SIGINT or SIGTERM (which must be blocked). */
enum err drive_run(struct drive *d, const struct drive_phase *p, struct drive_result *out) MUST_CHECK;

/* ---- telling -------------------------------------------------------------------------------- */

const char *grpc_status_text(int status);
/* The progress line on stderr. */
void report_progress(const struct drive_phase *p, struct bench_stats *s, double at);
/* The exit status: EXIT_NO_SERVER when no call at all was answered well. */
int report_print(const struct bench *b, const struct bench_stats *s, const struct drive_result *r);
/* Throughput over time and latency by percentile; PNG or SVG by the name's end. ERR_FILE_UNWRITABLE, ERR_NO_MEMORY. */
enum err bench_picture(const struct bench *b, const struct bench_stats *s, const struct drive_result *r,
                       const char *path) MUST_CHECK;

#endif
