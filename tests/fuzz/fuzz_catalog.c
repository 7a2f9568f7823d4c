/* Catalogue files from anywhere: what is accepted passes its check and has one text. */
#include <stdlib.h>

#include "form/catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void type_again(struct arena *a, const struct licence_type *t)
{
	struct licence_type again;
	struct span one, two;

	must(licence_type_check(t, NULL) == ERR_OK);
	if (licence_type_to_json(a, t, &one) != ERR_OK) /* the arena is small */
		return;
	if (licence_type_from_json(a, one, &again, NULL) == ERR_OK && licence_type_to_json(a, &again, &two) == ERR_OK)
		must(span_eq(one, two));
}

static void item_again(struct arena *a, const struct service_item *i)
{
	struct service_item again;
	struct span one, two;

	must(service_item_check(i, NULL) == ERR_OK);
	if (service_item_to_json(a, i, &one) != ERR_OK)
		return;
	if (service_item_from_json(a, one, &again, NULL) == ERR_OK && service_item_to_json(a, &again, &two) == ERR_OK)
		must(span_eq(one, two));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(8 << 20);
	struct err_note note;
	struct licence_type t;
	struct service_item item;
	struct catalog c;
	struct span in = span_of(data, size);

	if (a == NULL)
		return 0;
	if (licence_type_from_json(a, in, &t, &note) == ERR_OK)
		type_again(a, &t);
	if (service_item_from_json(a, in, &item, &note) == ERR_OK)
		item_again(a, &item);
	if (catalog_from_json(a, in, &c, &note) == ERR_OK)
		for (size_t i = 0; i < c.n_types; i++)
			type_again(a, &c.types[i]);
	arena_free(a);
	return 0;
}
