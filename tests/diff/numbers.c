#include "tests/diff/numbers.h"

#include <string.h>

const uint64_t number_p[4] = {0xffffffffffffffff, 0xffffffff00000000, 0xffffffffffffffff, 0xfffffffeffffffff};
const uint64_t number_n[4] = {0x53bbf40939d54123, 0x7203df6b21c6052b, 0xffffffffffffffff, 0xfffffffeffffffff};

uint64_t numbers_next(struct numbers *n)
{
	uint64_t z = n->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t numbers_below(struct numbers *n, uint64_t limit)
{
	return numbers_next(n) % limit;
}

void numbers_bytes(struct numbers *n, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)numbers_next(n);
}

static void flip_bit(uint64_t out[4], uint64_t bit)
{
	out[bit / 64] ^= UINT64_C(1) << bit % 64;
}

static void sparse(struct numbers *n, uint64_t out[4])
{
	memset(out, 0, 32);
	for (uint64_t i = numbers_below(n, 5); i != 0; i--)
		flip_bit(out, numbers_below(n, 256));
}

static void in_runs(struct numbers *n, uint64_t out[4])
{
	uint64_t bit = 0, value = numbers_below(n, 2), longest = UINT64_C(1) << (2 + numbers_below(n, 7));

	memset(out, 0, 32);
	while (bit < 256) {
		uint64_t end = bit + 1 + numbers_below(n, longest);

		for (; bit < end && bit < 256; bit++)
			out[bit / 64] |= value << bit % 64;
		value ^= 1;
	}
}

static void add_small(uint64_t out[4], uint64_t v, bool minus)
{
	for (int i = 0; i < 4; i++) {
		uint64_t before = out[i];

		out[i] = minus ? before - v : before + v;
		v = minus ? before < v : out[i] < before;
	}
}

static void near_landmark(struct numbers *n, uint64_t out[4])
{
	uint64_t which = numbers_below(n, 6), shift = numbers_below(n, 4) == 0 ? numbers_below(n, 64) : 0;

	memset(out, which == 1 ? 0xff : 0, 32);
	if (which == 2 || which == 3)
		memcpy(out, number_p, 32);
	if (which == 4 || which == 5)
		memcpy(out, number_n, 32);
	for (int i = 0; shift != 0 && i < 4; i++)
		out[i] = out[i] >> shift | (i < 3 ? out[i + 1] << (64 - shift) : 0);
	add_small(out, numbers_below(n, UINT64_C(1) << (1 + numbers_below(n, 40))), numbers_below(n, 2) == 0);
}

static void of_words(struct numbers *n, uint64_t out[4])
{
	static const uint64_t words[] = {0, 1, UINT64_MAX, 0x8000000000000000, 0xffffffff, 0xffffffff00000000, 0x100000000};

	for (int i = 0; i < 4; i++) {
		uint64_t k = numbers_below(n, 9);

		out[i] = k < 7 ? words[k] : numbers_next(n);
	}
}

/* Limbs of 52 bits, as the vector code has them. */
static void of_limbs_52(struct numbers *n, uint64_t out[4])
{
	memset(out, 0, 32);
	for (uint64_t at = 0; at < 256; at += 52) {
		uint64_t k = numbers_below(n, 4), limb = k == 0 ? 0 : k == 1 ? (UINT64_C(1) << 52) - 1 : numbers_next(n) >> 12;

		for (uint64_t b = 0; b < 52 && at + b < 256; b++)
			out[(at + b) / 64] |= (limb >> b & 1) << (at + b) % 64;
	}
}

static void of_bytes(struct numbers *n, uint64_t out[4])
{
	static const uint8_t bytes[] = {0x00, 0x01, 0x7f, 0x80, 0x81, 0xff, 0xfe, 0x03};

	for (int i = 0; i < 4; i++) {
		out[i] = 0;
		for (int j = 0; j < 8; j++)
			out[i] = out[i] << 8 | bytes[numbers_below(n, sizeof(bytes))];
	}
}

void numbers_256(struct numbers *n, uint64_t out[4])
{
	switch (numbers_below(n, 12)) {
	case 0:
		sparse(n, out);
		break;
	case 1:
		sparse(n, out);
		for (int i = 0; i < 4; i++)
			out[i] = ~out[i];
		break;
	case 2:
		in_runs(n, out);
		break;
	case 3:
		near_landmark(n, out);
		break;
	case 4:
		of_words(n, out);
		break;
	case 5:
		of_limbs_52(n, out);
		break;
	case 6:
		of_bytes(n, out);
		break;
	default:
		for (int i = 0; i < 4; i++)
			out[i] = numbers_next(n);
	}
}

static bool is_below(const uint64_t a[4], const uint64_t b[4])
{
	for (int i = 3; i >= 0; i--) {
		if (a[i] != b[i])
			return a[i] < b[i];
	}
	return false;
}

void numbers_mod(struct numbers *n, const uint64_t modulus[4], uint64_t out[4])
{
	uint64_t borrow = 0;

	numbers_256(n, out);
	if (is_below(out, modulus))
		return;
	for (int i = 0; i < 4; i++) {
		uint64_t d = out[i] - modulus[i], less = out[i] < modulus[i] || d < borrow;

		out[i] = d - borrow;
		borrow = less;
	}
}

void limbs_to_bytes(const uint64_t limbs[4], uint8_t out[32])
{
	for (int i = 0; i < 32; i++)
		out[31 - i] = (uint8_t)(limbs[i / 8] >> 8 * (i % 8));
}

void limbs_to_bn(const uint64_t limbs[4], BIGNUM *out)
{
	uint8_t bytes[32];

	limbs_to_bytes(limbs, bytes);
	BN_bin2bn(bytes, 32, out);
}

bool limbs_from_bn(const BIGNUM *v, uint64_t out[4])
{
	uint8_t bytes[32];

	if (BN_bn2binpad(v, bytes, 32) != 32)
		return false;
	memset(out, 0, 32);
	for (int i = 0; i < 32; i++)
		out[i / 8] |= (uint64_t)bytes[31 - i] << 8 * (i % 8);
	return true;
}

bool limbs_equal(const uint64_t a[4], const uint64_t b[4])
{
	return memcmp(a, b, 32) == 0;
}
