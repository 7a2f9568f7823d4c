#include "desk/flow.h"

enum err type_cached(struct desk_call *call, struct store_tx *tx, struct type_cache *c, const char *code,
                     const struct licence_type **out)
{
	const struct licence_type *t = NULL;
	enum err e;

	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->types[i]->code, code) == 0) {
			*out = c->types[i];
			return ERR_OK;
		}
	}
	e = desk_type_of(call, tx, code, &t);
	if (e != ERR_OK && e != ERR_TYPE_UNKNOWN)
		return e;
	if (t != NULL && c->n < TYPES_KEPT_MAX)
		c->types[c->n++] = t;
	*out = t;
	return ERR_OK;
}
