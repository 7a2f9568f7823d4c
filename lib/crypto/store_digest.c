/* What a set of trust consists of, as one number: so that a verdict can say by which trust it was reached. */
#include "crypto/digest.h"
#include "crypto/internal.h"

#include <stdlib.h>

struct leaf {
	uint8_t digest[SHA256_LEN];
};

struct leaves {
	struct leaf *at;
	size_t n;
};

/* The first byte tells the parts of a store apart: an anchor is something else than the same certificate beside it. */
static enum err add(struct leaves *l, uint8_t part, struct span der)
{
	const struct span parts[] = {span_of(&part, 1), der};

	return sha256_parts(parts, 2, l->at[l->n++].digest);
}

static enum err add_all(struct leaves *l, const struct cert_store *s)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < s->n_anchors; i++)
		e = add(l, 'A', cert_der(s->anchors[i]));
	for (size_t i = 0; e == ERR_OK && i < s->n_intermediates; i++)
		e = add(l, 'I', cert_der(s->intermediates[i]));
	for (size_t i = 0; e == ERR_OK && i < s->n_crls; i++)
		e = add(l, 'C', span_of(s->crls[i]->der, s->crls[i]->der_len));
	for (size_t i = 0; e == ERR_OK && i < s->n_ocsps; i++)
		e = add(l, 'O', s->ocsps[i]->parts.tbs);
	return e;
}

static int by_digest(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct leaf));
}

enum err cert_store_digest(const struct cert_store *s, uint8_t out[SHA256_LEN])
{
	struct leaves l = {0};
	struct span all = {0};
	enum err e;

	if (s != NULL) {
		size_t most = s->n_anchors + s->n_intermediates + s->n_crls + s->n_ocsps;
		l.at = calloc(most + 1, sizeof(*l.at));
		if (l.at == NULL)
			return ERR_NO_MEMORY;
	}
	e = s != NULL ? add_all(&l, s) : ERR_OK;
	if (e == ERR_OK && l.n != 0) {
		qsort(l.at, l.n, sizeof(*l.at), by_digest);
		all = span_of(l.at, l.n * sizeof(*l.at));
	}
	if (e == ERR_OK)
		e = sha256_parts(&all, 1, out);
	free(l.at);
	return e;
}
