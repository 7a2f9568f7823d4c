/*
 * SM3's compression of several messages side by side, one 32-bit lane of a vector each: included by the file of each
 * instruction set, which says before what a vector is and how it does these:
 *
 *   V, LANES          the vector, how many lanes
 *   SM3_LANES         the function's name (prototypes: sm3_many.h); SM3_TARGET, its target attribute
 *   ADD, ROL, SPLAT   a + b, a <<< constant, one value in all lanes
 *   XOR3, MAJ, CHOOSE of three
 *   XOR               of two
 *   P0, P1            the permutations of clause 4.4
 *   LOAD, STORE       of LANES words of the state, aligned
 *   LOAD_WORDS(w, at) 16 vectors: word i of the block at at[lane] becomes lane `lane` of w[i], as big-endian
 *
 * The rounds are those of sm3_block.c, where the clauses are named.
 */

#define EXPAND(j)                                                                                                      \
	do {                                                                                                               \
		V x_ = XOR3(w[((j) + 4) & 15], w[((j) + 11) & 15], ROL(w[((j) + 1) & 15], 15));                                \
		w[((j) + 4) & 15] = XOR3(P1(x_), ROL(w[((j) + 7) & 15], 7), w[((j) + 14) & 15]);                               \
	} while (0)

#define ROUND(a, b, c, d, e, f, g, h, j, FF, GG)                                                                       \
	do {                                                                                                               \
		V a12 = ROL(a, 12), ss = ADD(ADD(a12, SPLAT(t[j])), e);                                                        \
		ss = ROL(ss, 7);                                                                                               \
		(d) = ADD(ADD(d, XOR(w[(j)&15], w[((j) + 4) & 15])), FF(a, b, c));                                             \
		(d) = ADD(d, XOR(ss, a12));                                                                                    \
		(h) = ADD(ADD(ADD(h, w[(j)&15]), GG(e, f, g)), ss);                                                            \
		(b) = ROL(b, 9);                                                                                               \
		(f) = ROL(f, 19);                                                                                              \
		(h) = P0(h);                                                                                                   \
	} while (0)

#include "crypto/sm3_rounds.h"

SM3_TARGET void SM3_LANES(struct sm3_lanes *s, size_t blocks)
{
	V w[16];

	for (; blocks > 0; blocks--) {
		const uint32_t *t = sm3_t;
		V a = LOAD(s->h[0]), b = LOAD(s->h[1]), c = LOAD(s->h[2]), d = LOAD(s->h[3]);
		V e = LOAD(s->h[4]), f = LOAD(s->h[5]), g = LOAD(s->h[6]), h = LOAD(s->h[7]);

		LOAD_WORDS(w, s->at);
		FOUR(0, XOR3, XOR3, NO_WORD);
		FOUR(4, XOR3, XOR3, NO_WORD);
		FOUR(8, XOR3, XOR3, NO_WORD);
		FOUR(12, XOR3, XOR3, EXPAND);
		for (t += 16; t < sm3_t + SM3_ROUNDS; t += 16) {
			/* The words stay in memory, where instructions take them from: 24 variables of a loop are too many for gcc,
			 * which would copy them about instead (3 % to 8 %). */
			__asm__("" : "+m"(w));
			FOUR(0, MAJ, CHOOSE, EXPAND);
			FOUR(4, MAJ, CHOOSE, EXPAND);
			FOUR(8, MAJ, CHOOSE, EXPAND);
			FOUR(12, MAJ, CHOOSE, EXPAND);
		}
		STORE(s->h[0], XOR(a, LOAD(s->h[0])));
		STORE(s->h[1], XOR(b, LOAD(s->h[1])));
		STORE(s->h[2], XOR(c, LOAD(s->h[2])));
		STORE(s->h[3], XOR(d, LOAD(s->h[3])));
		STORE(s->h[4], XOR(e, LOAD(s->h[4])));
		STORE(s->h[5], XOR(f, LOAD(s->h[5])));
		STORE(s->h[6], XOR(g, LOAD(s->h[6])));
		STORE(s->h[7], XOR(h, LOAD(s->h[7])));
		for (size_t i = 0; i < LANES; i++)
			s->at[i] += SM3_BLOCK;
	}
}
