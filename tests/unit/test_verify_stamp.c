/* Time stamps in signatures (version 4) and in seals (version 5), by OpenSSL's command line as the authority. */
#include "ses_help.h"

#include <unistd.h>

/* ---- an authority --------------------------------------------------------------------------- */

static const char *const script =
    "set -e; cd '%s'; exec >log 2>&1\n"
    "ext() { printf 'basicConstraints=critical,%%s\\nkeyUsage=critical,%%s\\n%%s\\n' \"$1\" \"$2\" \"$3\" >ext; }\n"
    "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out ca.key\n"
    "openssl req -new -key ca.key -subj '/CN=Stamp CA' -out req; ext CA:TRUE keyCertSign,cRLSign ''\n"
    "openssl x509 -req -in req -signkey ca.key -days 30 -set_serial 1 -sha256 -extfile ext -out ca.crt\n"
    "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out tsa.key\n"
    "openssl req -new -key tsa.key -subj '/CN=TSA' -out req\n"
    "ext CA:FALSE digitalSignature extendedKeyUsage=critical,timeStamping\n"
    "openssl x509 -req -in req -CA ca.crt -CAkey ca.key -set_serial 2 -days 30 -sha256 -extfile ext -out tsa.crt\n"
    "printf '[tsa]\\ndefault_tsa=t\\n[t]\\nserial=serial\\nsigner_digest=sha256\\ndefault_policy=1.2.3.4\\n"
    "digests=sha256,sm3\\ness_cert_id_chain=no\\ness_cert_id_alg=sha256\\n' >cnf\n";

static const char *const stamping =
    "set -e; cd '%s'; exec >>log 2>&1; rm -f tst\n"
    "openssl ts -query -data value -sm3 -cert -out query\n"
    "openssl ts -reply -config cnf -queryfile query -inkey tsa.key -signer tsa.crt -out answer\n"
    "openssl ts -reply -config cnf -in answer -token_out -out tst\n";

static char dir[] = "/tmp/yz-stamp-XXXXXX";
static struct cert_store *with_tsa;

static int authority_setup(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *paths[2] = {PKI "/trust", NULL};
	int r = pki_setup(state);

	if (r != 0 || a == NULL || mkdtemp(dir) == NULL || system(arena_printf(a, script, dir)) != 0)
		return -1;
	paths[1] = arena_printf(a, "%s/ca.crt", dir);
	assert_err(trust_load(paths, 2, &with_tsa, NULL), ERR_OK);
	arena_free(a);
	return 0;
}

static int authority_teardown(void **state)
{
	char command[64];

	cert_store_free(with_tsa);
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	return system(command) + pki_teardown(state);
}

/* [0] EXPLICIT BIT STRING with a token over `value`. */
static struct span stamp_of(struct arena *a, struct span value)
{
	struct span token;

	assert_err(file_write(arena_printf(a, "%s/value", dir), value, 0600, NULL), ERR_OK);
	assert_int_equal(system(arena_printf(a, stamping, dir)), 0);
	assert_err(file_read(a, arena_printf(a, "%s/tst", dir), 1 << 16, &token, NULL), ERR_OK);
	return tlv(a, DER_CONTEXT_0, bits(a, token));
}

/* A seal or signature of four elements, stamped over its own value or over something else. */
static struct span stamped(struct arena *a, struct span whole, bool wrongly)
{
	struct span p[ITEMS_MAX], value;
	struct der d;

	assert_int_equal(split(whole, p), 4);
	d = der_of(p[3]);
	assert_err(der_bits(&d, &value), ERR_OK);
	return with_more(a, whole, stamp_of(a, wrongly ? span_str("other") : value));
}

static int64_t wall_clock(void)
{
	struct clock c = clock_system();

	return clock_now(&c) / 1000 * 1000;
}

/* Judged two hours after the stamps were made. */
static struct report *judge_stamped(struct arena *a, verifier *verify, struct span bytes,
                                    const struct cert_store *trust, const char *policy)
{
	struct verify_policy p = {0};
	struct verify_input in = {.bytes = bytes, .data = signed_data, .now = wall_clock() + 2 * HOUR};
	struct report *r = NULL;

	assert_err(policy_load(a, policy, &p, NULL), ERR_OK);
	p.trust = trust;
	assert_err(verify(a, &p, &in, &r), ERR_OK);
	return r;
}

static void set_times(int64_t created, int64_t sign)
{
	made_at.created = created;
	made_at.sign = sign;
}

static const struct quirk four = {"V4", 4, PLAIN, {0}, NULL}, five = {"V5", 5, PLAIN, {0}, NULL};

/* ---- signatures ----------------------------------------------------------------------------- */

static void a_stamp_proves_the_time(void **state)
{
	struct arena *a = *state;
	struct report *r;
	struct span sig;

	set_times(cert_not_before(who("maker")->cert), wall_clock() - 1000);
	sig = stamped(a, quirky(a, &four), false);
	r = judge_stamped(a, verify_signature, sig, with_tsa, "default");
	expect("stamped", r, TOTAL_PASSED, SUB_NONE, "OK");
	assert_null(find_code(r, "TIME_CLAIMED_ONLY"));
	r = judge_stamped(a, verify_signature, sig, pki.trust, "default");
	expect("authority not trusted", r, TOTAL_PASSED, SUB_NONE, "TS_NOT_COUNTED");
	assert_non_null(find_code(r, "TIME_CLAIMED_ONLY"));
	sig = stamped(a, quirky(a, &four), true);
	r = judge_stamped(a, verify_signature, sig, with_tsa, "default");
	expect("of another value", r, TOTAL_FAILED, SUB_HASH_FAILURE, "TS_IMPRINT_MISMATCH");
}

/* The claim lies within the seal's time, the stamp does not: the stamp counts. */
static void a_stamp_beats_the_claim(void **state)
{
	struct arena *a = *state;
	struct report *r;

	set_times(cert_not_before(who("maker")->cert), wall_clock() + HOUR);
	r = judge_stamped(a, verify_signature, stamped(a, quirky(a, &four), false), with_tsa, "default");
	expect("claims a later time", r, TOTAL_PASSED, SUB_NONE, "TS_BEFORE_CLAIM");
	set_times(wall_clock() + HOUR, wall_clock() + HOUR + 1000);
	r = judge_stamped(a, verify_signature, stamped(a, quirky(a, &four), false), with_tsa, "default");
	expect("stamped before the seal begins", r, TOTAL_FAILED, SUB_NOT_YET_VALID, "TIME_OUTSIDE_SEAL");
}

/* ---- seals ---------------------------------------------------------------------------------- */

static void seals_of_version_5_are_stamped(void **state)
{
	struct arena *a = *state;
	struct report *r;
	struct span seal;

	set_times(cert_not_before(who("maker")->cert), 0);
	seal = stamped(a, quirky_seal(a, &five), false);
	r = judge_stamped(a, verify_seal, seal, with_tsa, "default");
	expect("stamped", r, TOTAL_PASSED, SUB_NONE, "OK");
	r = judge_stamped(a, verify_seal, seal, pki.trust, "default");
	expect("authority not trusted", r, TOTAL_PASSED, SUB_NONE, "TS_NOT_COUNTED");
	r = judge_stamped(a, verify_seal, stamped(a, quirky_seal(a, &five), true), with_tsa, "default");
	expect("of another value", r, TOTAL_FAILED, SUB_HASH_FAILURE, "TS_IMPRINT_MISMATCH");
	set_times(wall_clock() + HOUR, 0);
	r = judge_stamped(a, verify_seal, stamped(a, quirky_seal(a, &five), false), with_tsa, "default");
	expect("made later than stamped", r, TOTAL_FAILED, SUB_SIG_CONSTRAINTS_FAILURE, "TS_BEFORE_CREATE");
}

static void a_stamp_in_version_4_is_a_deviation(void **state)
{
	struct arena *a = *state;
	struct span seal;

	set_times(cert_not_before(who("maker")->cert), 0);
	seal = stamped(a, quirky_seal(a, &four), false);
	expect("default", judge_stamped(a, verify_seal, seal, with_tsa, "default"), TOTAL_PASSED, SUB_NONE,
	       "TS_IN_V4_SEAL");
	expect("strict", judge_stamped(a, verify_seal, seal, with_tsa, "strict"), TOTAL_FAILED, SUB_FORMAT_FAILURE,
	       "TS_IN_V4_SEAL");
}

/* ---- the tags of a signature's stamp -------------------------------------------------------- */

static void a_stamp_without_its_tag_is_a_deviation(void **state)
{
	struct arena *a = *state;
	struct span sig, p[ITEMS_MAX];
	struct der d, in;
	struct der_item it;

	set_times(cert_not_before(who("maker")->cert), wall_clock() - 1000);
	sig = stamped(a, quirky(a, &four), false);
	assert_int_equal(split(sig, p), 5);
	d = der_of(p[4]);
	assert_err(der_enter(&d, DER_CONTEXT_0, &in, NULL), ERR_OK);
	assert_err(der_take(&in, DER_BIT_STRING, &it), ERR_OK);
	p[4] = it.raw;
	expect("untagged", judge_stamped(a, verify_signature, tlv(a, DER_SEQUENCE, join(a, p, 5)), with_tsa, "default"),
	       TOTAL_PASSED, SUB_NONE, "TS_UNTAGGED");
	p[4] = tlv(a, DER_CONTEXT_0_PRIMITIVE, it.value);
	expect("IMPLICIT", judge_stamped(a, verify_signature, tlv(a, DER_SEQUENCE, join(a, p, 5)), with_tsa, "strict"),
	       TOTAL_FAILED, SUB_FORMAT_FAILURE, "TS_UNTAGGED");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_stamp_proves_the_time),
	    TEST(a_stamp_beats_the_claim),
	    TEST(seals_of_version_5_are_stamped),
	    TEST(a_stamp_in_version_4_is_a_deviation),
	    TEST(a_stamp_without_its_tag_is_a_deviation),
	};

	return cmocka_run_group_tests(tests, authority_setup, authority_teardown);
}
