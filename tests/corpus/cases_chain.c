/* Certificate paths and revocation, each under a signature of version 4 that is sound otherwise. */
#include <string.h>

#include "tests/corpus/helpers.h"

#define CERT(...) new_actor(&(struct cert_wish){__VA_ARGS__})
#define NO_PATH   "NO_CERTIFICATE_CHAIN_FOUND", "signer_chain=SIGNER_CERT_CHAIN signer_revocation=CANNOT_JUDGE"
#define RULES     "CHAIN_CONSTRAINTS_FAILURE"
#define UNKNOWN   " signer_revocation=SIGNER_CERT_UNKNOWN_STATUS"

enum { DEEP = 9, CHAIN_FULL = 6 };

static struct span signed_by(const struct actor *who, const char *time)
{
	return SIGNATURE(.signer = who, .seal = {.listed = who}, .time = time);
}

/* A file in the trust set of this case. */
static void trusted(const char *id, const char *name, struct span bytes)
{
	put_file(arena_printf(mem(), "trust/%s/%s", id, name), bytes);
}

/* The usual trust, and what was put into the case's own set. */
static struct row row_of(const char *id, const char *sub, const char *codes, const char *about)
{
	return (struct row){
	    .id = id,
	    .kind = "signature",
	    .data = "data.txt",
	    .trust = arena_printf(mem(), "trust/good,trust/%s", id),
	    .indication = sub != NULL ? "INDETERMINATE" : NULL,
	    .sub = sub,
	    .codes = codes,
	    .about = about,
	};
}

static void path(const char *id, const struct actor *leaf, const char *sub, const char *codes, const char *about)
{
	add_case(row_of(id, sub, codes, about), signed_by(leaf, NULL));
}

/* ---- below an intermediate -----------------------------------------------------------------------------------------
 */

/* A signer below a CA of this kind, the CA in the trust set. */
static void below(const char *id, struct cert_wish ca, const char *sub, const char *codes, const char *about)
{
	struct actor *issuer;

	ca.issuer = ca.issuer != NULL ? ca.issuer : people()->root;
	issuer = new_actor(&ca);
	trusted(id, "ca.crt", issuer->der);
	path(id, CERT(.name = "签章者 下级", .issuer = issuer), sub, codes, about);
}

static void intermediate_cases(void)
{
	below("chain-good", (struct cert_wish){.name = "下级 CA", .ca = true}, NULL, UNKNOWN,
	      "below an intermediate whose revocation list is not at hand");
	below("chain-no-ca", (struct cert_wish){.name = "不是 CA"}, RULES, "signer_chain=SIGNER_CERT_CONSTRAINTS" UNKNOWN,
	      "the issuer is no CA");
	below("chain-no-ca-usage", (struct cert_wish){.name = "CA 用法", .ca = true, .no_ca_usage = true}, RULES,
	      "signer_chain=SIGNER_CERT_CONSTRAINTS" UNKNOWN, "the CA's key is not for signing certificates");
	below("chain-ca-expired", (struct cert_wish){.name = "CA 过期", .ca = true, .to = "20240301000000Z"},
	      "NO_CERTIFICATE_CHAIN_FOUND", "signer_chain=SIGNER_CERT_ISSUER_TIME" UNKNOWN,
	      "the CA had ended at the time of signing");
	below("chain-ca-young", (struct cert_wish){.name = "CA 未生效", .ca = true, .from = "20240901000000Z"},
	      "NO_CERTIFICATE_CHAIN_FOUND", "signer_chain=SIGNER_CERT_ISSUER_TIME" UNKNOWN,
	      "the CA had not begun at the time of signing");
	below("chain-ca-extension", (struct cert_wish){.name = "CA 扩展", .ca = true, .odd_extension = "1.2.3.4.5"}, RULES,
	      "signer_chain=SIGNER_CERT_CONSTRAINTS" UNKNOWN, "the CA has an unknown critical extension");
	below("chain-ca-damaged", (struct cert_wish){.name = "CA 损坏", .ca = true, .bad_value = true},
	      "NO_CERTIFICATE_CHAIN_FOUND", "signer_chain=SIGNER_CERT_CHAIN signer_revocation=CANNOT_JUDGE",
	      "the signature on the CA's certificate is damaged");
	below("chain-ca-empty-id", (struct cert_wish){.name = "CA 空标识", .ca = true, .id = ""},
	      "NO_CERTIFICATE_CHAIN_FOUND", "signer_chain=SIGNER_CERT_CHAIN signer_revocation=CANNOT_JUDGE",
	      "the CA's certificate is signed with the empty SM2 identity");
	below("chain-ca-stranger", (struct cert_wish){.name = "CA 不受信任", .ca = true, .issuer = people()->stranger_root},
	      NO_PATH, "the CA's issuer is not trusted");
}

static void leaf_cases(void)
{
	const struct people *p = people();
	static const char odd[] = "signer_chain=SIGNER_CERT_CONSTRAINTS";

	trusted("chain-damaged", "root.crt", p->root->der);
	path("chain-damaged", CERT(.name = "签章者 损坏", .issuer = p->root, .bad_value = true), NO_PATH,
	     "the signature on the signer's certificate is damaged");
	trusted("chain-empty-id", "root.crt", p->root->der);
	path("chain-empty-id", CERT(.name = "签章者 空标识", .issuer = p->root, .id = ""), NO_PATH,
	     "the signer's certificate is signed with the empty SM2 identity");
	trusted("chain-extension", "root.crt", p->root->der);
	path("chain-extension", CERT(.name = "签章者 扩展", .issuer = p->root, .odd_extension = "1.2.3.4.5"), RULES, odd,
	     "the signer's certificate has an unknown critical extension");
	trusted("chain-name", "root.crt", p->root->der);
	path("chain-name", CERT(.name = "签章者 名称", .issuer = p->root, .issuer_name = "无此机构"), NO_PATH,
	     "no certificate bears the issuer's name");
	trusted("chain-self", "root.crt", p->root->der);
	path("chain-self", CERT(.name = "签章者 自签"), NO_PATH, "the signer's certificate is signed by itself");
}

/* ---- long and twisted paths ----------------------------------------------------------------------------------------
 */

static void long_path(const char *id, int length, const char *sub, const char *codes, const char *about)
{
	const struct actor *issuer = people()->root;

	for (int i = 1; i <= length; i++) {
		issuer = CERT(.name = arena_printf(mem(), "%s CA %d", id, i), .issuer = issuer, .ca = true);
		trusted(id, arena_printf(mem(), "ca%d.crt", i), issuer->der);
	}
	path(id, CERT(.name = arena_printf(mem(), "%s 签章者", id), .issuer = issuer), sub, codes, about);
}

static void long_cases(void)
{
	const struct people *p = people();
	struct actor *a, *b, *again;

	long_path("chain-long", CHAIN_FULL, NULL, UNKNOWN, "eight certificates, signer and anchor included");
	long_path("chain-too-long", DEEP, NO_PATH, "more than eight certificates");

	a = CERT(.name = "CA 限长", .issuer = p->root, .ca = true, .path_length = 1);
	b = CERT(.name = "CA 超长", .issuer = a, .ca = true);
	trusted("chain-path-length", "a.crt", a->der);
	trusted("chain-path-length", "b.crt", b->der);
	path("chain-path-length", CERT(.name = "签章者 超长", .issuer = b), RULES,
	     "signer_chain=SIGNER_CERT_CONSTRAINTS" UNKNOWN, "a CA below one that allows none below it");

	a = CERT(.name = "CA 环 甲", .ca = true);
	b = CERT(.name = "CA 环 乙", .issuer = a, .ca = true);
	again = CERT(.name = "CA 环 甲", .issuer = b, .ca = true, .same_key = a);
	trusted("chain-loop", "a.crt", again->der);
	trusted("chain-loop", "b.crt", b->der);
	path("chain-loop", CERT(.name = "签章者 环", .issuer = again), NO_PATH, "two CAs that vouch for one another");

	a = CERT(.name = "CA 同名", .issuer = p->root, .ca = true);
	b = CERT(.name = "CA 同名", .issuer = p->root, .ca = true);
	trusted("chain-twins", "a.crt", a->der);
	trusted("chain-twins", "b.crt", b->der);
	path("chain-twins", CERT(.name = "签章者 同名", .issuer = b), NULL, UNKNOWN,
	     "two CAs of the same name and different keys, one of which is right");
}

/* ---- other algorithms
 * ------------------------------------------------------------------------------------------------ */

static void algorithm(const char *id, enum key_form key, const EVP_MD *md, const char *sub, const char *codes,
                      const char *about)
{
	struct actor *root = CERT(.name = arena_printf(mem(), "根 %s", id), .ca = true, .key = key);

	trusted(id, "root.crt", root->der);
	path(id, CERT(.name = arena_printf(mem(), "签章者 %s", id), .issuer = root, .md = md), sub, codes, about);
}

static void algorithm_cases(void)
{
	static const char refused[] = "CRYPTO_CONSTRAINTS_FAILURE",
	                  code[] = "signer_chain=SIGNER_CERT_ALGORITHM signer_revocation=CANNOT_JUDGE";

	algorithm("chain-rsa", KEY_FORM_RSA, EVP_sha256(), NULL, UNKNOWN, "an SM2 certificate of a CA with RSA");
	algorithm("chain-p256", KEY_FORM_P256, EVP_sha256(), NULL, UNKNOWN, "an SM2 certificate of a CA with P-256");
	algorithm("chain-sha1", KEY_FORM_RSA, EVP_sha1(), refused, code, "a link with SHA-1");
	algorithm("chain-md5", KEY_FORM_RSA, EVP_md5(), refused, code, "a link with MD5");
	algorithm("chain-rsa-1024", KEY_FORM_RSA_1024, EVP_sha256(), refused, code, "a link with RSA of 1024 bits");
}

/* ---- revocation
 * ------------------------------------------------------------------------------------------------------ */

static const char both_unknown[] =
    "maker_revocation=MAKER_CERT_UNKNOWN_STATUS signer_revocation=SIGNER_CERT_UNKNOWN_STATUS";

/* The root and this list alone; with the list, a second row under a policy that insists. */
static void list_case(const char *id, struct crl_wish w, const char *about)
{
	struct row r = row_of(id, NULL, both_unknown, about);

	w.issuer = people()->root;
	trusted(id, "root.crt", people()->root->der);
	trusted(id, "root.crl", new_crl(&w));
	r.trust = arena_printf(mem(), "trust/%s", id);
	add_case(r, SIGNATURE(.data = NULL));
	r.id = arena_printf(mem(), "%s-required", id);
	r.file = arena_printf(mem(), "files/%s.dat", id);
	r.policy = "policies/required.ini";
	r.indication = "INDETERMINATE";
	r.sub = "TRY_LATER";
	r.about = arena_printf(mem(), "%s, and the policy insists on one", about);
	add_row(&r);
}

static void crl_cases(void)
{
	const struct people *p = people();
	struct actor *ca, *leaf;
	struct row r;

	list_case("crl-stale", (struct crl_wish){.to = "20240401000000Z"}, "the revocation list is out of date");
	list_case("crl-future", (struct crl_wish){.from = "20980101000000Z"}, "the revocation list is of the future");
	list_case("crl-damaged", (struct crl_wish){.bad_value = true}, "the revocation list's signature is damaged");
	list_case("crl-signer", (struct crl_wish){.signer = p->stranger_root},
	          "the revocation list is signed with another key than its issuer's");
	list_case("crl-extension", (struct crl_wish){.critical = true},
	          "the revocation list has an unknown critical extension");

	trusted("crl-stale-revoked", "root.crt", p->root->der);
	trusted(
	    "crl-stale-revoked", "root.crl",
	    new_crl(&(struct crl_wish){
	        .issuer = p->root, .revoked = {p->colleague}, .revoked_at = {"20240201000000Z"}, .to = "20240401000000Z"}));
	r = row_of("crl-stale-revoked", "REVOKED",
	           "maker_revocation=MAKER_CERT_UNKNOWN_STATUS signer_revocation=SIGNER_CERT_REVOKED_BEFORE",
	           "a revocation list that is out of date lists the signer all the same");
	r.trust = "trust/crl-stale-revoked";
	r.indication = "TOTAL_FAILED";
	add_case(r, signed_by(p->colleague, NULL));

	ca = CERT(.name = "CA 吊销", .issuer = p->root, .ca = true);
	leaf = CERT(.name = "签章者 上级吊销", .issuer = ca);
	trusted("crl-ca-revoked", "ca.crt", ca->der);
	trusted("crl-ca-revoked", "root.crl",
	        new_crl(&(struct crl_wish){.issuer = p->root, .revoked = {ca}, .revoked_at = {"20240401000000Z"}}));
	trusted("crl-ca-revoked", "ca.crl", new_crl(&(struct crl_wish){.issuer = ca}));
	r = row_of("crl-ca-revoked", "REVOKED", "signer_revocation=SIGNER_CERT_REVOKED_BEFORE",
	           "the CA above the signer is revoked");
	r.indication = "TOTAL_FAILED";
	add_case(r, signed_by(leaf, NULL));

	ca = CERT(.name = "CA 有列表", .issuer = p->root, .ca = true);
	trusted("crl-of-ca", "ca.crt", ca->der);
	trusted("crl-of-ca", "ca.crl", new_crl(&(struct crl_wish){.issuer = ca}));
	path("crl-of-ca", CERT(.name = "签章者 有列表", .issuer = ca), NULL, NULL, "a revocation list for every link");
}

static void ocsp_case(const char *id, struct ocsp_wish w, const char *indication, const char *sub, const char *codes,
                      const char *about)
{
	struct row r = row_of(id, sub, NULL, about);

	w.about = people()->signer;
	w.issuer = people()->root;
	w.responder = w.responder != NULL ? w.responder : people()->root;
	trusted(id, "root.crt", people()->root->der);
	trusted(id, "signer.ocsp", new_ocsp(&w));
	r.trust = arena_printf(mem(), "trust/%s", id);
	r.indication = indication;
	r.codes = arena_printf(mem(), "maker_revocation=MAKER_CERT_UNKNOWN_STATUS signer_revocation=%s", codes);
	add_case(r, SIGNATURE(.data = NULL));
}

static void ocsp_cases(void)
{
	const struct people *p = people();
	static const char unknown[] = "SIGNER_CERT_UNKNOWN_STATUS";
	struct actor *responder = CERT(.name = "OCSP", .issuer = p->root, .purpose = "OCSPSigning");
	struct actor *stranger = CERT(.name = "OCSP 不受信任", .issuer = p->stranger_root, .purpose = "OCSPSigning");

	ocsp_case("ocsp-good", (struct ocsp_wish){0}, NULL, NULL, "OK", "the issuer says that the signer is good");
	ocsp_case("ocsp-responder", (struct ocsp_wish){.responder = responder}, NULL, NULL, "OK",
	          "a responder of the issuer says so");
	ocsp_case("ocsp-revoked-before", (struct ocsp_wish){.revoked_at = "20240201000000Z"}, "TOTAL_FAILED", "REVOKED",
	          "SIGNER_CERT_REVOKED_BEFORE", "revoked before the time of signing");
	ocsp_case("ocsp-revoked-after", (struct ocsp_wish){.revoked_at = "20240630000000Z"}, "INDETERMINATE",
	          "OUT_OF_BOUNDS_NO_POE", "SIGNER_CERT_REVOKED_AFTER", "revoked after the claimed time of signing");
	ocsp_case("ocsp-stale", (struct ocsp_wish){.to = "20240801000000Z"}, NULL, NULL, unknown,
	          "the answer is out of date");
	ocsp_case("ocsp-future", (struct ocsp_wish){.from = "20980101000000Z"}, NULL, NULL, unknown,
	          "the answer is of the future");
	ocsp_case("ocsp-plain", (struct ocsp_wish){.responder = p->colleague}, NULL, NULL, unknown,
	          "the answer is signed by somebody of the same issuer, who is no responder");
	ocsp_case("ocsp-stranger", (struct ocsp_wish){.responder = stranger}, NULL, NULL, unknown,
	          "the answer is signed by a responder of another issuer");
}

void chain_cases(void)
{
	intermediate_cases();
	leaf_cases();
	long_cases();
	algorithm_cases();
	crl_cases();
	ocsp_cases();
}
