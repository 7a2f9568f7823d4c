/* Seals, seal signatures, licences and receipts made for the tests of lib/verify, each with at most one fault. The keys
 * and certificates are those of the development PKI (certs/make-pki.sh), which is made when it is not there. */
#ifndef YZ_TESTS_VERIFY_HELP_H
#define YZ_TESTS_VERIFY_HELP_H

#include "form_help.h"

#include "base/buf.h"
#include "base/clock.h"
#include "crypto/signer.h"
#include "form/cose.h"
#include "form/der.h"
#include "verify/verify.h"

#define PKI  "build/pki"
#define HOUR ((int64_t)3600 * 1000)
#define DAY  (24 * HOUR)

enum { WHO_MAX = 8 };

struct who {
	const char *name;
	struct cert *cert;
	struct signer *signer;
};

/* The PKI, read once per program. */
struct pki {
	struct who who[WHO_MAX];
	struct cert_store *trust, *other, *no_crl; /* the tree with its CRL; another root; the root alone */
	int64_t t0;                                /* an hour after the CRL was made */
};

static struct pki pki;

static inline struct who *who(const char *name)
{
	for (size_t i = 0; i < WHO_MAX && pki.who[i].name != NULL; i++)
		if (strcmp(pki.who[i].name, name) == 0)
			return &pki.who[i];
	fail_msg("nobody is called %s", name);
	return NULL;
}

static inline struct span der_of_who(const char *name)
{
	return cert_der(who(name)->cert);
}

static inline void read_who(struct arena *a, struct who *w, const char *name, struct span passphrase)
{
	struct cert **certs;
	struct span pem;
	size_t n;

	w->name = name;
	assert_err(file_read(a, arena_printf(a, PKI "/sm2/%s.crt", name), CERT_MAX, &pem, NULL), ERR_OK);
	assert_err(cert_parse_bundle(a, pem, &certs, &n), ERR_OK);
	assert_int_equal(n, 1);
	w->cert = certs[0];
	assert_err(signer_open_file(arena_printf(a, PKI "/sm2/%s.key", name), passphrase, &w->signer, NULL), ERR_OK);
}

static inline void read_trust(struct arena *a)
{
	const char *both[] = {PKI "/trust"}, *root[] = {PKI "/sm2/root.crt"}, *tls[] = {PKI "/tls/ca.crt"};
	struct span pem;
	struct crl *crl;

	assert_err(trust_load(both, 1, &pki.trust, NULL), ERR_OK);
	assert_err(trust_load(root, 1, &pki.no_crl, NULL), ERR_OK);
	assert_err(trust_load(tls, 1, &pki.other, NULL), ERR_OK);
	assert_err(file_read(a, PKI "/sm2/root.crl", CERT_MAX, &pem, NULL), ERR_OK);
	assert_err(crl_parse_pem_or_der(pem, &crl), ERR_OK);
	pki.t0 = crl_this_update(crl) + HOUR;
	crl_free(crl);
}

static inline int pki_setup(void **state)
{
	static const char *const names[] = {"maker", "samr", "mnr", "receipt", "verdict", "revoked", "expired", "root"};
	struct arena *a = arena_new(1 << 20);
	struct span passphrase;

	(void)state;
	if (a == NULL || system("certs/make-pki.sh " PKI " >/dev/null") != 0)
		return -1;
	assert_err(file_read(a, PKI "/passphrase", 4096, &passphrase, NULL), ERR_OK);
	while (passphrase.len != 0 && passphrase.ptr[passphrase.len - 1] == '\n')
		passphrase.len--;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		read_who(a, &pki.who[i], names[i], passphrase);
	read_trust(a);
	arena_free(a);
	return 0;
}

static inline int pki_teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < WHO_MAX; i++) {
		cert_free(pki.who[i].cert);
		signer_free(pki.who[i].signer);
	}
	cert_store_free(pki.trust);
	cert_store_free(pki.no_crl);
	cert_store_free(pki.other);
	return 0;
}

static inline struct span sign_by(struct arena *a, const char *name, struct span msg)
{
	uint8_t sig[SM2_SIG_MAX];
	size_t len;

	assert_err(signer_sign(who(name)->signer, msg, sig, &len), ERR_OK);
	return arena_dup(a, span_of(sig, len));
}

/* ---- what a made object is like; zero means the good value ---------------------------------- */

enum list_form { LIST_CERT, LIST_SM3, LIST_SHA256, LIST_OTHER };
enum ext_form { EXT_NONE, EXT_PLAIN, EXT_CRITICAL };

struct made {
	/* seal; times are relative to pki.t0 */
	const char *maker, *listed, *seal_alg;
	int64_t created, from, to;
	enum list_form list;
	enum ext_form seal_ext;
	/* signature */
	const char *signer, *sig_alg, *scope;
	int64_t sign;
	enum ext_form sig_ext;
	bool stamped;
	/* how it is judged */
	int64_t at, now;
	bool proven, strict, no_data, wrong_data;
	enum { TRUST_PKI, TRUST_NONE, TRUST_OTHER, TRUST_NO_CRL } trust;
};

/* A SEQUENCE with more elements at its end. */
static inline struct span with_more(struct arena *a, struct span sequence, struct span more)
{
	struct der d = der_of(sequence);
	struct der_item it;
	struct buf b;
	struct span out;
	size_t mark;

	assert_err(der_take(&d, DER_SEQUENCE, &it), ERR_OK);
	buf_init(&b, a);
	mark = der_open(&b, DER_SEQUENCE);
	buf_add(&b, it.value);
	buf_add(&b, more);
	der_close(&b, mark);
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

static inline struct span ext_list(struct arena *a, enum ext_form form, bool tagged)
{
	struct buf b;
	struct span out;
	size_t tag = 0, list, ext;

	buf_init(&b, a);
	if (tagged)
		tag = der_open(&b, DER_CONTEXT_0);
	list = der_open(&b, DER_SEQUENCE);
	ext = der_open(&b, DER_SEQUENCE);
	assert_err(der_put_oid(&b, "1.2.3.4"), ERR_OK);
	if (form == EXT_CRITICAL)
		der_put(&b, DER_BOOLEAN, span_of("\xff", 1));
	der_put(&b, DER_OCTET_STRING, span_of("x", 1));
	der_close(&b, ext);
	der_close(&b, list);
	if (tagged)
		der_close(&b, tag);
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

static inline struct span digest_list(struct arena *a, enum list_form form, struct span cert)
{
	uint8_t digest[32] = {0};
	struct buf b;
	struct span out;
	size_t list, item;

	if (form == LIST_SM3)
		assert_err(sm3(cert, digest), ERR_OK);
	if (form == LIST_SHA256)
		assert_err(sha256_parts(&cert, 1, digest), ERR_OK);
	buf_init(&b, a);
	list = der_open(&b, DER_SEQUENCE);
	item = der_open(&b, DER_SEQUENCE);
	der_put(&b, DER_PRINTABLE, span_str("digest"));
	der_put(&b, DER_OCTET_STRING, span_of(digest, sizeof(digest)));
	der_close(&b, item);
	der_close(&b, list);
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

/* The same SES_SealInfo with a list of digests: property is its third element, whose third and fourth are replaced. */
static inline struct span with_digests(struct arena *a, struct span info, struct span list)
{
	struct der outer = der_of(info), d, p;
	struct der_item it;
	struct buf b;
	struct span out;
	size_t whole, property;

	buf_init(&b, a);
	assert_err(der_enter(&outer, DER_SEQUENCE, &d, NULL), ERR_OK);
	whole = der_open(&b, DER_SEQUENCE);
	for (int i = 0; i < 2; i++) {
		assert_err(der_take(&d, DER_ANY, &it), ERR_OK);
		buf_add(&b, it.raw);
	}
	assert_err(der_enter(&d, DER_SEQUENCE, &p, NULL), ERR_OK);
	property = der_open(&b, DER_SEQUENCE);
	for (int i = 0; der_more(&p); i++) {
		assert_err(der_take(&p, DER_ANY, &it), ERR_OK);
		if (i == 2)
			der_put_int(&b, SES_LIST_DIGESTS);
		else
			buf_add(&b, i == 3 ? list : it.raw);
	}
	der_close(&b, property);
	buf_add(&b, d.rest);
	der_close(&b, whole);
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

/* toSign or eSealInfo, certificate, algorithm, value */
static inline struct span signed_object(struct arena *a, struct span tbs, const char *by, const char *alg,
                                        struct span more)
{
	struct buf b;
	struct span out;
	size_t mark;

	buf_init(&b, a);
	mark = der_open(&b, DER_SEQUENCE);
	buf_add(&b, tbs);
	der_put(&b, DER_OCTET_STRING, der_of_who(by));
	assert_err(der_put_oid(&b, alg != NULL ? alg : OID_SM2_SM3), ERR_OK);
	der_put_bits(&b, sign_by(a, by, tbs));
	buf_add(&b, more);
	der_close(&b, mark);
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

static inline const char *signer_of(const struct made *m)
{
	return m->signer != NULL ? m->signer : "samr";
}

/* What the seal of this certificate says that was made then. */
static inline struct ses_seal_new seal_for(const struct span *cert, int64_t created)
{
	return (struct ses_seal_new){
	    .vendor = "YZ",
	    .id = "SEAL-1",
	    .name = "云州市测试专用章",
	    .type = 1,
	    .n_certs = 1,
	    .certs = cert,
	    .created = created,
	    .valid_start = created,
	    .valid_end = pki.t0 + 4000 * DAY,
	    .picture_type = "PNG",
	    .picture = span_str("picture"),
	    .picture_width = 40,
	    .picture_height = 40,
	};
}

static inline struct span make_seal(struct arena *a, const struct made *m)
{
	const char *listed = m->listed != NULL ? m->listed : signer_of(m);
	struct span cert = der_of_who(listed), info;
	struct ses_seal_new n = seal_for(&cert, pki.t0 + (m->created != 0 ? m->created : -HOUR / 2));

	n.valid_start = pki.t0 + (m->from != 0 ? m->from : -HOUR / 2);
	if (m->to != 0)
		n.valid_end = pki.t0 + m->to;
	assert_err(ses_seal_info_encode(a, &n, &info), ERR_OK);
	if (m->list != LIST_CERT)
		info = with_digests(a, info, digest_list(a, m->list, cert));
	if (m->seal_ext != EXT_NONE)
		info = with_more(a, info, ext_list(a, m->seal_ext, false));
	return signed_object(a, info, m->maker != NULL ? m->maker : "maker", m->seal_alg, span_of(NULL, 0));
}

static inline struct span make_signature(struct arena *a, const struct made *m, struct span data)
{
	uint8_t digest[SM3_LEN];
	struct span tbs, more = {NULL, 0};

	assert_err(sm3(data, digest), ERR_OK);
	assert_err(ses_tbs_encode(a, make_seal(a, m), pki.t0 + m->sign, span_of(digest, SM3_LEN),
	                          m->scope != NULL ? m->scope : "data", &tbs),
	           ERR_OK);
	if (m->sig_ext != EXT_NONE)
		tbs = with_more(a, tbs, ext_list(a, m->sig_ext, true));
	if (m->stamped)
		more = span_of("\xa0\x04\x03\x02\x00\x2a", 6);
	return signed_object(a, tbs, signer_of(m), m->sig_alg, more);
}

/* ---- judging -------------------------------------------------------------------------------- */

typedef enum err verifier(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                          struct report **out);

static inline struct report *judge_made(struct arena *a, const struct made *m, verifier *verify, struct span bytes,
                                        struct span data)
{
	struct verify_policy p = {0};
	struct err_note note = {0};
	struct verify_input in = {.bytes = bytes, .now = pki.t0 + m->now};
	struct report *r = NULL;

	assert_err(policy_load(a, m->strict ? "strict" : "default", &p, &note), ERR_OK);
	p.trust = m->trust == TRUST_PKI    ? pki.trust
	          : m->trust == TRUST_NONE ? NULL
	                                   : (m->trust == TRUST_OTHER ? pki.other : pki.no_crl);
	in.at = m->at != 0 ? pki.t0 + m->at : 0;
	in.proven_time = m->proven ? pki.t0 + m->sign : 0;
	if (!m->no_data)
		in.data = m->wrong_data ? span_str("other") : data;
	assert_err(verify(a, &p, &in, &r), ERR_OK);
	assert_non_null(r);
	return r;
}

static inline const struct check *find_code(const struct report *r, const char *code)
{
	for (const struct check *c = r->checks; c != NULL; c = c->next)
		if (strcmp(c->code, code) == 0)
			return c;
	for (const struct signature_report *s = r->signatures; s != NULL; s = s->next)
		for (const struct check *c = s->checks; c != NULL; c = c->next)
			if (strcmp(c->code, code) == 0)
				return c;
	return NULL;
}

static inline void print_checks(const char *name, const struct report *r)
{
	const char *ind = indication_name(r->indication), *sub = sub_indication_name(r->sub);

	print_message("%s: %s %s\n", name, ind != NULL ? ind : "-", sub != NULL ? sub : "-");
	for (const struct check *c = r->checks; c != NULL; c = c->next)
		print_message("  %s %s %s\n", c->step, c->code, c->detail != NULL ? c->detail : "");
	for (const struct signature_report *s = r->signatures; s != NULL; s = s->next)
		for (const struct check *c = s->checks; c != NULL; c = c->next)
			print_message("    %s %s %s\n", c->step, c->code, c->detail != NULL ? c->detail : "");
}

/* Every code must be in the table that explains it to people. */
static inline void assert_codes_known(const struct report *r)
{
	for (const struct check *c = r->checks; c != NULL; c = c->next)
		assert_non_null(report_code_find(c->code));
	for (const struct signature_report *s = r->signatures; s != NULL; s = s->next)
		for (const struct check *c = s->checks; c != NULL; c = c->next)
			assert_non_null(report_code_find(c->code));
}

static inline void expect(const char *name, const struct report *r, enum indication ind, enum sub_indication sub,
                          const char *code)
{
	const struct check *reason = report_reason(r);

	if (r->indication != ind || r->sub != sub || find_code(r, code) == NULL) {
		print_checks(name, r);
		fail_msg("%s: expected %s / %s with %s", name, indication_name(ind),
		         sub != SUB_NONE ? sub_indication_name(sub) : "-", code);
	}
	if (ind != TOTAL_PASSED && reason == NULL)
		fail_msg("%s: no step says why", name);
	assert_codes_known(r);
}

#endif
