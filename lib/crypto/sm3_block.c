#include "crypto/sm3_block.h"

#include "crypto/sm3_plain.h"

const uint32_t sm3_iv[SM3_WORDS] = {0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600,
                                    0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e};

const uint32_t sm3_t[SM3_ROUNDS] = {
    0x79cc4519, 0xf3988a32, 0xe7311465, 0xce6228cb, 0x9cc45197, 0x3988a32f, 0x7311465e, 0xe6228cbc,
    0xcc451979, 0x988a32f3, 0x311465e7, 0x6228cbce, 0xc451979c, 0x88a32f39, 0x11465e73, 0x228cbce6,
    0x9d8a7a87, 0x3b14f50f, 0x7629ea1e, 0xec53d43c, 0xd8a7a879, 0xb14f50f3, 0x629ea1e7, 0xc53d43ce,
    0x8a7a879d, 0x14f50f3b, 0x29ea1e76, 0x53d43cec, 0xa7a879d8, 0x4f50f3b1, 0x9ea1e762, 0x3d43cec5,
    0x7a879d8a, 0xf50f3b14, 0xea1e7629, 0xd43cec53, 0xa879d8a7, 0x50f3b14f, 0xa1e7629e, 0x43cec53d,
    0x879d8a7a, 0x0f3b14f5, 0x1e7629ea, 0x3cec53d4, 0x79d8a7a8, 0xf3b14f50, 0xe7629ea1, 0xcec53d43,
    0x9d8a7a87, 0x3b14f50f, 0x7629ea1e, 0xec53d43c, 0xd8a7a879, 0xb14f50f3, 0x629ea1e7, 0xc53d43ce,
    0x8a7a879d, 0x14f50f3b, 0x29ea1e76, 0x53d43cec, 0xa7a879d8, 0x4f50f3b1, 0x9ea1e762, 0x3d43cec5,
};

static inline void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* Clause 5.3.2 gives word j + 4 when round j asks for it (as W'_j = W_j ^ W_{j+4}): 16 words at a time are alive. */
#define EXPAND(j)                                                                                                      \
	(w[((j) + 4) & 15] = P1(w[((j) + 4) & 15] ^ w[((j) + 11) & 15] ^ ROL(w[((j) + 1) & 15], 15)) ^                     \
	                     ROL(w[((j) + 7) & 15], 7) ^ w[((j) + 14) & 15])

/* One round of clause 5.3.3. The new A comes to stand in d and the new E in h: the next round names them in turn. */
#define ROUND(a, b, c, d, e, f, g, h, j, FF, GG)                                                                       \
	do {                                                                                                               \
		uint32_t a12 = ROL(a, 12), ss = a12 + (e) + t[j];                                                              \
		ss = ROL(ss, 7);                                                                                               \
		(d) += FF(a, b, c) + (ss ^ a12) + (w[(j)&15] ^ w[((j) + 4) & 15]);                                             \
		(h) += GG(e, f, g) + ss + w[(j)&15];                                                                           \
		(b) = ROL(b, 9);                                                                                               \
		(f) = ROL(f, 19);                                                                                              \
		(h) = P0(h);                                                                                                   \
	} while (0)

#include "crypto/sm3_rounds.h"

static void one_block(uint32_t s[SM3_WORDS], const uint8_t *at)
{
	const uint32_t *t = sm3_t;
	uint32_t a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7], w[16];

	for (size_t i = 0; i < 16; i++)
		w[i] = get32(at + 4 * i);
	FOUR(0, XOR3, XOR3, NO_WORD);
	FOUR(4, XOR3, XOR3, NO_WORD);
	FOUR(8, XOR3, XOR3, NO_WORD);
	FOUR(12, XOR3, XOR3, EXPAND);
	for (t += 16; t < sm3_t + SM3_ROUNDS; t += 16) {
		FOUR(0, MAJ, CHOOSE, EXPAND);
		FOUR(4, MAJ, CHOOSE, EXPAND);
		FOUR(8, MAJ, CHOOSE, EXPAND);
		FOUR(12, MAJ, CHOOSE, EXPAND);
	}
	s[0] ^= a;
	s[1] ^= b;
	s[2] ^= c;
	s[3] ^= d;
	s[4] ^= e;
	s[5] ^= f;
	s[6] ^= g;
	s[7] ^= h;
}

void sm3_blocks(uint32_t h[SM3_WORDS], const uint8_t *at, size_t n)
{
	for (; n > 0; n--, at += SM3_BLOCK)
		one_block(h, at);
}

void sm3_start(struct sm3_ctx *c)
{
	memcpy(c->h, sm3_iv, sizeof(c->h));
	c->held = 0;
	c->total = 0;
}

void sm3_add(struct sm3_ctx *c, struct span piece)
{
	c->total += piece.len;
	if (c->held != 0) {
		struct span head = span_sub(piece, 0, SM3_BLOCK - c->held);

		if (head.len != 0)
			memcpy(c->buf + c->held, head.ptr, head.len);
		c->held += (uint32_t)head.len;
		piece = span_sub(piece, head.len, piece.len);
		if (c->held == SM3_BLOCK) {
			sm3_blocks(c->h, c->buf, 1);
			c->held = 0;
		}
	}
	sm3_blocks(c->h, piece.ptr, piece.len / SM3_BLOCK);
	piece = span_sub(piece, piece.len / SM3_BLOCK * SM3_BLOCK, piece.len);
	if (piece.len != 0) {
		memcpy(c->buf, piece.ptr, piece.len);
		c->held = (uint32_t)piece.len;
	}
}

size_t sm3_pad(struct sm3_ctx *c)
{
	size_t blocks = c->held < SM3_BLOCK - 8 ? 1 : 2, len = blocks * SM3_BLOCK;

	c->buf[c->held] = 0x80;
	memset(c->buf + c->held + 1, 0, len - c->held - 1 - 8);
	put32(c->buf + len - 8, (uint32_t)(c->total >> 29));
	put32(c->buf + len - 4, (uint32_t)(c->total << 3));
	c->held = 0;
	return blocks;
}

void sm3_put(const uint32_t h[SM3_WORDS], uint8_t out[SM3_LEN])
{
	for (size_t i = 0; i < SM3_WORDS; i++)
		put32(out + 4 * i, h[i]);
}

void sm3_end(struct sm3_ctx *c, uint8_t out[SM3_LEN])
{
	size_t blocks = sm3_pad(c);

	sm3_blocks(c->h, c->buf, blocks);
	sm3_put(c->h, out);
}
