#include "crypto/sm2_sign.h"

#include "crypto/ct.h"
#include "crypto/sm2_core.h"
#include "crypto/sm2_nonce.h"

#include <sys/mman.h>

struct sm2_secret {
	struct sm2_scalar inverse; /* (1 + d)^-1, Montgomery form */
	struct sm2_nonce_key nonce;
};

/* ---- the secret ----------------------------------------------------------------------------- */

static const struct sm2_scalar one = {{1, 0, 0, 0}};

/* Whole pages, zero. What the kernel refuses of the two wishes it refuses without harm to the signatures. */
static struct sm2_secret *pages_take(void)
{
	void *p = mmap(NULL, sizeof(struct sm2_secret), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, sizeof(struct sm2_secret), MADV_DONTDUMP);
	(void)mlock(p, sizeof(struct sm2_secret));
	return p;
}

void sm2_secret_free(struct sm2_secret *s)
{
	if (s == NULL)
		return;
	secret_wipe(s, sizeof(*s));
	(void)munmap(s, sizeof(*s));
}

/* 1 + d and its inverse exist: d is neither 0 nor n - 1 nor past them. */
static bool read_private(const uint8_t bytes[SM2_NUMBER], struct sm2_scalar *d, struct sm2_scalar *plus_one)
{
	bool below = sm2_scalar_from_bytes(d, bytes);
	uint64_t bad;

	sm2_scalar_add(plus_one, d, &one);
	bad = sm2_scalar_zero_mask(d) | sm2_scalar_zero_mask(plus_one);
	ct_public(&below, sizeof(below));
	ct_public(&bad, sizeof(bad));
	return below && bad == 0;
}

static void public_point(const struct sm2_scalar *d, uint8_t point[SM2_POINT])
{
	struct sm2_jacobian sum;
	struct sm2_affine p;

	sm2_core_base_secret(&sum, d);
	(void)sm2_point_to_affine_secret(&p, &sum);
	point[0] = 0x04;
	sm2_point_to_bytes(point + 1, point + 1 + SM2_NUMBER, &p);
	ct_public(point, SM2_POINT);
	secret_wipe(&sum, sizeof(sum)); /* its Z would tell more than the point does */
}

enum err sm2_secret_new(const uint8_t bytes[SM2_NUMBER], struct sm2_secret **out, uint8_t point[SM2_POINT])
{
	struct sm2_scalar d, plus_one;
	struct sm2_secret *s = NULL;
	enum err e = ERR_FORMAT;

	if (!read_private(bytes, &d, &plus_one))
		goto out;
	s = pages_take();
	e = s != NULL ? ERR_OK : ERR_NO_MEMORY;
	if (e != ERR_OK)
		goto out;
	sm2_scalar_inv(&plus_one, &plus_one);
	sm2_scalar_to_mont(&s->inverse, &plus_one);
	sm2_nonce_prepare(bytes, &s->nonce);
	public_point(&d, point);
	*out = s;
out:
	secret_wipe(&d, sizeof(d));
	secret_wipe(&plus_one, sizeof(plus_one));
	return e;
}

/* ---- one signature -------------------------------------------------------------------------- */

/* Whether a candidate fits says nothing of the one that is taken in its place. */
static bool read_nonce(const uint8_t bytes[SM2_NUMBER], struct sm2_scalar *k)
{
	bool fits = sm2_scalar_from_bytes(k, bytes);

	fits &= sm2_scalar_zero_mask(k) == 0;
	ct_public(&fits, sizeof(fits));
	return fits;
}

/* r = e + x of k*G, mod n. */
static void first_number(const struct sm2_scalar *k, const uint8_t e[SM2_NUMBER], struct sm2_scalar *r)
{
	struct sm2_jacobian sum;
	struct sm2_affine p;
	struct sm2_scalar x;
	uint8_t xy[2 * SM2_NUMBER];

	sm2_core_base_secret(&sum, k);
	(void)sm2_point_to_affine_secret(&p, &sum); /* infinity is for k = 0 alone */
	sm2_point_to_bytes(xy, xy + SM2_NUMBER, &p);
	sm2_scalar_reduce(&x, xy);
	sm2_scalar_reduce(r, e);
	sm2_scalar_add(r, r, &x);
	secret_wipe(&sum, sizeof(sum));
	secret_wipe(&p, sizeof(p));
	secret_wipe(xy, sizeof(xy));
}

/* s = (1 + d)^-1 (k + r) - r. */
static void second_number(const struct sm2_secret *secret, const struct sm2_scalar *k, const struct sm2_scalar *r,
                          struct sm2_scalar *s)
{
	struct sm2_scalar sum;

	sm2_scalar_add(&sum, k, r);
	sm2_scalar_mont_mul(&sum, &sum, &secret->inverse);
	sm2_scalar_sub(s, &sum, r);
	secret_wipe(&sum, sizeof(sum));
}

/* Of numbers that are public by now. r + s = 0 is r + k = 0 seen from the other side. */
static bool is_signature(const struct sm2_scalar *r, const struct sm2_scalar *s)
{
	struct sm2_scalar t;

	sm2_scalar_add(&t, r, s);
	return (sm2_scalar_zero_mask(r) | sm2_scalar_zero_mask(s) | sm2_scalar_zero_mask(&t)) == 0;
}

bool sm2_sign_with(const struct sm2_secret *secret, const uint8_t nonce[SM2_NUMBER], const uint8_t e[SM2_NUMBER],
                   struct sm2_value *out)
{
	struct sm2_scalar k, r, s;
	bool good = read_nonce(nonce, &k);

	if (good) {
		first_number(&k, e, &r);
		second_number(secret, &k, &r, &s);
		ct_public(&r, sizeof(r));
		ct_public(&s, sizeof(s));
		good = is_signature(&r, &s);
	}
	secret_wipe(&k, sizeof(k));
	if (!good)
		return false;
	sm2_scalar_to_bytes(out->r, &r);
	sm2_scalar_to_bytes(out->s, &s);
	return true;
}

enum err sm2_sign(const struct sm2_secret *s, const struct rand *rand, const uint8_t e[SM2_NUMBER],
                  struct sm2_value *out)
{
	uint8_t fresh[SM2_NONCE], k[SM2_NONCE];
	enum err err = rand_fill(rand, fresh, sizeof(fresh));
	bool made = false;

	for (uint8_t i = 0; err == ERR_OK && !made && i < SM2_TRIES; i++) {
		sm2_nonce_make(&s->nonce, i, fresh, e, k);
		made = sm2_sign_with(s, k, e, out);
	}
	secret_wipe(fresh, sizeof(fresh));
	secret_wipe(k, sizeof(k));
	return err == ERR_OK && !made ? ERR_CRYPTO : err;
}
