#include "server/metrics_text.h"

#include "base/buf.h"
#include "server/accept.h"
#include "server/caches.h"
#include "server/health.h"
#include "server/methods.h"
#include "server/metrics.h"
#include "server/refusal.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Label values: names of ours, but for those of the configuration. */
static void label(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			buf_byte(b, '\\');
		buf_byte(b, (uint8_t)*text);
	}
}

static void line(struct buf *b, const char *name, const char *key, const char *value, uint64_t n)
{
	buf_printf(b, "%s{%s=\"", name, key);
	label(b, value);
	buf_printf(b, "\"} %llu\n", (unsigned long long)n);
}

static void single(struct buf *b, const char *name, const char *type, const char *help, uint64_t n)
{
	family(b, name, type, help);
	buf_printf(b, "%s %llu\n", name, (unsigned long long)n);
}

static void seconds(struct buf *b, const char *name, const char *help, uint64_t micros)
{
	family(b, name, "gauge", help);
	buf_printf(b, "%s %llu.%06llu\n", name, (unsigned long long)(micros / 1000000),
	           (unsigned long long)(micros % 1000000));
}

/* labels: "" or `key="value"`. */
static void histogram(struct buf *b, const char *name, const char *labels, const struct metrics_histogram *h)
{
	const char *comma = *labels != '\0' ? "," : "", *open = *labels != '\0' ? "{" : "",
	           *close = *labels != '\0' ? "}" : "";
	uint64_t n = 0;

	for (int i = 0; i < METRICS_BUCKETS - 1; i++) {
		n += h->bucket[i];
		buf_printf(b, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, labels, comma, (double)metrics_bounds[i] / 1e6,
		           (unsigned long long)n);
	}
	n += h->bucket[METRICS_BUCKETS - 1];
	buf_printf(b, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma, (unsigned long long)n);
	buf_printf(b, "%s_sum%s%s%s %llu.%06llu\n", name, open, labels, close,
	           (unsigned long long)(h->sum_micros / 1000000), (unsigned long long)(h->sum_micros % 1000000));
	buf_printf(b, "%s_count%s%s%s %llu\n", name, open, labels, close, (unsigned long long)n);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void method_name(size_t i, char *out, size_t n)
{
	if (i < methods_count)
		snprintf(out, n, "%s/%s", methods[i].service->name, methods[i].name);
	else
		snprintf(out, n, "unknown");
}

static uint64_t calls_of(const struct metrics_method *m)
{
	uint64_t n = 0;

	for (int i = 0; i < METRICS_CODES; i++)
		n += m->code[i];
	return n;
}

static void put_calls(struct buf *b)
{
	struct metrics_method m;
	char name[96];

	family(b, "yinzheng_calls_total", "counter", "Calls that ended, by method and gRPC status.");
	for (size_t i = 0; i <= methods_count; i++) {
		metrics_method_read(i, &m);
		method_name(i, name, sizeof(name));
		for (int code = 0; code < METRICS_CODES; code++)
			if (m.code[code] != 0)
				buf_printf(b, "yinzheng_calls_total{method=\"%s\",code=\"%s\"} %llu\n", name, refusal_status_name(code),
				           (unsigned long long)m.code[code]);
	}
}

static void put_latencies(struct buf *b)
{
	struct metrics_method m;
	char name[96], labels[128];

	family(b, "yinzheng_call_seconds", "histogram", "From the delivery of a call to its answer, by method.");
	for (size_t i = 0; i <= methods_count; i++) {
		metrics_method_read(i, &m);
		if (calls_of(&m) == 0)
			continue;
		method_name(i, name, sizeof(name));
		snprintf(labels, sizeof(labels), "method=\"%s\"", name);
		histogram(b, "yinzheng_call_seconds", labels, &m.seconds);
	}
}

static void put_reasons(struct buf *b)
{
	family(b, "yinzheng_refusals_total", "counter", "Refused calls by reason; CANCELLED: the client was gone.");
	for (int e = 0; e < ERR_COUNT; e++)
		if (metrics_refused_read((enum err)e) != 0)
			line(b, "yinzheng_refusals_total", "reason", err_name((enum err)e), metrics_refused_read((enum err)e));
	family(b, "yinzheng_verdicts_total", "counter", "Verdicts given, by indication.");
	for (int i = TOTAL_PASSED; i <= NO_SIGNATURE_FOUND; i++)
		line(b, "yinzheng_verdicts_total", "indication", indication_name((enum indication)i), metrics_verdict_read(i));
}

/* ---- queues, store, caches ------------------------------------------------------------------ */

static void put_queues(struct buf *b, struct service *s)
{
	struct workers_figures w;

	workers_figures(s->workers, &w);
	family(b, "yinzheng_queue_depth", "gauge", "Calls that wait for a worker, by class.");
	for (int i = 0; i < CLASS_COUNT; i++)
		line(b, "yinzheng_queue_depth", "class", call_class_name((enum call_class)i), w.queued[i]);
	family(b, "yinzheng_queue_refused_total", "counter", "Calls refused because too many of their class waited.");
	for (int i = 0; i < CLASS_COUNT; i++)
		line(b, "yinzheng_queue_refused_total", "class", call_class_name((enum call_class)i), w.refused[i]);
	seconds(b, "yinzheng_queue_wait_seconds", "Estimated wait of a call that would come now.", w.wait_micros);
	seconds(b, "yinzheng_commit_wait_seconds", "Estimated time until a write that would come now is on the disk.",
	        w.commit_micros);
	family(b, "yinzheng_queue_strained", "gauge", "1: so much of the class is refused that its limits are tightened.");
	for (int i = 0; i < CLASS_COUNT; i++)
		line(b, "yinzheng_queue_strained", "class", call_class_name((enum call_class)i), w.strained[i]);
	single(b, "yinzheng_workers", "gauge", "Worker threads.", w.threads);
	single(b, "yinzheng_workers_busy", "gauge", "Worker threads at work.", w.busy);
	single(b, "yinzheng_writes_parked", "gauge", "Writes on their way to the disk.", w.parked);
}

static void store_histogram(struct buf *b, const char *name, const char *help, const struct store_spread *in)
{
	struct metrics_histogram h = {.sum_micros = in->sum};

	_Static_assert((int)STORE_BUCKETS == (int)METRICS_BUCKETS, "the store's times have the buckets of all others");
	memcpy(h.bucket, in->bucket, sizeof(h.bucket));
	family(b, name, "histogram", help);
	histogram(b, name, "", &h);
}

static void put_batches(struct buf *b, const struct store_spread *s)
{
	uint64_t n = 0;

	family(b, "yinzheng_store_batch_writes", "histogram", "Writes that shared a transaction of the store.");
	for (int i = 0; i < STORE_BUCKETS - 1; i++) {
		n += s->bucket[i];
		buf_printf(b, "yinzheng_store_batch_writes_bucket{le=\"%llu\"} %llu\n",
		           (unsigned long long)store_batch_bounds[i], (unsigned long long)n);
	}
	n += s->bucket[STORE_BUCKETS - 1];
	buf_printf(b, "yinzheng_store_batch_writes_bucket{le=\"+Inf\"} %llu\n", (unsigned long long)n);
	buf_printf(b, "yinzheng_store_batch_writes_sum %llu\nyinzheng_store_batch_writes_count %llu\n",
	           (unsigned long long)s->sum, (unsigned long long)n);
}

static void put_shared(struct buf *b, const struct store_figures *f)
{
	single(b, "yinzheng_store_connects_total", "counter", "Connections made to the database, the first ones too.",
	       f->connects);
	family(b, "yinzheng_store_retries_total", "counter", "Transactions that were run again, by why.");
	line(b, "yinzheng_store_retries_total", "why", "conflict", f->conflicts);
	line(b, "yinzheng_store_retries_total", "why", "lost", f->lost);
	line(b, "yinzheng_store_retries_total", "why", "exact", f->exact);
	single(b, "yinzheng_audit_unnumbered", "gauge", "Audit entries that wait for their number, at most 10000.",
	       f->unnumbered);
	seconds(b, "yinzheng_audit_unnumbered_seconds", "How long the first of them has waited.",
	        (uint64_t)f->unnumbered_ms * 1000);
}

static void put_store(struct buf *b, struct service *s)
{
	struct metrics_histogram h;
	struct store_figures f;

	metrics_commit_read(&h);
	family(b, "yinzheng_commit_seconds", "histogram",
	       "From handing a write to the store until it is on the disk or failed.");
	histogram(b, "yinzheng_commit_seconds", "", &h);
	store_figures(s->store, &f);
	put_batches(b, &f.batch);
	store_histogram(b, "yinzheng_store_write_seconds", "A transaction of the store's writer.", &f.write);
	store_histogram(b, "yinzheng_store_read_seconds", "A read, with its wait for a connection.", &f.read);
	single(b, "yinzheng_store_queued", "gauge", "Writes that no writer has taken yet.", f.queued);
	if (f.shared)
		put_shared(b, &f);
}

static void put_caches(struct buf *b, struct service *s)
{
	struct cache_figures all[CACHES_MAX];
	struct cache_room rooms[CACHES_MAX];
	size_t n = caches_read(s, all), n_rooms = cache_rooms_read(s, rooms);

	family(b, "yinzheng_cache_hits_total", "counter", "What was proved or known before, by cache.");
	for (size_t i = 0; i < n; i++)
		line(b, "yinzheng_cache_hits_total", "cache", all[i].name, all[i].hits);
	family(b, "yinzheng_cache_misses_total", "counter", "What was not.");
	for (size_t i = 0; i < n; i++)
		line(b, "yinzheng_cache_misses_total", "cache", all[i].name, all[i].misses);
	family(b, "yinzheng_cache_bytes", "gauge",
	       "Memory of a cache; seals, chains, licences and certificates share memo.");
	for (size_t i = 0; i < n_rooms; i++)
		line(b, "yinzheng_cache_bytes", "cache", rooms[i].name, rooms[i].bytes);
	family(b, "yinzheng_cache_bytes_limit", "gauge", "And how much it may have.");
	for (size_t i = 0; i < n_rooms; i++)
		if (rooms[i].limit != 0)
			line(b, "yinzheng_cache_bytes_limit", "cache", rooms[i].name, rooms[i].limit);
}

/* ---- the process ---------------------------------------------------------------------------- */

static void put_connections(struct buf *b, struct service *s)
{
	single(b, "yinzheng_connections", "gauge", "Open connections.",
	       accept_open(s->port) + accept_open(s->gateway_port));
	single(b, "yinzheng_connections_limit", "gauge", "Connections that may be open at once.", s->connections_limit);
	single(b, "yinzheng_connections_shed_total", "counter", "Connections closed because there were too many.",
	       accept_shed());
}

static void put_health(struct buf *b, struct service *s)
{
	family(b, "yinzheng_health", "gauge", "1: this part is well.");
	for (int i = 0; i < HEALTH_PARTS; i++)
		line(b, "yinzheng_health", "part", health_part_name((enum health_part)i),
		     health_part_fault(s->health, (enum health_part)i) == NULL);
}

static void days_left(struct buf *b, const char *name, int64_t not_after, int64_t now)
{
	buf_printf(b, "yinzheng_certificate_days_left{certificate=\"");
	label(b, name);
	buf_printf(b, "\"} %.2f\n", (double)(not_after - now) / (24 * 3600 * 1000.0));
}

static void put_certificates(struct buf *b, struct service *s)
{
	struct app *app = service_app(s);
	const struct desk_key *keys[] = {&app->receipt, &app->verdict, &app->maker};
	int64_t now = clock_now(&s->clock);

	family(b, "yinzheng_certificate_days_left", "gauge", "Until a certificate of ours ends.");
	days_left(b, "tls", app->cert_not_after, now);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i]->cert != NULL)
			days_left(b, keys[i]->name, cert_not_after(keys[i]->cert), now);
	for (size_t i = 0; i < app->n_seal_keys; i++)
		days_left(b, app->seal_keys[i].name, cert_not_after(app->seal_keys[i].cert), now);
	single(b, "yinzheng_trust_anchors", "gauge", "Certificates trusted as anchors.", cert_store_anchors(app->trust));
	if (cert_store_oldest_crl(app->trust) != 0)
		single(b, "yinzheng_oldest_crl_time_seconds", "gauge", "thisUpdate of the oldest revocation list.",
		       (uint64_t)cert_store_oldest_crl(app->trust) / 1000);
	app_unref(app);
}

static uint64_t resident_bytes(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%*s %llu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void put_process(struct buf *b, const struct service *s)
{
	struct rusage r = {0};

	getrusage(RUSAGE_SELF, &r);
	family(b, "process_cpu_seconds_total", "counter", "CPU time of the process.");
	buf_printf(b, "process_cpu_seconds_total %.2f\n",
	           (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	               (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6);
	single(b, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
	single(b, "process_start_time_seconds", "gauge", "When the service started.", (uint64_t)s->started / 1000);
	family(b, "yinzheng_build_info", "gauge", "Version of the program.");
	line(b, "yinzheng_build_info", "version", YZ_VERSION, 1);
}

enum err metrics_text(struct service *s, struct arena *a, struct span *out)
{
	struct buf b;

	buf_init(&b, a);
	put_calls(&b);
	put_latencies(&b);
	put_reasons(&b);
	put_queues(&b, s);
	put_store(&b, s);
	put_caches(&b, s);
	put_connections(&b, s);
	put_health(&b, s);
	put_certificates(&b, s);
	put_process(&b, s);
	return buf_done(&b, out);
}
