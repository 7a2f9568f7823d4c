/* Private to the room: one SignerInfo of a SignedData, as a signature (signed_data.c) and as a time stamp
 * (timestamp.c). */
#ifndef YZ_VERIFY_CMS_H
#define YZ_VERIFY_CMS_H

#include "crypto/value.h"
#include "form/signed_data.h"
#include "verify/judge.h"

/* Names of the steps, and the codes that differ. */
struct cms_steps {
	const char *algorithm, *attributes, *value, *data; /* steps */
	const char *missing, *bad_value, *bad_data;        /* codes: no certificate; value; digest of the data */
};

struct cms_job {
	const struct role *role;
	const struct cms_steps *steps;
	const struct signed_data *sd;
	const struct signer_info *info;
	struct deviations *dev; /* what cms_judge() finds; its steps are for the caller */
	struct span data;       /* ptr NULL: not at hand */
	/* filled by the below */
	struct cert *extra[SIGNED_DATA_CERTS_MAX]; /* those embedded that can be read */
	size_t n_extra;
	struct cert *cert;           /* the signer's, of extra or of the trust list; NULL: not found */
	struct cert_store *evidence; /* CRLs and OCSP responses embedded; NULL: none */
};

/* Embedded certificates and evidence; once per SignedData. Free with cms_close. */
enum err cms_open(struct cms_job *job) MUST_CHECK;
void cms_close(struct cms_job *job);
/* job->cert: by the name in job->info, among the embedded and the trusted ones; a step says when there is none. */
void cms_find_cert(struct judge *j, struct cms_job *job);
/* Algorithms, attributes, value, and what the data has to do with them. j->time is known already. */
enum err cms_judge(struct judge *j, struct cms_job *job) MUST_CHECK;
/* Path, key usage, purpose, revocation and period of job->cert, with what is embedded. */
enum err cms_judge_cert(struct judge *j, struct cms_job *job) MUST_CHECK;
/* The algorithm of a value under this certificate's key: step and verdict. False when the value cannot be checked;
 * otherwise *digest is what it is checked with. named: digest that stands elsewhere, DIGEST_NONE when nowhere. */
bool cms_algorithm(struct judge *j, const char *step, const char *alg, enum digest_alg named, const struct cert *c,
                   enum digest_alg *digest);

#endif
