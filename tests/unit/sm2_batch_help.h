/* Keys and signed messages for SM2 in batches, and every path that the machine has. */
#ifndef YZ_TESTS_SM2_BATCH_HELP_H
#define YZ_TESTS_SM2_BATCH_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/cpu.h"
#include "crypto/sm2_batch.h"
#include "crypto/sm2_key.h"
#include "crypto/sm2_sign.h"

enum { KEYS = 5, WITH_TABLE = 3, JOBS = 3 * SM2_BATCH_BLOCK + 7, MSG = 40 };

/* A signed message, or a digest. */
struct signed_one {
	size_t key;
	uint8_t msg[MSG], der[SM2_SIG_MAX + 2], e[SM2_DIGEST];
	size_t len;
};

static struct sm2_key *keys[KEYS];
static struct signed_one ones[JOBS];

static const struct {
	const char *name;
	unsigned limit, needs;
} paths[] = {{"portable", CPU_PORTABLE, 0}, {"ADX", CPU_ADX, CPU_ADX}, {"IFMA", CPU_ALL, CPU_IFMA}};

static inline uint64_t any(void)
{
	static uint64_t x = 88172645463325252U;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x * 0x2545f4914f6cdd1dU;
}

static inline void any_bytes(uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(any() >> 32);
}

/* Below n for certain. */
static inline void any_number(uint8_t out[32])
{
	any_bytes(out, 32);
	out[0] = 0x7f;
}

static inline void sign_one(struct signed_one *o, size_t key, const struct sm2_secret *s)
{
	struct sm2_value v;
	uint8_t k[32];

	o->key = key;
	any_bytes(o->msg, MSG);
	any_number(k);
	assert_int_equal(sm2_digest(keys[key], sm2_default_id(), span_of(o->msg, MSG), o->e), ERR_OK);
	assert_true(sm2_sign_with(s, k, o->e, &v));
	o->len = sm2_value_write(&v, o->der);
}

static inline int batch_setup(void **state)
{
	struct sm2_secret *secret[KEYS];

	for (size_t i = 0; i < KEYS; i++) {
		uint8_t d[32], point[SM2_POINT];

		any_number(d);
		assert_int_equal(sm2_secret_new(d, &secret[i], point), ERR_OK);
		assert_int_equal(sm2_key_new(span_of(point, sizeof(point)), &keys[i]), ERR_OK);
		if (i < WITH_TABLE)
			assert_int_equal(sm2_key_prepare(keys[i]), ERR_OK);
	}
	for (size_t i = 0; i < JOBS; i++)
		sign_one(&ones[i], i % WITH_TABLE, secret[i % WITH_TABLE]);
	for (size_t i = 9; i < JOBS; i += 31)
		sign_one(&ones[i], WITH_TABLE + i % 2, secret[WITH_TABLE + i % 2]);
	for (size_t i = 0; i < KEYS; i++)
		sm2_secret_free(secret[i]);
	return 0;
}

static inline int batch_teardown(void **state)
{
	for (size_t i = 0; i < KEYS; i++)
		sm2_key_free(keys[i]);
	return 0;
}

static inline struct sm2_job job_of(const struct signed_one *o)
{
	return (struct sm2_job){.key = keys[o->key],
	                        .id = sm2_default_id(),
	                        .msg = span_of(o->msg, MSG),
	                        .sig = span_of(o->der, o->len),
	                        .verdict = ERR_INTERNAL};
}

static inline void on_every_path(void (*f)(void))
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		unsigned got = cpu_limit(paths[i].limit);

		if ((got & paths[i].needs) == paths[i].needs)
			f();
		else
			printf("note: no %s here, skipped\n", paths[i].name);
	}
	cpu_limit(CPU_ALL);
}

/* Our own code, without a cache of tables. */
static const struct sm2_means own = {0};

/* n */
static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0x72, 0x03, 0xdf, 0x6b, 0x21, 0xc6,
                                  0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x23};

#endif
