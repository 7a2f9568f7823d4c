/* Certificates: what is read of them, hostile ones, the development PKI, threads. */
#include "cert_help.h"

/* ---- reading -------------------------------------------------------------------------------- */

static void fields_are_read(void **state)
{
	struct spec s = leaf_spec;
	struct cert *c, *root = make_cert(root_spec), *other;
	uint8_t a[CERT_FINGERPRINT], b[CERT_FINGERPRINT];

	s.serial = 0x1234;
	s.usage = "digitalSignature,nonRepudiation,decipherOnly,keyAgreement";
	c = make_cert(s);
	assert_string_equal(cert_subject(c), "CN=签章,O=云州市");
	assert_string_equal(cert_issuer(c), "CN=中级,O=云州市");
	assert_string_equal(cert_common_name(c), "签章");
	assert_string_equal(cert_serial_hex(c), "1234");
	assert_int_equal(cert_not_before(c), day(-10));
	assert_int_equal(cert_not_after(c), day(100));
	assert_false(cert_is_ca(c));
	assert_false(cert_is_self_issued(c));
	assert_int_equal(cert_key_usage(c), 1 | 2 | 16 | 256);
	assert_false(cert_has_eku(c, "1.3.6.1.5.5.7.3.8"));
	assert_false(cert_eku_only_below(c, "1.3"));
	assert_non_null(cert_sm2_key(c));
	assert_true(cert_is_ca(root));
	assert_true(cert_is_self_issued(root));
	assert_int_equal(cert_key_usage(root), 32 | 64);
	cert_key_fingerprint(c, a);
	cert_key_fingerprint(root, b);
	assert_memory_not_equal(a, b, CERT_FINGERPRINT);
	s.subject = "换证", s.serial = 7, s.usage = NULL;
	other = make_cert(s); /* a renewed certificate names the same key */
	cert_key_fingerprint(other, b);
	assert_memory_equal(a, b, CERT_FINGERPRINT);
	assert_int_equal(cert_key_usage(other), 0xffff);
	cert_free(other);
	s.key = P256;
	other = make_cert(s);
	assert_null(cert_sm2_key(other));
	assert_ptr_equal(cert_ref(other), other);
	cert_free(other);
	assert_string_equal(cert_common_name(other), "换证");
	cert_free(other);
	cert_free(c);
	cert_free(root);
	cert_free(NULL);
}

static void purposes_are_read(void **state)
{
	static const struct {
		const char *eku;
		bool receipt, only_statements;
	} table[] = {
	    {NULL, false, false},
	    {PURPOSE_RECEIPT, true, true},
	    {"critical," PURPOSE_RECEIPT, true, true},
	    {PURPOSE_VERDICT, false, true},
	    {PURPOSE_VERDICT "," PURPOSE_RECEIPT, true, true},
	    {"emailProtection," PURPOSE_RECEIPT, true, false},
	    {PURPOSE_RECEIPT ",emailProtection", true, false},
	    {"emailProtection", false, false},
	    {"anyExtendedKeyUsage", false, false},
	    {PURPOSE_RECEIPT "0", false, true},  /* another number below the arc */
	    {PURPOSE_RECEIPT ".1", false, true}, /* deeper */
	    {STATEMENT_ARC, false, false},       /* the arc is no purpose */
	    {STATEMENT_ARC "0.1", false, false}, /* another arc that begins alike */
	    {STATEMENT_ARC ".11111111111111111111111111111111111111111111111111111111111111111111111111111111111111", false,
	     false}, /* too long to be asked for */
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct spec s = leaf_spec;
		struct cert *c;

		s.eku = table[i].eku;
		EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_OK, 0);
		c = make_cert(s);
		if (cert_has_eku(c, PURPOSE_RECEIPT) != table[i].receipt ||
		    cert_eku_only_below(c, STATEMENT_ARC) != table[i].only_statements)
			fail_msg("%s", s.eku != NULL ? s.eku : "none");
		cert_free(c);
	}
}

static void broken_certificates_are_refused(void **state)
{
	struct cert *good = make_cert(leaf_spec), *c = NULL;
	struct arena *a = arena_new(1 << 20);
	struct span der = cert_der(good), copy;
	struct crl_spec cs = middle_crl;
	unsigned char *crl_bytes;
	struct span crl = crl_der(&cs, &crl_bytes);
	struct crl *l = NULL;
	uint8_t *p = arena_alloc(a, CERT_MAX + 1);

	for (size_t n = 0; n < der.len; n++)
		assert_int_equal(cert_parse(span_sub(der, 0, n), &c), ERR_CERT_UNREADABLE);
	memcpy(p, der.ptr, der.len);
	assert_int_equal(cert_parse(span_of(p, der.len + 1), &c), ERR_CERT_UNREADABLE);
	assert_int_equal(cert_parse(span_of(p, CERT_MAX + 1), &c), ERR_CERT_UNREADABLE);
	assert_null(c);
	/* No single wrong byte may do more than be refused or be seen by the signature. */
	for (size_t i = 0; i < der.len; i++) {
		copy = arena_dup(a, der);
		((uint8_t *)(uintptr_t)copy.ptr)[i] ^= 0x20;
		if (cert_parse(copy, &c) == ERR_OK)
			cert_free(c);
	}
	for (size_t n = 0; n < crl.len; n++)
		assert_int_equal(crl_parse(span_sub(crl, 0, n), &l), ERR_CERT_UNREADABLE);
	memcpy(p, crl.ptr, crl.len);
	assert_int_equal(crl_parse(span_of(p, crl.len + 1), &l), ERR_CERT_UNREADABLE);
	assert_int_equal(crl_parse_pem_or_der(BYTES("-----BEGIN X509 CRL-----\n"), &l), ERR_CERT_UNREADABLE);
	assert_int_equal(crl_parse_pem_or_der(der, &l), ERR_CERT_UNREADABLE);
	assert_int_equal(crl_parse_pem_or_der(crl, &l), ERR_OK);
	assert_string_equal(crl_issuer(l), "CN=中级,O=云州市");
	assert_int_equal(crl_this_update(l), day(-2));
	assert_int_equal(crl_next_update(l), day(30));
	crl_free(l);
	crl_free(NULL);
	OPENSSL_free(crl_bytes);
	arena_free(a);
	cert_free(good);
}

static void flipped_bytes_break_the_path(void **state)
{
	struct cert *root = make_cert(root_spec), *leaf, *c = NULL;
	struct spec s = leaf_spec;
	struct cert_store *store = NULL;
	struct chain_result r;
	struct arena *a = arena_new(1 << 20);
	struct span der;

	s.issuer = "根", s.signer = ROOT;
	leaf = make_cert(s);
	der = cert_der(leaf);
	assert_int_equal(cert_store_new(&store), ERR_OK);
	assert_int_equal(cert_store_add_anchor(store, root), ERR_OK);
	assert_int_equal(chain_check(store, leaf, NULL, 0, day(1), day(1), &r), ERR_OK);
	assert_int_equal(r.status, CHAIN_OK);
	for (size_t i = 0; i < der.len; i++) {
		struct span copy = arena_dup(a, der);

		((uint8_t *)(uintptr_t)copy.ptr)[i] ^= 0x01;
		if (cert_parse(copy, &c) != ERR_OK)
			continue;
		assert_int_equal(chain_check(store, c, NULL, 0, day(1), day(1), &r), ERR_OK);
		if (r.status == CHAIN_OK)
			fail_msg("byte %zu may be changed", i);
		cert_free(c);
	}
	arena_free(a);
	cert_store_free(store);
	cert_free(leaf);
	cert_free(root);
}

static void hostile_names_are_refused(void **state)
{
	static const char *const bad[] = {"章\xe2\x80\xae签", "章\xe2\x81\xa6", "章\xc2\x85"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct spec s = leaf_spec;
		unsigned char *der = NULL;
		struct cert *c = NULL;
		X509 *x;
		int len;

		s.subject = bad[i];
		x = make_x509(&s);
		len = i2d_X509(x, &der);
		assert_int_equal(cert_parse(span_of(der, (size_t)len), &c), ERR_CERT_UNREADABLE);
		OPENSSL_free(der);
		X509_free(x);
	}
}

/* ---- the development PKI -------------------------------------------------------------------- */

static struct span read_pki(struct arena *a, const char *name)
{
	struct span s = {0};
	struct err_note note = {0};

	if (file_read(a, arena_printf(a, PKI "%s", name), 1 << 20, &s, &note) != ERR_OK)
		fail_msg("%s", note.help);
	return s;
}

static struct cert *read_cert(struct arena *a, const char *name)
{
	struct cert **list = NULL;
	size_t n = 0;

	assert_int_equal(cert_parse_bundle(a, read_pki(a, name), &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	return list[0];
}

static struct cert_store *open_trust(struct arena *a)
{
	struct cert *root = read_cert(a, "trust/root.crt");
	struct cert_store *s = NULL;
	struct crl *crl = NULL;

	assert_int_equal(crl_parse_pem_or_der(read_pki(a, "trust/root.crl"), &crl), ERR_OK);
	assert_int_equal(cert_store_new(&s), ERR_OK);
	assert_int_equal(cert_store_add_anchor(s, root), ERR_OK);
	assert_int_equal(cert_store_add_crl(s, crl), ERR_OK);
	cert_free(root);
	return s;
}

static void development_pki_holds(void **state)
{
	static const struct {
		const char *name, *purpose;
	} good[] = {
	    {"maker", NULL},
	    {"samr", NULL},
	    {"mnr", NULL},
	    {"hrss", NULL},
	    {"receipt", PURPOSE_RECEIPT},
	    {"verdict", PURPOSE_VERDICT},
	    {"checkpoint", PURPOSE_CHECKPOINT},
	};
	struct clock wall = clock_system();
	int64_t now = clock_now(&wall);
	struct arena *a = arena_new(1 << 20);
	struct cert_store *s = open_trust(a);
	struct chain_result r;
	struct cert *c;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		c = read_cert(a, arena_printf(a, "sm2/%s.crt", good[i].name));
		assert_int_equal(chain_check(s, c, NULL, 0, now, now, &r), ERR_OK);
		EXPECT(r, CHAIN_OK, 0);
		assert_int_equal(r.revocation, REVOCATION_GOOD);
		assert_int_equal(cert_key_usage(c), 1 | 2);
		assert_int_equal(cert_eku_only_below(c, STATEMENT_ARC), good[i].purpose != NULL);
		assert_true(good[i].purpose == NULL || cert_has_eku(c, good[i].purpose));
		cert_free(c);
	}
	c = read_cert(a, "sm2/revoked.crt");
	assert_int_equal(chain_check(s, c, NULL, 0, now, now, &r), ERR_OK);
	EXPECT(r, CHAIN_OK, 0);
	assert_int_equal(r.revocation, REVOCATION_REVOKED);
	assert_true(r.revoked_at > 0 && r.revoked_at <= now);
	cert_free(c);
	c = read_cert(a, "sm2/expired.crt");
	assert_int_equal(chain_check(s, c, NULL, 0, now, now, &r), ERR_OK);
	EXPECT(r, CHAIN_EXPIRED, 0);
	assert_int_equal(chain_check(s, c, NULL, 0, 1593561600000, now, &r), ERR_OK); /* 2020-07-01 */
	EXPECT(r, CHAIN_OK, 0);
	cert_free(c);
	c = read_cert(a, "sm2/samr.crt");
	assert_int_equal(chain_check(s, c, NULL, 0, now, now + (int64_t)800 * DAY * 1000, &r), ERR_OK);
	assert_int_equal(r.revocation, REVOCATION_STALE);
	cert_free(c);
	c = read_cert(a, "tls/window.crt");
	assert_true(cert_has_eku(c, "1.3.6.1.5.5.7.3.2"));
	assert_false(cert_has_eku(c, "1.3.6.1.5.5.7.3.1"));
	assert_false(cert_has_eku(c, "1.3.6.1.5.5.7.3"));
	assert_int_equal(chain_check(s, c, NULL, 0, now, now, &r), ERR_OK);
	assert_int_equal(r.status, CHAIN_NO_PATH);
	cert_free(c);
	cert_store_free(s);
	arena_free(a);
}

static void keys_fit_their_certificates(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct span pass = read_pki(a, "passphrase");
	struct cert *c = read_cert(a, "sm2/samr.crt");
	struct signer *s = NULL;
	struct err_note note;
	uint8_t sig[SM2_SIG_MAX];
	size_t len;

	pass.len = strcspn((const char *)pass.ptr, "\n");
	assert_int_equal(signer_open_file(PKI "sm2/samr.key", pass, &s, &note), ERR_OK);
	assert_true(span_eq(signer_point(s), sm2_key_point(cert_sm2_key(c))));
	assert_int_equal(signer_sign(s, BYTES("m"), sig, &len), ERR_OK);
	assert_int_equal(sm2_verify(cert_sm2_key(c), sm2_default_id(), BYTES("m"), span_of(sig, len)), ERR_OK);
	signer_free(s);
	s = NULL;
	assert_int_equal(signer_open_file(PKI "tls/window.key", BYTES(""), &s, &note), ERR_KEY_UNREADABLE);
	assert_null(s);
	cert_free(c);
	arena_free(a);
}

static void bundles_are_read(void **state)
{
	struct arena *a = arena_new(1 << 20), *tiny = arena_new(8);
	struct span one = read_pki(a, "sm2/samr.crt"), key = read_pki(a, "sm2/samr.key"), der;
	struct span two = read_pki(a, "sm2/mnr.crt");
	struct cert **list = NULL, **none = NULL;
	size_t n = 0;
	char *text = arena_printf(a, "comment\n%.*s%.*s\n%.*s", (int)one.len, (const char *)one.ptr, (int)key.len,
	                          (const char *)key.ptr, (int)two.len, (const char *)two.ptr);

	assert_int_equal(cert_parse_bundle(a, span_str(text), &list, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_string_equal(cert_common_name(list[1]), "云州市自然资源和规划局 电子签章");
	der = arena_dup(a, cert_der(list[0]));
	cert_free(list[0]);
	cert_free(list[1]);
	assert_int_equal(cert_parse_bundle(a, der, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	cert_free(list[0]);
	n = 77;
	assert_int_equal(cert_parse_bundle(a, span_of(NULL, 0), &none, &n), ERR_CERT_UNREADABLE);
	assert_int_equal(cert_parse_bundle(a, key, &none, &n), ERR_CERT_UNREADABLE);
	assert_int_equal(cert_parse_bundle(a, span_sub(one, 0, one.len - 40), &none, &n), ERR_CERT_UNREADABLE);
	text = arena_printf(a, "%.*s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", (int)one.len,
	                    (const char *)one.ptr);
	assert_int_equal(cert_parse_bundle(a, span_str(text), &none, &n), ERR_CERT_UNREADABLE);
	assert_int_equal(cert_parse_bundle(tiny, one, &none, &n), ERR_BUDGET);
	assert_null(none);
	assert_int_equal(n, 77);
	arena_free(a);
	arena_free(tiny);
}

struct shared {
	struct cert_store *store;
	struct cert *leaf;
	int64_t now;
};

static void *check_many(void *arg)
{
	struct shared *s = arg;
	intptr_t bad = 0;

	for (int i = 0; i < 50; i++) {
		struct chain_result r;
		struct cert *c = cert_ref(s->leaf);

		bad |= chain_check(s->store, c, NULL, 0, s->now, s->now, &r) != ERR_OK || r.status != CHAIN_OK ||
		       r.revocation != REVOCATION_GOOD;
		cert_free(c);
	}
	return (void *)bad;
}

static void store_is_shared_by_threads(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct clock wall = clock_system();
	struct shared s = {.store = open_trust(a), .leaf = read_cert(a, "sm2/samr.crt"), .now = clock_now(&wall)};
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, check_many, &s), 0);
	for (size_t i = 0; i < 4; i++) {
		void *bad = NULL;

		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_null(bad);
	}
	cert_free(s.leaf);
	cert_store_free(s.store);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_are_read),
	    cmocka_unit_test(purposes_are_read),
	    cmocka_unit_test(broken_certificates_are_refused),
	    cmocka_unit_test(flipped_bytes_break_the_path),
	    cmocka_unit_test(hostile_names_are_refused),
	    cmocka_unit_test(development_pki_holds),
	    cmocka_unit_test(keys_fit_their_certificates),
	    cmocka_unit_test(bundles_are_read),
	    cmocka_unit_test(store_is_shared_by_threads),
	};

	return cmocka_run_group_tests_name("cert", tests, make_keys, free_keys);
}
