/* The same good files under different policies: what a policy changes in the verdict, and by which code it says so. */
#include "verify_help.h"

#include <unistd.h>

struct policy_case {
	const char *name, *rules; /* rules: lines behind [policy]; NULL: the shipped policy of this name */
	struct made made;
	enum indication ind;
	enum sub_indication sub;
	const char *step, *code; /* a step that must be there */
};

static const struct policy_case cases[] = {
    {.name = "default", .ind = TOTAL_PASSED, .step = "time", .code = "TIME_CLAIMED_ONLY"},
    {.name = "strict", .ind = TOTAL_PASSED, .step = "maker_revocation", .code = "OK"},
    {.name = "archive",
     .ind = INDETERMINATE,
     .sub = SUB_OUT_OF_BOUNDS_NO_POE,
     .step = "time",
     .code = "TIME_NOT_PROVEN"},
    {.name = "archive", .made = {.proven = true}, .ind = TOTAL_PASSED, .step = "time", .code = "OK"},
    {.name = "no evidence",
     .rules = "[revocation]\ncheck = required\n",
     .made = {.trust = TRUST_NO_CRL},
     .ind = INDETERMINATE,
     .sub = SUB_TRY_LATER,
     .step = "signer_revocation",
     .code = "SIGNER_CERT_UNKNOWN_STATUS"},
    {.name = "revoked, not looked at",
     .rules = "[revocation]\ncheck = off\n",
     .made = {.signer = "revoked", .sign = HOUR, .now = 2 * HOUR},
     .ind = TOTAL_PASSED,
     .step = "signer_revocation",
     .code = "REVOCATION_OFF"},
    {.name = "fresh enough",
     .rules = "[revocation]\ncheck = required\nmax_age_days = 4\n",
     .made = {.now = 3 * DAY},
     .ind = TOTAL_PASSED,
     .step = "signer_revocation",
     .code = "OK"},
    {.name = "too old",
     .rules = "[revocation]\ncheck = required\nmax_age_days = 2\n",
     .made = {.now = 3 * DAY},
     .ind = INDETERMINATE,
     .sub = SUB_TRY_LATER,
     .step = "signer_revocation",
     .code = "SIGNER_CERT_UNKNOWN_STATUS"},
    {.name = "too old, and not required",
     .rules = "[revocation]\nmax_age_days = 2\n",
     .made = {.now = 3 * DAY},
     .ind = TOTAL_PASSED,
     .step = "signer_revocation",
     .code = "SIGNER_CERT_UNKNOWN_STATUS"},
    {.name = "SM2 refused",
     .rules = "[algorithms]\nSM2-SM3 = no\n",
     .ind = INDETERMINATE,
     .sub = SUB_CRYPTO_CONSTRAINTS_FAILURE,
     .step = "signature_algorithm",
     .code = "ALG_REFUSED"},
    {.name = "SM2 ended",
     .rules = "[algorithms]\n1.2.156.10197.1.501 = until 2020-01-01\n",
     .ind = INDETERMINATE,
     .sub = SUB_CRYPTO_CONSTRAINTS_FAILURE,
     .step = "signature_algorithm",
     .code = "ALG_REFUSED"},
    {.name = "default",
     .made = {.sig_alg = "1.2.156.10197.501"},
     .ind = INDETERMINATE,
     .sub = SUB_CRYPTO_CONSTRAINTS_FAILURE,
     .step = "signature_algorithm",
     .code = "ALG_MISLABELLED"},
    {.name = "mislabelled, accepted",
     .rules = "[deviations]\nALG_MISLABELLED = accept\n",
     .made = {.sig_alg = "1.2.156.10197.501"},
     .ind = TOTAL_PASSED,
     .step = "signature_algorithm",
     .code = "ALG_MISLABELLED"},
    {.name = "another maker's root",
     .rules = "[trust]\nmaker = " PKI "/tls/ca.crt\n",
     .ind = INDETERMINATE,
     .sub = SUB_NO_CERTIFICATE_CHAIN_FOUND,
     .step = "maker_chain",
     .code = "MAKER_CERT_CHAIN"},
    {.name = "another maker's root",
     .rules = "[trust]\nmaker = " PKI "/tls/ca.crt\n",
     .ind = INDETERMINATE,
     .sub = SUB_NO_CERTIFICATE_CHAIN_FOUND,
     .step = "signer_chain",
     .code = "OK"},
    {.name = "trust by role alone",
     .rules = "[trust]\nmaker = " PKI "/trust\nsigner = " PKI "/trust\n",
     .made = {.trust = TRUST_NONE},
     .ind = TOTAL_PASSED,
     .step = "signer_chain",
     .code = "OK"},
    {.name = "one role without trust",
     .rules = "[trust]\nmaker = " PKI "/trust\n",
     .made = {.trust = TRUST_NONE},
     .ind = INDETERMINATE,
     .sub = SUB_NO_CERTIFICATE_CHAIN_FOUND,
     .step = "signer_chain",
     .code = "TRUST_EMPTY"},
    /* what no policy can help */
    {.name = "a wrong hash stays wrong",
     .rules = "[deviations]\ndefault = accept\n[revocation]\ncheck = off\n",
     .made = {.wrong_data = true},
     .ind = TOTAL_FAILED,
     .sub = SUB_HASH_FAILURE,
     .step = "data_hash",
     .code = "HASH_MISMATCH"},
};

static char dir[] = "/tmp/yz-policies-XXXXXX", link_path[64], file_path[64];

/* A folder in which "build/pki" is what it is here: paths in a policy are relative to its own folder. */
static int dir_setup(void **state)
{
	char *build;
	int rc = pki_setup(state);

	if (rc != 0 || (build = realpath("build", NULL)) == NULL || mkdtemp(dir) == NULL)
		return -1;
	snprintf(link_path, sizeof(link_path), "%s/build", dir);
	snprintf(file_path, sizeof(file_path), "%s/test.ini", dir);
	rc = symlink(build, link_path);
	free(build);
	return rc;
}

static int dir_teardown(void **state)
{
	unlink(file_path);
	unlink(link_path);
	rmdir(dir);
	return pki_teardown(state);
}

static struct verify_policy policy_of(struct arena *a, const struct policy_case *c)
{
	struct verify_policy p = {0};
	struct err_note note = {0};
	enum err e;

	if (c->rules != NULL)
		assert_err(file_write(file_path, span_str(arena_printf(a, "[policy]\nname=test\nversion=1\n%s", c->rules)),
		                      0600, &note),
		           ERR_OK);
	e = policy_load(a, c->rules != NULL ? file_path : c->name, &p, &note);
	if (e != ERR_OK)
		fail_msg("%s: %s", c->name, err_note_text(&note));
	return p;
}

static bool has_step(const struct report *r, const char *step, const char *code)
{
	for (const struct check *c = r->signatures->checks; c != NULL; c = c->next)
		if (strcmp(c->step, step) == 0 && strcmp(c->code, code) == 0)
			return true;
	return false;
}

static struct report *judge_case(struct arena *a, const struct policy_case *c)
{
	struct span data = span_str("data");
	struct verify_policy p = policy_of(a, c);
	struct verify_input in = {.bytes = make_signature(a, &c->made, data),
	                          .data = c->made.wrong_data ? span_str("other") : data,
	                          .now = pki.t0 + (c->made.now != 0 ? c->made.now : HOUR),
	                          .proven_time = c->made.proven ? pki.t0 : 0};
	struct report *r = NULL;

	p.trust = c->made.trust == TRUST_NONE ? NULL : c->made.trust == TRUST_NO_CRL ? pki.no_crl : pki.trust;
	assert_err(verify_signature(a, &p, &in, &r), ERR_OK);
	policy_release(&p);
	return r;
}

static void verdicts_follow_the_policy(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct policy_case *c = &cases[i];
		struct arena *a = arena_new(16 << 20);
		struct report *r = judge_case(a, c);

		if (r->indication != c->ind || r->sub != c->sub || !has_step(r, c->step, c->code)) {
			for (const struct check *k = r->signatures->checks; k != NULL; k = k->next)
				print_message("  %s %s %s\n", k->step, check_result_name(k->result), k->code);
			fail_msg("%zu %s: %s", i, c->name, indication_name(r->indication));
		}
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(verdicts_follow_the_policy)};

	return cmocka_run_group_tests(tests, dir_setup, dir_teardown);
}
