/* Bare seals: "is it good for use at this time?" */
#include <string.h>

#include "tests/corpus/helpers.h"

static const struct family seals = {"seal", NULL, "esl"};

static const int versions[] = {1, 4, 5};

#define EACH_VERSION(i) for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)

/* ---- values --------------------------------------------------------------------------------------------------------
 */

struct value_case {
	const char *id, *about;
	struct seal_wish wish;
};

/* Something was changed after the maker signed, or signed otherwise than it must be. */
static const struct value_case bad_values[] = {
    {"seal-v#-picture-bit", "one bit of the picture is turned over", {.flip = "PICTURE-BYTES"}},
    {"seal-v#-name-bit", "one bit of the seal's name is turned over", {.flip = "NAME"}},
    {"seal-v#-id-bit", "one bit of esID is turned over", {.flip = "SEAL-0001"}},
    {"seal-v#-list-bit", "one bit of the listed certificate is turned over", {.flip = "签章者"}},
    {"seal-v#-end-bit", "the end of the seal's validity is moved", {.flip = "41231000000Z"}},
    {"seal-v#-value-bit", "one bit of the maker's signature value is turned over", {.value = VALUE_FLIP}},
    {"seal-v#-other-key", "signed with another key than the certificate's", {.value = VALUE_OTHER_KEY}},
    {"seal-v#-empty-id",
     "signed with the empty SM2 identity (the default of a widely used library)",
     {.value = VALUE_EMPTY_ID}},
    {"seal-v#-other-id", "signed with the identity of the standard's example", {.value = VALUE_OTHER_ID}},
    {"seal-v#-no-value", "the signature value is empty", {.value = VALUE_EMPTY}},
};

static void value_cases(void)
{
	for (size_t k = 0; k < sizeof(bad_values) / sizeof(bad_values[0]); k++)
		EACH_VERSION(i)
		{
			struct seal_wish w = bad_values[k].wish;
			w.version = versions[i];
			fault(&seals, named(bad_values[k].id, versions[i]), new_seal(&w), "SIG_CRYPTO_FAILURE",
			      w.value == VALUE_EMPTY_ID ? "seal_signature=SM2_ID_EMPTY" : "seal_signature=SEAL_SIG_BAD",
			      bad_values[k].about);
		}
}

/* ---- what is found in the field ---------------------------------------------------------------------------------- */

static const struct quirk {
	const char *id, *codes, *about;
	struct seal_wish wish;
} quirks[] = {
    {"seal-value-raw", "+form=VALUE_RAW", "the value is r||s of 64 bytes", {.value = VALUE_RAW64}},
    {"seal-value-negative", "+form=VALUE_NEGATIVE", "r lacks the zero that makes it positive", {.value = VALUE_MINUS}},
    {"seal-value-padded", "+form=VALUE_PADDED", "r has a zero too many", {.value = VALUE_PAD}},
    {"seal-value-trailing", "+form=VALUE_TRAILING", "a byte follows the SEQUENCE of r and s", {.value = VALUE_TAIL}},
    {"seal-value-octets", "+form=VALUE_OCTETS", "the value is an OCTET STRING", {.value = VALUE_IN_OCTETS}},
    {"seal-value-trimmed", "+form=BITS_TRIMMED", "the zero byte at the value's end is cut off", {.value = VALUE_CUT}},
    {"seal-time-type", "+form=TIME_TYPE", "createDate is a UTCTime", {.times = T_OTHER_TYPE}},
    {"seal-v1-time-type",
     "+form=TIME_TYPE",
     "createDate of version 1 is a GeneralizedTime",
     {.version = 1, .times = T_OTHER_TYPE}},
    {"seal-time-octets", "+form=TIME_WRAPPED", "createDate stands in an OCTET STRING", {.times = T_OCTETS}},
    {"seal-time-bits", "+form=TIME_WRAPPED", "createDate stands in a BIT STRING", {.times = T_BITS}},
    {"seal-time-text", "+form=TIME_TEXT", "createDate is written 2024-01-01T00:00:00Z", {.times = T_TEXT}},
    {"seal-time-no-zone", "+form=TIME_NO_ZONE", "createDate lacks its Z", {.times = T_NO_ZONE}},
    {"seal-time-two-digits",
     "+form=TIME_TWO_DIGIT_YEAR",
     "createDate is a GeneralizedTime with a year of two digits",
     {.times = T_TWO_DIGITS}},
    {"seal-time-fraction", "+form=TIME_FRACTION", "createDate has fractions of a second", {.times = T_FRACTION}},
    {"seal-time-offset", "+form=TIME_OFFSET", "createDate has an offset in place of Z", {.times = T_OFFSET}},
    {"seal-list-type-1",
     "+form=CERT_LIST_TYPE",
     "certListType 1 over a list of digests",
     {.list = L_SM3, .list_type = 1}},
    {"seal-list-type-2", "+form=CERT_LIST_TYPE", "certListType 2 over a list of certificates", {.list_type = 2}},
    {"seal-list-type-3", "+form=CERT_LIST_TYPE", "certListType 3, which is not defined", {.list_type = 3}},
    {"seal-list-type-absent", "+form=CERT_LIST_TYPE_ABSENT", "certListType is missing", {.list_type = -1}},
    {"seal-list-raw", "+form=CERT_RAW", "a listed certificate is not in an OCTET STRING", {.list = L_RAW}},
    {"seal-list-bare", "+form=CERT_LIST_BARE", "one certificate in place of the list", {.list = L_BARE}},
    {"seal-list-text", "+form=CERT_LIST_ITEM", "the list holds a name in place of a certificate", {.list = L_TEXT}},
    {"seal-ext-tagged", "+form=EXT_TAGGED", "extDatas carries a tag [0]", {.ext = E_TAGGED}},
    {"seal-ext-implicit",
     "+form=EXT_IMPLICIT +form=EXT_TAGGED",
     "extDatas is tagged [0] IMPLICIT",
     {.ext = E_IMPLICIT}},
    {"seal-ext-wrapped", "+form=EXT_WRAPPED", "extDatas stands in an OCTET STRING", {.ext = E_WRAPPED}},
    {"seal-ext-default", "+form=EXT_DEFAULT_ENCODED", "critical FALSE is written out", {.ext = E_DEFAULT}},
    {"seal-ext-audit", "+form=EXT_CRITICAL_AUDIT", "a critical audit identity", {.ext = E_AUDIT}},
    {"seal-cert-raw", "+form=CERT_RAW", "the maker's certificate is not in an OCTET STRING", {.cert_raw = true}},
    {"seal-alg-sequence", "+form=ALG_SEQUENCE", "the algorithm is an AlgorithmIdentifier", {.alg_sequence = true}},
    {"seal-text-type", "+form=TEXT_TYPE", "Vid is a UTF8String", {.text_type = true}},
    {"seal-text-charset",
     "+form=TEXT_CHARSET",
     "Vid is an IA5String with other bytes than ASCII",
     {.text_charset = true}},
    {"seal-v1-sign-info-wrapped",
     "+form=SIGN_INFO_WRAPPED",
     "signInfo stands in a BIT STRING",
     {.version = 1, .sign_info_wrapped = true}},
    {"seal-v1-header",
     "+form=HEADER_VERSION",
     "a seal of version 1 whose header says 4",
     {.version = 1, .header_version = 4}},
    {"seal-header-1", "+form=HEADER_VERSION", "a seal of version 4 whose header says 1", {.header_version = 1}},
};

static void quirk_cases(void)
{
	for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++)
		deviation(&seals, quirks[i].id, new_seal(&quirks[i].wish), quirks[i].codes, quirks[i].about);
	deviation(&seals, "seal-trailing", joined(SEAL(0), span_str("trailing")), "+form=TRAILING_BYTES",
	          "bytes follow the seal");
	deviation(&seals, "seal-ber-indefinite", in_ber(SEAL(0), BER_INDEFINITE),
	          "+form=BER_LENGTHS +form=BER_SIGNED_AS_DER", "BER with indefinite lengths, signed over the DER form");
	deviation(&seals, "seal-ber-long", in_ber(SEAL(0), BER_LONG), "+form=BER_LENGTHS +form=BER_SIGNED_AS_DER",
	          "BER with lengths of four octets, signed over the DER form");
	deviation(&seals, "seal-ber-strings", in_ber(SEAL(0), BER_PARTS), "+form=BER_STRINGS +form=BER_SIGNED_AS_DER",
	          "BER with OCTET STRINGs in parts, signed over the DER form");
	deviation(&seals, "seal-ber-signed", SEAL(.ber_signed = true), "+form=BER_LENGTHS +form=BER_SIGNED_AS_RECEIVED",
	          "SES_SealInfo in BER, and signed as such");
}

/* ---- dates, lists, extensions, algorithms ------------------------------------------------------------------------ */

static void date_cases(void)
{
	doubt(&seals, "seal-expired", SEAL(.to = "20241001000000"), "OUT_OF_BOUNDS_NO_POE", "seal_period=SEAL_EXPIRED",
	      "the seal has ended");
	fault(&seals, "seal-not-yet", SEAL(.from = "20250601000000"), "NOT_YET_VALID", "seal_period=SEAL_NOT_YET_VALID",
	      "the seal has not begun");
	fault(&seals, "seal-created-later", SEAL(.created = "20250601000000"), "NOT_YET_VALID",
	      "seal_dates=SEAL_CREATED_LATER", "createDate lies after the time of use");
	doubt(&seals, "seal-ends-today", SEAL(.to = "20241231235958"), "OUT_OF_BOUNDS_NO_POE", "seal_period=SEAL_EXPIRED",
	      "the seal ended a second before the last second that is in question");
	good(&seals, "seal-last-second", SEAL(.to = "20250101000000"), NULL, "the last second of the seal still counts");
	good(&seals, "seal-first-second", SEAL(.from = "20250101000000"), NULL, "the first second of the seal counts");
	add_case((struct row){.id = "seal-dates-reversed",
	                      .kind = "seal",
	                      .sub = "SIG_CONSTRAINTS_FAILURE",
	                      .codes = "seal_dates=SEAL_DATES_WRONG seal_period=SEAL_NOT_YET_VALID",
	                      .about = "the seal ends before it begins"},
	         SEAL(.from = "20290101000000", .to = "20280101000000"));
}

static void structure_cases(void)
{
	static const struct {
		const char *id, *code, *about;
		struct seal_wish wish;
	} bad[] = {
	    {"seal-time-nonsense", "only structure=FORMAT", "createDate is no time", {.times = T_NONSENSE}},
	    {"seal-many-certs", "only structure=TOO_LARGE", "65 listed certificates", {.list = L_MANY}},
	    {"seal-many-exts", "only structure=TOO_LARGE", "65 extensions", {.ext = E_MANY}},
	    {"seal-big-picture", "only structure=TOO_LARGE", "a picture of more than 2 MiB", {.big_picture = true}},
	    {"seal-version-9", "only structure=UNSUPPORTED_VERSION", "the header says version 9", {.header_version = 9}},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		fault(&seals, bad[i].id, new_seal(&bad[i].wish), "FORMAT_FAILURE", bad[i].code, bad[i].about);
	good(&seals, "seal-list-digests", SEAL(.list = L_SM3), NULL, "a list of digests, certListType 2");
	fault(&seals, "seal-ext-critical", SEAL(.ext = E_CRITICAL), "SIG_CONSTRAINTS_FAILURE",
	      "seal_extensions=CRITICAL_EXT_UNKNOWN", "an unknown critical extension");
	good(&seals, "seal-ext", SEAL(.ext = E_GOOD), NULL, "an extension that need not be understood");
	fault(&seals, "seal-maker-no-cert", SEAL(.maker_bytes = span_str("no certificate")), "FORMAT_FAILURE",
	      "only structure=OK maker_certificate=MAKER_CERT_UNREADABLE seal_algorithm=CANNOT_JUDGE "
	      "seal_signature=CANNOT_JUDGE maker_chain=CANNOT_JUDGE maker_key_usage=CANNOT_JUDGE "
	      "maker_purpose=CANNOT_JUDGE maker_revocation=CANNOT_JUDGE maker_period=CANNOT_JUDGE seal_period=OK "
	      "seal_dates=OK seal_extensions=OK",
	      "the maker's certificate cannot be read");
}

static void truncated_cases(void)
{
	struct span whole = SEAL(0);
	static const size_t permille[] = {5, 100, 300, 500, 700, 900, 980};

	for (size_t i = 0; i < sizeof(permille) / sizeof(permille[0]); i++)
		fault(&seals, arena_printf(mem(), "seal-cut-%zu", permille[i]),
		      span_sub(whole, 0, whole.len * permille[i] / 1000 + 12), "FORMAT_FAILURE", "only structure=FORMAT",
		      arena_printf(mem(), "cut off after %zu thousandths", permille[i]));
}

static void algorithm_cases(void)
{
	static const char *const wrong[] = {"1.2.156.10197.501", "1.2.156.10197.1.301", "1.2.156.10197.1.301.1"};

	for (size_t i = 0; i < 3; i++) {
		const char *id = arena_printf(mem(), "seal-alg-wrong-%zu", i + 1);
		struct span bytes = SEAL(.alg = wrong[i]);

		doubt(&seals, id, bytes, "CRYPTO_CONSTRAINTS_FAILURE", "seal_algorithm=ALG_MISLABELLED",
		      arena_printf(mem(), "a sound SM2 value under the identifier %s", wrong[i]));
		add_row(&(struct row){.id = arena_printf(mem(), "%s-accepted", id),
		                      .file = arena_printf(mem(), "files/%s.esl", id),
		                      .kind = "seal",
		                      .policy = "policies/accept.ini",
		                      .codes = "seal_algorithm=ALG_MISLABELLED",
		                      .about = "the same where the policy accepts it"});
	}
	doubt(&seals, "seal-alg-rsa", SEAL(.alg = "1.2.840.113549.1.1.11"), "CRYPTO_CONSTRAINTS_FAILURE",
	      "seal_algorithm=UNSUPPORTED_ALG seal_signature=CANNOT_JUDGE", "an SM2 value under the identifier of RSA");
	add_case((struct row){.id = "seal-alg-ended",
	                      .kind = "seal",
	                      .policy = "policies/sm2-ended.ini",
	                      .indication = "INDETERMINATE",
	                      .sub = "CRYPTO_CONSTRAINTS_FAILURE",
	                      .codes = "seal_algorithm=ALG_REFUSED",
	                      .about = "the policy's date for the algorithm is past"},
	         SEAL(0));
}

/* ---- the maker --------------------------------------------------------------------------------------------------- */

static void maker_cases(void)
{
	const struct people *p = people();
	static const char unclear[] = "NO_CERTIFICATE_CHAIN_FOUND", rules[] = "CHAIN_CONSTRAINTS_FAILURE";

	doubt(&seals, "seal-maker-untrusted", SEAL(.maker = p->maker_strange), unclear,
	      "maker_chain=MAKER_CERT_CHAIN maker_revocation=CANNOT_JUDGE", "the maker's issuer is not trusted");
	doubt(&seals, "seal-maker-usage", SEAL(.maker = p->maker_usage), rules, "maker_key_usage=MAKER_CERT_KEYUSAGE",
	      "the maker's key is for encryption");
	doubt(&seals, "seal-maker-purpose", SEAL(.maker = p->maker_purpose), rules, "maker_purpose=MAKER_CERT_PURPOSE",
	      "the maker's certificate is for receipts of a service alone");
	fault(&seals, "seal-maker-revoked", SEAL(.maker = p->maker_revoked), "REVOKED",
	      "maker_revocation=MAKER_CERT_REVOKED", "the maker's certificate is revoked");
	doubt(&seals, "seal-v4-maker-expired", SEAL(.maker = p->maker_expired), "OUT_OF_BOUNDS_NO_POE",
	      "maker_period=MAKER_CERT_EXPIRED_SINCE", "the maker's certificate has ended since");
	good(&seals, "seal-v5-maker-expired", SEAL(.version = 5, .maker = p->maker_expired),
	     "maker_period=MAKER_CERT_EXPIRED_SINCE", "the same in version 5, which only takes note of it");
	fault(&seals, "seal-maker-ended-before", SEAL(.maker = p->maker_expired, .created = "20241001000000"), "EXPIRED",
	      "maker_period=MAKER_CERT_TIME", "made after the maker's certificate had ended");
	good(&seals, "seal-v4-before-maker", SEAL(.maker = p->maker_young), "maker_period=SEAL_BEFORE_MAKER_CERT",
	     "made before the maker's certificate began, of which older standards do not speak");
	add_row(&(struct row){.id = "seal-v4-before-maker-refused",
	                      .file = "files/seal-v4-before-maker.esl",
	                      .kind = "seal",
	                      .policy = "policies/refuse.ini",
	                      .sub = "NOT_YET_VALID",
	                      .codes = "maker_period=MAKER_CERT_TIME",
	                      .about = "the same where the policy refuses it"});
	fault(&seals, "seal-v5-before-maker", SEAL(.version = 5, .maker = p->maker_young), "NOT_YET_VALID",
	      "maker_period=MAKER_CERT_TIME", "the same in version 5, which forbids it");
	good(&seals, "seal-v5-revoked-since", SEAL(.version = 5, .maker = p->maker_revoked),
	     "maker_revocation=MAKER_CERT_REVOKED_AFTER", "version 5: revoked after the seal was made");
	fault(&seals, "seal-v5-revoked-before", SEAL(.version = 5, .maker = p->maker_revoked, .created = "20240301000000"),
	      "REVOKED", "maker_revocation=MAKER_CERT_REVOKED", "version 5: revoked before the seal was made");
}

static void trust_row(const char *id, const char *trust, const char *policy, const char *sub, const char *codes,
                      const char *about)
{
	add_row(&(struct row){.id = id,
	                      .file = "files/seal-v4-good.esl",
	                      .kind = "seal",
	                      .trust = trust,
	                      .policy = policy,
	                      .indication = sub != NULL ? "INDETERMINATE" : NULL,
	                      .sub = sub,
	                      .codes = codes,
	                      .about = about});
}

static void trust_cases(void)
{
	trust_row("seal-trust-none", "-", NULL, "NO_CERTIFICATE_CHAIN_FOUND",
	          "maker_chain=TRUST_EMPTY maker_revocation=CANNOT_JUDGE", "nobody is trusted");
	trust_row("seal-trust-other", "trust/other", NULL, "NO_CERTIFICATE_CHAIN_FOUND",
	          "maker_chain=MAKER_CERT_CHAIN maker_revocation=CANNOT_JUDGE", "others are trusted");
	trust_row("seal-no-crl", "trust/root", NULL, NULL, "maker_revocation=MAKER_CERT_UNKNOWN_STATUS",
	          "no revocation list at hand, and the policy does not insist");
	trust_row("seal-no-crl-required", "trust/root", "policies/required.ini", "TRY_LATER",
	          "maker_revocation=MAKER_CERT_UNKNOWN_STATUS", "no revocation list at hand, and the policy insists");
	trust_row("seal-revocation-off", "trust/good", "policies/off.ini", NULL, "maker_revocation=REVOCATION_OFF",
	          "the policy looks at no revocation");
}

static void stamp_cases(void)
{
	good(&seals, "seal-v5-stamped", SEAL(.version = 5, .stamped = true), "+timestamp=OK +seal_time=OK",
	     "version 5 with a time stamp");
	fault(&seals, "seal-v5-stamp-early", SEAL(.version = 5, .stamped = true, .stamp_time = "20231201000000"),
	      "SIG_CONSTRAINTS_FAILURE", "+timestamp=OK +seal_time=TS_BEFORE_CREATE",
	      "version 5: the time stamp is older than createDate");
	deviation(&seals, "seal-v4-stamped", SEAL(.stamped = true), "+form=TS_IN_V4_SEAL +timestamp=OK +seal_time=OK",
	          "version 4 with the time stamp that only version 5 has");
}

void seal_cases(void)
{
	stamp_cases();
	EACH_VERSION(i)
	good(&seals, named("seal-v#-good", versions[i]), SEAL(.version = versions[i]), NULL, "nothing is wrong");
	value_cases();
	quirk_cases();
	date_cases();
	structure_cases();
	truncated_cases();
	algorithm_cases();
	maker_cases();
	trust_cases();
}
