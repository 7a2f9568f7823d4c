/* Signing by our own arithmetic: the published example, what the standard refuses, nonces, and what becomes of secrets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "key_file_help.h"

#include "base/text.h"
#include "crypto/cpu.h"
#include "crypto/signer.h"
#include "crypto/sm2_core.h"
#include "crypto/sm2_inverse.h"
#include "crypto/sm2_nonce.h"
#include "crypto/sm2_openssl.h"
#include "crypto/sm2_sign.h"

#define BYTES(s) span_of(s, sizeof(s) - 1)

/* GB/T 32918.5, annex A.2 */
#define D_HEX "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8"
#define K_HEX "59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21"
#define R_HEX "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
#define S_HEX "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
#define P_HEX                                                                                                          \
	"0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"                                               \
	"CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
#define N_HEX "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123"

static void hex(const char *text, uint8_t *out)
{
	assert_int_equal(hex_decode(span_str(text), out, strlen(text) / 2), ERR_OK);
}

static struct sm2_secret *secret_of(const char *d_hex, struct sm2_key **key)
{
	uint8_t d[SM2_NUMBER], point[SM2_POINT];
	struct sm2_secret *s = NULL;

	hex(d_hex, d);
	assert_int_equal(sm2_secret_new(d, &s, point), ERR_OK);
	if (key != NULL)
		assert_int_equal(sm2_key_new(span_of(point, sizeof(point)), key), ERR_OK);
	return s;
}

/* ---- the standard's numbers ----------------------------------------------------------------- */

static void example_of_the_standard(void **state)
{
	static const unsigned paths[] = {CPU_PORTABLE, CPU_ADX, CPU_ADX | CPU_AVX2, CPU_ALL};
	uint8_t k[SM2_NUMBER], r[SM2_NUMBER], s[SM2_NUMBER], point[SM2_POINT], e[SM2_DIGEST];
	struct sm2_value v;

	hex(K_HEX, k);
	hex(R_HEX, r);
	hex(S_HEX, s);
	hex(P_HEX, point);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct sm2_key *key = NULL;
		struct sm2_secret *secret;

		(void)cpu_limit(paths[i]);
		secret = secret_of(D_HEX, &key);
		assert_memory_equal(sm2_key_point(key).ptr, point, SM2_POINT);
		assert_int_equal(sm2_digest(key, sm2_default_id(), BYTES("message digest"), e), ERR_OK);
		assert_true(sm2_sign_with(secret, k, e, &v));
		assert_memory_equal(v.r, r, sizeof(r));
		assert_memory_equal(v.s, s, sizeof(s));
		sm2_secret_free(secret);
		sm2_key_free(key);
	}
	(void)cpu_limit(CPU_ALL);
	sm2_secret_free(NULL);
}

/* ---- private numbers ------------------------------------------------------------------------ */

static void private_numbers_out_of_range_are_refused(void **state)
{
	static const char *const bad[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000", /* 0 */
	    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54122", /* n - 1: 1 + d has no inverse */
	    N_HEX,
	    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54124", /* n + 1 */
	    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t d[SM2_NUMBER], point[SM2_POINT] = {0xee};
		struct sm2_secret *s = NULL;

		hex(bad[i], d);
		assert_int_equal(sm2_secret_new(d, &s, point), ERR_FORMAT);
		assert_null(s);
		assert_int_equal(point[0], 0xee);
	}
}

static void private_numbers_at_the_edges_sign(void **state)
{
	static const char *const good[] = {
	    "0000000000000000000000000000000000000000000000000000000000000001",
	    "0000000000000000000000000000000000000000000000000000000000000002",
	    "00000000000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
	    "7FFFFFFF7FFFFFFFFFFFFFFFFFFFFFFFB901EFB590E30295A9DDFA049CEAA091", /* (n - 1) / 2 */
	    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54121", /* n - 2 */
	};
	const struct rand rand = rand_system();

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct sm2_key *key = NULL;
		struct sm2_secret *s = secret_of(good[i], &key);
		uint8_t e[SM2_DIGEST], der[SM2_SIG_MAX];
		struct sm2_value v;

		assert_int_equal(sm2_digest(key, sm2_default_id(), BYTES("m"), e), ERR_OK);
		assert_int_equal(sm2_sign(s, &rand, e, &v), ERR_OK);
		struct span sig = span_of(der, sm2_value_write(&v, der));
		assert_int_equal(sm2_verify(key, sm2_default_id(), BYTES("m"), sig), ERR_OK);
		assert_int_equal(sm2_openssl_verify(sm2_key_point(key), sm2_default_id(), BYTES("m"), sig), ERR_OK);
		sm2_secret_free(s);
		sm2_key_free(key);
	}
}

/* ---- nonces that the standard refuses (6.1, A5 and A6) -------------------------------------- */

static void refused(const struct sm2_secret *s, const uint8_t *k, const uint8_t *e)
{
	struct sm2_value v, before;

	memset(&v, 0x77, sizeof(v));
	before = v;
	assert_false(sm2_sign_with(s, k, e, &v));
	assert_memory_equal(&v, &before, sizeof(v));
}

static void nonces_out_of_range_are_refused(void **state)
{
	static const char *const bad[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    N_HEX,
	    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54124",
	    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
	};
	struct sm2_secret *s = secret_of(D_HEX, NULL);
	uint8_t k[SM2_NUMBER], e[SM2_DIGEST] = {1};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		hex(bad[i], k);
		refused(s, k, e);
	}
	sm2_secret_free(s);
}

static void numbers_that_give_the_key_away_are_refused(void **state)
{
	struct sm2_secret *s = secret_of(D_HEX, NULL);
	struct sm2_scalar d, k, x, t;
	uint8_t bytes[SM2_NUMBER], d_bytes[SM2_NUMBER], e[SM2_DIGEST] = {0};
	struct sm2_value v;

	hex(K_HEX, bytes);
	hex(D_HEX, d_bytes);
	assert_true(sm2_scalar_from_bytes(&k, bytes));
	assert_true(sm2_scalar_from_bytes(&d, d_bytes));
	assert_true(sm2_sign_with(s, bytes, e, &v)); /* with e = 0, r is x of k*G */
	assert_true(sm2_scalar_from_bytes(&x, v.r));
	/* r = 0 */
	sm2_scalar_neg(&t, &x);
	sm2_scalar_to_bytes(e, &t);
	refused(s, bytes, e);
	/* r + k = n */
	sm2_scalar_sub(&t, &t, &k);
	sm2_scalar_to_bytes(e, &t);
	refused(s, bytes, e);
	/* s = 0: k = r d */
	sm2_scalar_inv(&t, &d);
	sm2_scalar_mul(&t, &t, &k);
	sm2_scalar_sub(&t, &t, &x);
	sm2_scalar_to_bytes(e, &t);
	refused(s, bytes, e);
	/* Their neighbours are none of these. */
	e[31] ^= 1;
	assert_true(sm2_sign_with(s, bytes, e, &v));
	sm2_secret_free(s);
}

/* Every k at the edges of the tables' digits gives what OpenSSL accepts. */
static void nonces_at_the_edges_sign(void **state)
{
	static const char *const good[] = {
	    "0000000000000000000000000000000000000000000000000000000000000001",
	    "0000000000000000000000000000000000000000000000000000000000000002",
	    "00000000000000000000000000000000000000000000000000000000000000FF",
	    "0000000000000000000000000000000000000000000000000000000000000100",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "8000000000000000000000000000000000000000000000000000000000000000",
	    "FF00000000000000000000000000000000000000000000000000000000000000",
	    "FEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
	    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54121",
	    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54122",
	    /* 2 * 255 * 2^248 - n, and its negative: the last addition of k*G meets equal points */
	    "FE0000010000000000000000000000008DFC2094DE39FAD4AC440BF6C62ABEDD",
	    "01FFFFFDFFFFFFFFFFFFFFFFFFFFFFFEE407BED6438C0A56A777E81273AA8246",
	};
	struct sm2_key *key = NULL;
	struct sm2_secret *s = secret_of(D_HEX, &key);
	uint8_t k[SM2_NUMBER], e[SM2_DIGEST], der[SM2_SIG_MAX];
	struct sm2_value v;

	assert_int_equal(sm2_digest(key, sm2_default_id(), BYTES("m"), e), ERR_OK);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		hex(good[i], k);
		assert_true(sm2_sign_with(s, k, e, &v));
		struct span sig = span_of(der, sm2_value_write(&v, der));
		if (sm2_openssl_verify(sm2_key_point(key), sm2_default_id(), BYTES("m"), sig) != ERR_OK)
			fail_msg("nonce %zu", i);
	}
	sm2_secret_free(s);
	sm2_key_free(key);
}

/* The inversion of secrets against the fixed chain: edge values, sparse and random ones. */
static void inverse_agrees(const struct sm2_fe *a)
{
	struct sm2_fe want, got, alias = *a;

	sm2_fe_inv(&want, a);
	sm2_fe_inv_secret(&got, a);
	sm2_fe_inv_secret(&alias, &alias);
	assert_memory_equal(&want, &got, sizeof(want));
	assert_memory_equal(&want, &alias, sizeof(want));
}

static void inversions_agree(void **state)
{
	const struct rand rand = rand_system();
	const uint64_t p[4] = {SM2_P0, SM2_P1, SM2_P2, SM2_P3};

	inverse_agrees(&sm2_fe_zero);
	inverse_agrees(&sm2_fe_one);
	for (uint64_t i = 1; i < 300; i++) {
		struct sm2_fe small = {{i, 0, 0, 0}}, large = {{p[0] - i, p[1], p[2], p[3]}};
		inverse_agrees(&small);
		inverse_agrees(&large);
	}
	for (unsigned i = 0; i < 255; i++)
		for (unsigned j = 0; j < 255; j += 5) {
			struct sm2_fe sparse = {{0}};
			sparse.v[i / 64] |= UINT64_C(1) << i % 64;
			sparse.v[j / 64] |= UINT64_C(1) << j % 64;
			inverse_agrees(&sparse);
		}
	for (int i = 0; i < 20000; i++) {
		struct sm2_fe any;
		assert_int_equal(rand_fill(&rand, (uint8_t *)any.v, sizeof(any.v)), ERR_OK);
		any.v[3] >>= 1;
		inverse_agrees(&any);
	}
}

/* ---- hedged nonces -------------------------------------------------------------------------- */

static enum err same_fill(void *arg, uint8_t *out, size_t len)
{
	memset(out, *(const uint8_t *)arg, len);
	return ERR_OK;
}

static enum err broken_fill(void *arg, uint8_t *out, size_t len)
{
	return ERR_RANDOM;
}

/* As the header says it, by another HMAC. */
static void nonces_are_those_of_the_header(void **state)
{
	uint8_t d[SM2_NONCE], fresh[SM2_NONCE], e[SM3_LEN], prf[SM3_LEN], want[SM3_LEN], got[SM2_NONCE];
	const struct rand rand = rand_system();
	struct span label = BYTES("Yinzheng SM2 nonce 1");
	struct sm2_nonce_key key;

	for (uint8_t i = 0; i < 20; i++) {
		assert_int_equal(rand_fill(&rand, d, sizeof(d)), ERR_OK);
		assert_int_equal(rand_fill(&rand, fresh, sizeof(fresh)), ERR_OK);
		assert_int_equal(rand_fill(&rand, e, sizeof(e)), ERR_OK);
		struct span parts[] = {span_of(&i, 1), span_of(fresh, sizeof(fresh)), span_of(e, sizeof(e))};
		assert_int_equal(sm3_hmac(span_of(d, sizeof(d)), &label, 1, prf), ERR_OK);
		assert_int_equal(sm3_hmac(span_of(prf, sizeof(prf)), parts, 3, want), ERR_OK);
		sm2_nonce_prepare(d, &key);
		sm2_nonce_make(&key, i, fresh, e, got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

static bool same(const struct sm2_value *a, const struct sm2_value *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* With randomness that never changes, the nonce still hangs on key and digest; with one that does, equal digests have
 * different ones. r tells them apart, as the digests do not. */
static void nonces_hang_on_key_digest_and_randomness(void **state)
{
	uint8_t ones = 1, twos = 2, e[SM2_DIGEST] = {5}, k[2][SM2_NONCE], d[SM2_NUMBER];
	const struct rand a = {same_fill, &ones}, b = {same_fill, &twos}, system = rand_system();
	struct sm2_secret *s = secret_of(D_HEX, NULL);
	struct sm2_value v, again, other;
	struct sm2_nonce_key key;

	assert_int_equal(sm2_sign(s, &a, e, &v), ERR_OK);
	assert_int_equal(sm2_sign(s, &a, e, &again), ERR_OK);
	assert_true(same(&v, &again));
	assert_int_equal(sm2_sign(s, &b, e, &other), ERR_OK);
	assert_false(same(&v, &other));
	assert_int_equal(sm2_sign(s, &system, e, &v), ERR_OK);
	assert_int_equal(sm2_sign(s, &system, e, &again), ERR_OK);
	assert_memory_not_equal(v.r, again.r, sizeof(v.r));
	sm2_secret_free(s);

	hex(D_HEX, d);
	sm2_nonce_prepare(d, &key);
	for (size_t bit = 0; bit < 256; bit++) { /* every bit of the digest and of the key counts */
		memset(e, 0, sizeof(e));
		sm2_nonce_make(&key, 0, e, e, k[0]);
		e[bit / 8] ^= (uint8_t)(1u << bit % 8);
		memset(k[1], 0, sizeof(k[1]));
		sm2_nonce_make(&key, 0, k[1], e, k[1]);
		assert_memory_not_equal(k[0], k[1], SM2_NONCE);
	}
}

static void no_randomness_no_signature(void **state)
{
	const struct rand broken = {.fill = broken_fill};
	struct sm2_secret *s = secret_of(D_HEX, NULL);
	uint8_t e[SM2_DIGEST] = {5};
	struct sm2_value v, before;

	memset(&v, 0x77, sizeof(v));
	before = v;
	assert_int_equal(sm2_sign(s, &broken, e, &v), ERR_RANDOM);
	assert_true(same(&v, &before));
	sm2_secret_free(s);
}

static void random_keys_satisfy_openssl(void **state)
{
	const struct rand rand = rand_system();

	for (int i = 0; i < 100; i++) {
		uint8_t d[SM2_NUMBER], point[SM2_POINT], e[SM2_DIGEST], der[SM2_SIG_MAX];
		struct span msg = span_of(&i, sizeof(i));
		struct sm2_secret *s = NULL;
		struct sm2_key *key = NULL;
		struct sm2_value v;

		assert_int_equal(rand_fill(&rand, d, sizeof(d)), ERR_OK);
		d[0] &= 0x7f;
		assert_int_equal(sm2_secret_new(d, &s, point), ERR_OK);
		assert_int_equal(sm2_key_new(span_of(point, sizeof(point)), &key), ERR_OK);
		assert_int_equal(sm2_digest(key, sm2_default_id(), msg, e), ERR_OK);
		assert_int_equal(sm2_sign(s, &rand, e, &v), ERR_OK);
		struct span sig = span_of(der, sm2_value_write(&v, der));
		assert_int_equal(sm2_openssl_verify(sm2_key_point(key), sm2_default_id(), msg, sig), ERR_OK);
		assert_int_equal(sm2_verify(key, sm2_default_id(), msg, sig), ERR_OK);
		sm2_secret_free(s);
		sm2_key_free(key);
	}
}

/* ---- where a secret lies -------------------------------------------------------------------- */

/* Does /proc say of this place that core dumps leave it out? */
static bool is_left_out(const void *p)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512];
	bool here = false, told = false;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = (uintptr_t)p >= from && (uintptr_t)p < to;
		if (here && strncmp(line, "VmFlags:", 8) == 0)
			told = strstr(line, " dd") != NULL;
	}
	(void)fclose(f);
	return told;
}

static void secrets_stay_out_of_core_dumps(void **state)
{
	struct sm2_secret *s = secret_of(D_HEX, NULL);
	void *probe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(probe != MAP_FAILED);
	assert_int_equal(madvise(probe, 4096, MADV_DONTDUMP), 0);
	if (is_left_out(probe))
		assert_true(is_left_out(s));
	else
		printf("note: /proc does not tell (an emulator's), skipped\n");
	munmap(probe, 4096);
	sm2_secret_free(s);
}

/* ---- signers -------------------------------------------------------------------------------- */

static void open_signer(const struct files *f, enum sm2_backend by, struct signer **s, struct sm2_key **key)
{
	struct err_note note;

	assert_int_equal(signer_open_file_by(by, f->path, BYTES("open"), s, &note), ERR_OK);
	assert_int_equal(sm2_key_new(signer_point(*s), key), ERR_OK);
}

static void both_back_ends_sign(void **state)
{
	static const enum sm2_backend by[] = {SM2_OWN, SM2_OPENSSL};
	const struct files *f = *state;
	struct err_note note;

	assert_int_equal(signer_make_file(f->path, BYTES("open"), &note), ERR_OK);
	for (size_t i = 0; i < 2; i++) {
		struct signer *s = NULL;
		struct sm2_key *key = NULL;
		uint8_t sig[SM2_SIG_MAX], other[SM2_SIG_MAX];
		size_t len = 0, n = 0;

		open_signer(f, by[i], &s, &key);
		assert_int_equal(signer_sign(s, BYTES("m"), sig, &len), ERR_OK);
		assert_int_equal(signer_sign(s, BYTES("m"), other, &n), ERR_OK);
		assert_false(len == n && memcmp(sig, other, len) == 0);
		for (size_t j = 0; j < 2; j++)
			assert_int_equal(sm2_verify_by((struct sm2_means){.backend = by[j]}, key, sm2_default_id(), BYTES("m"),
			                               span_of(sig, len)),
			                 ERR_OK);
		sm2_key_free(key);
		signer_free(s);
	}
}

/* What is expected changes how a message is hashed, never what is signed. */
static void expected_beginnings(void **state)
{
	static const char *const messages[] = {"", "H", "Hea", "Head", "Head and more", "Heap", "Tail", "Tail and more"};
	static const enum sm2_backend by[] = {SM2_OWN, SM2_OPENSSL};
	const struct files *f = *state;
	struct err_note note;

	assert_int_equal(signer_make_file(f->path, BYTES("open"), &note), ERR_OK);
	for (size_t i = 0; i < 2; i++) {
		struct signer *s = NULL;
		struct sm2_key *key = NULL;
		uint8_t sig[SM2_SIG_MAX];
		size_t len = 0;

		open_signer(f, by[i], &s, &key);
		for (size_t m = 0; m < 3 * sizeof(messages) / sizeof(messages[0]); m++) {
			struct span msg = span_str(messages[m / 3]);

			if (m % 3 != 0)
				assert_int_equal(signer_expect(s, m % 3 == 1 ? BYTES("Head") : BYTES("Tail")), ERR_OK);
			assert_int_equal(signer_sign(s, msg, sig, &len), ERR_OK);
			assert_int_equal(sm2_verify(key, sm2_default_id(), msg, span_of(sig, len)), ERR_OK);
		}
		sm2_key_free(key);
		signer_free(s);
	}
}

/* A PKCS#8 file whose public half is another key's, which OpenSSL reads without a word. */
static void write_torn_key(const char *path, const char *d_hex)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	BIGNUM *d = NULL;
	uint8_t point[SM2_POINT];
	OSSL_PARAM *params;
	EVP_PKEY *pkey = NULL;
	FILE *f = fopen(path, "we");

	hex(P_HEX, point);
	assert_true(BN_hex2bn(&d, d_hex) > 0);
	assert_true(f != NULL && ctx != NULL && b != NULL);
	assert_int_equal(OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "SM2", 0), 1);
	assert_int_equal(OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)), 1);
	assert_int_equal(OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d), 1);
	params = OSSL_PARAM_BLD_to_param(b);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params), 1);
	assert_int_equal(PEM_write_PKCS8PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
	(void)fclose(f);
	EVP_PKEY_free(pkey);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	BN_free(d);
	EVP_PKEY_CTX_free(ctx);
}

static void torn_keys_are_refused(void **state)
{
	static const char another[] = "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B9";
	const struct files *f = *state;
	struct signer *s = NULL;
	struct err_note note = {0};

	write_torn_key(f->path, D_HEX);
	assert_int_equal(chmod(f->path, 0600), 0);
	assert_int_equal(signer_open_file(f->path, BYTES(""), &s, &note), ERR_OK); /* the pair itself is good */
	signer_free(s);
	s = NULL;
	write_torn_key(f->path, another);
	assert_int_equal(signer_open_file(f->path, BYTES(""), &s, &note), ERR_KEY_UNREADABLE);
	assert_null(s);
	assert_non_null(strstr(note.help, "no SM2 key pair"));
	assert_null(strstr(note.help, "3945"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(example_of_the_standard),
	    cmocka_unit_test(private_numbers_out_of_range_are_refused),
	    cmocka_unit_test(private_numbers_at_the_edges_sign),
	    cmocka_unit_test(nonces_out_of_range_are_refused),
	    cmocka_unit_test(numbers_that_give_the_key_away_are_refused),
	    cmocka_unit_test(nonces_at_the_edges_sign),
	    cmocka_unit_test(inversions_agree),
	    cmocka_unit_test(nonces_are_those_of_the_header),
	    cmocka_unit_test(nonces_hang_on_key_digest_and_randomness),
	    cmocka_unit_test(no_randomness_no_signature),
	    cmocka_unit_test(random_keys_satisfy_openssl),
	    cmocka_unit_test(secrets_stay_out_of_core_dumps),
	    cmocka_unit_test_setup_teardown(both_back_ends_sign, with_files, without_files),
	    cmocka_unit_test_setup_teardown(expected_beginnings, with_files, without_files),
	    cmocka_unit_test_setup_teardown(torn_keys_are_refused, with_files, without_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
