/*
 * How SM3's rounds follow one another, for words as for vectors: included by who has defined ROUND and EXPAND
 * (sm3_block.c, sm3_lanes.h). Four rounds bring the eight variables, which are named and not moved, back in place.
 */

#define FOUR(j, FF, GG, EXPAND)                                                                                        \
	do {                                                                                                               \
		EXPAND(j);                                                                                                     \
		ROUND(a, b, c, d, e, f, g, h, (j), FF, GG);                                                                    \
		EXPAND((j) + 1);                                                                                               \
		ROUND(d, a, b, c, h, e, f, g, (j) + 1, FF, GG);                                                                \
		EXPAND((j) + 2);                                                                                               \
		ROUND(c, d, a, b, g, h, e, f, (j) + 2, FF, GG);                                                                \
		EXPAND((j) + 3);                                                                                               \
		ROUND(b, c, d, a, f, g, h, e, (j) + 3, FF, GG);                                                                \
	} while (0)

#define NO_WORD(j) (void)(j)
