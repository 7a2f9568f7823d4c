/* The questions that verifiers put to a policy. */
#include "verify/policy.h"

#include <string.h>
#include <strings.h>

enum { DAY_MS = 24 * 60 * 60 * 1000 };

/* Stands behind every policy: a file changes what it names. share/policy/default.ini says the same. */
static const struct policy_rules base = {
    .name = "default",
    .version = "1",
    .revocation = POLICY_REVOCATION_IF_AVAILABLE,
    .coverage = POLICY_COVERAGE_DISPLAYED,
    .zone_minutes = 8 * 60,
    .rsa_min_bits = 2048,
    .deviation_default = POLICY_ACCEPT_WITH_NOTICE,
    .n_deviations = 1,
    .deviations = {{"ALG_MISLABELLED", POLICY_REFUSE}},
    .n_algorithms = 5,
    .algorithms =
        {{.name = "SM2-SM3"}, {.name = "RSA-SHA256"}, {.name = "ECDSA-SHA256"}, {.name = "SM3"}, {.name = "SHA-256"}},
};

/* The same algorithm under its OIDs, of the signature and of the key or digest. */
static const struct {
	const char *oid, *name;
} oids[] = {
    {"1.2.156.10197.1.501", "SM2-SM3"},      {"1.2.840.113549.1.1.11", "RSA-SHA256"},
    {"1.2.840.10045.4.3.2", "ECDSA-SHA256"}, {"1.2.840.113549.1.1.5", "RSA-SHA1"},
    {"1.2.840.113549.1.1.4", "RSA-MD5"},     {"1.2.840.10045.4.1", "ECDSA-SHA1"},
    {"1.2.840.113549.1.1.12", "RSA-SHA384"}, {"1.2.840.113549.1.1.13", "RSA-SHA512"},
    {"1.2.156.10197.1.504", "RSA-SM3"},      {"1.2.156.10197.1.401", "SM3"},
    {"2.16.840.1.101.3.4.2.1", "SHA-256"},   {"2.16.840.1.101.3.4.2.2", "SHA-384"},
    {"2.16.840.1.101.3.4.2.3", "SHA-512"},   {"1.3.14.3.2.26", "SHA-1"},
    {"1.2.840.113549.2.5", "MD5"},
};

const struct policy_rules *policy_rules(const struct verify_policy *p)
{
	return p->rules != NULL ? p->rules : &base;
}

enum policy_answer policy_deviation(const struct verify_policy *p, const char *code)
{
	const struct policy_rules *r = policy_rules(p);

	for (size_t i = 0; i < r->n_deviations; i++)
		if (strcmp(r->deviations[i].code, code) == 0)
			return r->deviations[i].answer;
	return r->deviation_default;
}

const char *policy_algorithm_name(const char *alg)
{
	for (size_t i = 0; i < sizeof(oids) / sizeof(oids[0]); i++)
		if (strcmp(oids[i].oid, alg) == 0 || strcasecmp(oids[i].name, alg) == 0)
			return oids[i].name;
	return NULL;
}

bool policy_algorithm(const struct verify_policy *p, const char *alg, int64_t at)
{
	const struct policy_rules *r = policy_rules(p);
	const char *name = policy_algorithm_name(alg);

	for (size_t i = 0; name != NULL && i < r->n_algorithms; i++) {
		const struct policy_algorithm_row *row = &r->algorithms[i];
		if (strcmp(row->name, name) == 0)
			return !row->refused && (row->until == 0 || at <= row->until);
	}
	return false;
}

const struct cert_store *policy_trust(const struct verify_policy *p, enum policy_role role)
{
	return p->role_trust[role] != NULL ? p->role_trust[role] : p->trust;
}

struct sm2_means policy_means(const struct verify_policy *p)
{
	return cert_store_means(policy_trust(p, POLICY_SIGNER));
}

bool policy_fresh(const struct verify_policy *p, int64_t this_update, int64_t now)
{
	int days = policy_rules(p)->crl_max_days;

	return days == 0 || now - this_update <= (int64_t)days * DAY_MS;
}

int64_t policy_settled_until(const struct verify_policy *p, int64_t now)
{
	const int64_t max_age = (int64_t)policy_rules(p)->crl_max_days * DAY_MS;
	int64_t until = INT64_MAX;

	for (int i = 0; i < POLICY_ROLES; i++) {
		const struct cert_store *s = policy_trust(p, (enum policy_role)i);
		int64_t end = s != NULL ? cert_store_settled_until(s, now, max_age) : INT64_MAX;

		if (end < until)
			until = end;
	}
	return until;
}
