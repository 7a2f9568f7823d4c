#include "crypto/sm2.h"

#include "crypto/memo.h"
#include "crypto/sm2_batch.h"
#include "crypto/sm2_cache.h"
#include "crypto/sm2_core.h"
#include "crypto/sm2_head.h"
#include "crypto/sm2_key.h"
#include "crypto/sm2_openssl.h"
#include "crypto/sm3_block.h"

#include <stdlib.h>

enum { NUMBER = 32, TAG_INTEGER = 0x02, TAG_SEQUENCE = 0x30 };

struct sm2_key {
	struct sm2_affine at;
	struct sm2_table *table; /* of its own; NULL: none */
	uint8_t point[SM2_POINT];
	uint8_t z[SM3_LEN]; /* for the default identity */
};

struct span sm2_default_id(void)
{
	return span_str("1234567812345678");
}

/* ---- keys ----------------------------------------------------------------------------------- */

/* Z of GB/T 32918.2 clause 5.5: SM3(length of the identity in bits || identity || a || b || G || public key). */
static void identify(const uint8_t point[SM2_POINT], struct span id, uint8_t z[SM3_LEN])
{
	/* a, b, and the coordinates of the base point (GB/T 32918.5) */
	static const uint8_t curve[4 * NUMBER] = {
	    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc,
	    0x28, 0xe9, 0xfa, 0x9e, 0x9d, 0x9f, 0x5e, 0x34, 0x4d, 0x5a, 0x9e, 0x4b, 0xcf, 0x65, 0x09, 0xa7,
	    0xf3, 0x97, 0x89, 0xf5, 0x15, 0xab, 0x8f, 0x92, 0xdd, 0xbc, 0xbd, 0x41, 0x4d, 0x94, 0x0e, 0x93,
	    0x32, 0xc4, 0xae, 0x2c, 0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04, 0x46, 0x6a, 0x39, 0xc9, 0x94,
	    0x8f, 0xe3, 0x0b, 0xbf, 0xf2, 0x66, 0x0b, 0xe1, 0x71, 0x5a, 0x45, 0x89, 0x33, 0x4c, 0x74, 0xc7,
	    0xbc, 0x37, 0x36, 0xa2, 0xf4, 0xf6, 0x77, 0x9c, 0x59, 0xbd, 0xce, 0xe3, 0x6b, 0x69, 0x21, 0x53,
	    0xd0, 0xa9, 0x87, 0x7c, 0xc6, 0x2a, 0x47, 0x40, 0x02, 0xdf, 0x32, 0xe5, 0x21, 0x39, 0xf0, 0xa0,
	};
	const uint8_t bits[2] = {(uint8_t)(id.len * 8 >> 8), (uint8_t)(id.len * 8)};
	struct sm3_ctx c;

	sm3_start(&c);
	sm3_add(&c, span_of(bits, sizeof(bits)));
	sm3_add(&c, id);
	sm3_add(&c, span_of(curve, sizeof(curve)));
	sm3_add(&c, span_of(point + 1, SM2_POINT - 1));
	sm3_end(&c, z);
}

enum err sm2_key_new(struct span point, struct sm2_key **out)
{
	struct sm2_affine at;
	struct sm2_key *k;

	if (point.len != SM2_POINT || point.ptr[0] != 0x04 ||
	    !sm2_point_from_bytes(&at, point.ptr + 1, point.ptr + 1 + NUMBER))
		return ERR_FORMAT;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return ERR_NO_MEMORY;
	k->at = at;
	memcpy(k->point, point.ptr, SM2_POINT);
	identify(k->point, sm2_default_id(), k->z);
	*out = k;
	return ERR_OK;
}

enum err sm2_key_prepare(struct sm2_key *k)
{
	if (k->table != NULL)
		return ERR_OK;
	k->table = aligned_alloc(SM2_TABLE_ALIGN, sizeof(*k->table));
	if (k->table == NULL)
		return ERR_NO_MEMORY;
	sm2_table_build(k->table, &k->at);
	return ERR_OK;
}

void sm2_key_free(struct sm2_key *k)
{
	if (k == NULL)
		return;
	free(k->table);
	free(k);
}

struct span sm2_key_point(const struct sm2_key *k)
{
	return span_of(k->point, SM2_POINT);
}

const struct sm2_affine *sm2_key_at(const struct sm2_key *k)
{
	return &k->at;
}

const struct sm2_table *sm2_key_table(const struct sm2_key *k)
{
	return k->table;
}

const uint8_t *sm2_key_z(const struct sm2_key *k)
{
	return k->z;
}

/* ---- values --------------------------------------------------------------------------------- */

/* A positive INTEGER of at most 256 bits in its shortest form. */
static enum err read_number(struct span in, uint8_t out[NUMBER], struct span *rest)
{
	struct span v;

	if (der_element(in, TAG_INTEGER, &v, NULL, rest) != ERR_OK || v.len == 0 || (v.ptr[0] & 0x80) != 0)
		return ERR_FORMAT;
	if (v.ptr[0] == 0) {
		if (v.len < 2 || (v.ptr[1] & 0x80) == 0) /* zero, or a needless leading zero */
			return ERR_FORMAT;
		v = span_sub(v, 1, v.len);
	}
	if (v.len > NUMBER)
		return ERR_FORMAT;
	memset(out, 0, NUMBER - v.len);
	memcpy(out + NUMBER - v.len, v.ptr, v.len);
	return ERR_OK;
}

enum err sm2_value_read(struct span der, struct sm2_value *out)
{
	struct sm2_value v;
	struct span body, rest;

	if (der.len > SM2_SIG_MAX || der_element(der, TAG_SEQUENCE, &body, NULL, &rest) != ERR_OK || rest.len != 0)
		return ERR_FORMAT;
	if (read_number(body, v.r, &rest) != ERR_OK || read_number(rest, v.s, &rest) != ERR_OK || rest.len != 0)
		return ERR_FORMAT;
	*out = v;
	return ERR_OK;
}

static size_t write_number(const uint8_t v[NUMBER], uint8_t *out)
{
	size_t skip = 0, pad;

	while (skip < NUMBER - 1 && v[skip] == 0)
		skip++;
	pad = v[skip] >= 0x80 ? 1 : 0;
	out[0] = TAG_INTEGER;
	out[1] = (uint8_t)(pad + NUMBER - skip);
	out[2] = 0;
	memcpy(out + 2 + pad, v + skip, NUMBER - skip);
	return 2 + pad + NUMBER - skip;
}

size_t sm2_value_write(const struct sm2_value *v, uint8_t der[SM2_SIG_MAX])
{
	size_t len = write_number(v->r, der + 2);

	len += write_number(v->s, der + 2 + len);
	der[0] = TAG_SEQUENCE;
	der[1] = (uint8_t)len;
	return 2 + len;
}

/* ---- verifying ------------------------------------------------------------------------------ */

enum err sm2_digest(const struct sm2_key *k, struct span id, struct span msg, uint8_t e[SM2_DIGEST])
{
	uint8_t z[SM3_LEN];
	struct span parts[] = {span_of(k->z, SM3_LEN), msg};

	if (id.len > SM2_ID_MAX)
		return ERR_FIELD_TOO_LONG;
	if (!span_eq(id, sm2_default_id())) {
		identify(k->point, id, z);
		parts[0] = span_of(z, SM3_LEN);
	}
	return sm3_parts(parts, 2, e);
}

static bool fits(struct sm2_means by, const struct sm2_key *k, const uint8_t e[SM2_DIGEST], const struct sm2_value *v)
{
	const struct sm2_table *kept = NULL;
	bool good;

	if (k->table != NULL)
		return sm2_core_verify_known(k->table, e, v->r, v->s);
	if (by.tables != NULL)
		kept = sm2_cache_take(by.tables, &k->at);
	if (kept == NULL)
		return sm2_core_verify_unknown(&k->at, e, v->r, v->s);
	good = sm2_core_verify_known(kept, e, v->r, v->s);
	sm2_cache_give(kept);
	return good;
}

static enum err verify_now(struct sm2_means by, const struct sm2_key *k, struct span id, struct span msg,
                           struct span sig)
{
	struct sm2_value v;
	uint8_t e[SM2_DIGEST];
	enum err err;

	if (sm2_value_read(sig, &v) != ERR_OK)
		return ERR_SIGNATURE_BAD;
	if (by.backend == SM2_OPENSSL)
		return sm2_openssl_verify(sm2_key_point(k), id, msg, sig);
	if (!span_eq(id, sm2_default_id()) || !sm2_head_digest(by.heads, by.n_heads, k, msg, e)) {
		err = sm2_digest(k, id, msg, e);
		if (err != ERR_OK)
			return err;
	}
	return fits(by, k, e, &v) ? ERR_OK : ERR_SIGNATURE_BAD;
}

enum err sm2_verify_by(struct sm2_means by, const struct sm2_key *k, struct span id, struct span msg, struct span sig)
{
	struct memo_question q = {.kind = by.kind, .key = sm2_key_point(k), .id = id, .msg = msg, .value = sig};
	enum err e;

	if (sm2_ahead_knows(by.ahead, k, id, msg, sig, &e))
		return e;
	if (memo_knows(by.memo, &q))
		return ERR_OK;
	e = verify_now(by, k, id, msg, sig);
	if (e == ERR_OK)
		memo_learn(by.memo, &q);
	return e;
}

enum err sm2_verify_digest_by(struct sm2_means by, const struct sm2_key *k, const uint8_t e[SM2_DIGEST],
                              struct span sig)
{
	struct sm2_value v;

	if (sm2_value_read(sig, &v) != ERR_OK)
		return ERR_SIGNATURE_BAD;
	if (by.backend == SM2_OPENSSL)
		return sm2_openssl_verify_digest(sm2_key_point(k), e, sig);
	return fits(by, k, e, &v) ? ERR_OK : ERR_SIGNATURE_BAD;
}

enum err sm2_verify(const struct sm2_key *k, struct span id, struct span msg, struct span sig)
{
	return sm2_verify_by((struct sm2_means){0}, k, id, msg, sig);
}
