/* One signature, judged in every way there is: by OpenSSL, and by our own arithmetic on each path of this machine.
 * Shared by the unit test of the SM2 cases, the differential program and the fuzz target. */
#ifndef YZ_TESTS_DIFF_JUDGE_H
#define YZ_TESTS_DIFF_JUDGE_H

#include "base/span.h"
#include "crypto/sm2.h"
#include "crypto/sm2_table.h"

#include <openssl/evp.h>

struct judge_key {
	uint8_t point[65];
	EVP_PKEY *pkey;      /* OpenSSL's */
	struct sm2_key *key; /* ours, with a table of its own */
	struct sm2_affine at;
	const struct sm2_table *table;
};

/* False when the point is refused; OpenSSL, the door and the arithmetic must agree on that, or the program stops. The
 * table is built with the path now in force. */
bool judge_key_new(const uint8_t point[65], struct judge_key **out);
void judge_key_free(struct judge_key *k);

/* OpenSSL's verdict over a digest, and over a message. */
bool judge_openssl(const struct judge_key *k, const uint8_t e[32], struct span sig);
bool judge_openssl_message(const struct judge_key *k, struct span id, struct span msg, struct span sig);

/* One value over one digest. `ways` counts those asked, `good` those who said yes: both are equal, or good is 0. The
 * first way that differs from the first one is named. */
struct judgement {
	unsigned ways, good;
	const char *odd;
};
/* The slow ways, with complete additions, are asked about every digest, or about each eighth. */
enum judge_slow { JUDGE_ALWAYS = 1, JUDGE_SOMETIMES = 8 };
struct judgement judge_own(const struct judge_key *k, const uint8_t e[32], struct span sig, enum judge_slow slow);
struct judgement judge_own_message(const struct judge_key *k, struct span id, struct span msg, struct span sig);

/* Many at once, with each path; wrong[i] is the name of the path whose verdict on job i is not `good`, or NULL. */
struct judge_job {
	const struct judge_key *key;
	uint8_t e[32];
	struct span sig;
	bool good;
	const char *wrong;
};
void judge_batch(struct judge_job *jobs, size_t n);

/* Forces path number i of those that the machine has, and names it. NULL past the last: then none is forced. */
const char *judge_path(unsigned i);

#endif
