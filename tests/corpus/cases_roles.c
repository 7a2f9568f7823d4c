/* The same faults above every certificate that counts: seal maker, time stamp authority, service. */
#include <string.h>

#include "base/clock.h"
#include "form/receipt.h"
#include "tests/corpus/helpers.h"

#define CERT(...)   new_actor(&(struct cert_wish){__VA_ARGS__})
#define NOT_COUNTED " timestamp=TS_NOT_COUNTED time=TIME_CLAIMED_ONLY"

struct role {
	const char *name, *kind, *steps, *codes; /* "maker", "seal", "maker", "MAKER" */
	const char *usage, *purpose;
};

static const struct role maker = {"maker", "seal", "maker", "MAKER", NULL, NULL};
static const struct role tsa = {
    "tsa", "stamped", "timestamp", "TSA", "critical,digitalSignature", "critical,timeStamping"};
static const struct role service = {"service",   "receipt", "statement",
                                    "STATEMENT", NULL,      "critical,2.25.105039159541296996231050704801945025399.1"};

/* What stands under the role's certificate, sound but for that. */
static struct span made_by(const struct role *r, const struct actor *who)
{
	if (r == &maker)
		return SEAL(.maker = who);
	if (r == &service)
		return new_receipt(who, RECEIPT_TYPE, receipt_payload("2024-06-01"));
	return SIGNATURE(.stamp = S_GOOD, .stamp_wish = &(struct stamp_wish){.tsa = who});
}

/* A fault of the file for maker and service; a time stamp of doubtful authority does not count, and that is all. */
static void add(const struct role *r, const char *fault, struct row row, const char *chain, const char *revocation,
                struct span bytes)
{
	row.id = arena_printf(mem(), "%s-%s", r->name, fault);
	row.kind = r->kind;
	row.data = r == &tsa ? "data.txt" : NULL;
	row.codes = arena_printf(mem(), "%s_chain=%s %s_revocation=%s%s", r->steps, chain, r->steps, revocation,
	                         r == &tsa ? NOT_COUNTED : "");
	if (r == &tsa)
		row.indication = row.sub = NULL;
	add_case(row, bytes);
}

struct above {
	const char *fault, *sub, *code, *about;
	struct cert_wish ca;
	bool sha1, judged; /* a link with SHA-1; revocation can be judged */
};

static const struct above faults[] = {
    {"ca-expired",
     "NO_CERTIFICATE_CHAIN_FOUND",
     "ISSUER_TIME",
     "the CA above had ended",
     {.ca = true, .to = "20230601000000Z"},
     false,
     true},
    {"no-ca", "CHAIN_CONSTRAINTS_FAILURE", "CONSTRAINTS", "the issuer above is no CA", {.ca = false}, false, true},
    {"sha1",
     "CRYPTO_CONSTRAINTS_FAILURE",
     "ALGORITHM",
     "a link with SHA-1",
     {.ca = true, .key = KEY_FORM_RSA},
     true,
     false},
};

static void above_cases(const struct role *r)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct above *f = &faults[i];
		struct cert_wish wish = f->ca;
		const char *set = arena_printf(mem(), "trust/%s-%s", r->name, f->fault);
		struct actor *ca, *who;

		wish.name = arena_printf(mem(), "CA %s %s", r->name, f->fault);
		wish.issuer = f->sha1 ? NULL : people()->root;
		ca = new_actor(&wish);
		who = CERT(.name = wish.name + 3, .issuer = ca, .usage = r->usage, .purpose = r->purpose,
		           .md = f->sha1 ? EVP_sha1() : NULL);
		put_file(arena_printf(mem(), "%s/ca.crt", set), ca->der);
		add(r, f->fault,
		    (struct row){.trust = arena_printf(mem(), "trust/good,%s", set),
		                 .indication = "INDETERMINATE",
		                 .sub = f->sub,
		                 .about = arena_printf(mem(), "%s: %s", r->name, f->about)},
		    arena_printf(mem(), "%s_CERT_%s", r->codes, f->code),
		    f->judged ? arena_printf(mem(), "%s_CERT_UNKNOWN_STATUS", r->codes) : "CANNOT_JUDGE", made_by(r, who));
	}
}

/* Revoked before or after what it signed on the first of June. */
static void revoked(const struct role *r, const char *fault, const char *at, struct row row, const char *code)
{
	struct actor *who = CERT(.name = arena_printf(mem(), "%s %s", r->name, fault), .issuer = people()->root,
	                         .usage = r->usage, .purpose = r->purpose);
	const char *set = arena_printf(mem(), "trust/%s-%s", r->name, fault);

	put_file(arena_printf(mem(), "%s/root.crl", set),
	         new_crl(&(struct crl_wish){
	             .issuer = people()->root, .revoked = {who}, .revoked_at = {at}, .from = "20241001000000Z"}));
	row.trust = arena_printf(mem(), "trust/good,%s", set);
	row.about = arena_printf(mem(), "%s: revoked %s", r->name, at);
	add(r, fault, row, "OK", code, made_by(r, who));
}

static void usage(const struct role *r)
{
	struct actor *who = CERT(.name = arena_printf(mem(), "%s 用法", r->name), .issuer = people()->root,
	                         .usage = "critical,keyEncipherment", .purpose = r->purpose);

	add_case((struct row){.id = arena_printf(mem(), "%s-usage", r->name),
	                      .kind = r->kind,
	                      .data = r == &tsa ? "data.txt" : NULL,
	                      .indication = r == &tsa ? NULL : "INDETERMINATE",
	                      .sub = r == &tsa ? NULL : "CHAIN_CONSTRAINTS_FAILURE",
	                      .codes = arena_printf(mem(), "%s_key_usage=%s_CERT_KEYUSAGE%s", r->steps, r->codes,
	                                            r == &tsa ? NOT_COUNTED : ""),
	                      .about = arena_printf(mem(), "%s: the key is for encryption", r->name)},
	         made_by(r, who));
}

static void anchor_usage(void)
{
	struct actor *root = CERT(.name = "根 用法", .ca = true, .no_ca_usage = true);
	struct row row = {.id = "anchor-usage",
	                  .kind = "seal",
	                  .trust = "trust/anchor-usage",
	                  .codes = "maker_chain=ANCHOR_KEYUSAGE maker_revocation=MAKER_CERT_UNKNOWN_STATUS",
	                  .about = "the anchor's own key usage lacks keyCertSign"};

	put_file("trust/anchor-usage/root.crt", root->der);
	add_case(row, SEAL(.maker = CERT(.name = "制章者 根用法", .issuer = root)));
	row.id = "anchor-usage-refused";
	row.file = "files/anchor-usage.esl";
	row.policy = "policies/refuse.ini";
	row.indication = "INDETERMINATE";
	row.sub = "CHAIN_CONSTRAINTS_FAILURE";
	row.about = "the same where the policy refuses it";
	add_row(&row);
}

static void no_list(void)
{
	add_row(&(struct row){.id = "tsa-no-crl",
	                      .file = "files/stamp-good.dat",
	                      .kind = "stamped",
	                      .data = "data.txt",
	                      .trust = "trust/root",
	                      .codes = "maker_revocation=MAKER_CERT_UNKNOWN_STATUS "
	                               "signer_revocation=SIGNER_CERT_UNKNOWN_STATUS "
	                               "timestamp_revocation=TSA_CERT_UNKNOWN_STATUS",
	                      .about = "no revocation list at hand, and the policy does not insist"});
	add_row(&(struct row){.id = "service-no-crl",
	                      .file = "files/receipt-good.cose",
	                      .kind = "receipt",
	                      .trust = "trust/root",
	                      .policy = "policies/required.ini",
	                      .indication = "INDETERMINATE",
	                      .sub = "TRY_LATER",
	                      .codes = "statement_revocation=STATEMENT_CERT_UNKNOWN_STATUS",
	                      .about = "no revocation list at hand, and the policy insists"});
}

void role_cases(void)
{
	const struct row doubtful = {.indication = "INDETERMINATE", .sub = "OUT_OF_BOUNDS_NO_POE"};

	above_cases(&maker);
	above_cases(&tsa);
	above_cases(&service);
	usage(&tsa);
	usage(&service);
	revoked(&tsa, "revoked-before", "20240301000000Z", doubtful, "TSA_CERT_REVOKED_BEFORE");
	revoked(&tsa, "revoked-after", "20240801000000Z", doubtful, "TSA_CERT_REVOKED_AFTER");
	revoked(&service, "revoked-after", "20240801000000Z", doubtful, "STATEMENT_CERT_REVOKED_AFTER");
	anchor_usage();
	no_list();
}
