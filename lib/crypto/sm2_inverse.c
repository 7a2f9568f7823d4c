/* Inversion by divsteps (Bernstein and Yang, "Fast constant-time gcd computation and modular inversion", 2019): 62
 * steps at a time on the low words of f and g, collected in a 2 by 2 matrix, which is then applied to the whole of f, g
 * and of d, e, where d = f / a and e = g / a mod p, each up to a power of two that the matrix's application divides
 * out. Public values stop when g is 0; secret ones take as many steps as any value needs. */
#include "crypto/sm2_inverse.h"

#include "crypto/rand.h"

enum {
	LIMBS = 5,
	STEPS = 62,
	SECRET_ROUNDS = 10 /* 620 steps; 590 are enough for all values below 2^256 (safegcd-bounds of P. Wuille) */
};

__extension__ typedef __int128 i128;

/* Signed: the sum of v[i] 2^(62 i); all limbs but the last in [0, 2^62). */
struct wide {
	int64_t v[LIMBS];
};

/* Entries up to 2^62 in size, scaled by 2^62. */
struct matrix {
	int64_t u, v, q, r;
};

static const int64_t MASK = (int64_t)(UINT64_MAX >> 2);
static const struct wide P = {{0x3fffffffffffffff, 0x3ffffffc00000003, 0x3fffffffffffffff, 0x3fffffbfffffffff, 0xff}};

static struct wide widen(const uint64_t a[4])
{
	struct wide r;

	r.v[0] = (int64_t)a[0] & MASK;
	for (int i = 1; i < 4; i++)
		r.v[i] = (int64_t)(a[i - 1] >> (64 - 2 * i) | a[i] << 2 * i) & MASK;
	r.v[4] = (int64_t)(a[3] >> 56);
	return r;
}

/* Of a value in [0, 2^256). */
static void narrow(uint64_t out[4], const struct wide *a)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint64_t)a->v[i] >> 2 * i | (uint64_t)a->v[i + 1] << (62 - 2 * i);
}

static int trailing_zeros(uint64_t x)
{
	return __builtin_ctzll(x);
}

/* How often f is added to g, so that as many low bits of g vanish as eta and the steps left allow, six at most. */
static uint64_t multiplier(uint64_t f, uint64_t g, int64_t eta, int left)
{
	int bits = eta + 1 < left ? (int)eta + 1 : left;
	uint64_t mask = (UINT64_MAX >> (64 - bits)) & 63;

	/* f (f^2 - 2) = -1/f mod 64 */
	return (f * g * (f * f - 2)) & mask;
}

/* The same steps for secrets, one after the other, with masks in place of branches. They begin with delta = 1/2, as in
 * libsecp256k1 (zeta = -delta - 1/2), which needs the fewest steps for all values. */
static int64_t divsteps_secret(int64_t zeta, uint64_t f, uint64_t g, struct matrix *m)
{
	uint64_t u = 1, v = 0, q = 0, r = 1;

	for (int i = 0; i < STEPS; i++) {
		uint64_t swap = (uint64_t)(zeta >> 63), odd = 0 - (g & 1);

		g += ((f ^ swap) - swap) & odd;
		q += ((u ^ swap) - swap) & odd;
		r += ((v ^ swap) - swap) & odd;
		swap &= odd;
		zeta = (zeta ^ (int64_t)swap) - 1;
		f += g & swap;
		u += q & swap;
		v += r & swap;
		g >>= 1;
		u <<= 1;
		v <<= 1;
	}
	*m = (struct matrix){(int64_t)u, (int64_t)v, (int64_t)q, (int64_t)r};
	return zeta;
}

static int64_t divsteps(int64_t eta, uint64_t f, uint64_t g, struct matrix *m)
{
	uint64_t u = 1, v = 0, q = 0, r = 1, w;
	int left = STEPS;

	for (;;) {
		int zeros = trailing_zeros(g | UINT64_MAX << left);

		g >>= zeros;
		u <<= zeros;
		v <<= zeros;
		eta -= zeros;
		left -= zeros;
		if (left == 0)
			break;
		if (eta < 0) {
			eta = -eta;
			w = f, f = g, g = 0 - w;
			w = u, u = q, q = 0 - w;
			w = v, v = r, r = 0 - w;
		}
		w = multiplier(f, g, eta, left);
		g += f * w;
		q += u * w;
		r += v * w;
	}
	*m = (struct matrix){(int64_t)u, (int64_t)v, (int64_t)q, (int64_t)r};
	return eta;
}

/* (f, g) = m (f, g) / 2^62, exactly. */
static void apply(struct wide *f, struct wide *g, const struct matrix *m)
{
	i128 cf = 0, cg = 0;

	for (int i = 0; i < LIMBS; i++) {
		cf += (i128)m->u * f->v[i] + (i128)m->v * g->v[i];
		cg += (i128)m->q * f->v[i] + (i128)m->r * g->v[i];
		if (i > 0) {
			f->v[i - 1] = (int64_t)cf & MASK;
			g->v[i - 1] = (int64_t)cg & MASK;
		}
		cf >>= STEPS;
		cg >>= STEPS;
	}
	f->v[LIMBS - 1] = (int64_t)cf;
	g->v[LIMBS - 1] = (int64_t)cg;
}

/* (d, e) = m (d, e) / 2^62 mod p, between -2p and p: multiples of p are added that make the low limbs vanish
 * (p = -1 mod 2^62), and one more for what is negative. */
static void apply_mod(struct wide *d, struct wide *e, const struct matrix *m)
{
	int64_t sd = d->v[LIMBS - 1] >> 63, se = e->v[LIMBS - 1] >> 63;
	int64_t kd = (m->u & sd) + (m->v & se), ke = (m->q & sd) + (m->r & se);
	i128 cd = (i128)m->u * d->v[0] + (i128)m->v * e->v[0];
	i128 ce = (i128)m->q * d->v[0] + (i128)m->r * e->v[0];

	kd -= (int64_t)(((uint64_t)kd - (uint64_t)cd) & (uint64_t)MASK);
	ke -= (int64_t)(((uint64_t)ke - (uint64_t)ce) & (uint64_t)MASK);
	cd = (cd + (i128)P.v[0] * kd) >> STEPS;
	ce = (ce + (i128)P.v[0] * ke) >> STEPS;
	for (int i = 1; i < LIMBS; i++) {
		cd += (i128)m->u * d->v[i] + (i128)m->v * e->v[i] + (i128)P.v[i] * kd;
		ce += (i128)m->q * d->v[i] + (i128)m->r * e->v[i] + (i128)P.v[i] * ke;
		d->v[i - 1] = (int64_t)cd & MASK;
		e->v[i - 1] = (int64_t)ce & MASK;
		cd >>= STEPS;
		ce >>= STEPS;
	}
	d->v[LIMBS - 1] = (int64_t)cd;
	e->v[LIMBS - 1] = (int64_t)ce;
}

static void carry(struct wide *a)
{
	for (int i = 0; i < LIMBS - 1; i++) {
		a->v[i + 1] += a->v[i] >> STEPS;
		a->v[i] &= MASK;
	}
}

static void add_p_if_negative(struct wide *a)
{
	int64_t sign = a->v[LIMBS - 1] >> 63;

	for (int i = 0; i < LIMBS; i++)
		a->v[i] += P.v[i] & sign;
	carry(a);
}

/* d, or -d when f is negative, from (-2p, p) to [0, p). */
static void settle(struct wide *d, const struct wide *f)
{
	int64_t sign = f->v[LIMBS - 1] >> 63;

	add_p_if_negative(d);
	for (int i = 0; i < LIMBS; i++)
		d->v[i] = (d->v[i] ^ sign) - sign;
	carry(d);
	add_p_if_negative(d);
}

static bool is_zero(const struct wide *a)
{
	int64_t any = 0;

	for (int i = 0; i < LIMBS; i++)
		any |= a->v[i];
	return any == 0;
}

/* What the steps have led to: d is the inverse, f tells its sign. */
static void finish(struct sm2_fe *out, struct wide *d, const struct wide *f)
{
	/* 2^768 mod p: an inverse of a 2^256 is short of 2^512, a multiplication takes 2^256 off. */
	static const struct sm2_fe cube = {{UINT64_C(0x0000001200000016), UINT64_C(0x0000000efffffff8),
	                                    UINT64_C(0x0000000a0000000c), UINT64_C(0x0000001b00000009)}};
	struct sm2_fe r;

	settle(d, f);
	narrow(r.v, d);
	sm2_fe_mul(out, &r, &cube);
	secret_wipe(&r, sizeof(r));
}

static uint64_t low_word(const struct wide *a)
{
	return (uint64_t)a->v[0] | (uint64_t)a->v[1] << STEPS;
}

void sm2_fe_inv_secret(struct sm2_fe *out, const struct sm2_fe *a)
{
	struct wide d = {{0}}, e = {{1}}, f = P, g = widen(a->v);
	struct matrix m;
	int64_t zeta = -1;

	for (int i = 0; i < SECRET_ROUNDS; i++) {
		zeta = divsteps_secret(zeta, low_word(&f), low_word(&g), &m);
		apply_mod(&d, &e, &m);
		apply(&f, &g, &m);
	}
	finish(out, &d, &f);
	secret_wipe(&d, sizeof(d));
	secret_wipe(&e, sizeof(e));
	secret_wipe(&m, sizeof(m));
}

void sm2_fe_inv_public(struct sm2_fe *out, const struct sm2_fe *a)
{
	struct wide d = {{0}}, e = {{1}}, f = P, g = widen(a->v);
	struct matrix m;
	int64_t eta = -1;

	while (!is_zero(&g)) {
		eta = divsteps(eta, low_word(&f), low_word(&g), &m);
		apply_mod(&d, &e, &m);
		apply(&f, &g, &m);
	}
	finish(out, &d, &f);
}

/* Montgomery's trick. */
void sm2_fe_inv_many_public(struct sm2_fe *a, size_t n)
{
	struct sm2_fe before[SM2_INV_MANY], u;

	before[0] = a[0];
	for (size_t i = 1; i < n; i++)
		sm2_fe_mul(&before[i], &before[i - 1], &a[i]);
	sm2_fe_inv_public(&u, &before[n - 1]);
	for (size_t i = n - 1; i > 0; i--) {
		struct sm2_fe inverse;

		sm2_fe_mul(&inverse, &u, &before[i - 1]);
		sm2_fe_mul(&u, &u, &a[i]);
		a[i] = inverse;
	}
	a[0] = u;
}
