/*
 * How fast is a full verification, beside the least that it could cost? The parts of one program, which ends with a
 * message when anything goes wrong: a benchmark of something that fails says nothing. docs/benchmarks.md.
 */
#ifndef YZ_TESTS_BENCH_VERIFY_H
#define YZ_TESTS_BENCH_VERIFY_H

#include "tests/corpus/corpus.h"

struct bench_doc {
	const char *key;   /* of its numbers in the JSON, a prefix such as "large_" */
	const char *about; /* for people */
	const char *path;
	const char *anchor; /* certificate that the chain ends at; NULL: its chain cannot be built */
	struct span bytes;
};

/* Entries inflated and digested, signatures verified: nothing is parsed, compared, looked up or reported. */
struct floor;
struct floor *floor_new(const struct bench_doc *doc);
void floor_run(const struct floor *f);
size_t floor_signatures(const struct floor *f);
size_t floor_octets(const struct floor *f);

/* Two documents with their PKI in the folder: small.ofd, of the size of an invoice, and large.ofd, 20 MB of scans;
 * trust/good has the root and its revocation list. */
void make_documents(const char *folder);

/* One new process each time, from its start to its end. */
struct cold {
	double ms, peak_mib; /* median; maximum */
};
struct cold cold_run(const char *yinzheng, const struct bench_doc *doc, const char *trust, const char *at);

double median(double *v, size_t n);

#endif
