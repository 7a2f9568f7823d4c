/* Licence types and service items: JSON <-> checked structs. Samples: share/catalogue; the form: docs/catalogue.md. */
#ifndef YZ_FORM_CATALOG_H
#define YZ_FORM_CATALOG_H

#include "base/arena.h"
#include "base/err.h"

enum {
	CATALOG_FIELDS_MAX = 128,
	CATALOG_MATERIALS_MAX = 64,
	CATALOG_CHOICES_MAX = 64,
	CATALOG_FIELD_LENGTH = 500, /* characters, when the type states none */
	CATALOG_JSON_MAX = 1024 * 1024
};

/* Wire numbers, as in catalog.proto. */
enum field_kind {
	FIELD_TEXT = 1,
	FIELD_DATE,
	FIELD_INTEGER,
	FIELD_DECIMAL,
	FIELD_CHOICE,
	FIELD_CREDIT_CODE,
	FIELD_RESIDENT_ID
};

struct field_type {
	char *name;
	enum field_kind kind;
	bool required, personal, face;
	unsigned max_length; /* characters; 0: CATALOG_FIELD_LENGTH */
	size_t n_choices;
	char **choices;
};

struct licence_type {
	char *code, *name, *definer_code, *definer_name;
	unsigned validity_months;
	bool sample;
	size_t n_fields;
	struct field_type *fields;
};

struct item_material {
	char *name, *type_code, *purpose;
	bool required;
	size_t n_fields;
	char **fields;
};

struct service_item {
	char *code, *name;
	bool sample;
	size_t n_materials;
	struct item_material *materials;
};

/* Codes, names, kinds, duplicates, bounds. ERR_FIELD_INVALID etc. with a note naming the place. */
enum err licence_type_check(const struct licence_type *t, struct err_note *note) MUST_CHECK;
enum err service_item_check(const struct service_item *i, struct err_note *note) MUST_CHECK;
/* One value against its field type; value "" is absent. The note never holds the value. */
enum err field_value_check(const struct field_type *f, const char *value, struct err_note *note) MUST_CHECK;
const struct field_type *licence_type_field(const struct licence_type *t, const char *name); /* NULL: none */

/* One object of JSON. Parsing includes the check; unknown keys are refused by name. */
enum err licence_type_from_json(struct arena *a, struct span json, struct licence_type *out,
                                struct err_note *note) MUST_CHECK;
enum err licence_type_to_json(struct arena *a, const struct licence_type *t, struct span *out) MUST_CHECK;
enum err service_item_from_json(struct arena *a, struct span json, struct service_item *out,
                                struct err_note *note) MUST_CHECK;
enum err service_item_to_json(struct arena *a, const struct service_item *i, struct span *out) MUST_CHECK;
/* A file {"types": […], "items": […]}, either part may be absent. */
struct catalog {
	size_t n_types, n_items;
	struct licence_type *types;
	struct service_item *items;
};
enum err catalog_from_json(struct arena *a, struct span json, struct catalog *out, struct err_note *note) MUST_CHECK;

#endif
