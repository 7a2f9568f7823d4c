/* Makes the public negative corpus: make_corpus FOLDER. README.md says what is in it. */
#include <stdio.h>

#include "tests/corpus/corpus.h"

static void put_text(const char *name, const char *text)
{
	put_file(name, span_str(text));
}

/* What a policy file does not say is as in the default policy (docs/policy.md). */
static void put_policies(void)
{
	put_text("policies/refuse.ini", "[policy]\nname = refuse\nversion = 1\n\n[deviations]\ndefault = refuse\n"
	                                "ALG_MISLABELLED = refuse\n");
	put_text("policies/accept.ini", "[policy]\nname = accept\nversion = 1\n\n[deviations]\ndefault = accept\n"
	                                "ALG_MISLABELLED = accept\n");
	put_text("policies/required.ini", "[policy]\nname = required\nversion = 1\n\n[revocation]\ncheck = required\n");
	put_text("policies/off.ini", "[policy]\nname = off\nversion = 1\n\n[revocation]\ncheck = off\n");
	put_text("policies/stamped.ini", "[policy]\nname = stamped\nversion = 1\n\n[time]\nstamp = required\n");
	put_text("policies/no-sm2.ini", "[policy]\nname = no-sm2\nversion = 1\n\n[algorithms]\nSM2-SM3 = no\n");
	put_text("policies/sm2-ended.ini",
	         "[policy]\nname = sm2-ended\nversion = 1\n\n[algorithms]\nSM2-SM3 = until 2024-03-01\n");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_corpus FOLDER\n");
		return 64;
	}
	corpus_begin(argv[1]);
	put_text("data.txt", "the signed data\n");
	put_text("other.txt", "the signed data, changed\n");
	put_policies();
	seal_cases();
	signature_cases();
	chain_cases();
	cms_cases();
	ofd_cases();
	own_cases();
	role_cases();
	policy_cases();
	hostile_cases();
	write_table();
	return 0;
}
