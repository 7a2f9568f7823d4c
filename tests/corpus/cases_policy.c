/* The same files under other policies. The policies that are shipped are meant as they are; others are in policies/. */
#include "tests/corpus/helpers.h"

static void put_policy(const char *name, const char *rules)
{
	put_file(arena_printf(mem(), "policies/%s.ini", name),
	         span_str(arena_printf(mem(), "[policy]\nname = %s\nversion = 1\n\n%s", name, rules)));
}

static void under(const char *id, const char *file, const char *kind, const char *policy, const char *sub,
                  const char *codes, const char *about)
{
	add_row(&(struct row){.id = id,
	                      .file = file,
	                      .kind = kind,
	                      .data = strstr(file, ".dat") != NULL ? "data.txt" : NULL,
	                      .policy = policy,
	                      .indication = sub != NULL ? "INDETERMINATE" : NULL,
	                      .sub = sub,
	                      .codes = codes,
	                      .about = about});
}

void policy_cases(void)
{
	static const char poe[] = "OUT_OF_BOUNDS_NO_POE", sig[] = "files/sig-v4-good.dat";

	put_policy("everything", "[coverage]\nrequire = all\n");
	put_policy("nothing", "[coverage]\nrequire = off\n");
	put_policy("maker-elsewhere", "[trust]\nmaker = ../trust/other\n");
	put_policy("signer-elsewhere", "[trust]\nsigner = ../trust/other\n");
	put_policy("tsa-elsewhere", "[trust]\ntsa = ../trust/other\n");
	put_policy("fresh", "[revocation]\ncheck = required\nmax_age_days = 1\n");

	under("policy-archive", sig, "signature", "archive", poe, "time=TIME_NOT_PROVEN",
	      "archive asks for a time stamp, and there is none");
	under("policy-archive-stamped", "files/stamp-good.dat", "stamped", "archive", NULL, NULL,
	      "archive, with a time stamp");
	under("policy-archive-alg", "files/sig-alg-wrong.dat", "signature", "archive", poe,
	      "time=TIME_NOT_PROVEN signature_algorithm=ALG_MISLABELLED", "archive takes a wrong identifier as it is");
	under("policy-strict-old-list", sig, "signature", "strict", "TRY_LATER",
	      "maker_revocation=MAKER_CERT_UNKNOWN_STATUS signer_revocation=SIGNER_CERT_UNKNOWN_STATUS",
	      "strict does not take a revocation list of 2024");
	under("policy-fresh", sig, "signature", "policies/fresh.ini", "TRY_LATER",
	      "maker_revocation=MAKER_CERT_UNKNOWN_STATUS signer_revocation=SIGNER_CERT_UNKNOWN_STATUS",
	      "the revocation list is older than the policy allows");
	under("policy-no-sm2", sig, "signature", "policies/no-sm2.ini", "CRYPTO_CONSTRAINTS_FAILURE",
	      "signature_algorithm=ALG_REFUSED seal_algorithm=ALG_REFUSED", "the policy takes no SM2");
	under("policy-maker", sig, "signature", "policies/maker-elsewhere.ini", "NO_CERTIFICATE_CHAIN_FOUND",
	      "maker_chain=MAKER_CERT_CHAIN maker_revocation=CANNOT_JUDGE", "others are trusted as makers of seals");
	under("policy-signer", sig, "signature", "policies/signer-elsewhere.ini", "NO_CERTIFICATE_CHAIN_FOUND",
	      "signer_chain=SIGNER_CERT_CHAIN signer_revocation=CANNOT_JUDGE", "others are trusted as signers");
	under("policy-tsa", "files/stamp-good.dat", "stamped", "policies/tsa-elsewhere.ini", NULL,
	      "timestamp_chain=TSA_CERT_CHAIN timestamp_revocation=CANNOT_JUDGE timestamp=TS_NOT_COUNTED "
	      "time=TIME_CLAIMED_ONLY",
	      "others are trusted as time stamp authorities");
	under("policy-cover-all", "files/ofd-stray-file.ofd", "ofd", "policies/everything.ini", "SIG_CONSTRAINTS_FAILURE",
	      "coverage=UNCOVERED", "the policy asks that every file be protected");
	under("policy-cover-off", "files/ofd-page-left-out.ofd", "ofd", "policies/nothing.ini", NULL, "coverage=UNCOVERED",
	      "the policy does not ask what is protected");
}
