/* SM3 of one message and of many, on every path that this machine has, against OpenSSL's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "crypto/cpu.h"
#include "crypto/sm3_many.h"

enum { N_MAX = 101, LONG = 8192, TEXT = 1 << 17 };

static uint8_t text[TEXT];

static const struct {
	const char *name;
	unsigned limit, needs;
} paths[] = {
    {"portable", CPU_PORTABLE, 0}, {"AVX2", CPU_AVX2, CPU_AVX2}, {"AVX-512", CPU_AVX512 | CPU_AVX2, CPU_AVX512}};

/* Runs f on every path; main() says which are missing. */
static void on_every_path(void (*f)(void))
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		unsigned got = cpu_limit(paths[i].limit);

		if ((got & paths[i].needs) == paths[i].needs)
			f();
	}
	cpu_limit(CPU_ALL);
}

static uint32_t any(uint32_t below)
{
	static uint64_t x = 88172645463325252U;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 32) % below;
}

static void expect(struct span in, const uint8_t got[SM3_LEN])
{
	uint8_t want[EVP_MAX_MD_SIZE];

	assert_int_equal(EVP_Digest(in.len != 0 ? (const void *)in.ptr : "", in.len, want, NULL, EVP_sm3(), NULL), 1);
	assert_memory_equal(got, want, SM3_LEN);
}

static void expect_all(const struct span *in, size_t n)
{
	static uint8_t out[N_MAX + 1][SM3_LEN];

	assert_true(n <= N_MAX);
	memset(out, 0xa5, sizeof(out));
	sm3_many(in, n, out);
	for (size_t i = 0; i < n; i++)
		expect(in[i], out[i]);
	for (size_t i = 0; i < SM3_LEN; i++)
		assert_int_equal(out[n][i], 0xa5);
}

static struct span some(size_t len)
{
	return span_of(text + any(TEXT - (uint32_t)len), len);
}

/* ---- one ---- */

/* GB/T 32905 annex A. */
static void test_standard_examples(void **state)
{
	static const uint8_t abc[] = {0x66, 0xc7, 0xf0, 0xf4, 0x62, 0xee, 0xed, 0xd9, 0xd1, 0xf2, 0xd4,
	                              0x6b, 0xdc, 0x10, 0xe4, 0xe2, 0x41, 0x67, 0xc4, 0x87, 0x5c, 0xf2,
	                              0xf7, 0xa2, 0x29, 0x7d, 0xa0, 0x2b, 0x8f, 0x4b, 0xa8, 0xe0};
	static const uint8_t abcd16[] = {0xde, 0xbe, 0x9f, 0xf9, 0x22, 0x75, 0xb8, 0xa1, 0x38, 0x60, 0x48,
	                                 0x89, 0xc1, 0x8e, 0x5a, 0x4d, 0x6f, 0xdb, 0x70, 0xe5, 0x38, 0x7e,
	                                 0x57, 0x65, 0x29, 0x3d, 0xcb, 0xa3, 0x9c, 0x0c, 0x57, 0x32};
	const struct span in[] = {span_str("abc"),
	                          span_str("abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd")};
	uint8_t out[2][SM3_LEN];

	(void)state;
	sm3_many(in, 2, out);
	assert_memory_equal(out[0], abc, SM3_LEN);
	assert_memory_equal(out[1], abcd16, SM3_LEN);
	sm3_many(in, 1, out + 1);
	assert_memory_equal(out[1], abc, SM3_LEN);
}

static void in_pieces(struct span in, size_t most)
{
	struct sm3_ctx c;
	struct span rest = in;
	uint8_t out[SM3_LEN];

	sm3_start(&c);
	while (rest.len != 0) {
		size_t n = any((uint32_t)most + 1);

		sm3_add(&c, span_sub(rest, 0, n));
		rest = span_sub(rest, n, rest.len);
	}
	sm3_end(&c, out);
	expect(in, out);
}

static void test_in_pieces(void **state)
{
	(void)state;
	for (size_t len = 0; len <= 300; len++) {
		in_pieces(some(len), len);
		in_pieces(some(len), 1);
		in_pieces(some(len), 64);
	}
	in_pieces(some(TEXT / 2), 1000);
}

/* sm3() and sm3_parts() are another back end above some length. */
static void test_digest_of_any_length(void **state)
{
	uint8_t out[SM3_LEN];

	(void)state;
	for (size_t len = 0; len < 5000; len += len < 200 ? 1 : 61) {
		struct span in = some(len);
		size_t cut = any((uint32_t)len + 1);
		const struct span parts[] = {span_sub(in, 0, cut), {0}, span_sub(in, cut, len)};

		assert_int_equal(sm3(in, out), ERR_OK);
		expect(in, out);
		assert_int_equal(sm3_parts(parts, 3, out), ERR_OK);
		expect(in, out);
	}
	assert_int_equal(sm3((struct span){0}, out), ERR_OK);
	expect((struct span){0}, out);
}

static void test_hmac(void **state)
{
	char md[] = "SM3";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, md, 0), OSSL_PARAM_construct_end()};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	uint8_t want[SM3_LEN], got[SM3_LEN];

	(void)state;
	for (size_t len = 1; len < 200; len++) {
		struct span key = some(len), in = some(any(400));
		const struct span parts[] = {span_sub(in, 0, len), span_sub(in, len, in.len)};

		assert_int_equal(EVP_MAC_init(ctx, key.ptr, key.len, params), 1);
		assert_int_equal(EVP_MAC_update(ctx, in.ptr, in.len), 1);
		assert_int_equal(EVP_MAC_final(ctx, want, NULL, sizeof(want)), 1);
		assert_int_equal(sm3_hmac(key, parts, 2, got), ERR_OK);
		assert_memory_equal(got, want, SM3_LEN);
	}
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

/* ---- many ---- */

static void every_length(void)
{
	struct span in[N_MAX];

	for (size_t len = 0; len <= 300; len++) {
		for (size_t i = 0; i < 16; i++)
			in[i] = some(len);
		expect_all(in, 16);
	}
}

static void every_number(void)
{
	struct span in[N_MAX];

	for (size_t n = 0; n < N_MAX; n++) {
		for (size_t i = 0; i < n; i++)
			in[i] = some(any(300));
		expect_all(in, n);
	}
}

/* Around every boundary of block and padding, many sizes in one call, and a long one among short ones. */
static void mixed_lengths(void)
{
	struct span in[N_MAX];

	for (size_t turn = 0; turn < 60; turn++) {
		for (size_t i = 0; i < N_MAX; i++)
			in[i] = some(64 * any(20) + any(3) * 55 + any(20));
		in[any(N_MAX)] = some(LONG + any(200));
		in[any(N_MAX)] = some(TEXT - 1);
		in[any(N_MAX)] = (struct span){0};
		expect_all(in, N_MAX);
	}
	for (size_t i = 0; i < N_MAX; i++)
		in[i] = i == 0 || i == N_MAX - 1 ? some(TEXT / 2) : some(1);
	expect_all(in, N_MAX);
}

static void with_parts(void)
{
	struct span part[N_MAX][5], whole[N_MAX];
	struct sm3_message in[N_MAX];
	uint8_t out[N_MAX][SM3_LEN];

	for (size_t turn = 0; turn < 40; turn++) {
		for (size_t i = 0; i < N_MAX; i++) {
			size_t n = any(6), at = 0;

			whole[i] = n != 0 ? some(n * 200) : (struct span){0};
			for (size_t k = 0; k < n; k++) {
				size_t len = k + 1 == n ? whole[i].len - at : any(4) * 64 / (1 + any(2)) % (whole[i].len - at + 1);

				part[i][k] = span_sub(whole[i], at, len);
				at += len;
			}
			in[i] = (struct sm3_message){part[i], n};
		}
		sm3_many_parts(in, N_MAX, out);
		for (size_t i = 0; i < N_MAX; i++)
			expect(whole[i], out[i]);
	}
}

/* Streams of different lengths, read side by side in pieces of any size; some have nothing to add now and then. */
static void streams(void)
{
	enum { N = 23 };
	struct sm3_ctx ctx[N], *c[N];
	struct span whole[N], rest[N], piece[N];
	uint8_t out[SM3_LEN];

	for (size_t i = 0; i < N; i++) {
		sm3_start(&ctx[i]);
		c[i] = &ctx[i];
		whole[i] = rest[i] = some(any(20000));
	}
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < N; i++) {
			piece[i] = span_sub(rest[i], 0, any(2) * any(3000));
			rest[i] = span_sub(rest[i], piece[i].len, rest[i].len);
			more = more || rest[i].len != 0;
		}
		sm3_add_many(c, piece, N);
	}
	for (size_t i = 0; i < N; i++) {
		sm3_end(&ctx[i], out);
		expect(whole[i], out);
	}
}

/* Blocks of memory of their own, so that the sanitizer and valgrind see a read past either end. */
static void within_bounds(void)
{
	struct span in[40];
	uint8_t *own[40], out[40][SM3_LEN];

	for (size_t i = 0; i < 40; i++) {
		size_t len = 60 + i * 3;

		own[i] = malloc(len);
		assert_non_null(own[i]);
		memset(own[i], (int)i, len);
		in[i] = span_of(own[i], len);
	}
	sm3_many(in, 40, out);
	for (size_t i = 0; i < 40; i++) {
		expect(in[i], out[i]);
		free(own[i]);
	}
}

static void test_every_length(void **state)
{
	(void)state;
	on_every_path(every_length);
}

static void test_every_number(void **state)
{
	(void)state;
	on_every_path(every_number);
}

static void test_mixed_lengths(void **state)
{
	(void)state;
	on_every_path(mixed_lengths);
}

static void test_with_parts(void **state)
{
	(void)state;
	on_every_path(with_parts);
}

static void test_streams(void **state)
{
	(void)state;
	on_every_path(streams);
}

static void test_within_bounds(void **state)
{
	(void)state;
	on_every_path(within_bounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_standard_examples),    cmocka_unit_test(test_in_pieces),
	    cmocka_unit_test(test_digest_of_any_length), cmocka_unit_test(test_every_length),
	    cmocka_unit_test(test_every_number),         cmocka_unit_test(test_mixed_lengths),
	    cmocka_unit_test(test_with_parts),           cmocka_unit_test(test_streams),
	    cmocka_unit_test(test_within_bounds),        cmocka_unit_test(test_hmac),
	};

	for (size_t i = 0; i < TEXT; i++)
		text[i] = (uint8_t)any(256);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if ((cpu_paths() & paths[i].needs) != paths[i].needs)
			printf("note: no %s here, skipped\n", paths[i].name);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
