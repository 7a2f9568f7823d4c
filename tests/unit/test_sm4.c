/* SM4: the example of the standard, and every set of instructions against plain C. */
#include "crypto/cpu.h"
#include "crypto/sm4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BLOCKS_MAX = 100 }; /* more than any path takes at once, three times */

static const uint8_t key_of_example[SM4_KEY] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                                0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};

/* GB/T 32907-2016, A.1 and A.2: once, and a million times. */
static void examples_of_the_standard(void **state)
{
	static const uint8_t once[] = {0x68, 0x1e, 0xdf, 0x34, 0xd2, 0x06, 0x96, 0x5e,
	                               0x86, 0xb3, 0xe9, 0x4f, 0x53, 0x6e, 0x42, 0x46};
	static const uint8_t million[] = {0x59, 0x52, 0x98, 0xc7, 0xc6, 0xfd, 0x27, 0x1f,
	                                  0x04, 0x02, 0xf8, 0x04, 0xc3, 0x3d, 0x3f, 0x66};
	uint8_t block[SM4_BLOCK];
	struct sm4_key k;

	sm4_prepare(key_of_example, &k);
	memcpy(block, key_of_example, sizeof(block));
	sm4_block(block, block, &k);
	assert_memory_equal(block, once, sizeof(once));
	for (int i = 1; i < 1000000; i++)
		sm4_block(block, block, &k);
	assert_memory_equal(block, million, sizeof(million));
}

/* Every number of blocks, from counters that wrap, with nothing written behind the last; and in place. */
static void paths_agree(void **state)
{
	static const struct {
		const char *name;
		unsigned path;
	} paths[] = {{"AES-NI", CPU_AESNI}, {"GFNI", CPU_GFNI}};
	static uint8_t in[BLOCKS_MAX * SM4_BLOCK], want[sizeof(in)], got[sizeof(in) + 1];
	uint8_t counter[SM4_BLOCK] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 0xff, 0xff, 0xff, 0};
	struct sm4_key k;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * i + 5 * i);
	sm4_prepare(key_of_example, &k);
	for (size_t p = 0; p < 2; p++) {
		if ((cpu_limit(CPU_ALL) & paths[p].path) == 0) {
			printf("skipped: %s, which this machine has not\n", paths[p].name);
			continue;
		}
		for (size_t n = 0; n <= BLOCKS_MAX; n++) {
			counter[15] = (uint8_t)(200 + n);
			cpu_limit(CPU_PORTABLE);
			sm4_ctr32(in, want, n, &k, counter);
			cpu_limit(paths[p].path);
			memset(got, 0x5a, sizeof(got));
			sm4_ctr32(in, got, n, &k, counter);
			assert_memory_equal(got, want, n * SM4_BLOCK);
			assert_int_equal(got[n * SM4_BLOCK], 0x5a);
			memcpy(got, in, sizeof(in));
			sm4_ctr32(got, got, n, &k, counter);
			assert_memory_equal(got, want, n * SM4_BLOCK);
		}
	}
	cpu_limit(CPU_ALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(examples_of_the_standard),
	    cmocka_unit_test(paths_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
