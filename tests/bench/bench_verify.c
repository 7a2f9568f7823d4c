/* make bench-verify: bench_verify YINZHENG FOLDER CORPUS, where FOLDER gets the documents made and verify.json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "tests/bench/bench_verify.h"
#include "verify/verify.h"

enum { TURNS = 11, TURN_MS = 150, DOCS = 3, BUDGET = 3 * VERIFY_FILE_MAX };

#define AT     "2025-01-01T00:00:00Z"
#define CORPUS "v4_kinggrid_999.ofd"

struct measured {
	struct bench_doc doc;
	struct cold cold;
	struct floor *floor;
	double per_s, floor_per_s; /* documents */
	double times_floor;        /* of turns that stand side by side, so that both met the same machine */
	const char *verdict;
};

struct bench {
	const char *yinzheng, *folder, *trust;
	bool has_corpus;
	struct verify_policy policy;
	struct cert_store *store;
	struct verify_input in;
	struct measured row[DOCS];
	size_t n;
};

static int by_size(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_size);
	return n % 2 != 0 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* ---- which documents ---- */

/* In a process of its own: what it needs of memory must not count for those that are started later. */
static void make_documents_aside(const char *folder)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		make_documents(folder);
		exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		give_up("bench: no documents made");
}

static void add_doc(struct bench *b, const char *key, const char *about, const char *path, const char *anchor)
{
	b->row[b->n++].doc = (struct bench_doc){.key = key, .about = about, .path = path, .anchor = anchor};
}

static void choose_documents(struct bench *b, const char *corpus)
{
	const char *found = arena_printf(mem(), "%s/%s", corpus, CORPUS);
	const char *anchor = arena_printf(mem(), "%s/trust/good/root.crt", b->folder);
	const char *small = arena_printf(mem(), "%s/small.ofd", b->folder);

	b->trust = arena_printf(mem(), "%s/trust/good", b->folder);
	b->has_corpus = access(found, R_OK) == 0;
	if (b->has_corpus)
		add_doc(b, "", CORPUS, found, NULL);
	else
		printf("note: corpus absent (%s): docs_per_s is that of a generated document\n", found);
	add_doc(b, b->has_corpus ? "generated_" : "", "generated, 5 pages", small, anchor);
	add_doc(b, "large_", "generated, 20 MB", arena_printf(mem(), "%s/large.ofd", b->folder), anchor);
}

/* ---- measuring ---- */

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void verify_once(struct bench *b, struct measured *row)
{
	struct arena *a = arena_new(BUDGET);
	struct report *r = NULL;

	b->in.bytes = row->doc.bytes;
	if (a == NULL)
		give_up("bench: out of memory");
	must(verify_any(a, &b->policy, &b->in, &r), row->doc.path);
	row->verdict = indication_name(r->indication);
	/* A chain that could be built and fails would be measured as quick. */
	if (row->doc.anchor != NULL && r->indication != TOTAL_PASSED)
		give_up("bench: a document that should pass does not");
	arena_free(a);
}

/* Documents per second of processor time; at least TURN_MS of it. */
static double turn(struct bench *b, struct measured *row, bool floor)
{
	double start = cpu_ms(), spent = 0;
	size_t n = 0;

	while (spent < TURN_MS) {
		if (floor)
			floor_run(row->floor);
		else
			verify_once(b, row);
		n++;
		spent = cpu_ms() - start;
	}
	return (double)n * 1e3 / spent;
}

static void measure(struct bench *b, struct measured *row)
{
	double full[TURNS], least[TURNS], ratio[TURNS];

	verify_once(b, row); /* what is done only once in a process */
	floor_run(row->floor);
	for (size_t i = 0; i < TURNS; i++) {
		bool first = i % 2 == 0;
		double one = turn(b, row, !first), other = turn(b, row, first);

		full[i] = first ? one : other;
		least[i] = first ? other : one;
		ratio[i] = least[i] / full[i];
	}
	row->per_s = median(full, TURNS);
	row->floor_per_s = median(least, TURNS);
	row->times_floor = median(ratio, TURNS);
}

static void load(struct bench *b)
{
	struct err_note note = {0};

	must(policy_load(mem(), "default", &b->policy, &note), "bench: policy");
	must(trust_load(&b->trust, 1, &b->store, &note), b->trust);
	must(time_parse(span_str(AT), &b->in.at), "bench: time");
	b->policy.trust = b->store;
	b->in.now = b->in.at;
	for (size_t i = 0; i < b->n; i++) {
		must(file_read(mem(), b->row[i].doc.path, VERIFY_FILE_MAX, &b->row[i].doc.bytes, &note), b->row[i].doc.path);
		b->row[i].floor = floor_new(&b->row[i].doc);
	}
}

/* ---- what is said ---- */

static void print_table(const struct bench *b)
{
	printf("\nA full verification beside its floor (inflate, SM3, the same SM2 signatures), per core; "
	       "docs/benchmarks.md\n\n");
	printf("%-20s %8s %8s %4s %10s %10s %6s %8s %9s  %s\n", "document", "kB", "inflated", "SM2", "docs/s", "floor/s",
	       "x", "cold ms", "peak MiB", "verdict");
	for (size_t i = 0; i < b->n; i++) {
		const struct measured *r = &b->row[i];

		printf("%-20s %8zu %8zu %4zu %10.1f %10.1f %6.2f %8.1f %9.1f  %s\n", r->doc.about, r->doc.bytes.len / 1000,
		       floor_octets(r->floor) / 1000, floor_signatures(r->floor), r->per_s, r->floor_per_s, r->times_floor,
		       r->cold.ms, r->cold.peak_mib, r->verdict);
	}
	printf("\nx: times the floor's processor time. cold: one `yinzheng verify`, a new process.\n");
}

static void write_json(const struct bench *b)
{
	const char *path = arena_printf(mem(), "%s/verify.json", b->folder);
	FILE *f = fopen(path, "w");

	if (f == NULL)
		give_up(path);
	fprintf(f, "{\"corpus\": %s", b->has_corpus ? "true" : "false");
	for (size_t i = 0; i < b->n; i++) {
		const struct measured *r = &b->row[i];
		const char *k = r->doc.key;

		fprintf(f, ", \"%sdocument\": \"%s\", \"%sverdict\": \"%s\"", k, r->doc.about, k, r->verdict);
		fprintf(f, ", \"%soctets\": %zu, \"%ssignatures\": %zu", k, r->doc.bytes.len, k, floor_signatures(r->floor));
		fprintf(f, ", \"%sdocs_per_s\": %.2f, \"%sfloor_docs_per_s\": %.2f, \"%stimes_floor\": %.3f", k, r->per_s, k,
		        r->floor_per_s, k, r->times_floor);
		fprintf(f, ", \"%scold_ms\": %.2f, \"%speak_mib\": %.2f", k, r->cold.ms, k, r->cold.peak_mib);
	}
	fputs("}\n", f);
	if (fclose(f) != 0)
		give_up(path);
	printf("written: %s\n", path);
}

int main(int argc, char **argv)
{
	struct bench b = {0};

	if (argc != 4) {
		fprintf(stderr, "usage: bench_verify YINZHENG FOLDER CORPUS\n");
		return 64;
	}
	b.yinzheng = argv[1];
	b.folder = argv[2];
	make_documents_aside(b.folder);
	corpus_begin(b.folder);
	choose_documents(&b, argv[3]);
	for (size_t i = 0; i < b.n; i++)
		b.row[i].cold = cold_run(b.yinzheng, &b.row[i].doc, b.trust, AT);
	load(&b);
	for (size_t i = 0; i < b.n; i++)
		measure(&b, &b.row[i]);
	print_table(&b);
	write_json(&b);
	policy_release(&b.policy);
	cert_store_free(b.store);
	return 0;
}
