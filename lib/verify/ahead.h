/*
 * SM2 values of several signatures, verified together before the judges ask for them one by one (crypto/sm2_batch.h,
 * struct sm2_ahead). What is collected is a guess at what they will ask; what it misses they verify themselves. So no
 * report depends on it.
 */
#ifndef YZ_VERIFY_AHEAD_H
#define YZ_VERIFY_AHEAD_H

#include "base/span.h"
#include "crypto/sm2_batch.h"

enum { AHEAD_SIGNATURES = 128 /* more are left to their turn */ };

struct verify_ahead;
/* by: the means of the policy that will judge. NULL when values are not verified together by these means, or memory is
 * short: all functions take NULL, and know nothing then. */
struct verify_ahead *verify_ahead_new(struct sm2_means by);
/* A SES_Signature, or a licence file with one in it. Anything else is passed over. The octets must outlive it. */
void verify_ahead_add(struct verify_ahead *h, struct span file);
/* After the last of them. NULL when it knows nothing. */
const struct sm2_ahead *verify_ahead_run(struct verify_ahead *h);
void verify_ahead_free(struct verify_ahead *h);

#endif
