/* Seal signatures (SES_Signature) over data.txt. */
#include <string.h>

#include "tests/corpus/helpers.h"

#define DATA "data.txt"

static const struct family signatures = {"signature", DATA, "dat"};
static const struct family stamped = {"stamped", DATA, "dat"};

static const int versions[] = {1, 4, 5};

#define EACH_VERSION(i) for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)

struct case_of {
	const char *id, *sub, *codes, *about;
	struct signature_wish wish;
};

#define CRYPTO "SIG_CRYPTO_FAILURE"
#define BAD    "signature_value=SIG_BAD"

/* In every version. */
static const struct case_of in_all[] = {
    {"sig-v#-value-bit", CRYPTO, BAD, "one bit of the signature value is turned over", {.value = VALUE_FLIP}},
    {"sig-v#-other-key", CRYPTO, BAD, "signed with another key than the certificate's", {.value = VALUE_OTHER_KEY}},
    {"sig-v#-empty-id",
     CRYPTO,
     "signature_value=SM2_ID_EMPTY",
     "signed with the empty SM2 identity",
     {.value = VALUE_EMPTY_ID}},
    {"sig-v#-other-id", CRYPTO, BAD, "signed with the identity of the standard's example", {.value = VALUE_OTHER_ID}},
    {"sig-v#-no-value", CRYPTO, BAD, "the signature value is empty", {.value = VALUE_EMPTY}},
    {"sig-v#-scope-bit", CRYPTO, BAD, "one bit of propertyInfo is turned over", {.flip = "whole file"}},
    {"sig-v#-time-bit", CRYPTO, BAD, "the time of signing is moved", {.flip = "601000000Z"}},
    {"sig-v#-seal-value",
     CRYPTO,
     "seal_signature=SEAL_SIG_BAD",
     "the maker's value in the seal is damaged",
     {.seal = {.value = VALUE_FLIP}}},
    {"sig-v#-seal-picture",
     CRYPTO,
     "seal_signature=SEAL_SIG_BAD",
     "the seal's picture was changed before it was used",
     {.seal = {.flip = "PICTURE-BYTES"}}},
    {"sig-v#-not-listed",
     "SIG_CONSTRAINTS_FAILURE",
     "signer_in_seal=SIGNER_NOT_IN_SEAL",
     "the signer is not in the seal's list",
     {.seal = {0}}},
    {"sig-v#-other-data", "HASH_FAILURE", "data_hash=HASH_MISMATCH", "other data was signed", {.data = "other\n"}},
    {"sig-v#-hash-cut", "HASH_FAILURE", "data_hash=HASH_MISMATCH", "the digest has 16 bytes", {.hash = H_SHORT}},
};

static void cases_in_all(void)
{
	for (size_t k = 0; k < sizeof(in_all) / sizeof(in_all[0]); k++)
		EACH_VERSION(i)
		{
			struct signature_wish w = in_all[k].wish;
			w.seal.version = versions[i];
			if (strstr(in_all[k].id, "not-listed") != NULL)
				w.seal.listed = people()->colleague;
			fault(&signatures, named(in_all[k].id, versions[i]), new_signature(&w), in_all[k].sub, in_all[k].codes,
			      in_all[k].about);
		}
	EACH_VERSION(i)
	good(&signatures, named("sig-v#-good", versions[i]), SIGNATURE(.seal = {.version = versions[i]}), NULL,
	     "nothing is wrong");
}

/* ---- what is found in the field ---------------------------------------------------------------------------------- */

static const struct case_of quirks[] = {
    {"sig-value-raw", NULL, "+form=VALUE_RAW", "the value is r||s of 64 bytes", {.value = VALUE_RAW64}},
    {"sig-value-negative",
     NULL,
     "+form=VALUE_NEGATIVE",
     "r lacks the zero that makes it positive",
     {.value = VALUE_MINUS}},
    {"sig-value-padded", NULL, "+form=VALUE_PADDED", "r has a zero too many", {.value = VALUE_PAD}},
    {"sig-value-trailing", NULL, "+form=VALUE_TRAILING", "a byte follows r and s", {.value = VALUE_TAIL}},
    {"sig-value-octets", NULL, "+form=VALUE_OCTETS", "the value is an OCTET STRING", {.value = VALUE_IN_OCTETS}},
    {"sig-value-trimmed",
     NULL,
     "+form=BITS_TRIMMED",
     "the zero byte at the value's end is cut off",
     {.value = VALUE_CUT}},
    {"sig-hash-octets", NULL, "+form=HASH_OCTETS", "the digest is an OCTET STRING", {.hash = H_OCTETS}},
    {"sig-seal-wrapped", NULL, "+form=SEAL_WRAPPED", "the seal stands in an OCTET STRING", {.seal_wrapped = true}},
    {"sig-cert-raw", NULL, "+form=CERT_RAW", "the certificate is not in an OCTET STRING", {.cert_raw = true}},
    {"sig-version", NULL, "+form=TBS_VERSION", "TBS_Sign says version 1 over a structure of version 4", {.version = 1}},
    {"sig-ext-untagged", NULL, "+form=EXT_UNTAGGED", "extDatas lacks its tag [0]", {.ext = E_UNTAGGED}},
    {"sig-ext-implicit", NULL, "+form=EXT_IMPLICIT", "extDatas is tagged [0] IMPLICIT", {.ext = E_IMPLICIT}},
    {"sig-ext-wrapped", NULL, "+form=EXT_WRAPPED", "extDatas stands in an OCTET STRING", {.ext = E_WRAPPED}},
    {"sig-ext-default", NULL, "+form=EXT_DEFAULT_ENCODED", "critical FALSE is written out", {.ext = E_DEFAULT}},
    {"sig-ext-audit", NULL, "+form=EXT_CRITICAL_AUDIT", "a critical audit identity", {.ext = E_AUDIT}},
    {"sig-time-type", NULL, "+form=TIME_TYPE", "timeInfo is a UTCTime", {.time_form = T_OTHER_TYPE}},
    {"sig-time-octets", NULL, "+form=TIME_WRAPPED", "timeInfo stands in an OCTET STRING", {.time_form = T_OCTETS}},
    {"sig-time-bits", NULL, "+form=TIME_WRAPPED", "timeInfo stands in a BIT STRING", {.time_form = T_BITS}},
    {"sig-time-text", NULL, "+form=TIME_TEXT", "timeInfo is written 2024-06-01T00:00:00Z", {.time_form = T_TEXT}},
    {"sig-time-no-zone", NULL, "+form=TIME_NO_ZONE", "timeInfo lacks its Z", {.time_form = T_NO_ZONE}},
    {"sig-time-two-digits",
     NULL,
     "+form=TIME_TWO_DIGIT_YEAR",
     "a GeneralizedTime with a year of two digits",
     {.time_form = T_TWO_DIGITS}},
    {"sig-time-fraction", NULL, "+form=TIME_FRACTION", "timeInfo has fractions of a second", {.time_form = T_FRACTION}},
    {"sig-time-offset", NULL, "+form=TIME_OFFSET", "timeInfo has an offset in place of Z", {.time_form = T_OFFSET}},
    {"sig-v1-time-text",
     NULL,
     "+form=TIME_TEXT",
     "version 1: timeInfo holds 2024-06-01T00:00:00Z",
     {.seal = {.version = 1}, .time_form = T_TEXT}},
    {"sig-v1-time-no-zone",
     NULL,
     "+form=TIME_NO_ZONE",
     "version 1: timeInfo holds fourteen digits",
     {.seal = {.version = 1}, .time_form = T_NO_ZONE}},
    {"sig-v1-time-plain",
     NULL,
     "+form=TIME_TYPE",
     "version 1: timeInfo is a GeneralizedTime",
     {.seal = {.version = 1}, .time_form = T_OTHER_TYPE}},
};

static void quirk_cases(void)
{
	for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++)
		deviation(&signatures, quirks[i].id, new_signature(&quirks[i].wish), quirks[i].codes, quirks[i].about);
	deviation(&signatures, "sig-trailing", joined(SIGNATURE(.data = NULL), span_str("trailing")),
	          "+form=TRAILING_BYTES", "bytes follow the signature");
	deviation(&signatures, "sig-ber", in_ber(SIGNATURE(.data = NULL), BER_INDEFINITE),
	          "+form=BER_LENGTHS +form=BER_SIGNED_AS_DER +form=BER_SIGNED_AS_DER",
	          "BER with indefinite lengths, both values over the DER form");
	deviation(&signatures, "sig-ber-signed", SIGNATURE(.ber_signed = true),
	          "+form=BER_LENGTHS +form=BER_SIGNED_AS_RECEIVED +form=BER_SIGNED_AS_DER",
	          "TBS_Sign in BER, and signed as such");
	deviation(&signatures, "sig-mixed", SIGNATURE(.seal_bytes = SEAL(.version = 1)), "+form=SEAL_VERSION_MIXED",
	          "a signature of version 4 with a seal of version 1");
	doubt(&signatures, "sig-v1-token",
	      SIGNATURE(.seal = {.version = 1}, .time_form = T_BITS_TOKEN,
	                .token = new_stamp(&(struct stamp_wish){0}, span_str("what?"))),
	      "OUT_OF_BOUNDS_NO_POE", "+timestamp=TS_NOT_CHECKED time=TIME_UNKNOWN",
	      "version 1: a time stamp token in place of the time, over what is not laid down");
	good(&signatures, "sig-v1-time-utc", SIGNATURE(.seal = {.version = 1}, .time_form = T_BITS_UTC), NULL,
	     "version 1: timeInfo holds a UTCTime");
}

/* A digest that ends in a zero byte, which is cut off; its data is a file of its own. */
static void trimmed_hash(void)
{
	struct family f = {"signature", "files/sig-hash-trimmed.data", "dat"};

	for (int n = 0;; n++) {
		const char *data = arena_printf(mem(), "the signed data %d\n", n);
		struct span hash = digest_of(EVP_sm3(), span_str(data));

		if (hash.ptr[hash.len - 1] != 0)
			continue;
		put_file(f.data, span_str(data));
		deviation(&f, "sig-hash-trimmed", SIGNATURE(.data = data, .hash = H_CUT), "+form=BITS_TRIMMED",
		          "the zero byte at the digest's end is cut off");
		return;
	}
}

/* ---- structure, data, extensions --------------------------------------------------------------------------------- */

static void structure_cases(void)
{
	struct span whole = SIGNATURE(.data = NULL);
	static const size_t permille[] = {5, 50, 200, 400, 600, 800, 980};

	for (size_t i = 0; i < sizeof(permille) / sizeof(permille[0]); i++)
		fault(&signatures, arena_printf(mem(), "sig-cut-%zu", permille[i]),
		      span_sub(whole, 0, whole.len * permille[i] / 1000 + 20), "FORMAT_FAILURE", "only structure=FORMAT",
		      arena_printf(mem(), "cut off after %zu thousandths", permille[i]));
	fault(&signatures, "sig-many-exts", SIGNATURE(.ext = E_MANY), "FORMAT_FAILURE", "only structure=TOO_LARGE",
	      "65 extensions");
	fault(&signatures, "sig-stamp-empty", SIGNATURE(.stamp = S_EMPTY), "FORMAT_FAILURE", "only structure=FORMAT",
	      "the time stamp is empty");
	fault(&signatures, "sig-ext-critical", SIGNATURE(.ext = E_CRITICAL), "SIG_CONSTRAINTS_FAILURE",
	      "extensions=CRITICAL_EXT_UNKNOWN", "an unknown critical extension");
	fault(&signatures, "sig-seal-ext-critical", SIGNATURE(.seal = {.ext = E_CRITICAL}), "SIG_CONSTRAINTS_FAILURE",
	      "seal_extensions=CRITICAL_EXT_UNKNOWN", "an unknown critical extension of the seal");
	good(&signatures, "sig-ext", SIGNATURE(.ext = E_GOOD), NULL, "an extension that need not be understood");
	add_row(&(struct row){.id = "sig-no-data",
	                      .file = "files/sig-v4-good.dat",
	                      .kind = "signature",
	                      .indication = "INDETERMINATE",
	                      .sub = "SIGNED_DATA_NOT_FOUND",
	                      .codes = "data_hash=DATA_NOT_GIVEN",
	                      .about = "the signed data is not at hand"});
	add_row(&(struct row){.id = "sig-changed-data",
	                      .file = "files/sig-v4-good.dat",
	                      .kind = "signature",
	                      .data = "other.txt",
	                      .sub = "HASH_FAILURE",
	                      .codes = "data_hash=HASH_MISMATCH",
	                      .about = "the data was changed"});
	doubt(&signatures, "sig-alg-wrong", SIGNATURE(.alg = "1.2.156.10197.501"), "CRYPTO_CONSTRAINTS_FAILURE",
	      "signature_algorithm=ALG_MISLABELLED", "a sound value under a wrong identifier");
	doubt(&signatures, "sig-alg-rsa", SIGNATURE(.alg = "1.2.840.113549.1.1.5"), "CRYPTO_CONSTRAINTS_FAILURE",
	      "signature_algorithm=UNSUPPORTED_ALG signature_value=CANNOT_JUDGE", "an SM2 value that is said to be RSA");
}

/* ---- the list of the seal ------------------------------------------------------------------------------------------
 */

static void list_cases(void)
{
	static const char sub[] = "SIG_CONSTRAINTS_FAILURE", code[] = "signer_in_seal=SIGNER_NOT_IN_SEAL";
	const struct people *p = people();

	good(&signatures, "sig-list-sm3", SIGNATURE(.seal = {.list = L_SM3}), NULL, "a list of SM3 digests");
	good(&signatures, "sig-list-sha256", SIGNATURE(.seal = {.list = L_SHA256}), NULL, "a list of SHA-256 digests");
	good(&signatures, "sig-list-second", SIGNATURE(.seal = {.listed = p->colleague, .listed_too = p->signer}), NULL,
	     "the signer is the second of the list");
	fault(&signatures, "sig-list-wrong-digest", SIGNATURE(.seal = {.list = L_WRONG_DIGEST}), sub, code,
	      "the listed digest is of something else");
	fault(&signatures, "sig-list-empty", SIGNATURE(.seal = {.list = L_EMPTY}), sub, code, "nobody is listed");
	fault(&signatures, "sig-list-text", SIGNATURE(.seal = {.list = L_TEXT}), sub,
	      "signer_in_seal=SIGNER_NOT_IN_SEAL +form=CERT_LIST_ITEM", "the list holds a name");
	fault(
	    &signatures, "sig-list-same-key",
	    SIGNATURE(.signer = new_actor(&(struct cert_wish){.name = "签章者", .issuer = p->root, .same_key = p->signer})),
	    sub, code, "another certificate for the same key and name as the listed one");
}

/* ---- other algorithms, which GM/T 0031-2014 has ------------------------------------------------------------------ */

static struct span other_key(enum key_form form, const EVP_MD *md, const char *alg, enum value_form value)
{
	struct actor *who =
	    new_actor(&(struct cert_wish){.name = "签章者 其他算法", .issuer = people()->root, .key = form});

	return SIGNATURE(.signer = who, .md = md, .alg = alg, .value = value, .seal = {.version = 1, .listed = who});
}

static void algorithm_cases(void)
{
	static const char rsa256[] = "1.2.840.113549.1.1.11", sub[] = "CRYPTO_CONSTRAINTS_FAILURE";

	good(&signatures, "sig-v1-rsa", other_key(KEY_FORM_RSA, EVP_sha256(), rsa256, VALUE_GOOD), NULL,
	     "version 1 with RSA and SHA-256");
	fault(&signatures, "sig-v1-rsa-bit", other_key(KEY_FORM_RSA, EVP_sha256(), rsa256, VALUE_FLIP), CRYPTO, BAD,
	      "the same, one bit of the value turned over");
	doubt(&signatures, "sig-v1-rsa-sha1", other_key(KEY_FORM_RSA, EVP_sha1(), "1.2.840.113549.1.1.5", VALUE_GOOD), sub,
	      "signature_algorithm=ALG_REFUSED", "version 1 with RSA and SHA-1, which that standard has");
	doubt(&signatures, "sig-v1-rsa-1024", other_key(KEY_FORM_RSA_1024, EVP_sha256(), rsa256, VALUE_GOOD), sub,
	      "signature_algorithm=KEY_TOO_SMALL", "version 1 with RSA of 1024 bits");
	doubt(&signatures, "sig-v1-rsa-as-sm2", other_key(KEY_FORM_RSA, NULL, OID_SM2_SM3, VALUE_GOOD), sub,
	      "signature_algorithm=UNSUPPORTED_ALG signature_value=CANNOT_JUDGE", "an RSA value that is said to be SM2");
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

static void time_cases(void)
{
	const struct people *p = people();

	fault(&signatures, "sig-before-seal", SIGNATURE(.time = "20231201000000"), "NOT_YET_VALID",
	      "seal_period=TIME_OUTSIDE_SEAL seal_dates=SEAL_CREATED_LATER", "signed before the seal was made and begins");
	fault(&signatures, "sig-after-seal", SIGNATURE(.seal = {.to = "20240301000000"}), "EXPIRED",
	      "seal_period=TIME_OUTSIDE_SEAL", "signed after the seal had ended");
	doubt(&signatures, "sig-seal-ended-since", SIGNATURE(.seal = {.to = "20240901000000"}), "OUT_OF_BOUNDS_NO_POE",
	      "seal_period=SEAL_EXPIRED_SINCE", "the seal has ended since");
	fault(&signatures, "sig-future", SIGNATURE(.time = "20250601000000"), "NOT_YET_VALID", "time=TIME_IN_FUTURE",
	      "signed after the time of the check");
	fault(&signatures, "sig-before-cert", SIGNATURE(.signer = p->signer_young, .seal = {.listed = p->signer_young}),
	      "NOT_YET_VALID", "signer_period=TIME_OUTSIDE_CERT", "signed before the signer's certificate began");
	fault(&signatures, "sig-after-cert",
	      SIGNATURE(.signer = p->signer_expired, .seal = {.listed = p->signer_expired}, .time = "20241001000000"),
	      "EXPIRED", "signer_period=TIME_OUTSIDE_CERT", "signed after the signer's certificate had ended");
	doubt(&signatures, "sig-cert-ended-since",
	      SIGNATURE(.signer = p->signer_expired, .seal = {.listed = p->signer_expired}), "OUT_OF_BOUNDS_NO_POE",
	      "signer_period=CERT_EXPIRED_SINCE", "the signer's certificate has ended since");
	doubt(&signatures, "sig-time-nonsense", SIGNATURE(.time_form = T_NONSENSE), "OUT_OF_BOUNDS_NO_POE",
	      "+form=TIME_UNREADABLE time=TIME_UNKNOWN", "timeInfo is no time");
	doubt(&signatures, "sig-v1-time-nonsense", SIGNATURE(.seal = {.version = 1}, .time_form = T_NONSENSE),
	      "OUT_OF_BOUNDS_NO_POE", "+form=TIME_UNREADABLE time=TIME_UNKNOWN", "version 1: timeInfo is no time");
	add_row(&(struct row){.id = "sig-time-not-proven",
	                      .file = "files/sig-v4-good.dat",
	                      .kind = "signature",
	                      .data = DATA,
	                      .policy = "policies/stamped.ini",
	                      .indication = "INDETERMINATE",
	                      .sub = "OUT_OF_BOUNDS_NO_POE",
	                      .codes = "time=TIME_NOT_PROVEN",
	                      .about = "the policy asks for a time stamp, and there is none"});
}

/* ---- signer and maker -------------------------------------------------------------------------------------------- */

static struct span signed_by(const struct actor *who, const char *time)
{
	return SIGNATURE(.signer = who, .seal = {.listed = who}, .time = time);
}

static void people_cases(void)
{
	const struct people *p = people();
	static const char rules[] = "CHAIN_CONSTRAINTS_FAILURE", poe[] = "OUT_OF_BOUNDS_NO_POE";

	doubt(&signatures, "sig-signer-untrusted", signed_by(p->signer_strange, NULL), "NO_CERTIFICATE_CHAIN_FOUND",
	      "signer_chain=SIGNER_CERT_CHAIN signer_revocation=CANNOT_JUDGE", "the signer's issuer is not trusted");
	doubt(&signatures, "sig-signer-usage", signed_by(p->signer_usage, NULL), rules,
	      "signer_key_usage=SIGNER_CERT_KEYUSAGE", "the signer's key is for encryption");
	doubt(&signatures, "sig-signer-purpose", signed_by(p->signer_purpose, NULL), rules,
	      "signer_purpose=SIGNER_CERT_PURPOSE", "the signer's certificate is for receipts alone");
	doubt(&signatures, "sig-signer-revoked-after", signed_by(p->signer_revoked, NULL), poe,
	      "signer_revocation=SIGNER_CERT_REVOKED_AFTER", "revoked after the claimed time of signing");
	fault(&signatures, "sig-signer-revoked-before", signed_by(p->signer_revoked, "20241001000000"), "REVOKED",
	      "signer_revocation=SIGNER_CERT_REVOKED_BEFORE", "revoked before the time of signing");
	fault(&signatures, "sig-maker-revoked", SIGNATURE(.seal = {.maker = p->maker_revoked}), "REVOKED",
	      "maker_revocation=MAKER_CERT_REVOKED", "the maker of the seal was revoked before it was used");
	doubt(&signatures, "sig-maker-untrusted", SIGNATURE(.seal = {.maker = p->maker_strange}),
	      "NO_CERTIFICATE_CHAIN_FOUND", "maker_chain=MAKER_CERT_CHAIN maker_revocation=CANNOT_JUDGE",
	      "the seal's maker is not trusted");
	doubt(&signatures, "sig-maker-usage", SIGNATURE(.seal = {.maker = p->maker_usage}), rules,
	      "maker_key_usage=MAKER_CERT_KEYUSAGE", "the maker's key is for encryption");
	fault(&signatures, "sig-signer-no-cert", SIGNATURE(.signer_bytes = span_str("no certificate")), "FORMAT_FAILURE",
	      "+signer_certificate=SIGNER_CERT_UNREADABLE signature_algorithm=CANNOT_JUDGE signature_value=CANNOT_JUDGE "
	      "signer_in_seal=SIGNER_NOT_IN_SEAL signer_chain=CANNOT_JUDGE signer_key_usage=CANNOT_JUDGE "
	      "signer_purpose=CANNOT_JUDGE signer_revocation=CANNOT_JUDGE signer_period=CANNOT_JUDGE",
	      "the signer's certificate cannot be read");
}

/* ---- time stamps ------------------------------------------------------------------------------------------------- */

#define STAMP(...)                                                                                                     \
	.stamp = S_GOOD, .stamp_wish = &(struct stamp_wish)                                                                \
	{                                                                                                                  \
		__VA_ARGS__                                                                                                    \
	}
#define NOT_COUNTED " timestamp=TS_NOT_COUNTED time=TIME_CLAIMED_ONLY"

/* What a policy refuses in a token makes it count for nothing. */
static void refused(const char *id, const char *codes)
{
	add_row(&(struct row){.id = arena_printf(mem(), "%s-refused", id),
	                      .file = arena_printf(mem(), "files/%s.dat", id),
	                      .kind = "stamped",
	                      .data = DATA,
	                      .policy = "policies/refuse.ini",
	                      .sub = "FORMAT_FAILURE",
	                      .codes = codes,
	                      .about = "the same where the policy refuses it"});
}

static void stamp_cases(void)
{
	const struct people *p = people();

	good(&stamped, "stamp-good", SIGNATURE(.stamp = S_GOOD), NULL, "a time stamp over the signature value");
	good(&stamped, "stamp-rsa",
	     SIGNATURE(STAMP(.tsa = new_actor(&(struct cert_wish){
	                         .name = "时间戳 RSA",
	                         .issuer = p->root,
	                         .purpose = "critical,timeStamping",
	                         .key = KEY_FORM_RSA,
	                     }),
	                     .md = EVP_sha256())),
	     NULL, "the same with RSA and SHA-256");
	fault(&stamped, "stamp-imprint", SIGNATURE(STAMP(.wrong_imprint = true)), "HASH_FAILURE",
	      "timestamp_imprint=TS_IMPRINT_MISMATCH" NOT_COUNTED, "the time stamp is for something else");
	fault(&stamped, "stamp-value", SIGNATURE(STAMP(.flip_value = true)), "SIG_CRYPTO_FAILURE",
	      "timestamp_value=TS_BAD" NOT_COUNTED, "one bit of the token's value is turned over");
	fault(&stamped, "stamp-content", SIGNATURE(STAMP(.wrong_content = true)), "HASH_FAILURE",
	      "timestamp_content=TS_CONTENT_MISMATCH" NOT_COUNTED, "the token is signed over another TSTInfo");
	good(&stamped, "stamp-before-claim", SIGNATURE(STAMP(.time = "20240501000000")), "+time=TS_BEFORE_CLAIM",
	     "the time stamp is older than the claimed time");
	good(&stamped, "stamp-no-cert", SIGNATURE(STAMP(.no_cert = true)),
	     "+timestamp_certificate=TSA_CERT_MISSING timestamp_algorithm=CANNOT_JUDGE timestamp_value=CANNOT_JUDGE "
	     "timestamp_chain=CANNOT_JUDGE timestamp_key_usage=CANNOT_JUDGE timestamp_purpose=CANNOT_JUDGE "
	     "timestamp_revocation=CANNOT_JUDGE timestamp_period=CANNOT_JUDGE" NOT_COUNTED,
	     "the authority's certificate is neither in the token nor trusted");
	good(&stamped, "stamp-purpose", SIGNATURE(STAMP(.tsa = p->tsa_plain)),
	     "timestamp_purpose=TSA_CERT_PURPOSE" NOT_COUNTED, "the authority's certificate lacks the purpose");
	good(&stamped, "stamp-untrusted", SIGNATURE(STAMP(.tsa = p->tsa_strange)),
	     "timestamp_chain=TSA_CERT_CHAIN timestamp_revocation=CANNOT_JUDGE" NOT_COUNTED,
	     "the authority is not trusted");
	good(&stamped, "stamp-expired", SIGNATURE(STAMP(.tsa = p->tsa_expired)),
	     "timestamp_period=TIME_OUTSIDE_CERT" NOT_COUNTED, "stamped after the authority's certificate had ended");
	good(&stamped, "stamp-response", SIGNATURE(STAMP(.response = true)), "+form=TS_WHOLE_RESPONSE",
	     "the whole response in place of the token");
	good(&stamped, "stamp-no-signing-cert", SIGNATURE(STAMP(.no_signing_cert = true)), "+form=TS_NO_SIGNING_CERT",
	     "the token does not name its authority's certificate");
	refused("stamp-response", "+form=TS_WHOLE_RESPONSE" NOT_COUNTED);
	refused("stamp-no-signing-cert", "+form=TS_NO_SIGNING_CERT" NOT_COUNTED);
	deviation(&stamped, "stamp-untagged", SIGNATURE(.stamp = S_UNTAGGED), "+form=TS_UNTAGGED",
	          "the time stamp lacks its tag [0]");
	deviation(&stamped, "stamp-implicit", SIGNATURE(.stamp = S_IMPLICIT), "+form=TS_UNTAGGED",
	          "the time stamp is tagged [0] IMPLICIT");
	good(&stamped, "stamp-seal-ended-since", SIGNATURE(.stamp = S_GOOD, .seal = {.to = "20240901000000"}), NULL,
	     "the seal has ended since, and the time stamp proves that it was used before");
	good(&stamped, "stamp-revoked-after",
	     SIGNATURE(.stamp = S_GOOD, .signer = p->signer_revoked, .seal = {.listed = p->signer_revoked}),
	     "signer_revocation=SIGNER_CERT_REVOKED_AFTER", "the signer was revoked after the time stamp");
	fault(
	    &stamped, "stamp-revoked-before",
	    SIGNATURE(STAMP(.time = "20241001000000"), .signer = p->signer_revoked, .seal = {.listed = p->signer_revoked}),
	    "REVOKED", "signer_revocation=SIGNER_CERT_REVOKED_BEFORE",
	    "the claimed time lies before the revocation, the time stamp after it");
	good(&stamped, "stamp-proves",
	     SIGNATURE(.stamp = S_GOOD, .signer = p->signer_expired, .seal = {.listed = p->signer_expired}), NULL,
	     "the signer's certificate has ended since, after the time stamp");
}

void signature_cases(void)
{
	cases_in_all();
	quirk_cases();
	trimmed_hash();
	structure_cases();
	list_cases();
	algorithm_cases();
	time_cases();
	people_cases();
	stamp_cases();
}
