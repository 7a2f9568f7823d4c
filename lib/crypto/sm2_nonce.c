#include "crypto/sm2_nonce.h"

#include "crypto/rand.h"

enum { INNER = 0x36, OUTER = 0x5c };

static const char label[] = "Yinzheng SM2 nonce 1";

static void padded_key(const uint8_t key[SM3_LEN], uint8_t with, uint32_t state[SM3_WORDS])
{
	uint8_t block[SM3_BLOCK];

	for (size_t i = 0; i < SM3_BLOCK; i++)
		block[i] = (uint8_t)((i < SM3_LEN ? key[i] : 0) ^ with);
	memcpy(state, sm3_iv, sizeof(sm3_iv));
	sm3_blocks(state, block, 1);
	secret_wipe(block, sizeof(block));
}

/* HMAC-SM3 under a key of 32 bytes (RFC 2104). */
static void prepare(const uint8_t key[SM3_LEN], struct sm2_nonce_key *out)
{
	padded_key(key, INNER, out->inner);
	padded_key(key, OUTER, out->outer);
}

/* The context goes on from a state that one block has gone into. */
static void go_on(struct sm3_ctx *c, const uint32_t state[SM3_WORDS])
{
	memcpy(c->h, state, sizeof(c->h));
	c->held = 0;
	c->total = SM3_BLOCK;
}

static void keyed(const struct sm2_nonce_key *key, struct span msg, uint8_t out[SM3_LEN])
{
	struct sm3_ctx c;
	uint8_t inner[SM3_LEN];

	go_on(&c, key->inner);
	sm3_add(&c, msg);
	sm3_end(&c, inner);
	go_on(&c, key->outer);
	sm3_add(&c, span_of(inner, sizeof(inner)));
	sm3_end(&c, out);
	secret_wipe(&c, sizeof(c));
	secret_wipe(inner, sizeof(inner));
}

void sm2_nonce_prepare(const uint8_t d[SM2_NONCE], struct sm2_nonce_key *out)
{
	struct sm2_nonce_key by_d;
	uint8_t prf[SM3_LEN];

	prepare(d, &by_d);
	keyed(&by_d, span_of(label, sizeof(label) - 1), prf);
	prepare(prf, out);
	secret_wipe(&by_d, sizeof(by_d));
	secret_wipe(prf, sizeof(prf));
}

void sm2_nonce_make(const struct sm2_nonce_key *key, uint8_t i, const uint8_t fresh[SM2_NONCE],
                    const uint8_t e[SM3_LEN], uint8_t out[SM2_NONCE])
{
	uint8_t msg[1 + SM2_NONCE + SM3_LEN];

	msg[0] = i;
	memcpy(msg + 1, fresh, SM2_NONCE);
	memcpy(msg + 1 + SM2_NONCE, e, SM3_LEN);
	keyed(key, span_of(msg, sizeof(msg)), out);
	secret_wipe(msg, sizeof(msg));
}
