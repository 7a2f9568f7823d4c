/* SignedData (GB/T 35275, PKCS#7) and bare signature values over data.txt. */
#include <string.h>

#include "form/signed_data.h"
#include "tests/corpus/helpers.h"

#define GOOD  .attrs = true, .gm = true
#define PLAIN "signed_attributes time=TIME_NOT_STATED "

static const struct family cms = {"signed_data", "data.txt", "p7"};

static const struct {
	const char *id, *codes, *about;
	struct cms_wish wish;
} sound[] = {
    {"cms-gm", NULL, "GB/T 35275 with attributes", {GOOD}},
    {"cms-gm-plain", PLAIN, "GB/T 35275 without attributes", {.gm = true}},
    {"cms-gm-detached", NULL, "without the content", {GOOD, .content = C_DETACHED}},
    {"cms-gm-plain-detached", PLAIN, "without attributes and content", {.gm = true, .content = C_DETACHED}},
    {"cms-p7", NULL, "identifiers of PKCS#7", {.attrs = true}},
    {"cms-signing-cert", NULL, "with the attribute signingCertificate", {GOOD, .with_cert = true}},
};

static const struct {
	const char *id, *codes, *about;
	struct cms_wish wish;
} quirks[] = {
    {"cms-digest", "+form=CONTENT_IS_DIGEST", "the content is the digest of the data", {GOOD, .content = C_DIGEST}},
    {"cms-digest-text",
     "+form=CONTENT_IS_DIGEST_TEXT",
     "the content is the digest in base64",
     {GOOD, .content = C_DIGEST_BASE64}},
    {"cms-unsorted", "+form=ATTRS_NOT_SORTED", "the attributes are not in the order of DER", {GOOD, .unsorted = true}},
    {"cms-no-type", "+form=ATTRS_NO_CONTENT_TYPE", "the attribute contentType is missing", {GOOD, .no_type = true}},
    {"cms-not-octets", "+form=CONTENT_NOT_OCTETS", "the content is a UTF8String", {GOOD, .raw_content = true}},
    {"cms-mixed",
     "+form=CONTENT_TYPE_MIXED",
     "contentType of PKCS#7 in a SignedData of GB/T 35275",
     {GOOD, .attr_type = OID_P7_DATA}},
};

static const struct {
	const char *id, *sub, *codes, *about;
	struct cms_wish wish;
} wrong[] = {
    {"cms-value",
     "SIG_CRYPTO_FAILURE",
     "signature_value=SIG_BAD",
     "one bit of the value is turned over",
     {GOOD, .flip_value = true}},
    {"cms-empty-id",
     "SIG_CRYPTO_FAILURE",
     "signature_value=SM2_ID_EMPTY",
     "signed with the empty SM2 identity",
     {GOOD, .empty_id = true}},
    {"cms-plain-value",
     "SIG_CRYPTO_FAILURE",
     PLAIN "signature_value=SIG_BAD",
     "the same without attributes",
     {.gm = true, .flip_value = true}},
    {"cms-wrong-digest",
     "HASH_FAILURE",
     "data_hash=HASH_MISMATCH",
     "messageDigest is of something else",
     {GOOD, .wrong_digest = true}},
    {"cms-other-content",
     "HASH_FAILURE",
     "data_hash=HASH_MISMATCH",
     "the content is other data than is given",
     {GOOD, .content = C_OTHER}},
    {"cms-other-data",
     "HASH_FAILURE",
     "data_hash=HASH_MISMATCH",
     "detached, over other data",
     {GOOD, .content = C_DETACHED, .data = "other\n"}},
    {"cms-no-digest",
     "FORMAT_FAILURE",
     "signed_attributes=ATTRS_NO_DIGEST data_hash=HASH_MISMATCH",
     "the attribute messageDigest is missing",
     {GOOD, .no_digest = true}},
    {"cms-type",
     "SIG_CONSTRAINTS_FAILURE",
     "signed_attributes=CONTENT_TYPE_WRONG",
     "contentType says that this is a time stamp",
     {GOOD, .attr_type = OID_TST_INFO}},
    {"cms-cert-other",
     "SIG_CONSTRAINTS_FAILURE",
     "signed_attributes=SIGNING_CERT_OTHER",
     "signingCertificate names another certificate",
     {GOOD, .wrong_cert = true}},
    {"cms-no-signer", "FORMAT_FAILURE", "only structure=SIGNER_INFO_MISSING", "nobody signed", {GOOD, .signers = -1}},
    {"cms-many-signers", "FORMAT_FAILURE", "only structure=TOO_LARGE", "17 signers", {GOOD, .signers = 17}},
};

static void table_cases(void)
{
	for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++)
		good(&cms, sound[i].id, new_cms(&sound[i].wish), sound[i].codes, sound[i].about);
	for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++)
		deviation(&cms, quirks[i].id, new_cms(&quirks[i].wish), quirks[i].codes, quirks[i].about);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		fault(&cms, wrong[i].id, new_cms(&wrong[i].wish), wrong[i].sub, wrong[i].codes, wrong[i].about);
}

static void form_cases(void)
{
	static const size_t permille[] = {100, 400, 700, 950};
	struct span whole = CMS(GOOD);

	deviation(&cms, "cms-ber", in_ber(whole, BER_INDEFINITE), "+form=BER_LENGTHS", "BER with indefinite lengths");
	deviation(&cms, "cms-ber-parts", in_ber(whole, BER_PARTS), "+form=BER_STRINGS", "BER with strings in parts");
	deviation(&cms, "cms-trailing", joined(whole, span_str("trailing")), "+form=TRAILING_BYTES",
	          "bytes follow the SignedData");
	for (size_t i = 0; i < sizeof(permille) / sizeof(permille[0]); i++)
		fault(&cms, arena_printf(mem(), "cms-cut-%zu", permille[i]), span_sub(whole, 0, whole.len * permille[i] / 1000),
		      "FORMAT_FAILURE", "only structure=FORMAT",
		      arena_printf(mem(), "cut off after %zu thousandths", permille[i]));
}

/* ---- signers and algorithms -------------------------------------------------------------------------------------- */

static struct actor *other_key(const char *name, enum key_form key)
{
	return new_actor(&(struct cert_wish){.name = name, .issuer = people()->root, .key = key});
}

static void algorithm_cases(void)
{
	struct actor *rsa = other_key("签章者 RSA", KEY_FORM_RSA), *small = other_key("签章者 短 RSA", KEY_FORM_RSA_1024);
	struct actor *ec = other_key("签章者 P-256", KEY_FORM_P256);
	static const char sub[] = "CRYPTO_CONSTRAINTS_FAILURE";

	good(&cms, "cms-rsa", CMS(.attrs = true, .signer = rsa, .md = EVP_sha256()), NULL, "RSA with SHA-256");
	good(&cms, "cms-p256", CMS(.attrs = true, .signer = ec, .md = EVP_sha256()), NULL, "ECDSA with SHA-256");
	doubt(&cms, "cms-rsa-sha1", CMS(.attrs = true, .signer = rsa, .md = EVP_sha1()), sub,
	      "signature_algorithm=ALG_REFUSED data_hash=ALG_REFUSED", "RSA with SHA-1");
	doubt(&cms, "cms-rsa-md5", CMS(.attrs = true, .signer = rsa, .md = EVP_md5()), sub,
	      "signature_algorithm=ALG_REFUSED data_hash=ALG_REFUSED", "RSA with MD5");
	doubt(&cms, "cms-rsa-1024", CMS(.attrs = true, .signer = small, .md = EVP_sha256()), sub,
	      "signature_algorithm=KEY_TOO_SMALL", "RSA of 1024 bits");
	doubt(&cms, "cms-ed25519", CMS(.attrs = true, .signer = other_key("签章者 Ed25519", KEY_FORM_ED25519)), sub,
	      "signature_algorithm=UNSUPPORTED_KEY signature_value=CANNOT_JUDGE", "a key of Ed25519");
	doubt(&cms, "cms-alg-wrong", CMS(GOOD, .alg = "1.2.156.10197.501"), sub, "signature_algorithm=ALG_MISLABELLED",
	      "a sound SM2 value under a wrong identifier");
}

static void signer_cases(void)
{
	const struct people *p = people();

	doubt(&cms, "cms-untrusted", CMS(GOOD, .signer = p->signer_strange), "NO_CERTIFICATE_CHAIN_FOUND",
	      "signer_chain=SIGNER_CERT_CHAIN signer_revocation=CANNOT_JUDGE", "the signer's issuer is not trusted");
	fault(&cms, "cms-revoked-before", CMS(GOOD, .signer = p->signer_revoked, .time = "20241001000000"), "REVOKED",
	      "signer_revocation=SIGNER_CERT_REVOKED_BEFORE", "revoked before the time of signing");
	doubt(&cms, "cms-revoked-after", CMS(GOOD, .signer = p->signer_revoked), "OUT_OF_BOUNDS_NO_POE",
	      "signer_revocation=SIGNER_CERT_REVOKED_AFTER", "revoked after the claimed time of signing");
	doubt(&cms, "cms-usage", CMS(GOOD, .signer = p->signer_usage), "CHAIN_CONSTRAINTS_FAILURE",
	      "signer_key_usage=SIGNER_CERT_KEYUSAGE", "the signer's key is for encryption");
	fault(&cms, "cms-expired", CMS(GOOD, .signer = p->signer_expired, .time = "20241001000000"), "EXPIRED",
	      "signer_period=TIME_OUTSIDE_CERT", "signed after the certificate had ended");
	fault(&cms, "cms-future", CMS(GOOD, .time = "20250601000000"), "NOT_YET_VALID", "time=TIME_IN_FUTURE",
	      "signed after the time of the check");
	doubt(&cms, "cms-no-cert", CMS(GOOD, .no_cert = true), "NO_CERTIFICATE_CHAIN_FOUND",
	      "+signer_certificate=SIGNER_CERT_MISSING signature_algorithm=CANNOT_JUDGE signature_value=CANNOT_JUDGE "
	      "signer_chain=CANNOT_JUDGE signer_key_usage=CANNOT_JUDGE signer_purpose=CANNOT_JUDGE "
	      "signer_revocation=CANNOT_JUDGE signer_period=CANNOT_JUDGE",
	      "the signer's certificate is neither in it nor among the trusted ones");
	add_row(&(struct row){.id = "cms-no-data",
	                      .file = "files/cms-gm-detached.p7",
	                      .kind = "signed_data",
	                      .indication = "INDETERMINATE",
	                      .sub = "SIGNED_DATA_NOT_FOUND",
	                      .codes = "data_hash=DATA_NOT_GIVEN",
	                      .about = "detached, and the data is not at hand"});
}

/* ---- time stamps and evidence within ------------------------------------------------------------------------------
 */

static void bare_cases(void)
{
	const struct people *p = people();
	struct span data = span_str("the signed data\n");
	struct row r = {.id = "bare-value",
	                .kind = "signed_data",
	                .data = "data.txt",
	                .trust = "trust/good,trust/bare",
	                .codes = PLAIN,
	                .about = "an SM2 value alone, of a certificate of the trust set"};

	put_file("trust/bare/signer.crt", p->signer->der);
	add_case(r, sign(p->signer, data));
	r.id = "bare-stranger";
	r.indication = "INDETERMINATE";
	r.sub = "NO_CERTIFICATE_CHAIN_FOUND";
	r.codes = "only structure=OK signer_certificate=SIGNER_CERT_UNKNOWN signature_value=CANNOT_JUDGE "
	          "data_hash=CANNOT_JUDGE signer_chain=CANNOT_JUDGE signer_key_usage=CANNOT_JUDGE "
	          "signer_purpose=CANNOT_JUDGE signer_revocation=CANNOT_JUDGE signer_period=CANNOT_JUDGE";
	r.about = "an SM2 value alone, of nobody known";
	add_case(r, sign(p->colleague, data));
}

static void inside_cases(void)
{
	const struct people *p = people();
	struct span list = new_crl(
	    &(struct crl_wish){.issuer = p->root, .revoked = {p->signer_revoked}, .revoked_at = {"20240201000000Z"}});
	struct row r = {.id = "cms-crl-inside",
	                .kind = "signed_data",
	                .data = "data.txt",
	                .trust = "trust/root",
	                .about = "the revocation list is in the SignedData"};

	add_case(r, CMS(GOOD, .crl = list));
	r.id = "cms-crl-inside-revoked";
	r.sub = "REVOKED";
	r.codes = "signer_revocation=SIGNER_CERT_REVOKED_BEFORE";
	r.about = "the revocation list in the SignedData lists its signer";
	add_case(r, CMS(GOOD, .signer = p->signer_revoked, .crl = list));
	good(&cms, "cms-two-signers", CMS(GOOD, .signers = 2, .also = p->colleague), "+time=TIME_CLAIMED_ONLY",
	     "two signers");
	doubt(&cms, "cms-second-untrusted", CMS(GOOD, .signers = 2, .also = p->signer_strange),
	      "NO_CERTIFICATE_CHAIN_FOUND",
	      "+time=TIME_CLAIMED_ONLY +signer_chain=SIGNER_CERT_CHAIN +signer_revocation=CANNOT_JUDGE",
	      "two signers, the second of whom is not trusted");
}

void cms_cases(void)
{
	inside_cases();
	table_cases();
	form_cases();
	algorithm_cases();
	signer_cases();
	bare_cases();
}
