/* JSON <-> licence types and service items, through Jansson. */
#include <jansson.h>
#include <limits.h>

#include "base/buf.h"
#include "form/catalog.h"

static const char *const kind_names[] = {NULL,      "text",   "date",        "integer",
                                         "decimal", "choice", "credit_code", "resident_id"};

enum { KINDS = sizeof(kind_names) / sizeof(kind_names[0]) };

/* One object while it is read: every key that is asked for is counted, so that a key left over is an unknown one. */
struct object {
	struct arena *arena;
	const json_t *json;
	struct err_note *note;
	enum err e;
	const char *const *known; /* NULL-terminated */
};

static bool is_known(const struct object *o, const char *key)
{
	size_t i;

	for (i = 0; o->known[i] != NULL; i++)
		if (strcmp(o->known[i], key) == 0)
			return true;
	return false;
}

static struct object object_of(struct arena *a, const json_t *json, const char *const *known, struct err_note *note)
{
	struct object o = {a, json, note, ERR_OK, known};
	const char *key;
	json_t *value;

	if (!json_is_object(json)) {
		o.e = err_note_set(note, ERR_FORMAT, NULL, "A JSON object was expected.");
		return o;
	}
	json_object_foreach((json_t *)(uintptr_t)json, key, value) if (!is_known(&o, key))
	{
		o.e = err_note_set(note, ERR_FORMAT, key, "Unknown key.");
		return o;
	}
	return o;
}

static void wrong(struct object *o, const char *key, const char *want)
{
	if (o->e == ERR_OK)
		o->e = err_note_set(o->note, ERR_FORMAT, key, "%s was expected.", want);
}

static char *copy_text(struct object *o, const json_t *v)
{
	char *s = arena_strdup(o->arena, json_string_value(v));

	if (s == NULL && o->e == ERR_OK)
		o->e = err_note_set(o->note, ERR_BUDGET, NULL, NULL);
	return s != NULL ? s : (char *)(uintptr_t) "";
}

/* Absent is ""; the check says what is mandatory. */
static char *get_text(struct object *o, const char *key)
{
	const json_t *v = o->e == ERR_OK ? json_object_get(o->json, key) : NULL;

	if (v == NULL)
		return (char *)(uintptr_t) "";
	if (!json_is_string(v)) {
		wrong(o, key, "Text");
		return (char *)(uintptr_t) "";
	}
	return copy_text(o, v);
}

static bool get_bool(struct object *o, const char *key)
{
	const json_t *v = o->e == ERR_OK ? json_object_get(o->json, key) : NULL;

	if (v != NULL && !json_is_boolean(v))
		wrong(o, key, "true or false");
	return json_is_true(v);
}

static unsigned get_unsigned(struct object *o, const char *key)
{
	const json_t *v = o->e == ERR_OK ? json_object_get(o->json, key) : NULL;
	json_int_t n = json_integer_value(v);

	if (v == NULL)
		return 0;
	if (!json_is_integer(v) || n < 0 || n > INT_MAX) {
		wrong(o, key, "A whole number from 0");
		return 0;
	}
	return (unsigned)n;
}

/* The array under key with at most max elements, and room for as many structs; absent is empty. */
static const json_t *get_array(struct object *o, const char *key, size_t max, size_t size, void **room)
{
	const json_t *v = o->e == ERR_OK ? json_object_get(o->json, key) : NULL;

	*room = NULL;
	if (v == NULL)
		return NULL;
	if (!json_is_array(v)) {
		wrong(o, key, "An array");
		return NULL;
	}
	if (json_array_size(v) > max) {
		o->e = err_note_set(o->note, ERR_TOO_LARGE, key, "At most %zu elements.", max);
		return NULL;
	}
	*room = arena_array(o->arena, json_array_size(v), size);
	if (*room == NULL)
		o->e = err_note_set(o->note, ERR_BUDGET, NULL, NULL);
	return o->e == ERR_OK ? v : NULL;
}

static size_t get_texts(struct object *o, const char *key, size_t max, char ***out)
{
	void *room;
	const json_t *list = get_array(o, key, max, sizeof(char *), &room);
	size_t n = json_array_size(list), i;
	char **texts = room;

	for (i = 0; o->e == ERR_OK && i < n; i++) {
		const json_t *v = json_array_get(list, i);

		if (json_is_string(v))
			texts[i] = copy_text(o, v);
		else
			wrong(o, key, "An array of texts");
	}
	*out = texts;
	return o->e == ERR_OK ? n : 0;
}

static enum field_kind get_kind(struct object *o)
{
	const char *name = get_text(o, "kind");
	int i;

	for (i = FIELD_TEXT; i < KINDS; i++)
		if (strcmp(name, kind_names[i]) == 0)
			return (enum field_kind)i;
	wrong(o, "kind", "text, date, integer, decimal, choice, credit_code or resident_id");
	return FIELD_TEXT;
}

/* ---- reading -------------------------------------------------------------------------------- */

static enum err read_field(struct arena *a, const json_t *json, struct field_type *f, struct err_note *note)
{
	static const char *const known[] = {"name",       "kind",    "required", "personal", "face",
	                                    "max_length", "choices", "note",     NULL};
	struct object o = object_of(a, json, known, note);

	f->name = get_text(&o, "name");
	f->kind = get_kind(&o);
	f->required = get_bool(&o, "required");
	f->personal = get_bool(&o, "personal");
	f->face = get_bool(&o, "face");
	f->max_length = get_unsigned(&o, "max_length");
	f->n_choices = get_texts(&o, "choices", CATALOG_CHOICES_MAX, &f->choices);
	(void)get_text(&o, "note");
	return o.e;
}

static enum err read_type(struct arena *a, const json_t *json, struct licence_type *out, struct err_note *note)
{
	static const char *const known[] = {
	    "code", "name", "definer_code", "definer_name", "validity_months", "sample", "fields", "note", NULL};
	struct object o = object_of(a, json, known, note);
	struct licence_type t = {0};
	const json_t *list;
	void *room;
	size_t i;

	t.code = get_text(&o, "code");
	t.name = get_text(&o, "name");
	t.definer_code = get_text(&o, "definer_code");
	t.definer_name = get_text(&o, "definer_name");
	t.validity_months = get_unsigned(&o, "validity_months");
	t.sample = get_bool(&o, "sample");
	(void)get_text(&o, "note");
	list = get_array(&o, "fields", CATALOG_FIELDS_MAX, sizeof(*t.fields), &room);
	t.fields = room;
	t.n_fields = json_array_size(list);
	for (i = 0; o.e == ERR_OK && i < t.n_fields; i++)
		o.e = read_field(a, json_array_get(list, i), &t.fields[i], note);
	if (o.e == ERR_OK)
		o.e = licence_type_check(&t, note);
	if (o.e == ERR_OK)
		*out = t;
	return o.e;
}

static enum err read_material(struct arena *a, const json_t *json, struct item_material *m, struct err_note *note)
{
	static const char *const known[] = {"name", "type_code", "required", "purpose", "fields", "note", NULL};
	struct object o = object_of(a, json, known, note);

	m->name = get_text(&o, "name");
	m->type_code = get_text(&o, "type_code");
	m->purpose = get_text(&o, "purpose");
	m->required = get_bool(&o, "required");
	m->n_fields = get_texts(&o, "fields", CATALOG_FIELDS_MAX, &m->fields);
	(void)get_text(&o, "note");
	return o.e;
}

static enum err read_item(struct arena *a, const json_t *json, struct service_item *out, struct err_note *note)
{
	static const char *const known[] = {"code", "name", "sample", "materials", "note", NULL};
	struct object o = object_of(a, json, known, note);
	struct service_item item = {0};
	const json_t *list;
	void *room;
	size_t i;

	item.code = get_text(&o, "code");
	item.name = get_text(&o, "name");
	item.sample = get_bool(&o, "sample");
	(void)get_text(&o, "note");
	list = get_array(&o, "materials", CATALOG_MATERIALS_MAX, sizeof(*item.materials), &room);
	item.materials = room;
	item.n_materials = json_array_size(list);
	for (i = 0; o.e == ERR_OK && i < item.n_materials; i++)
		o.e = read_material(a, json_array_get(list, i), &item.materials[i], note);
	if (o.e == ERR_OK)
		o.e = service_item_check(&item, note);
	if (o.e == ERR_OK)
		*out = item;
	return o.e;
}

static enum err load(struct span in, json_t **out, struct err_note *note)
{
	json_error_t why;

	if (in.len > CATALOG_JSON_MAX)
		return err_note_set(note, ERR_TOO_LARGE, NULL, NULL);
	/* Jansson refuses NUL in text and nesting above 2048 by itself; it recurses, so its stack use is bounded. */
	*out = json_loadb(in.len != 0 ? (const char *)in.ptr : "", in.len, JSON_REJECT_DUPLICATES, &why);
	if (*out == NULL)
		return err_note_set(note, ERR_FORMAT, NULL, "Not JSON: line %d, column %d.", why.line, why.column);
	return ERR_OK;
}

enum err licence_type_from_json(struct arena *a, struct span json, struct licence_type *out, struct err_note *note)
{
	json_t *root = NULL;
	enum err e = load(json, &root, note);

	if (e == ERR_OK)
		e = read_type(a, root, out, note);
	json_decref(root);
	return e;
}

enum err service_item_from_json(struct arena *a, struct span json, struct service_item *out, struct err_note *note)
{
	json_t *root = NULL;
	enum err e = load(json, &root, note);

	if (e == ERR_OK)
		e = read_item(a, root, out, note);
	json_decref(root);
	return e;
}

static enum err read_catalog(struct arena *a, const json_t *root, struct catalog *out, struct err_note *note)
{
	static const char *const known[] = {"types", "items", "note", NULL};
	struct object o = object_of(a, root, known, note);
	struct catalog c = {0};
	const json_t *types, *items;
	void *room;
	size_t i;

	types = get_array(&o, "types", CATALOG_JSON_MAX, sizeof(*c.types), &room);
	c.types = room;
	c.n_types = json_array_size(types);
	items = get_array(&o, "items", CATALOG_JSON_MAX, sizeof(*c.items), &room);
	c.items = room;
	c.n_items = json_array_size(items);
	(void)get_text(&o, "note");
	for (i = 0; o.e == ERR_OK && i < c.n_types; i++)
		o.e = read_type(a, json_array_get(types, i), &c.types[i], note);
	for (i = 0; o.e == ERR_OK && i < c.n_items; i++)
		o.e = read_item(a, json_array_get(items, i), &c.items[i], note);
	if (o.e == ERR_OK)
		*out = c;
	return o.e;
}

enum err catalog_from_json(struct arena *a, struct span json, struct catalog *out, struct err_note *note)
{
	json_t *root = NULL;
	enum err e = load(json, &root, note);

	if (e == ERR_OK)
		e = read_catalog(a, root, out, note);
	json_decref(root);
	return e;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* Appends, and drops the whole list when memory is short: half a definition must not be stored. NULL stays NULL. */
static json_t *append(json_t *list, json_t *value)
{
	if (list == NULL) {
		json_decref(value);
		return NULL;
	}
	if (json_array_append_new(list, value) == 0)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *texts_json(char **texts, size_t n)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		list = append(list, json_string(texts[i]));
	return list;
}

static json_t *field_json(const struct field_type *f)
{
	json_t *max = f->max_length != 0 ? json_integer(f->max_length) : NULL;
	json_t *choices = f->n_choices != 0 ? texts_json(f->choices, f->n_choices) : NULL;

	if ((f->max_length != 0 && max == NULL) || (f->n_choices != 0 && choices == NULL)) {
		json_decref(max);
		json_decref(choices);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:b, s:b, s:b, s:o*, s:o*}", "name", f->name, "kind", kind_names[f->kind], "required",
	                 f->required, "personal", f->personal, "face", f->face, "max_length", max, "choices", choices);
}

static json_t *type_json(const struct licence_type *t)
{
	json_t *fields = json_array();
	size_t i;

	for (i = 0; i < t->n_fields; i++)
		fields = append(fields, field_json(&t->fields[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:o}", "code", t->code, "name", t->name, "definer_code",
	                 t->definer_code, "definer_name", t->definer_name, "validity_months", (int)t->validity_months,
	                 "sample", t->sample, "fields", fields);
}

static json_t *material_json(const struct item_material *m)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", m->name, "type_code", m->type_code, "required", m->required,
	                 "purpose", m->purpose, "fields", texts_json(m->fields, m->n_fields));
}

static json_t *item_json(const struct service_item *item)
{
	json_t *materials = json_array();
	size_t i;

	for (i = 0; i < item->n_materials; i++)
		materials = append(materials, material_json(&item->materials[i]));
	return json_pack("{s:s, s:s, s:b, s:o}", "code", item->code, "name", item->name, "sample", item->sample,
	                 "materials", materials);
}

static int add_to_buf(const char *text, size_t n, void *arg)
{
	struct buf *b = arg;

	buf_add(b, span_of(text, n));
	return b->failed ? -1 : 0;
}

/* Takes root over. */
static enum err dump(struct arena *a, json_t *root, struct span *out)
{
	struct buf b;
	int bad;

	if (root == NULL)
		return ERR_NO_MEMORY;
	buf_init(&b, a);
	bad = json_dump_callback(root, add_to_buf, &b, JSON_COMPACT);
	json_decref(root);
	if (bad != 0 && !b.failed)
		return ERR_NO_MEMORY;
	return buf_done(&b, out);
}

enum err licence_type_to_json(struct arena *a, const struct licence_type *t, struct span *out)
{
	return dump(a, type_json(t), out);
}

enum err service_item_to_json(struct arena *a, const struct service_item *i, struct span *out)
{
	return dump(a, item_json(i), out);
}
