/* Verification: one signature after another, honest, chosen and mutated, judged by OpenSSL and by every way of ours. */
#include "tests/diff/diff.h"
#include "tests/diff/judge.h"

#include "crypto/sm2.h"
#include "crypto/sm2_core.h"

#include <openssl/bn.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 8, PER_KEY = 16, BLOCK = KEYS * PER_KEY };

struct subject {
	struct judge_key *key;
	struct sm2_scalar d; /* zero: nobody knows it */
};

/* A case: numbers, and how it goes over the wire. */
struct trial {
	struct sm2_scalar r, s;
	uint8_t e[32];
	struct span sig;
	uint8_t der[SM2_SIG_MAX + 8];
};

static struct sm2_scalar some_scalar(struct diff *d)
{
	struct sm2_scalar k;

	do
		numbers_mod(&d->numbers, number_n, k.v);
	while (sm2_scalar_zero_mask(&k) != 0);
	return k;
}

static struct sm2_scalar small_scalar(struct diff *d)
{
	struct sm2_scalar k = {{1 + numbers_below(&d->numbers, 300), 0, 0, 0}};

	if (numbers_below(&d->numbers, 2) == 0)
		sm2_scalar_neg(&k, &k);
	if (numbers_below(&d->numbers, 4) == 0)
		sm2_scalar_inv(&k, &k);
	for (uint64_t i = numbers_below(&d->numbers, 4) == 0 ? 8 * numbers_below(&d->numbers, 32) : 0; i != 0; i--)
		sm2_scalar_add(&k, &k, &k);
	return k;
}

static void subject_new(struct diff *d, struct subject *out)
{
	uint64_t kind = numbers_below(&d->numbers, 4);
	struct sm2_jacobian j;
	struct sm2_affine a;
	uint8_t point[65] = {0x04};

	out->d = kind == 0 ? small_scalar(d) : some_scalar(d);
	sm2_core_base_secret(&j, &out->d);
	if (!sm2_point_to_affine_secret(&a, &j))
		abort();
	sm2_point_to_bytes(point + 1, point + 33, &a);
	if (!judge_key_new(point, &out->key))
		abort();
}

/* x1 of s G + t P; false when it is infinite. */
static bool x_of(const struct subject *who, const struct sm2_scalar *s, const struct sm2_scalar *t,
                 struct sm2_scalar *out)
{
	struct sm2_jacobian sum;
	struct sm2_affine a;
	uint8_t x[32], y[32];

	sm2_core_sum(&sum, s, t, &who->key->at);
	if (!sm2_point_to_affine_secret(&a, &sum))
		return false;
	sm2_point_to_bytes(x, y, &a);
	sm2_scalar_reduce(out, x);
	return true;
}

/* The digest is set so that the equation holds; with an infinite sum it is as if x1 were 0. */
static void fit_digest(const struct subject *who, struct trial *c, const struct sm2_scalar *t)
{
	struct sm2_scalar x = {{0}}, e;

	sm2_scalar_sub(&c->r, t, &c->s);
	(void)x_of(who, &c->s, t, &x);
	sm2_scalar_sub(&e, &c->r, &x);
	sm2_scalar_to_bytes(c->e, &e);
}

/* s and t such that s G and t P are related: equal, opposite, off by little, alike in some bits. */
static void related(struct diff *d, const struct subject *who, struct trial *c, struct sm2_scalar *t)
{
	struct sm2_scalar td, little = {{numbers_below(&d->numbers, 3), 0, 0, 0}};

	*t = numbers_below(&d->numbers, 3) == 0 ? small_scalar(d) : some_scalar(d);
	sm2_scalar_mul(&td, t, &who->d);
	if (numbers_below(&d->numbers, 2) == 0)
		sm2_scalar_neg(&td, &td);
	sm2_scalar_add(&c->s, &td, &little);
	if (numbers_below(&d->numbers, 2) == 0) {
		uint64_t keep = numbers_below(&d->numbers, 4);

		for (uint64_t i = 0; i < keep; i++)
			c->s.v[i] = numbers_next(&d->numbers);
	}
}

/* What the first `n` windows of k add up to, or window n alone. */
static struct sm2_scalar windows_sum(const struct sm2_scalar *k, unsigned n, bool alone)
{
	const struct sm2_scalar byte = {{256, 0, 0, 0}};
	struct sm2_scalar sum = {{0}};
	struct sm2_digits digits;

	sm2_scalar_recode(&digits, k);
	for (unsigned i = n + 1; i-- > 0;) {
		struct sm2_scalar digit = {{2 * (digits.at[i] & 0x7fu) + 1, 0, 0, 0}};

		sm2_scalar_mul(&sum, &sum, &byte);
		if (alone ? i != n : i == n)
			continue;
		if ((digits.at[i] & 0x80) != 0)
			sm2_scalar_sub(&sum, &sum, &digit);
		else
			sm2_scalar_add(&sum, &sum, &digit);
	}
	return sum;
}

/* One whole sum and a part of the other meet the next term: equal or opposite points in the middle. */
static void partial(struct diff *d, const struct subject *who, struct trial *c, struct sm2_scalar *t)
{
	struct sm2_scalar k = some_scalar(d), rest, next, inverse;
	unsigned n = (unsigned)numbers_below(&d->numbers, 32);

	rest = windows_sum(&k, n, false);
	next = windows_sum(&k, n, true);
	if (numbers_below(&d->numbers, 2) == 0)
		sm2_scalar_neg(&next, &next);
	sm2_scalar_sub(&next, &next, &rest);
	if (numbers_below(&d->numbers, 2) == 0) {
		*t = k;
		sm2_scalar_mul(&c->s, &next, &who->d);
	} else {
		c->s = k;
		sm2_scalar_inv(&inverse, &who->d);
		sm2_scalar_mul(t, &next, &inverse);
	}
}

static void chosen(struct diff *d, const struct subject *who, struct trial *c)
{
	struct sm2_scalar t = some_scalar(d);

	c->s = some_scalar(d);
	if (numbers_below(&d->numbers, 64) == 0)
		t = (struct sm2_scalar){{0}}; /* r + s = n, where all else holds */
	else if (numbers_below(&d->numbers, 4) == 0)
		related(d, who, c, &t);
	else if (numbers_below(&d->numbers, 8) == 0)
		partial(d, who, c, &t);
	fit_digest(who, c, &t);
}

/* Signed as the standard says, with a nonce that may be ill-natured. */
static void honest(struct diff *d, const struct subject *who, struct trial *c)
{
	struct sm2_scalar k = some_scalar(d), one = {{1, 0, 0, 0}}, t, e;
	struct sm2_jacobian j;
	struct sm2_affine a;
	uint8_t x[32], y[32];
	uint64_t any[4];

	numbers_256(&d->numbers, any);
	limbs_to_bytes(any, c->e);
	sm2_core_base_secret(&j, &k);
	(void)sm2_point_to_affine_secret(&a, &j);
	sm2_point_to_bytes(x, y, &a);
	sm2_scalar_reduce(&c->r, x);
	sm2_scalar_reduce(&e, c->e);
	sm2_scalar_add(&c->r, &c->r, &e);
	sm2_scalar_mul(&t, &c->r, &who->d);
	sm2_scalar_sub(&k, &k, &t);
	sm2_scalar_add(&t, &one, &who->d);
	sm2_scalar_inv(&t, &t);
	sm2_scalar_mul(&c->s, &t, &k);
}

static void mutate(struct diff *d, struct trial *c)
{
	uint8_t *byte = &c->e[numbers_below(&d->numbers, 32)];
	uint64_t bit = numbers_below(&d->numbers, 256);
	struct sm2_scalar swap = c->r;

	switch (numbers_below(&d->numbers, 6)) {
	case 0:
		*byte ^= (uint8_t)(1u << bit % 8);
		break;
	case 1:
		c->r.v[bit / 64] ^= UINT64_C(1) << bit % 64;
		break;
	case 2:
		c->s.v[bit / 64] ^= UINT64_C(1) << bit % 64;
		break;
	case 3:
		c->r = c->s;
		c->s = swap;
		break;
	case 4:
		numbers_256(&d->numbers, bit % 2 != 0 ? c->r.v : c->s.v);
		break;
	default:
		sm2_scalar_neg(&c->s, &c->r); /* r + s = n */
	}
}

static void encode(struct trial *c)
{
	struct sm2_value v;

	limbs_to_bytes(c->r.v, v.r);
	limbs_to_bytes(c->s.v, v.s);
	c->sig = span_of(c->der, sm2_value_write(&v, c->der));
}

/* The bytes changed, cut or followed by others. */
static void spoil(struct diff *d, struct trial *c)
{
	size_t len = c->sig.len;

	switch (numbers_below(&d->numbers, 4)) {
	case 0:
		len = numbers_below(&d->numbers, len);
		break;
	case 1:
		c->der[len++] = (uint8_t)numbers_next(&d->numbers);
		break;
	case 2:
		c->der[numbers_below(&d->numbers, 6)] = (uint8_t)numbers_next(&d->numbers);
		break;
	default:
		c->der[numbers_below(&d->numbers, len)] ^= (uint8_t)(1u << numbers_below(&d->numbers, 8));
	}
	c->sig.len = len;
}

static void make(struct diff *d, const struct subject *who, struct trial *c)
{
	uint64_t kind = numbers_below(&d->numbers, 16);

	if (kind < 5)
		honest(d, who, c);
	else
		chosen(d, who, c);
	if (kind >= 10)
		mutate(d, c);
	encode(c);
	if (kind == 15 || kind == 9)
		spoil(d, c);
}

static void says(struct diff *d, bool same, const char *what, const struct subject *who, const struct trial *c)
{
	uint64_t e[4] = {0};
	const uint64_t *inputs[] = {who->d.v, e, c->r.v, c->s.v};

	for (int i = 0; i < 32; i++)
		e[3 - i / 8] = e[3 - i / 8] << 8 | c->e[i];
	diff_check(d, same, what, inputs, 4);
}

static void judge(struct diff *d, const struct subject *who, const struct trial *c, struct judge_job *job)
{
	struct judgement own = judge_own(who->key, c->e, c->sig, JUDGE_SOMETIMES);

	job->good = judge_openssl(who->key, c->e, c->sig);
	d->valid += job->good;
	says(d, own.odd == NULL, own.odd != NULL ? own.odd : "", who, c);
	says(d, job->good ? own.ways != 0 && own.good == own.ways : own.good == 0, "OpenSSL and ours", who, c);
	job->key = who->key;
	job->sig = c->sig;
	memcpy(job->e, c->e, 32);
}

void diff_verify(struct diff *d)
{
	struct judge_job *jobs = calloc(BLOCK, sizeof(*jobs));
	struct trial *trials = calloc(BLOCK, sizeof(*trials));
	struct subject who[KEYS];

	while (d->done < d->rounds) {
		size_t n = d->rounds - d->done < BLOCK ? (size_t)(d->rounds - d->done) : BLOCK;

		for (int i = 0; i < KEYS; i++)
			subject_new(d, &who[i]);
		for (size_t i = 0; i < n; i++) {
			make(d, &who[i % KEYS], &trials[i]);
			judge(d, &who[i % KEYS], &trials[i], &jobs[i]);
			diff_step(d);
		}
		judge_batch(jobs, n);
		for (size_t i = 0; i < n; i++)
			says(d, jobs[i].wrong == NULL, jobs[i].wrong != NULL ? jobs[i].wrong : "", &who[i % KEYS], &trials[i]);
		for (int i = 0; i < KEYS; i++)
			judge_key_free(who[i].key);
	}
	free(jobs);
	free(trials);
}
