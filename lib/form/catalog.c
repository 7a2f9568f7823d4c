/* Checks of licence types, service items and values. */
#include "form/catalog.h"

#include "base/clock.h"
#include "base/text.h"
#include "form/ids.h"
#include "form/licence.h"

enum {
	NAME_MAX_BYTES = 200,
	FIELD_NAME_MAX = 60, /* fits a refusal's field */
	PURPOSE_MAX = 600,
	ITEM_CODE_MAX = 64,
	LENGTH_MAX = LICENCE_VALUE_MAX / 4, /* characters that fit whatever their bytes are */
	MONTHS_MAX = 1200,
	INTEGER_DIGITS = 18,
	DECIMAL_MAX = 40
};

static enum err text_check(const char *s, size_t max, const char *field, struct err_note *note)
{
	struct span v = span_str(s);

	if (v.len == 0)
		return err_note_set(note, ERR_FIELD_MISSING, field, NULL);
	if (v.len > max)
		return err_note_set(note, ERR_FIELD_TOO_LONG, field, "At most %zu bytes are allowed.", max);
	if (!text_is_clean(v, max))
		return err_note_set(note, ERR_TEXT_INVALID, field, NULL);
	return ERR_OK;
}

static bool same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* ---- licence types -------------------------------------------------------------------------- */

static enum err choices_check(const struct field_type *f, struct err_note *note)
{
	size_t i, k;
	enum err e = ERR_OK;

	if ((f->kind == FIELD_CHOICE) != (f->n_choices != 0))
		return err_note_set(note, ERR_FIELD_INVALID, "choices", "Field %s: a choice has choices, no other kind has.",
		                    f->name);
	if (f->n_choices > CATALOG_CHOICES_MAX)
		return err_note_set(note, ERR_TOO_LARGE, "choices", "At most %d choices.", CATALOG_CHOICES_MAX);
	for (i = 0; e == ERR_OK && i < f->n_choices; i++) {
		e = text_check(f->choices[i], NAME_MAX_BYTES, "choices", note);
		for (k = 0; e == ERR_OK && k < i; k++)
			if (same(f->choices[i], f->choices[k]))
				e = err_note_set(note, ERR_FIELD_INVALID, "choices", "Field %s names a choice twice.", f->name);
	}
	return e;
}

static enum err field_check(const struct licence_type *t, size_t at, struct err_note *note)
{
	const struct field_type *f = &t->fields[at];
	enum err e = text_check(f->name, FIELD_NAME_MAX, "fields.name", note);
	size_t i;

	if (e != ERR_OK)
		return e;
	if (f->kind < FIELD_TEXT || f->kind > FIELD_RESIDENT_ID)
		return err_note_set(note, ERR_FIELD_INVALID, "kind", "Field %s has no known kind.", f->name);
	if (f->max_length > LENGTH_MAX)
		return err_note_set(note, ERR_FIELD_INVALID, "max_length", "Field %s: at most %d characters.", f->name,
		                    LENGTH_MAX);
	if (f->max_length != 0 && f->kind != FIELD_TEXT)
		return err_note_set(note, ERR_FIELD_INVALID, "max_length", "Field %s: only text has a length.", f->name);
	if (f->kind == FIELD_RESIDENT_ID && !f->personal)
		return err_note_set(note, ERR_FIELD_INVALID, "personal", "Field %s: a resident id is always personal.",
		                    f->name);
	for (i = 0; i < at; i++)
		if (same(t->fields[i].name, f->name))
			return err_note_set(note, ERR_FIELD_INVALID, "fields.name", "Field %s is defined twice.", f->name);
	return choices_check(f, note);
}

static enum err type_head_check(const struct licence_type *t, struct err_note *note)
{
	struct span code = span_str(t->code);
	enum err e = text_check(t->name, NAME_MAX_BYTES, "name", note);

	if (e == ERR_OK)
		e = text_check(t->definer_name, NAME_MAX_BYTES, "definer_name", note);
	if (e != ERR_OK)
		return e;
	if (!type_code_ok(code))
		return err_note_set(note, ERR_FIELD_INVALID, "code", "A type code is a valid credit code and three digits.");
	if (!span_eq(span_sub(code, 0, CREDIT_CODE_LEN), span_str(t->definer_code)))
		return err_note_set(note, ERR_FIELD_INVALID, "definer_code", "The type code begins with its definer's code.");
	if (t->validity_months > MONTHS_MAX)
		return err_note_set(note, ERR_FIELD_INVALID, "validity_months", "At most %d months.", MONTHS_MAX);
	return ERR_OK;
}

enum err licence_type_check(const struct licence_type *t, struct err_note *note)
{
	enum err e = type_head_check(t, note);
	size_t i;

	if (e != ERR_OK)
		return e;
	if (t->n_fields == 0)
		return err_note_set(note, ERR_FIELD_MISSING, "fields", "A licence type defines at least one field.");
	if (t->n_fields > CATALOG_FIELDS_MAX)
		return err_note_set(note, ERR_TOO_LARGE, "fields", "At most %d fields.", CATALOG_FIELDS_MAX);
	for (i = 0; e == ERR_OK && i < t->n_fields; i++)
		e = field_check(t, i, note);
	return e;
}

const struct field_type *licence_type_field(const struct licence_type *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n_fields; i++)
		if (same(t->fields[i].name, name))
			return &t->fields[i];
	return NULL;
}

/* ---- service items -------------------------------------------------------------------------- */

static enum err material_fields_check(const struct item_material *m, struct err_note *note)
{
	size_t i, k;
	enum err e = ERR_OK;

	if (m->n_fields == 0)
		return err_note_set(note, ERR_FIELD_MISSING, "materials.fields",
		                    "Material %s: name the fields that are needed.", m->name);
	if (m->n_fields > CATALOG_FIELDS_MAX)
		return err_note_set(note, ERR_TOO_LARGE, "materials.fields", "At most %d fields.", CATALOG_FIELDS_MAX);
	for (i = 0; e == ERR_OK && i < m->n_fields; i++) {
		e = text_check(m->fields[i], FIELD_NAME_MAX, "materials.fields", note);
		for (k = 0; e == ERR_OK && k < i; k++)
			if (same(m->fields[i], m->fields[k]))
				e = err_note_set(note, ERR_FIELD_INVALID, "materials.fields", "Material %s names field %s twice.",
				                 m->name, m->fields[i]);
	}
	return e;
}

static enum err material_check(const struct service_item *item, size_t at, struct err_note *note)
{
	const struct item_material *m = &item->materials[at];
	enum err e = text_check(m->name, NAME_MAX_BYTES, "materials.name", note);
	size_t i;

	if (e != ERR_OK)
		return e;
	for (i = 0; i < at; i++)
		if (same(item->materials[i].name, m->name))
			return err_note_set(note, ERR_FIELD_INVALID, "materials.name", "Material %s is named twice.", m->name);
	if (!type_code_ok(span_str(m->type_code)))
		return err_note_set(note, ERR_FIELD_INVALID, "materials.type_code", "Material %s: no valid type code.",
		                    m->name);
	e = text_check(m->purpose, PURPOSE_MAX, "materials.purpose", note);
	return e == ERR_OK ? material_fields_check(m, note) : e;
}

enum err service_item_check(const struct service_item *item, struct err_note *note)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	enum err e = text_check(item->code, ITEM_CODE_MAX, "code", note);
	size_t i;

	if (e == ERR_OK && !text_only(span_str(item->code), alphabet))
		e = err_note_set(note, ERR_FIELD_INVALID, "code", "An item's code has letters, digits and - _ . only.");
	if (e == ERR_OK)
		e = text_check(item->name, NAME_MAX_BYTES, "name", note);
	if (e != ERR_OK)
		return e;
	if (item->n_materials == 0)
		return err_note_set(note, ERR_FIELD_MISSING, "materials", "An item lists at least one material.");
	if (item->n_materials > CATALOG_MATERIALS_MAX)
		return err_note_set(note, ERR_TOO_LARGE, "materials", "At most %d materials.", CATALOG_MATERIALS_MAX);
	for (i = 0; e == ERR_OK && i < item->n_materials; i++)
		e = material_check(item, i, note);
	return e;
}

/* ---- values --------------------------------------------------------------------------------- */

static size_t digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* No leading zeros and no minus zero, so that one number has one text. */
static bool is_integer(const char *s)
{
	bool minus = *s == '-';
	size_t n;

	s += minus;
	n = digits(s);
	return n != 0 && n <= INTEGER_DIGITS && s[n] == '\0' && (s[0] != '0' || (n == 1 && !minus));
}

static bool is_decimal(const char *s)
{
	size_t n, m;

	if (strlen(s) > DECIMAL_MAX)
		return false;
	s += *s == '-';
	n = digits(s);
	if (n == 0 || (s[0] == '0' && n > 1))
		return false;
	if (s[n] == '\0')
		return true;
	m = s[n] == '.' ? digits(s + n + 1) : 0;
	return m != 0 && s[n + 1 + m] == '\0';
}

static bool is_date(const char *s)
{
	int64_t ms;

	return strlen(s) == 10 && time_parse(span_str(s), &ms) == ERR_OK;
}

static bool is_choice(const struct field_type *f, const char *s)
{
	size_t i;

	for (i = 0; i < f->n_choices; i++)
		if (same(f->choices[i], s))
			return true;
	return false;
}

static bool fits_kind(const struct field_type *f, const char *s)
{
	switch (f->kind) {
	case FIELD_TEXT:
		return true;
	case FIELD_DATE:
		return is_date(s);
	case FIELD_INTEGER:
		return is_integer(s);
	case FIELD_DECIMAL:
		return is_decimal(s);
	case FIELD_CHOICE:
		return is_choice(f, s);
	case FIELD_CREDIT_CODE:
		return credit_code_ok(span_str(s));
	case FIELD_RESIDENT_ID:
		return resident_id_ok(span_str(s));
	}
	return false;
}

static const char *kind_rule(enum field_kind k)
{
	switch (k) {
	case FIELD_TEXT:
		break;
	case FIELD_DATE:
		return "A date is written YYYY-MM-DD and must exist.";
	case FIELD_INTEGER:
		return "An integer has up to 18 digits, without leading zeros.";
	case FIELD_DECIMAL:
		return "A decimal number is written with a point and without leading zeros.";
	case FIELD_CHOICE:
		return "The value is not among the choices of the type.";
	case FIELD_CREDIT_CODE:
		return "The unified social credit code fails its check.";
	case FIELD_RESIDENT_ID:
		return "The resident id fails its check.";
	}
	return "The field is of no known kind.";
}

enum err field_value_check(const struct field_type *f, const char *value, struct err_note *note)
{
	size_t max = f->max_length != 0 ? f->max_length : CATALOG_FIELD_LENGTH;
	struct span v = span_str(value);

	if (v.len == 0)
		return ERR_OK;
	if (v.len > LICENCE_VALUE_MAX)
		return err_note_set(note, ERR_FIELD_TOO_LONG, f->name, NULL);
	if (!text_is_clean(v, LICENCE_VALUE_MAX))
		return err_note_set(note, ERR_TEXT_INVALID, f->name, NULL);
	if (text_length(v) > max)
		return err_note_set(note, ERR_FIELD_TOO_LONG, f->name, "At most %zu characters are allowed.", max);
	if (!fits_kind(f, value))
		return err_note_set(note, ERR_FIELD_INVALID, f->name, "%s", kind_rule(f->kind));
	return ERR_OK;
}
