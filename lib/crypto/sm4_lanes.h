/*
 * SM4 in counter mode, many blocks side by side: the body of sm4_aesni.c and sm4_gfni.c. Register i holds word i of the
 * blocks of a group. Defined before: SM4_TARGET, SM4_LANES (the function's name), V, WIDE (128-bit lanes of V), GROUPS
 * (that are computed together), XOR, XOR3, SPLAT, ADD, ORDER (0, 1, 2, … such that the transposed words come out in the
 * order of the blocks), SWAP (bytes of each word), SUBST (the S-box), LINEAR (L of clause 6.2), LOW32, HIGH32, LOW64,
 * HIGH64 (unpack), LOAD, STORE.
 */
enum { PER_GROUP = 4 * WIDE, TOGETHER = GROUPS * PER_GROUP };

#define ROUND(a, b, c, d, k)                                                                                           \
	for (size_t g = 0; g < GROUPS; g++)                                                                                \
	x[g][a] = XOR(x[g][a], LINEAR(SUBST(XOR(XOR3(x[g][b], x[g][c], x[g][d]), SPLAT(k)))))

/* The last words come first (R of clause 6.1). */
SM4_TARGET static inline void transpose(V x[4])
{
	V a = LOW32(SWAP(x[3]), SWAP(x[2])), b = LOW32(SWAP(x[1]), SWAP(x[0]));
	V c = HIGH32(SWAP(x[3]), SWAP(x[2])), d = HIGH32(SWAP(x[1]), SWAP(x[0]));

	x[0] = LOW64(a, b);
	x[1] = HIGH64(a, b);
	x[2] = LOW64(c, d);
	x[3] = HIGH64(c, d);
}

SM4_TARGET static inline void streams(V x[GROUPS][4], const uint32_t rk[SM4_ROUNDS], const uint8_t head[12],
                                      uint32_t count)
{
	for (size_t g = 0; g < GROUPS; g++) {
		for (size_t i = 0; i < 3; i++)
			x[g][i] = SPLAT(sm4_get32(head + 4 * i));
		x[g][3] = ADD(SPLAT(count + (uint32_t)(g * PER_GROUP)), ORDER);
	}
	for (size_t i = 0; i < SM4_ROUNDS; i += 4, rk += 4) {
		ROUND(0, 1, 2, 3, rk[0]);
		ROUND(1, 2, 3, 0, rk[1]);
		ROUND(2, 3, 0, 1, rk[2]);
		ROUND(3, 0, 1, 2, rk[3]);
	}
	for (size_t g = 0; g < GROUPS; g++)
		transpose(x[g]);
}

SM4_TARGET void SM4_LANES(const uint8_t *in, uint8_t *out, size_t blocks, const struct sm4_key *key,
                          const uint8_t counter[SM4_BLOCK])
{
	uint32_t count = sm4_get32(counter + 12);
	uint8_t rest[TOGETHER * SM4_BLOCK];
	V x[GROUPS][4];

	for (; blocks >= TOGETHER; blocks -= TOGETHER, count += TOGETHER) {
		streams(x, key->rk, counter, count);
		for (size_t i = 0; i < 4 * GROUPS; i++, in += sizeof(V), out += sizeof(V))
			STORE(out, XOR(x[i / 4][i % 4], LOAD(in)));
	}
	if (blocks == 0)
		return;
	streams(x, key->rk, counter, count);
	for (size_t i = 0; i < 4 * GROUPS; i++)
		STORE(rest + i * sizeof(V), x[i / 4][i % 4]);
	for (size_t i = 0; i < blocks * SM4_BLOCK; i++)
		out[i] = in[i] ^ rest[i];
	secret_wipe(rest, blocks * SM4_BLOCK);
}
