/* What a principal may be: codes, keys, and roles that exclude one another (docs/api.md). */
#include "base/text.h"
#include "desk/internal.h"

enum { KEYS_MAX = 16, GRANTS_MAX = 1000, ID_MAX = 64, ROLES_ALL = 2 * ROLE_GATEWAY - 1 };

static enum err text_check(const char *s, const char *field, struct err_note *note)
{
	struct span v = span_str(s);

	if (text_is_blank(v))
		return err_note_set(note, ERR_FIELD_MISSING, field, NULL);
	if (v.len > DESK_TEXT_MAX)
		return err_note_set(note, ERR_FIELD_TOO_LONG, field, NULL);
	return text_is_clean(v, DESK_TEXT_MAX) ? ERR_OK : err_note_set(note, ERR_TEXT_INVALID, field, NULL);
}

static enum err names_check(const struct principal *p, struct err_note *note)
{
	enum err e = text_check(p->id, "id", note);

	if (e == ERR_OK &&
	    (strlen(p->id) > ID_MAX || !text_only(span_str(p->id), "abcdefghijklmnopqrstuvwxyz0123456789-.")))
		e = err_note_set(note, ERR_FIELD_INVALID, "id", "1 to %d of a-z 0-9 - and point.", ID_MAX);
	if (e == ERR_OK)
		e = text_check(p->name, "name", note);
	if (e == ERR_OK && !credit_code_ok(span_str(p->org_code)))
		e = err_note_set(note, ERR_ORG_CODE_INVALID, "org_code", NULL);
	return e == ERR_OK ? text_check(p->org_name, "org_name", note) : e;
}

static enum err roles_check(const struct principal *p, struct err_note *note)
{
	unsigned admin = p->roles & (ROLE_SYSTEM | ROLE_SECURITY | ROLE_AUDIT);

	if (p->roles == 0)
		return err_note_set(note, ERR_FIELD_MISSING, "roles", NULL);
	if ((p->roles & ~(unsigned)ROLES_ALL) != 0)
		return err_note_set(note, ERR_FIELD_INVALID, "roles", "There is no such role.");
	if (admin != 0 && (p->roles & (p->roles - 1)) != 0)
		return err_note_set(note, ERR_ROLES_CONFLICT, "roles", "An administrator holds this one role and no other.");
	if ((p->roles & ROLE_WALLET) != 0 && (p->roles & (ROLE_WINDOW | ROLE_INSPECTOR)) != 0)
		return err_note_set(note, ERR_ROLES_CONFLICT, "roles", "A wallet is neither window nor inspector.");
	if (p->statutory && (p->roles & ROLE_INSPECTOR) == 0)
		return err_note_set(note, ERR_ROLES_CONFLICT, "statutory", "Only an inspector has a statutory right of use.");
	return ERR_OK;
}

static enum err keys_check(const struct principal *p, struct err_note *note)
{
	size_t i, k;

	if (p->n_keys == 0)
		return err_note_set(note, ERR_FIELD_MISSING, "keys", NULL);
	if (p->n_keys > KEYS_MAX)
		return err_note_set(note, ERR_TOO_LARGE, "keys", "At most %d keys.", KEYS_MAX);
	for (i = 0; i < p->n_keys; i++) {
		const struct principal_key *key = &p->keys[i];

		if (key->not_before != 0 && key->not_after != 0 && key->not_before >= key->not_after)
			return err_note_set(note, ERR_TIME_INVALID, "keys", "A key's validity ends before it begins.");
		for (k = 0; k < i; k++)
			if (memcmp(key->fingerprint, p->keys[k].fingerprint, FINGERPRINT_LEN) == 0)
				return err_note_set(note, ERR_FIELD_INVALID, "keys", "A key is listed twice.");
	}
	return ERR_OK;
}

static bool item_code_ok(struct span s)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

	return s.len != 0 && s.len <= ID_MAX && text_only(s, alphabet);
}

static enum err grants_check(char *const *list, size_t n, bool (*ok)(struct span), const char *field,
                             struct err_note *note)
{
	size_t i;

	if (n > GRANTS_MAX)
		return err_note_set(note, ERR_TOO_LARGE, field, "At most %d.", GRANTS_MAX);
	for (i = 0; i < n; i++)
		if (strcmp(list[i], "*") != 0 && !ok(span_str(list[i])))
			return err_note_set(note, ERR_FIELD_INVALID, field, "Codes as in the catalogue, or * for all.");
	return ERR_OK;
}

enum err principal_check(const struct principal *p, struct err_note *note)
{
	enum err e = names_check(p, note);

	if (e == ERR_OK)
		e = roles_check(p, note);
	if (e == ERR_OK)
		e = keys_check(p, note);
	if (e == ERR_OK)
		e = grants_check(p->types, p->n_types, type_code_ok, "types", note);
	return e == ERR_OK ? grants_check(p->items, p->n_items, item_code_ok, "items", note) : e;
}
