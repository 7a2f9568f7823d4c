/* Seals and signatures of every version made part by part, so that one part can be edited before or after it is signed.
 */
#ifndef YZ_TESTS_SES_HELP_H
#define YZ_TESTS_SES_HELP_H

#include "verify_help.h"

/* ---- making one ----------------------------------------------------------------------------- */

enum stage { INFO, SEAL, TBS, SIG }; /* INFO and TBS are edited before they are signed */

/* Makes another item of the one that stands there. */
typedef struct span change(struct arena *a, struct span item);

struct edit {
	enum stage stage;
	int path[6]; /* indices from the stage's value, -1 ends */
	const char *hex;
	change *fn; /* in place of hex */
};

/* KEEPS_TIME: the time of signing must be read as it was meant; SOFT: read without a list, too. */
struct quirk {
	const char *name;
	int version;
	enum { PLAIN, KEEPS_TIME, SOFT } what;
	struct edit edit;
	const char *code;
};

/* What the made ones say of time; pki.t0 where 0. */
static struct {
	int64_t sign, created;
	const char *maker; /* NULL: "maker" */
} made_at;

static const struct span signed_data = {(const uint8_t *)"the signed data", 15};

static inline struct span bytes_of(struct arena *a, const char *hex)
{
	struct span raw = unhex(hex), copy = arena_dup(a, raw);

	free((void *)(uintptr_t)raw.ptr);
	return copy;
}

static inline struct span tlv(struct arena *a, uint8_t tag, struct span contents)
{
	struct span out;
	struct buf b;

	buf_init(&b, a);
	der_put(&b, tag, contents);
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

static inline struct span join(struct arena *a, const struct span *parts, size_t n)
{
	struct span out;
	struct buf b;

	buf_init(&b, a);
	for (size_t i = 0; i < n; i++)
		buf_add(&b, parts[i]);
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

enum { ITEMS_MAX = 16 };

static inline size_t split(struct span in, struct span *parts)
{
	struct der top = der_of(in), d;
	struct der_item it;
	size_t n = 0;

	assert_err(der_enter(&top, DER_ANY, &d, NULL), ERR_OK);
	for (; der_more(&d); n++) {
		assert_true(n < ITEMS_MAX - 1);
		assert_err(der_take(&d, DER_ANY, &it), ERR_OK);
		parts[n] = it.raw;
	}
	return n;
}

/* An index at the end appends; hex "" takes away. */
static inline struct span edited(struct arena *a, struct span in, const int *path, const struct edit *e)
{
	struct span parts[ITEMS_MAX];
	size_t n, at = (size_t)path[0];

	if (path[0] < 0)
		return e->fn != NULL ? e->fn(a, in) : bytes_of(a, e->hex);
	n = split(in, parts);
	assert_true(at <= n);
	if (at == n)
		parts[n++] = span_of(NULL, 0);
	parts[at] = edited(a, parts[at], path + 1, e);
	return tlv(a, in.ptr[0], join(a, parts, n));
}

static inline struct span at_stage(struct arena *a, const struct quirk *q, enum stage stage, struct span in)
{
	return q->edit.stage == stage && q->code != NULL ? edited(a, in, q->edit.path, &q->edit) : in;
}

static inline struct span oid(struct arena *a)
{
	struct span out;
	struct buf b;

	buf_init(&b, a);
	assert_err(der_put_oid(&b, OID_SM2_SM3), ERR_OK);
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

static inline struct span bits(struct arena *a, struct span v)
{
	struct span out;
	struct buf b;

	buf_init(&b, a);
	der_put_bits(&b, v);
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

/* GeneralizedTime -> UTCTime */
static inline struct span as_utc(struct arena *a, struct span item)
{
	return tlv(a, DER_UTC_TIME, span_sub(item, 4, SIZE_MAX));
}

/* SES_SealInfo of version 1 from that of version 4: header version, no certListType, UTCTimes. */
static inline struct span info_v1(struct arena *a, struct span info)
{
	struct span parts[ITEMS_MAX], p[ITEMS_MAX];
	size_t n = split(info, parts);
	const struct edit version = {.hex = "020101"};

	parts[0] = edited(a, parts[0], (const int[]){1, -1}, &version);
	assert_int_equal(split(parts[2], p), 7);
	p[2] = p[3];
	for (int i = 3; i < 6; i++)
		p[i] = as_utc(a, p[i + 1]);
	parts[2] = tlv(a, DER_SEQUENCE, join(a, p, 6));
	return tlv(a, DER_SEQUENCE, join(a, parts, n));
}

static inline struct span info_of(struct arena *a, int version)
{
	const struct edit five = {.hex = "020105"};
	struct span cert = der_of_who("samr"), info;
	const struct ses_seal_new n = seal_for(&cert, made_at.created != 0 ? made_at.created : pki.t0 - HOUR / 2);

	assert_err(ses_seal_info_encode(a, &n, &info), ERR_OK);
	if (version == 5)
		return edited(a, info, (const int[]){0, 1, -1}, &five);
	return version == 1 ? info_v1(a, info) : info;
}

static inline struct span quirky_seal(struct arena *a, const struct quirk *q)
{
	const char *maker = made_at.maker != NULL ? made_at.maker : "maker";
	struct span p[4] = {at_stage(a, q, INFO, info_of(a, q->version)), tlv(a, DER_OCTET_STRING, der_of_who(maker)),
	                    oid(a)};
	struct span seal;

	if (q->version == 1) {
		p[3] = bits(a, sign_by(a, maker, tlv(a, DER_SEQUENCE, join(a, p, 3))));
		p[1] = tlv(a, DER_SEQUENCE, join(a, p + 1, 3));
		seal = tlv(a, DER_SEQUENCE, join(a, p, 2));
	} else {
		p[3] = bits(a, sign_by(a, maker, p[0]));
		seal = tlv(a, DER_SEQUENCE, join(a, p, 4));
	}
	return at_stage(a, q, SEAL, seal);
}

static inline struct span quirky_tbs(struct arena *a, const struct quirk *q)
{
	uint8_t digest[SM3_LEN], version = (uint8_t)q->version;
	struct span p[7], tbs;
	struct buf b;

	buf_init(&b, a);
	der_put_gentime(&b, made_at.sign != 0 ? made_at.sign : pki.t0);
	assert_err(sm3(signed_data, digest), ERR_OK);
	p[0] = tlv(a, DER_INTEGER, span_of(&version, 1));
	p[1] = quirky_seal(a, q);
	assert_err(buf_done(&b, &p[2]), ERR_OK);
	p[3] = bits(a, span_of(digest, sizeof(digest)));
	p[4] = tlv(a, DER_IA5, span_str("data"));
	p[5] = tlv(a, DER_OCTET_STRING, der_of_who("samr"));
	p[6] = oid(a);
	if (q->version == 1)
		p[2] = bits(a, as_utc(a, p[2]));
	tbs = tlv(a, DER_SEQUENCE, join(a, p, q->version == 1 ? 7 : 5));
	return at_stage(a, q, TBS, tbs);
}

static inline struct span quirky(struct arena *a, const struct quirk *q)
{
	struct span p[4] = {quirky_tbs(a, q), tlv(a, DER_OCTET_STRING, der_of_who("samr")), oid(a)};

	p[3] = bits(a, sign_by(a, "samr", p[0]));
	if (q->version == 1)
		p[1] = p[3];
	return at_stage(a, q, SIG, tlv(a, DER_SEQUENCE, join(a, p, q->version == 1 ? 2 : 4)));
}

#endif
