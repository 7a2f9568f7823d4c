/*
 * Target: SM2 verification, all ways of ours beside OpenSSL. The input is the key, the digest and the signature:
 *
 *	form (1) | key (64) | e (32) | the rest
 *
 * Bit 0 of form: the key is a point X || Y, taken as it is; else its logarithm d and 32 unused bytes.
 * Bit 1: the rest is s || t (64) and e is set so that r = t - s, s are good; else it is the signature in DER.
 */
#include "tests/fuzz/fuzz_form.h"

#include "crypto/sm2_core.h"
#include "tests/diff/judge.h"

enum { HEAD = 1 + 64 + 32 };

static bool key_of(const uint8_t *data, bool is_point, struct judge_key **out)
{
	uint8_t point[65] = {0x04};
	struct sm2_jacobian j;
	struct sm2_affine a;
	struct sm2_scalar d;

	if (is_point) {
		memcpy(point + 1, data, 64);
	} else {
		sm2_scalar_reduce(&d, data);
		sm2_core_base_secret(&j, &d);
		if (!sm2_point_to_affine_secret(&a, &j))
			return false;
		sm2_point_to_bytes(point + 1, point + 33, &a);
	}
	return judge_key_new(point, out);
}

/* r = e + x1 with the given s and t = r + s. False when the sum is infinite: then the equation cannot hold. */
static bool choose(const struct judge_key *k, const uint8_t *data, uint8_t e[32], struct sm2_value *v)
{
	struct sm2_scalar s, t, r, x;
	struct sm2_jacobian sum;
	struct sm2_affine a;
	uint8_t y[32];

	sm2_scalar_reduce(&s, data);
	sm2_scalar_reduce(&t, data + 32);
	sm2_scalar_sub(&r, &t, &s);
	sm2_scalar_to_bytes(v->r, &r);
	sm2_scalar_to_bytes(v->s, &s);
	sm2_core_sum(&sum, &s, &t, &k->at);
	if (!sm2_point_to_affine_secret(&a, &sum))
		return false;
	sm2_point_to_bytes(e, y, &a);
	sm2_scalar_reduce(&x, e);
	sm2_scalar_sub(&x, &r, &x);
	sm2_scalar_to_bytes(e, &x);
	return (sm2_scalar_zero_mask(&s) | sm2_scalar_zero_mask(&t) | sm2_scalar_zero_mask(&r)) == 0;
}

static void judge(const struct judge_key *k, const uint8_t e[32], struct span sig)
{
	struct judgement own = judge_own(k, e, sig, JUDGE_ALWAYS);
	/* Among others, as many as make the batch use its tree. */
	struct judge_job jobs[9];

	MUST(own.odd == NULL);
	MUST((own.good != 0) == judge_openssl(k, e, sig));
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		jobs[i] = (struct judge_job){.key = k, .sig = sig, .good = own.good != 0};
		memcpy(jobs[i].e, e, 32);
	}
	judge_batch(jobs, sizeof(jobs) / sizeof(jobs[0]));
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		MUST(jobs[i].wrong == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct judge_key *k = NULL;
	uint8_t e[32], der[SM2_SIG_MAX];
	struct sm2_value v;
	bool good;

	if (size < HEAD || !key_of(data + 1, (data[0] & 1) != 0, &k))
		return 0;
	memcpy(e, data + 65, 32);
	if ((data[0] & 2) == 0) {
		judge(k, e, span_of(data + HEAD, size - HEAD));
	} else if (size >= HEAD + 64) {
		good = choose(k, data + HEAD, e, &v);
		size = sm2_value_write(&v, der);
		judge(k, e, span_of(der, size));
		MUST(good == judge_openssl(k, e, span_of(der, size)));
	}
	judge_key_free(k);
	return 0;
}
