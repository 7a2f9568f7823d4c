#include "crypto/sm2_head.h"

#include "crypto/sm2_key.h"

void sm2_head_make(struct sm2_head *h, const struct sm2_key *k, struct span first, struct span second)
{
	memcpy(h->z, sm2_key_z(k), SM3_LEN);
	h->parts[0] = first;
	h->parts[1] = second;
	sm3_start(&h->after);
	sm3_add(&h->after, span_of(h->z, SM3_LEN));
	sm3_add(&h->after, first);
	sm3_add(&h->after, second);
}

bool sm2_head_is(const struct sm2_head *h, const struct sm2_key *k, struct span first, struct span second)
{
	return memcmp(h->z, sm2_key_z(k), SM3_LEN) == 0 && span_eq(h->parts[0], first) && span_eq(h->parts[1], second);
}

bool sm2_head_digest(const struct sm2_head *heads, size_t n, const struct sm2_key *k, struct span msg,
                     uint8_t e[SM2_DIGEST])
{
	for (size_t i = 0; i < n; i++) {
		const struct sm2_head *h = &heads[i];
		size_t len = h->parts[0].len + h->parts[1].len;
		struct sm3_ctx c;

		if (msg.len < len ||
		    !sm2_head_is(h, k, span_sub(msg, 0, h->parts[0].len), span_sub(msg, h->parts[0].len, h->parts[1].len)))
			continue;
		c = h->after;
		sm3_add(&c, span_sub(msg, len, msg.len));
		sm3_end(&c, e);
		return true;
	}
	return false;
}
