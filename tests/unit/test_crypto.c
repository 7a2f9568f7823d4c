/* Digests, randomness, sealed values, SM2 and signers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "key_file_help.h"

#include "base/file.h"
#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/signer.h"

#define BYTES(s) span_of(s, sizeof(s) - 1)

static struct span from_hex(const char *hex, uint8_t *out)
{
	assert_int_equal(hex_decode(span_str(hex), out, strlen(hex) / 2), ERR_OK);
	return span_of(out, strlen(hex) / 2);
}

static void assert_hex(const uint8_t *got, size_t len, const char *want)
{
	char text[512];

	hex_encode(span_of(got, len), text);
	assert_string_equal(text, want);
}

/* ---- digests: values of GB/T 32905, FIPS 180, and of other implementations of HMAC and HKDF - */

static void digests_have_known_answers(void **state)
{
	struct span parts[] = {BYTES("a"), BYTES(""), BYTES("bc"), {NULL, 0}};
	struct span abc = BYTES("abc"), fox = BYTES("The quick brown fox jumps over the lazy dog");
	uint8_t out[32], long_key[100];

	assert_int_equal(sm3(abc, out), ERR_OK);
	assert_hex(out, 32, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
	assert_int_equal(sm3_parts(parts, 4, out), ERR_OK);
	assert_hex(out, 32, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
	assert_int_equal(sm3_parts(NULL, 0, out), ERR_OK);
	assert_hex(out, 32, "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b");
	assert_int_equal(sha256_parts(parts, 4, out), ERR_OK);
	assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

	assert_int_equal(sm3_hmac(span_of(NULL, 0), NULL, 0, out), ERR_OK);
	assert_hex(out, 32, "0d23f72ba15e9c189a879aefc70996b06091de6e64d31b7a84004356dd915261");
	assert_int_equal(sm3_hmac(BYTES("key"), &fox, 1, out), ERR_OK);
	assert_hex(out, 32, "bd4a34077888162b210645b8ebf74b9af357303789357a27c7fc457244ebd398");
	memset(long_key, 'k', sizeof(long_key));
	assert_int_equal(sm3_hmac(span_of(long_key, sizeof(long_key)), parts, 4, out), ERR_OK);
	assert_hex(out, 32, "2d87dd3ffa1452e8e40d9123a02824fb7dd98ae4a52683287245f1736dc610ef");
}

static void hkdf_has_known_answers(void **state)
{
	uint8_t key[22], salt[13], info[10], out[42], big[255 * 32 + 1];

	from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", key);
	from_hex("000102030405060708090a0b0c", salt);
	from_hex("f0f1f2f3f4f5f6f7f8f9", info);
	assert_int_equal(sm3_hkdf(span_of(key, 22), span_of(salt, 13), span_of(info, 10), out, 42), ERR_OK);
	assert_hex(out, 42, "c69fe91b7aaee2dd5718d72dcaee0cce93f1b8e41f792da51261b6a517e68b36ed2c595572b01dfa359b");
	assert_int_equal(sm3_hkdf(span_of(key, 22), span_of(NULL, 0), span_of(NULL, 0), out, 42), ERR_OK);
	assert_hex(out, 42, "c8c91a38ae2fb3b023a7c38ce9f0748f28230d59b6b950ba3ba949bf0d713a5774815778801741cb2034");
	assert_int_equal(sm3_hkdf(span_of(key, 22), span_of(NULL, 0), span_of(NULL, 0), big, 255 * 32), ERR_OK);
	assert_memory_equal(big, out, 42);
	assert_int_equal(sm3_hkdf(span_of(key, 22), span_of(NULL, 0), span_of(NULL, 0), big, sizeof(big)), ERR_TOO_LARGE);
}

/* ---- randomness and secrets ----------------------------------------------------------------- */

static void secrets_compare(void **state)
{
	struct rand r = rand_system();
	uint8_t a[40] = {0}, b[40] = {0};

	assert_int_equal(rand_fill(&r, a, sizeof(a)), ERR_OK);
	assert_int_equal(rand_fill(&r, b, sizeof(b)), ERR_OK);
	assert_int_equal(rand_fill(&r, b, 0), ERR_OK);
	assert_false(secret_equal(span_of(a, 40), span_of(b, 40)));
	memcpy(b, a, sizeof(b));
	assert_true(secret_equal(span_of(a, 40), span_of(b, 40)));
	assert_false(secret_equal(span_of(a, 40), span_of(b, 39)));
	assert_true(secret_equal(span_of(NULL, 0), span_of(b, 0)));
	b[39] ^= 1;
	assert_false(secret_equal(span_of(a, 40), span_of(b, 40)));
	secret_wipe(a, sizeof(a));
	for (size_t i = 0; i < sizeof(a); i++)
		assert_int_equal(a[i], 0);
	secret_wipe(NULL, 0);
}

static enum err broken_fill(void *arg, uint8_t *out, size_t len)
{
	return ERR_RANDOM;
}

static enum err counting_fill(void *arg, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)i;
	return ERR_OK;
}

/* ---- sealed values -------------------------------------------------------------------------- */

struct drawing {
	struct rand rand;
	uint8_t got[2000][16];
};

static void *draw(void *arg)
{
	struct drawing *d = arg;

	for (size_t i = 0; i < 2000; i++)
		assert_int_equal(rand_fill(&d->rand, d->got[i], 16), ERR_OK);
	return NULL;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* Nothing is handed out twice, whoever asks, and nothing is left out of what was asked for. */
static void drawn_ahead_is_drawn_once(void **state)
{
	static struct drawing d[4];
	static uint8_t all[8000][16], big[9000], zero[64];
	struct rand_pool *p = NULL;
	pthread_t t[4];

	(void)state;
	assert_int_equal(rand_pool_new(&p), ERR_OK);
	for (size_t i = 0; i < 4; i++) {
		d[i].rand = rand_pooled(p);
		assert_int_equal(pthread_create(&t[i], NULL, draw, &d[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		memcpy(all[2000 * i], d[i].got, sizeof(d[i].got));
	}
	qsort(all, 8000, 16, by_bytes);
	for (size_t i = 1; i < 8000; i++)
		assert_memory_not_equal(all[i - 1], all[i], 16);
	for (size_t n = 1; n < sizeof(big); n = n * 3 + 1) { /* from the pool, and past it */
		memset(big, 0, sizeof(big));
		assert_int_equal(rand_fill(&d[0].rand, big, n), ERR_OK);
		if (n >= sizeof(zero))
			assert_memory_not_equal(big + n - sizeof(zero), zero, sizeof(zero));
		assert_int_equal(big[n], 0);
	}
	assert_int_equal(rand_fill(&d[0].rand, big, 0), ERR_OK);
	rand_pool_free(p);
	rand_pool_free(NULL);
}

static void values_are_sealed(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct rand r = rand_system();
	struct span key = BYTES("0123456789abcdef0123456789ABCDEF"), plain, sealed, again;
	char text[200];

	memset(text, 'x', sizeof(text));
	for (size_t n = 0; n <= sizeof(text); n++) {
		assert_int_equal(aead_seal(a, &r, key, BYTES("row 1"), span_of(text, n), &sealed), ERR_OK);
		assert_int_equal(sealed.len, n + AEAD_OVERHEAD);
		assert_int_equal(aead_open(a, key, BYTES("row 1"), sealed, &plain), ERR_OK);
		assert_true(span_eq(plain, span_of(text, n)));
	}
	assert_null(memmem(sealed.ptr, sealed.len, "xxxx", 4));
	assert_int_equal(aead_seal(a, &r, key, BYTES("row 1"), span_of(text, sizeof(text)), &again), ERR_OK);
	assert_false(span_eq(again, sealed));
	arena_free(a);
}

/* The layout is stored: it must not drift. Values computed by SM4 and GCM written out in Python, which gave RFC 8998's
 * example, too. The longer one is more than any set of instructions takes at once. */
static void sealed_layout_is_fixed(void **state)
{
	struct span key = BYTES("0123456789abcdef0123456789ABCDEF"), context = BYTES("t/1/c/1"), sealed;
	struct arena *a = arena_new(10000);
	struct rand r = {.fill = counting_fill};
	uint8_t text[1000], digest[SM3_LEN];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(7 * i + 3);
	assert_int_equal(aead_seal(a, &r, key, context, BYTES("hello"), &sealed), ERR_OK);
	assert_hex(sealed.ptr, sealed.len, "02000102030405060708090a0b0c0d0e0f81d207afb543a371b4c8900bc1858796231cb47ce1");
	assert_int_equal(aead_seal(a, &r, key, context, span_of(text, sizeof(text)), &sealed), ERR_OK);
	assert_int_equal(sm3(sealed, digest), ERR_OK);
	assert_hex(digest, SM3_LEN, "aab64f4c3352007be32e0dad1da0d7f19f833daf944403956792db02f90dfd4d");
	arena_free(a);
}

/* As stores hold it that are older. Value computed with Python's hmac and the openssl command. */
static void version_1_is_read(void **state)
{
	struct span key = BYTES("0123456789abcdef0123456789ABCDEF"), context = BYTES("t/1/c/1"), plain, sealed, copy;
	struct arena *a = arena_new(100000);
	uint8_t bytes[100];

	sealed = from_hex(
	    "01000102030405060708090a0b0c0d0e0f95cd5dc3c743a442901c2155ef24531eaa8f5f922b7d1f2190eea513d42cd607f9bbcd6565",
	    bytes);
	assert_int_equal(aead_open(a, key, context, sealed, &plain), ERR_OK);
	assert_true(span_eq(plain, BYTES("hello")));
	for (size_t i = 0; i < sealed.len; i++) {
		copy = arena_dup(a, sealed);
		((uint8_t *)(uintptr_t)copy.ptr)[i] ^= 0x03; /* 1 becomes 2, too */
		assert_int_equal(aead_open(a, key, context, copy, &plain), ERR_STORE_CORRUPT);
	}
	for (size_t n = 0; n < sealed.len; n++)
		assert_int_equal(aead_open(a, key, context, span_sub(sealed, 0, n), &plain), ERR_STORE_CORRUPT);
	assert_int_equal(aead_open(a, key, BYTES("t/1/c/2"), sealed, &plain), ERR_STORE_CORRUPT);
	arena_free(a);
}

static void tampering_is_seen(void **state)
{
	struct arena *a = arena_new(1 << 20), *tiny = arena_new(20);
	struct rand r = rand_system(), broken = {.fill = broken_fill};
	struct span key = BYTES("0123456789abcdef0123456789ABCDEF"), other = BYTES("0123456789abcdef0123456789ABCDEf");
	struct span context = BYTES("row 1"), plain = BYTES("kept"), sealed, copy;

	assert_int_equal(aead_seal(a, &r, key, context, BYTES("310101..."), &sealed), ERR_OK);
	for (size_t i = 0; i < sealed.len; i++) {
		copy = arena_dup(a, sealed);
		((uint8_t *)(uintptr_t)copy.ptr)[i] ^= 0x01;
		assert_int_equal(aead_open(a, key, context, copy, &plain), ERR_STORE_CORRUPT);
	}
	for (size_t n = 0; n < sealed.len; n++)
		assert_int_equal(aead_open(a, key, context, span_sub(sealed, 0, n), &plain), ERR_STORE_CORRUPT);
	assert_int_equal(aead_open(a, other, context, sealed, &plain), ERR_STORE_CORRUPT);
	assert_int_equal(aead_open(a, key, BYTES("row 2"), sealed, &plain), ERR_STORE_CORRUPT);
	assert_int_equal(aead_open(a, key, BYTES(""), sealed, &plain), ERR_STORE_CORRUPT);
	assert_int_equal(aead_open(a, span_sub(key, 0, 31), context, sealed, &plain), ERR_INTERNAL);
	assert_true(span_eq(plain, BYTES("kept")));
	assert_int_equal(aead_seal(a, &broken, key, context, BYTES("x"), &copy), ERR_RANDOM);
	assert_int_equal(aead_seal(a, &r, BYTES("short"), context, BYTES("x"), &copy), ERR_INTERNAL);
	assert_int_equal(aead_seal(tiny, &r, key, context, BYTES("x"), &copy), ERR_BUDGET);
	arena_free(a);
	arena_free(tiny);
}

/* ---- SM2: the example of GB/T 32918.5 ------------------------------------------------------- */

static const char point_hex[] = "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
                                "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13";
#define R_HEX "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
#define S_HEX "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"

static struct sm2_key *example_key(void)
{
	uint8_t point[SM2_POINT];
	struct sm2_key *k = NULL;

	assert_int_equal(sm2_key_new(from_hex(point_hex, point), &k), ERR_OK);
	assert_memory_equal(sm2_key_point(k).ptr, point, SM2_POINT);
	return k;
}

static void sm2_example_verifies(void **state)
{
	struct sm2_key *k = example_key();
	uint8_t buf[SM2_SIG_MAX];
	struct span sig = from_hex("3046022100" R_HEX "022100" S_HEX, buf), msg = BYTES("message digest");

	assert_true(span_eq(sm2_default_id(), BYTES("1234567812345678")));
	assert_int_equal(sm2_verify(k, sm2_default_id(), msg, sig), ERR_OK);
	assert_int_equal(sm2_verify(k, sm2_default_id(), BYTES("message digesT"), sig), ERR_SIGNATURE_BAD);
	assert_int_equal(sm2_verify(k, sm2_default_id(), BYTES(""), sig), ERR_SIGNATURE_BAD);
	assert_int_equal(sm2_verify(k, BYTES("1234567812345679"), msg, sig), ERR_SIGNATURE_BAD);
	assert_int_equal(sm2_verify(k, BYTES("123456781234567"), msg, sig), ERR_SIGNATURE_BAD);
	assert_int_equal(sm2_verify(k, span_of(NULL, 0), msg, sig), ERR_SIGNATURE_BAD);
	for (size_t bit = 0; bit < sig.len * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(sm2_verify(k, sm2_default_id(), msg, sig), ERR_SIGNATURE_BAD);
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	sm2_key_free(k);
	sm2_key_free(NULL);
}

static void malformed_signatures_are_refused(void **state)
{
	static const char n_hex[] = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123";
	static const char *const bad[] = {
	    "",
	    "30",
	    "3000",
	    "308000",
	    R_HEX S_HEX,                                /* raw r || s */
	    "3046022100" R_HEX "022100" S_HEX "00",     /* trailing byte */
	    "3047022100" R_HEX "022100" S_HEX "00",     /* trailing byte within */
	    "3049022100" R_HEX "022100" S_HEX "020101", /* a third number */
	    "3023022100" R_HEX,                         /* one number */
	    "308146022100" R_HEX "022100" S_HEX,        /* length not in its shortest form */
	    "30820046022100" R_HEX "022100" S_HEX,      /* the same */
	    "3047022100" R_HEX "02220000" S_HEX,        /* needless leading zeros */
	    "30440220" R_HEX "0220" S_HEX,              /* negative */
	    "3045022100" R_HEX "0220" S_HEX,            /* s negative */
	    "3080022100" R_HEX "022100" S_HEX "0000",   /* indefinite length */
	    "3146022100" R_HEX "022100" S_HEX,          /* SET */
	    "3046032100" R_HEX "022100" S_HEX,          /* BIT STRING */
	    "3026022100" R_HEX "020100",                /* s = 0 */
	    "3026020100022100" S_HEX,                   /* r = 0 */
	    "30250200022100" S_HEX,                     /* empty INTEGER */
	    "304602210100000000000000000000000000000000000000000000000000000000000000"
	    "00022100" S_HEX,                  /* 33 bytes */
	    "3046022100" R_HEX "022200" S_HEX, /* length past the end */
	    "3046022184" R_HEX "022100" S_HEX, /* negative, 33 bytes */
	};
	struct sm2_key *k = example_key();
	struct span msg = BYTES("message digest");
	uint8_t buf[256];
	char text[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (sm2_verify(k, sm2_default_id(), msg, from_hex(bad[i], buf)) != ERR_SIGNATURE_BAD)
			fail_msg("signature %zu was not refused", i);
	assert_int_equal(sm2_verify(k, sm2_default_id(), msg, span_of(NULL, 0)), ERR_SIGNATURE_BAD);
	/* As large as the group's order. */
	snprintf(text, sizeof(text), "3046022100%s022100%s", n_hex, S_HEX);
	assert_int_equal(sm2_verify(k, sm2_default_id(), msg, from_hex(text, buf)), ERR_SIGNATURE_BAD);
	snprintf(text, sizeof(text), "3046022100%s022100%s", R_HEX, n_hex);
	assert_int_equal(sm2_verify(k, sm2_default_id(), msg, from_hex(text, buf)), ERR_SIGNATURE_BAD);
	sm2_key_free(k);
}

static void bad_points_are_refused(void **state)
{
	uint8_t point[SM2_POINT];
	struct sm2_key *k = NULL;
	struct span s = from_hex(point_hex, point);

	assert_int_equal(sm2_key_new(span_sub(s, 0, 64), &k), ERR_FORMAT);
	assert_int_equal(sm2_key_new(span_sub(s, 0, 33), &k), ERR_FORMAT);
	assert_int_equal(sm2_key_new(span_of(NULL, 0), &k), ERR_FORMAT);
	assert_int_equal(sm2_key_new(BYTES("\0"), &k), ERR_FORMAT);
	point[64] ^= 1; /* off the curve */
	assert_int_equal(sm2_key_new(s, &k), ERR_FORMAT);
	point[64] ^= 1;
	point[0] = 0x06;
	assert_int_equal(sm2_key_new(s, &k), ERR_FORMAT);
	point[0] = 0x04;
	memset(point + 1, 0, 64);
	assert_int_equal(sm2_key_new(s, &k), ERR_FORMAT);
	memset(point + 1, 0xff, 64);
	assert_int_equal(sm2_key_new(s, &k), ERR_FORMAT);
	assert_null(k);
}

static void long_identities_are_refused(void **state)
{
	static uint8_t id[8192];
	struct sm2_key *k = example_key();
	uint8_t buf[SM2_SIG_MAX];
	struct span sig = from_hex("3046022100" R_HEX "022100" S_HEX, buf);

	assert_int_equal(sm2_verify(k, span_of(id, 8190), BYTES("m"), sig), ERR_SIGNATURE_BAD);
	assert_int_equal(sm2_verify(k, span_of(id, 8191), BYTES("m"), sig), ERR_FIELD_TOO_LONG);
	sm2_key_free(k);
}

/* ---- signers -------------------------------------------------------------------------------- */

static void signer_signs(void **state)
{
	const struct files *f = *state;
	const struct span passphrases[] = {BYTES(""), BYTES("correct horse")};

	for (size_t i = 0; i < 2; i++) {
		struct signer *s = NULL;
		struct sm2_key *k = NULL;
		struct err_note note;
		struct stat st;
		uint8_t sig[SM2_SIG_MAX];
		size_t len = 0;

		assert_int_equal(signer_make_file(f->path, passphrases[i], &note), ERR_OK);
		assert_int_equal(stat(f->path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_int_equal(signer_open_file(f->path, passphrases[i], &s, &note), ERR_OK);
		assert_int_equal(sm2_key_new(signer_point(s), &k), ERR_OK);
		for (int n = 0; n < 20; n++) {
			assert_int_equal(signer_sign(s, BYTES("message"), sig, &len), ERR_OK);
			assert_true(len <= SM2_SIG_MAX);
			assert_int_equal(sm2_verify(k, sm2_default_id(), BYTES("message"), span_of(sig, len)), ERR_OK);
			assert_int_equal(sm2_verify(k, BYTES(""), BYTES("message"), span_of(sig, len)), ERR_SIGNATURE_BAD);
		}
		assert_int_equal(signer_sign(s, span_of(NULL, 0), sig, &len), ERR_OK);
		sm2_key_free(k);
		signer_free(s);
	}
	signer_free(NULL);
}

static void refused(const char *path, struct span passphrase, const char *why)
{
	struct signer *s = NULL;
	struct err_note note = {0};

	assert_int_equal(signer_open_file(path, passphrase, &s, &note), ERR_KEY_UNREADABLE);
	assert_null(s);
	if (strstr(note.help, why) == NULL)
		fail_msg("'%s' does not say '%s'", note.help, why);
	assert_null(strstr(note.help, "hunter2"));
}

static void write_output(const char *path, const char *command)
{
	char line[256];

	snprintf(line, sizeof(line), "umask 077; %s >%s 2>/dev/null", command, path);
	assert_int_equal(system(line), 0);
}

static void bad_key_files_are_refused(void **state)
{
	const struct files *f = *state;
	struct err_note note;

	refused("/nonexistent/key", BYTES(""), "No such file");
	refused("/tmp", BYTES(""), "regular");
	refused("/dev/null", BYTES(""), "regular");
	assert_int_equal(signer_make_file(f->path, BYTES("hunter2"), &note), ERR_OK);
	refused(f->path, BYTES(""), "no passphrase");
	refused(f->path, BYTES("hunter2x"), "wrong passphrase");
	for (int bit = 0; bit < 6; bit++) {
		assert_int_equal(chmod(f->path, (mode_t)(0600 | 1 << bit)), 0);
		refused(f->path, BYTES("hunter2"), "chmod 600");
	}
	assert_int_equal(chmod(f->path, 0600), 0);
	assert_int_equal(truncate(f->path, 200), 0);
	refused(f->path, BYTES("hunter2"), "damaged");
	assert_int_equal(file_write(f->path, BYTES(""), 0600, &note), ERR_OK);
	refused(f->path, BYTES(""), "not a PEM");
	assert_int_equal(file_write(f->path, BYTES("-----BEGIN PRIVATE KEY-----\nAAAA\n"), 0600, &note), ERR_OK);
	refused(f->path, BYTES(""), "damaged");
	assert_int_equal(truncate(f->path, 20000), 0);
	refused(f->path, BYTES(""), "too large");
	write_output(f->path, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256");
	refused(f->path, BYTES(""), "not an SM2 key");
	write_output(f->path, "openssl genpkey -algorithm ED25519");
	refused(f->path, BYTES(""), "not an SM2 key");
	write_output(f->path, "openssl ecparam -name prime256v1 -genkey -noout");
	refused(f->path, BYTES(""), "PKCS#8");
	assert_int_equal(signer_make_file("/nonexistent/key", BYTES(""), &note), ERR_FILE_UNWRITABLE);
}

static void *sign_many(void *arg)
{
	const struct signer *s = arg;
	struct sm2_key *k = NULL;
	uint8_t sig[SM2_SIG_MAX];
	size_t len;
	intptr_t bad = sm2_key_new(signer_point(s), &k) != ERR_OK;

	for (int i = 0; i < 50 && bad == 0; i++) {
		struct span msg = span_of(&i, sizeof(i));

		bad = signer_sign(s, msg, sig, &len) != ERR_OK ||
		      sm2_verify(k, sm2_default_id(), msg, span_of(sig, len)) != ERR_OK;
	}
	sm2_key_free(k);
	return (void *)bad;
}

static void signer_is_shared_by_threads(void **state)
{
	const struct files *f = *state;
	struct signer *s = NULL;
	pthread_t threads[4];

	assert_int_equal(signer_make_file(f->path, BYTES(""), NULL), ERR_OK);
	assert_int_equal(signer_open_file(f->path, BYTES(""), &s, NULL), ERR_OK);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_many, s), 0);
	for (size_t i = 0; i < 4; i++) {
		void *bad = NULL;

		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_null(bad);
	}
	signer_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digests_have_known_answers),
	    cmocka_unit_test(hkdf_has_known_answers),
	    cmocka_unit_test(secrets_compare),
	    cmocka_unit_test(drawn_ahead_is_drawn_once),
	    cmocka_unit_test(values_are_sealed),
	    cmocka_unit_test(sealed_layout_is_fixed),
	    cmocka_unit_test(version_1_is_read),
	    cmocka_unit_test(tampering_is_seen),
	    cmocka_unit_test(sm2_example_verifies),
	    cmocka_unit_test(malformed_signatures_are_refused),
	    cmocka_unit_test(bad_points_are_refused),
	    cmocka_unit_test(long_identities_are_refused),
	    cmocka_unit_test_setup_teardown(signer_signs, with_files, without_files),
	    cmocka_unit_test_setup_teardown(bad_key_files_are_refused, with_files, without_files),
	    cmocka_unit_test_setup_teardown(signer_is_shared_by_threads, with_files, without_files),
	};

	return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
