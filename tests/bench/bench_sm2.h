/*
 * How fast are SM2 and SM3 here, beside OpenSSL on the same core? The parts of one program, which ends with a message
 * when anything goes wrong. What is compared with what, and how: docs/sm2.md.
 */
#ifndef YZ_TESTS_BENCH_SM2_H
#define YZ_TESTS_BENCH_SM2_H

#include <stddef.h>

#include <openssl/evp.h>

#include "crypto/cpu.h"
#include "crypto/sm2_batch.h"
#include "crypto/sm2_table.h"

_Noreturn void quit(const char *why);
void must_be(int ok, const char *what);

/* ---- who is compared ---- */

/* One way of doing the same work. The first of a contest is what the others are compared with. */
struct contestant {
	const char *key;  /* of its figure in the JSON; of the first one: its speed */
	const char *text; /* for people */
	unsigned paths;   /* cpu_limit() while it runs; CPU_ALL for what does not look at it */
	unsigned needs;   /* bits of enum cpu_path without which there is no figure */
	void (*run)(void *arg);
	void *arg;
	size_t ops; /* that one run is */
};

enum { CONTEST_MAX = 13 };
/* Interleaved turns; medians are put into the figures: operations per second of the first, and how many times faster
 * each of the others is. */
void contest(const char *title, const struct contestant *c, size_t n);
/* Nanoseconds of one operation, median of turns. */
double time_of(const struct contestant *c);

/* ---- what is said ---- */

void put_figure(const char *key, double value);
void put_none(const char *key, const char *why);
void put_text(const char *key, const char *value);
void write_figures(const char *path);

/* ---- the parts ---- */

void bench_verify(void);
void bench_sign(const char *folder);
void bench_sm3(void);
/* Whether the time of a signature tells its secrets: Welch's t-test in the manner of dudect. */
void test_timing(void);

/* An SM2 key pair and values that it gave for digests. */
enum { CASES = 256 };
struct sm2_case {
	uint8_t e[SM2_DIGEST], der[SM2_SIG_MAX];
	size_t len;
};
struct signer_case {
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *verify, *sign;
	struct sm2_key *key, *unprepared; /* with a table and without */
	struct sm2_affine at;
	struct sm2_case at_case[CASES];
	size_t next;
};
struct signer_case *make_signer(void);
void free_signer(struct signer_case *s);

#endif
