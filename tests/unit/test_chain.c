/* Certificate paths: signatures, times, constraints, algorithms, revocation. */
#include "cert_help.h"

static void good_path_passes(void **state)
{
	struct chain_result r = check_certs(root_spec, middle_spec, leaf_spec);

	EXPECT(r, CHAIN_OK, 0);
	assert_int_equal(r.revocation, REVOCATION_GOOD);
	assert_int_equal(r.length, 3);
	assert_int_equal(r.crl_this_update, day(-2));
	assert_int_equal(r.revoked_at, 0);
	assert_string_equal(r.subject, "CN=签章,O=云州市");
}

static void wrong_identity_fails(void **state)
{
	struct spec s;

	/* On the leaf, on the intermediate; the empty one is OpenSSL's own default. The root's own is not looked at. */
	s = leaf_spec, s.id = "";
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_BAD_SIGNATURE, 0);
	s = leaf_spec, s.id = "1234567812345679";
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_BAD_SIGNATURE, 0);
	s = middle_spec, s.id = "";
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_BAD_SIGNATURE, 1);
	s = root_spec, s.id = "";
	EXPECT(check_certs(s, middle_spec, leaf_spec), CHAIN_OK, 0);
}

static void wrong_key_fails(void **state)
{
	struct spec s;

	s = leaf_spec, s.signer = OTHER;
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_BAD_SIGNATURE, 0);
	s = middle_spec, s.signer = OTHER;
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_BAD_SIGNATURE, 1);
	s = leaf_spec, s.signer = P256; /* another kind of key than the issuer's */
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_BAD_SIGNATURE, 0);
}

static void no_path_is_told(void **state)
{
	struct spec s;
	struct chain_result r;

	s = middle_spec, s.issuer = "别的根";
	r = check_certs(root_spec, s, leaf_spec);
	EXPECT(r, CHAIN_NO_PATH, 1);
	assert_int_equal(r.length, 0);
	assert_int_equal(r.revocation, REVOCATION_NO_EVIDENCE);
	assert_string_equal(r.subject, "CN=中级,O=云州市");
	s = leaf_spec, s.issuer = "无名";
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_NO_PATH, 0);
}

static void times_are_checked(void **state)
{
	struct spec s;
	struct chain_result r;

	s = leaf_spec, s.from = 2;
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_NOT_YET, 0);
	s = leaf_spec, s.to = -1;
	r = check_certs(root_spec, middle_spec, s);
	EXPECT(r, CHAIN_EXPIRED, 0);
	assert_int_equal(r.length, 3);
	s = middle_spec, s.to = -1;
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_EXPIRED, 1);
	s = root_spec, s.to = -1;
	EXPECT(check_certs(s, middle_spec, leaf_spec), CHAIN_EXPIRED, 2);
	/* The last second belongs to the validity. */
	s = leaf_spec, s.to = 1;
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_OK, 0);
	s = leaf_spec, s.from = 1;
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_OK, 0);
}

static void constraints_are_checked(void **state)
{
	struct spec s, l;

	s = middle_spec, s.is_ca = false; /* an end entity that issues */
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_CONSTRAINTS, 1);
	s = middle_spec, s.basic = "critical,CA:FALSE", s.usage = "keyCertSign";
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_CONSTRAINTS, 1);
	s = middle_spec, s.usage = "critical,digitalSignature,cRLSign";
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_CONSTRAINTS, 1);
	s = root_spec, s.basic = "critical,CA:TRUE,pathlen:0";
	EXPECT(check_certs(s, middle_spec, leaf_spec), CHAIN_CONSTRAINTS, 2);
	s = root_spec, s.basic = "critical,CA:TRUE,pathlen:1";
	EXPECT(check_certs(s, middle_spec, leaf_spec), CHAIN_OK, 0);
	s = middle_spec, s.basic = "critical,CA:TRUE,pathlen:0";
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_OK, 0);
	s = leaf_spec, s.extra_oid = "1.2.156.10260.99.1";
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_CONSTRAINTS, 0);
	s = middle_spec, s.extra_oid = "1.2.156.10260.99.1";
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_CONSTRAINTS, 1);
	s = middle_spec, s.names = "critical,permitted;DNS:gov.example";
	l = leaf_spec, l.alt = "DNS:seal.gov.example";
	EXPECT(check_certs(root_spec, s, l), CHAIN_OK, 0);
	l = leaf_spec, l.alt = "DNS:shop.example";
	EXPECT(check_certs(root_spec, s, l), CHAIN_CONSTRAINTS, 1);
}

static void malformed_extensions_break_the_path(void **state)
{
	static const int nids[] = {
	    NID_subject_alt_name,         NID_key_usage,        NID_ext_key_usage, NID_basic_constraints,
	    NID_authority_key_identifier, NID_name_constraints,
	};

	for (size_t i = 0; i < sizeof(nids) / sizeof(nids[0]); i++) {
		struct spec l = leaf_spec, m = middle_spec;
		struct cert *c;

		l.usage = NULL, l.malformed = m.malformed = nids[i];
		EXPECT(check_certs(root_spec, middle_spec, l), CHAIN_CONSTRAINTS, 0);
		EXPECT(check_certs(root_spec, m, leaf_spec), CHAIN_CONSTRAINTS, 1);
		/* What cannot be read is not taken for absent, which would allow everything. */
		c = make_cert(l);
		assert_int_equal(cert_key_usage(c), 0);
		assert_false(cert_has_eku(c, "1.3.6.1.5.5.7.3.8"));
		cert_free(c);
	}
}

static void algorithms_are_checked(void **state)
{
	struct spec r = root_spec, m = middle_spec;
	struct crl_spec c = root_crl;

	/* RSA and ECDSA links stand beside SM2 ones. */
	r.key = r.signer = m.signer = c.signer = RSA2048;
	EXPECT(check_world(r, m, leaf_spec, c, middle_crl), CHAIN_OK, 0);
	assert_int_equal(check_world(r, m, leaf_spec, c, middle_crl).revocation, REVOCATION_GOOD);
	m.md = EVP_sha1();
	EXPECT(check_world(r, m, leaf_spec, c, middle_crl), CHAIN_ALGORITHM, 1);
	m.md = EVP_md5();
	EXPECT(check_world(r, m, leaf_spec, c, middle_crl), CHAIN_ALGORITHM, 1);
	m.md = NULL;
	r.key = r.signer = m.signer = c.signer = RSA1024;
	EXPECT(check_world(r, m, leaf_spec, c, middle_crl), CHAIN_ALGORITHM, 1);
	r.key = r.signer = m.signer = c.signer = P256;
	EXPECT(check_world(r, m, leaf_spec, c, middle_crl), CHAIN_OK, 0);
	assert_int_equal(check_world(r, m, leaf_spec, c, middle_crl).revocation, REVOCATION_GOOD);
	c.signer = ROOT;
	assert_int_equal(check_world(r, m, leaf_spec, c, middle_crl).revocation, REVOCATION_BAD_CRL);
	m.md = EVP_sha1();
	EXPECT(check_world(r, m, leaf_spec, c, middle_crl), CHAIN_ALGORITHM, 1);
}

/* ---- revocation ----------------------------------------------------------------------------- */

static void revocation_is_found(void **state)
{
	struct crl_spec c = middle_crl;
	struct chain_result r;

	c.revoked = 29, c.revoked_day = -1; /* 500, 29, 30 */
	r = check_crls(root_crl, c);
	assert_int_equal(r.revocation, REVOCATION_REVOKED);
	assert_int_equal(r.revoked_depth, 0);
	assert_int_equal(r.revoked_at, day(-1));
	c.from = -5, c.to = -3; /* nobody comes off a list that is out of date */
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_REVOKED);
	c = root_crl, c.revoked = 20, c.revoked_day = -1;
	r = check_crls(c, middle_crl);
	assert_int_equal(r.revocation, REVOCATION_REVOKED);
	assert_int_equal(r.revoked_depth, 1);
	c = middle_crl, c.revoked = 100; /* others only */
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_GOOD);
}

static void missing_and_stale_crls_are_told(void **state)
{
	static const struct crl_spec none = {0};
	struct crl_spec c;

	assert_int_equal(check_crls(none, none).revocation, REVOCATION_NO_EVIDENCE);
	assert_int_equal(check_crls(root_crl, none).revocation, REVOCATION_NO_EVIDENCE);
	assert_int_equal(check_crls(none, middle_crl).revocation, REVOCATION_NO_EVIDENCE);
	assert_int_equal(check_crls(none, none).crl_this_update, 0);
	c = middle_crl, c.to = -1;
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_STALE);
	c = middle_crl, c.from = 2;
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_STALE);
	c = root_crl, c.from = -9, c.to = -1;
	assert_int_equal(check_crls(c, middle_crl).revocation, REVOCATION_STALE);
	assert_int_equal(check_crls(c, middle_crl).crl_this_update, day(-9));
	c = middle_crl, c.to = 0; /* no nextUpdate */
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_GOOD);
}

static enum revocation_status revocation_at(const struct cert_store *s, struct cert *const *c, int64_t now)
{
	struct chain_result r;

	assert_int_equal(chain_check(s, c[2], &c[1], 1, day(0), now, &r), ERR_OK);
	return r.revocation;
}

/* Until then every answer is the same; one moment later some may be another. */
static void evidence_is_settled_until_it_changes(void **state)
{
	struct cert *c[] = {make_cert(root_spec), make_cert(middle_spec), make_cert(leaf_spec)};
	struct crl_spec next = middle_crl, endless = root_crl;
	struct cert_store *s = trusting(c[0]);

	assert_int_equal(cert_store_settled_until(s, day(0), 0), INT64_MAX);
	endless.to = 0;
	add_crl(s, endless);
	assert_int_equal(cert_store_settled_until(s, day(0), 0), INT64_MAX);
	assert_int_equal(cert_store_settled_until(s, day(-3), 0), day(-1) - 1);
	assert_int_equal(cert_store_settled_until(s, day(0), 5 * 86400000), day(4));
	add_crl(s, middle_crl);
	next.from = 32, next.to = 60;
	add_crl(s, next);
	assert_int_equal(cert_store_settled_until(s, day(0), 0), day(30));
	assert_int_equal(revocation_at(s, c, day(30)), REVOCATION_GOOD);
	assert_int_equal(revocation_at(s, c, day(30) + 1), REVOCATION_STALE);
	assert_int_equal(cert_store_settled_until(s, day(30), 0), day(30));
	assert_int_equal(cert_store_settled_until(s, day(30) + 1, 0), day(32) - 1);
	assert_int_equal(revocation_at(s, c, day(32) - 1), REVOCATION_STALE);
	assert_int_equal(revocation_at(s, c, day(32)), REVOCATION_GOOD);
	assert_int_equal(cert_store_settled_until(s, day(32), 0), day(60));
	assert_int_equal(cert_store_settled_until(s, day(61), 0), INT64_MAX);
	assert_int_equal(cert_store_settled_until(s, day(0), 5 * 86400000), day(3));
	cert_store_free(s);
	free_certs(c, 3);
}

static void bad_crls_are_refused(void **state)
{
	struct crl_spec c;
	struct spec m = middle_spec;

	c = middle_crl, c.signer = OTHER;
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_BAD_CRL);
	c = middle_crl, c.id = "";
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_BAD_CRL);
	c = middle_crl, c.signer = OTHER, c.revoked = 29; /* a forged list revokes nobody */
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_BAD_CRL);
	c = middle_crl, c.with_idp = true; /* a list of a part only */
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_BAD_CRL);
	m.usage = "critical,keyCertSign"; /* may not sign lists */
	assert_int_equal(check_world(root_spec, m, leaf_spec, root_crl, middle_crl).revocation, REVOCATION_BAD_CRL);
}

static void best_crl_counts(void **state)
{
	struct cert *c[] = {make_cert(root_spec), make_cert(middle_spec)};
	struct crl_spec stale = root_crl, forged = root_crl, revoked = root_crl;
	struct cert_store *s;
	struct chain_result r;

	stale.from = -20, stale.to = -10;
	forged.signer = OTHER;
	revoked.from = -20, revoked.to = -10, revoked.revoked = 20, revoked.revoked_day = -15;
	s = trusting(c[0]);
	add_crl(s, forged);
	add_crl(s, stale);
	r = check(s, c[1], NULL, 0);
	assert_int_equal(r.revocation, REVOCATION_STALE);
	add_crl(s, root_crl);
	r = check(s, c[1], NULL, 0);
	assert_int_equal(r.revocation, REVOCATION_GOOD);
	assert_int_equal(r.crl_this_update, day(-1));
	add_crl(s, revoked);
	r = check(s, c[1], NULL, 0);
	assert_int_equal(r.revocation, REVOCATION_REVOKED);
	assert_int_equal(r.revoked_at, day(-15));
	assert_int_equal(cert_store_crls(s), 4);
	cert_store_free(s);
	free_certs(c, 2);
}

/* A list found good under one key stays bad under another of the same name, asked before or after. */
static void crl_is_good_under_its_key_alone(void **state)
{
	struct spec other_middle = middle_spec, other_leaf = leaf_spec;
	struct cert *c[3], *leaf[2];
	struct cert_store *s;
	struct chain_result r;

	other_middle.key = other_leaf.signer = OTHER;
	c[0] = make_cert(root_spec), c[1] = make_cert(middle_spec), c[2] = make_cert(other_middle);
	leaf[0] = make_cert(leaf_spec), leaf[1] = make_cert(other_leaf);
	s = trusting(c[0]);
	assert_int_equal(cert_store_add_intermediate(s, c[1]), ERR_OK);
	assert_int_equal(cert_store_add_intermediate(s, c[2]), ERR_OK);
	add_crl(s, root_crl);
	add_crl(s, middle_crl);
	for (int i = 0; i < 4; i++) {
		r = check(s, leaf[(i + 1) % 2], NULL, 0);
		assert_int_equal(r.status, CHAIN_OK);
		assert_int_equal(r.revocation, i % 2 == 0 ? REVOCATION_BAD_CRL : REVOCATION_GOOD);
	}
	cert_store_free(s);
	free_certs(c, 3);
	free_certs(leaf, 2);
}

/* ---- paths ---------------------------------------------------------------------------------- */

static void another_path_is_tried(void **state)
{
	/* Two intermediates and two roots of the same names: only one combination holds. */
	struct spec old_root = root_spec, old_middle = middle_spec;
	struct cert *c[5], *extra[2];
	struct cert_store *s;
	struct chain_result r;

	old_root.key = old_root.signer = OTHER;
	old_middle.to = -1, old_middle.signer = OTHER;
	c[0] = make_cert(old_root), c[1] = make_cert(root_spec), c[2] = make_cert(old_middle);
	c[3] = make_cert(middle_spec), c[4] = make_cert(leaf_spec);
	s = trusting(c[0]);
	assert_int_equal(cert_store_add_anchor(s, c[1]), ERR_OK);
	assert_int_equal(cert_store_anchors(s), 2);
	r = check(s, c[4], NULL, 0);
	EXPECT(r, CHAIN_NO_PATH, 0);
	extra[0] = c[2], extra[1] = c[3];
	r = check(s, c[4], extra, 1);
	EXPECT(r, CHAIN_EXPIRED, 1);
	r = check(s, c[4], extra, 2);
	EXPECT(r, CHAIN_OK, 0);
	/* What came with the message helps to build; it is never trusted. */
	extra[0] = c[3];
	cert_store_free(s);
	s = trusting(NULL);
	extra[1] = c[1];
	r = check(s, c[4], extra, 2);
	assert_int_equal(r.status, CHAIN_NO_PATH);
	/* A leaf that is itself an anchor. */
	assert_int_equal(cert_store_add_anchor(s, c[4]), ERR_OK);
	r = check(s, c[4], NULL, 0);
	EXPECT(r, CHAIN_OK, 0);
	assert_int_equal(r.length, 1);
	cert_store_free(s);
	free_certs(c, 5);
}

static void long_and_circular_paths_end(void **state)
{
	struct spec s = {.key = MIDDLE, .signer = MIDDLE, .is_ca = true};
	char names[12][16];
	struct cert *c[12], *loop[40];
	struct cert_store *store;
	struct chain_result r;

	for (int i = 0; i < 12; i++)
		snprintf(names[i], sizeof(names[i]), "CA %d", i);
	for (int i = 0; i < 12; i++) {
		s.subject = names[i], s.issuer = names[i > 0 ? i - 1 : 0];
		c[i] = make_cert(s);
	}
	store = trusting(c[0]);
	r = check(store, c[7], c, 12);
	EXPECT(r, CHAIN_OK, 0);
	assert_int_equal(r.length, 8);
	r = check(store, c[8], c, 12);
	assert_int_equal(r.status, CHAIN_NO_PATH);
	/* Forty certificates that all issue one another: the search is cut short. */
	for (int i = 0; i < 40; i++) {
		s.subject = s.issuer = "环", s.serial = i + 1;
		loop[i] = make_cert(s);
	}
	r = check(store, loop[0], loop, 40);
	assert_int_equal(r.status, CHAIN_NO_PATH);
	cert_store_free(store);
	free_certs(c, 12);
	free_certs(loop, 40);
}

static void long_subject_is_cut_at_a_character(void **state)
{
	/* 64 characters is the most that a common name may have, so several organisational units are needed. */
	struct spec s = leaf_spec;
	X509 *x;
	X509_NAME *name = make_name("章");
	EVP_MD_CTX *ctx = signing(MIDDLE, NULL, NULL);
	unsigned char *der = NULL;
	struct cert_store *store;
	struct cert *c = NULL;
	struct chain_result r;
	int len;

	for (int i = 0; i < 12; i++)
		X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)"处室处室处室处室处室", -1, -1, 0);
	x = make_x509(&s);
	X509_set_subject_name(x, name);
	assert_true(X509_sign_ctx(x, ctx) > 0);
	len = i2d_X509(x, &der);
	assert_int_equal(cert_parse(span_of(der, (size_t)len), &c), ERR_OK);
	assert_true(strlen(cert_subject(c)) > 300);
	store = trusting(NULL);
	r = check(store, c, NULL, 0);
	assert_true(strlen(r.subject) >= sizeof(r.subject) - 4 && strlen(r.subject) < sizeof(r.subject));
	assert_memory_equal(r.subject, cert_subject(c), strlen(r.subject));
	assert_int_not_equal((unsigned char)cert_subject(c)[strlen(r.subject)] & 0xc0, 0x80);
	cert_store_free(store);
	cert_free(c);
	OPENSSL_free(der);
	X509_NAME_free(name);
	EVP_MD_CTX_free(ctx);
	X509_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_path_passes),
	    cmocka_unit_test(wrong_identity_fails),
	    cmocka_unit_test(wrong_key_fails),
	    cmocka_unit_test(no_path_is_told),
	    cmocka_unit_test(times_are_checked),
	    cmocka_unit_test(constraints_are_checked),
	    cmocka_unit_test(malformed_extensions_break_the_path),
	    cmocka_unit_test(algorithms_are_checked),
	    cmocka_unit_test(revocation_is_found),
	    cmocka_unit_test(missing_and_stale_crls_are_told),
	    cmocka_unit_test(evidence_is_settled_until_it_changes),
	    cmocka_unit_test(bad_crls_are_refused),
	    cmocka_unit_test(best_crl_counts),
	    cmocka_unit_test(crl_is_good_under_its_key_alone),
	    cmocka_unit_test(another_path_is_tried),
	    cmocka_unit_test(long_and_circular_paths_end),
	    cmocka_unit_test(long_subject_is_cut_at_a_character),
	};

	return cmocka_run_group_tests_name("chain", tests, make_keys, free_keys);
}
