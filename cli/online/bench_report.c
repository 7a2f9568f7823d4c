/* Progress, table, JSON. */
#include <string.h>

#include "cli/online/bench.h"

static const double quantiles[] = {0.5, 0.9, 0.99, 0.999};
enum { QUANTILES = sizeof(quantiles) / sizeof(quantiles[0]) };

const char *grpc_status_text(int status)
{
	static const char *const names[] = {
	    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
	    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
	    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
	    "DATA_LOSS", "UNAUTHENTICATED"};

	return status >= 0 && (size_t)status < sizeof(names) / sizeof(names[0]) ? names[status] : "UNKNOWN";
}

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static uint64_t faults_of(const struct bench_stats *s, int op)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n_faults; i++)
		n += (int)s->fault[i].op == op ? s->fault[i].n : 0;
	return n;
}

/* ---- progress ------------------------------------------------------------------------------- */

void report_progress(const struct drive_phase *p, struct bench_stats *s, double at)
{
	uint64_t n, p50, p99, bad = 0;

	if (!term_is_tty(stderr))
		return;
	pthread_mutex_lock(&s->lock);
	n = s->recent.n;
	p50 = hist_quantile(&s->recent, 0.5);
	p99 = hist_quantile(&s->recent, 0.99);
	memset(&s->recent, 0, sizeof(s->recent));
	for (int op = 0; op < BENCH_OPS; op++)
		bad += faults_of(s, op);
	pthread_mutex_unlock(&s->lock);
	if (at <= 0)
		fprintf(stderr, "\r\033[Kwarming up …");
	else
		fprintf(stderr,
		        "\r\033[K%.0f of %.0f s  %llu answers in the last second, p50 %.2f ms, p99 %.2f ms, %llu refused", at,
		        p->duration, (unsigned long long)n, ms(p50), ms(p99), (unsigned long long)bad);
	if (at >= p->duration)
		fputs("\r\033[K", stderr);
	fflush(stderr);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static json_t *faults_json(const struct bench_stats *s, int op)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_faults; i++)
		if ((int)s->fault[i].op == op)
			json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "status", grpc_status_text(s->fault[i].status),
			                                      "reason", s->fault[i].reason, "count", (json_int_t)s->fault[i].n));
	return list;
}

static json_t *op_json(const struct bench_stats *s, int op, double seconds)
{
	const struct hist *h = &s->latency[op];

	return json_pack("{s:I, s:f, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "ok", (json_int_t)h->n, "per_s",
	                 seconds > 0 ? (double)h->n / seconds : 0, "refused", (json_int_t)faults_of(s, op), "mean_ms",
	                 ms(hist_mean(h)), "p50_ms", ms(hist_quantile(h, 0.5)), "p90_ms", ms(hist_quantile(h, 0.9)),
	                 "p99_ms", ms(hist_quantile(h, 0.99)), "p999_ms", ms(hist_quantile(h, 0.999)), "max_ms", ms(h->max),
	                 "sent_p50_ms", ms(hist_quantile(&s->answer[op], 0.5)), "sent_p99_ms",
	                 ms(hist_quantile(&s->answer[op], 0.99)), "refusals", faults_json(s, op));
}

static int print_json(const struct bench *b, const struct bench_stats *s, const struct drive_result *r)
{
	json_t *calls = json_object(), *all;
	double n = 0;

	for (int op = 0; op < BENCH_OPS; op++) {
		if (!mix_has(&b->mix, (enum bench_op)op) && faults_of(s, op) == 0)
			continue;
		json_object_set_new(calls, bench_op_name((enum bench_op)op), op_json(s, op, r->seconds));
		n += (double)s->latency[op].n;
	}
	all = json_pack("{s:s, s:s, s:I, s:I, s:I, s:f, s:b, s:f, s:f, s:f, s:I, s:o, s:o}", "mode",
	                b->o.rate != 0 ? "open" : "closed", "mix", b->o.mix, "rate", (json_int_t)b->o.rate, "in_flight",
	                (json_int_t)(b->o.rate != 0 ? b->o.in_flight : b->o.concurrency), "connections",
	                (json_int_t)b->o.connections, "seconds", r->seconds, "interrupted", r->interrupted, "per_s",
	                r->seconds > 0 ? n / r->seconds : 0, "late_ms", r->late_ms, "generator_cpu_us",
	                n > 0 ? r->cpu_seconds * 1e6 / n : 0, "codes_beside", (json_int_t)s->codes_beside,
	                "verify_indication", b->verify_indication != NULL ? json_string(b->verify_indication) : json_null(),
	                "calls", calls);
	return term_json(all) == ERR_OK ? EXIT_OK : EXIT_NO_OUTPUT;
}

/* ---- for people ----------------------------------------------------------------------------- */

static void print_row(const struct bench_stats *s, int op, double seconds)
{
	const struct hist *h = &s->latency[op];

	printf("%-8s %10.1f %10llu %8llu", bench_op_name((enum bench_op)op), seconds > 0 ? (double)h->n / seconds : 0,
	       (unsigned long long)h->n, (unsigned long long)faults_of(s, op));
	for (size_t i = 0; i < QUANTILES; i++)
		printf(" %9.3f", ms(hist_quantile(h, quantiles[i])));
	printf(" %9.3f\n", ms(h->max));
}

static void print_table(const struct bench *b, const struct bench_stats *s, const struct drive_result *r)
{
	printf("%-8s %10s %10s %8s %9s %9s %9s %9s %9s\n", "", "answers/s", "answers", "refused", "p50 ms", "p90 ms",
	       "p99 ms", "p99.9 ms", "max ms");
	for (int op = 0; op < BENCH_OPS; op++)
		if (mix_has(&b->mix, (enum bench_op)op) || faults_of(s, op) != 0)
			print_row(s, op, r->seconds);
	for (size_t i = 0; i < s->n_faults; i++)
		printf("  refused %s: %llu of %s %s\n", bench_op_name(s->fault[i].op), (unsigned long long)s->fault[i].n,
		       grpc_status_text(s->fault[i].status), s->fault[i].reason);
}

static void print_rest(const struct bench *b, const struct bench_stats *s, const struct drive_result *r)
{
	uint64_t n = 0;

	for (int op = 0; op < BENCH_OPS; op++)
		n += s->latency[op].n;
	if (b->o.rate != 0)
		printf("open loop, %lld calls/s for %.1f s; started at most %.2f ms late", (long long)b->o.rate, r->seconds,
		       r->late_ms);
	else
		printf("closed loop, %lld in flight for %.1f s", (long long)b->o.concurrency, r->seconds);
	printf("; %lld connections of each role\n", (long long)b->o.connections);
	if (n != 0)
		printf("the generator's own processor time: %.1f µs a call\n", r->cpu_seconds * 1e6 / (double)n);
	if (s->codes_beside != 0)
		printf("the stock ran out: %llu codes were made beside the load\n", (unsigned long long)s->codes_beside);
	if (b->verify_indication != NULL)
		printf("the document's verdict: %s\n", b->verify_indication);
	if (r->interrupted)
		printf("interrupted\n");
}

static bool any_answer(const struct bench_stats *s)
{
	for (int op = 0; op < BENCH_OPS; op++)
		if (s->latency[op].n != 0)
			return true;
	return false;
}

int report_print(const struct bench *b, const struct bench_stats *s, const struct drive_result *r)
{
	int st = b->o.json ? print_json(b, s, r) : EXIT_OK;

	if (!b->o.json) {
		print_table(b, s, r);
		print_rest(b, s, r);
		st = term_flush() == ERR_OK ? EXIT_OK : EXIT_NO_OUTPUT;
	}
	return st == EXIT_OK && !any_answer(s) ? EXIT_NO_SERVER : st;
}
