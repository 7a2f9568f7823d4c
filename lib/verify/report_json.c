/* The JSON of a report: one line, arrays never absent, unknown values null, times in UTC. */
#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "verify/verify.h"

/* Takes over v; a failed v or set leaves the object without it, which report_json() notices by `ok`. */
struct object {
	json_t *o;
	bool ok;
};

static struct object object_new(void)
{
	struct object o = {json_object(), true};

	o.ok = o.o != NULL;
	return o;
}

static void put(struct object *o, const char *name, json_t *v)
{
	if (v == NULL || json_object_set_new(o->o, name, v) != 0)
		o->ok = false;
}

/* Names in files are checked by their parsers, those of certificates and paths are not. */
static json_t *text(const char *s)
{
	if (s == NULL)
		return json_null();
	if (!text_is_utf8(span_str(s)))
		return json_string("(not UTF-8)");
	return json_string(s);
}

static json_t *time_json(int64_t ms)
{
	char t[TIME_TEXT];

	return ms == 0 ? json_null() : json_string(time_format(ms, t));
}

static json_t *done(struct object *o)
{
	if (o->ok)
		return o->o;
	json_decref(o->o);
	return NULL;
}

/* Takes over v. False when it could not be appended. */
static bool append(json_t *array, json_t *v)
{
	return v != NULL && json_array_append_new(array, v) == 0;
}

static json_t *check_json(const struct check *c)
{
	struct object o = object_new();

	put(&o, "step", text(c->step));
	put(&o, "result", text(check_result_name(c->result)));
	put(&o, "code", text(c->code));
	put(&o, "detail", text(c->detail));
	return done(&o);
}

static json_t *checks_json(const struct check *c)
{
	json_t *list = json_array();

	for (; list != NULL && c != NULL; c = c->next)
		if (!append(list, check_json(c))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *cert_json(const struct cert_facts *c)
{
	struct object o = object_new();

	put(&o, "subject", text(c->subject));
	put(&o, "issuer", text(c->issuer));
	put(&o, "serial", text(c->serial));
	put(&o, "not_before", time_json(c->not_before));
	put(&o, "not_after", time_json(c->not_after));
	return done(&o);
}

static json_t *seal_json(const struct seal_facts *s)
{
	struct object o = object_new();

	put(&o, "id", text(s->id));
	put(&o, "name", text(s->name));
	put(&o, "maker", text(s->maker));
	put(&o, "valid_start", time_json(s->valid_start));
	put(&o, "valid_end", time_json(s->valid_end));
	put(&o, "version", s->version != 0 ? json_integer(s->version) : json_null());
	return done(&o);
}

static json_t *signature_json(const struct signature_report *s)
{
	struct object o = object_new();

	put(&o, "id", text(s->id));
	put(&o, "type", text(s->type));
	put(&o, "version", s->version != 0 ? json_integer(s->version) : json_null());
	put(&o, "indication", text(indication_name(s->indication)));
	put(&o, "sub_indication", text(sub_indication_name(s->sub)));
	put(&o, "signing_time", time_json(s->signing_time));
	put(&o, "signer", s->has_signer ? cert_json(&s->signer) : json_null());
	put(&o, "seal", s->has_seal ? seal_json(&s->seal) : json_null());
	put(&o, "checks", checks_json(s->checks));
	return done(&o);
}

static json_t *signatures_json(const struct signature_report *s)
{
	json_t *list = json_array();

	for (; list != NULL && s != NULL; s = s->next)
		if (!append(list, signature_json(s))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *not_checked_json(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < r->n_not_checked; i++)
		if (!append(list, json_string(r->not_checked[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *paths_json(const char *const *path, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < n; i++)
		if (!append(list, text(path[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *coverage_json(const struct report_coverage *c)
{
	struct object o = object_new();

	put(&o, "protected", json_integer((json_int_t)c->n_protected));
	put(&o, "unprotected", paths_json(c->unprotected, c->n_unprotected));
	put(&o, "changed_later", paths_json(c->changed, c->n_changed));
	return done(&o);
}

static json_t *trust_json(const struct report *r)
{
	struct object o = object_new();

	put(&o, "anchors", json_integer((json_int_t)r->trust_anchors));
	put(&o, "crls", json_integer((json_int_t)r->trust_crls));
	put(&o, "oldest_crl", time_json(r->oldest_crl));
	return done(&o);
}

static json_t *holder_json(const struct licence_holder *h)
{
	struct object o = object_new();

	put(&o, "name", text(h->name));
	put(&o, "code_type", text(h->code_type));
	put(&o, "code", text(h->code));
	return done(&o);
}

static json_t *field_json(const struct licence_field *f)
{
	struct object o = object_new();

	put(&o, "name", text(f->name));
	put(&o, "value", text(f->value));
	return done(&o);
}

static bool licence_lists(const struct licence_record *l, json_t *holders, json_t *fields)
{
	for (size_t i = 0; i < l->n_holders; i++)
		if (!append(holders, holder_json(&l->holders[i])))
			return false;
	for (size_t i = 0; i < l->n_fields; i++)
		if (!append(fields, field_json(&l->fields[i])))
			return false;
	return true;
}

static json_t *licence_json(const struct licence_record *l)
{
	struct object o = object_new();
	json_t *holders = json_array(), *fields = json_array();

	put(&o, "id", text(l->id));
	put(&o, "type_code", text(l->type_code));
	put(&o, "type_name", text(l->type_name));
	put(&o, "number", text(l->number));
	put(&o, "version", json_integer(l->version));
	put(&o, "issuer_code", text(l->issuer_code));
	put(&o, "issuer_name", text(l->issuer_name));
	put(&o, "issued", time_json(l->issued));
	put(&o, "valid_from", time_json(l->valid_from));
	put(&o, "valid_to", time_json(l->valid_to));
	put(&o, "previous_id", l->previous_id[0] != '\0' ? text(l->previous_id) : json_null());
	if (!licence_lists(l, holders, fields))
		o.ok = false;
	put(&o, "holders", holders);
	put(&o, "fields", fields);
	return done(&o);
}

static json_t *material_json(const struct receipt_material *m)
{
	struct object o = object_new();
	json_t *names = json_array();

	for (size_t i = 0; i < m->n_fields; i++)
		if (!append(names, text(m->fields[i].name)))
			o.ok = false;
	put(&o, "type_code", text(m->type_code));
	put(&o, "name", text(m->name));
	put(&o, "status", text(material_status_name(m->status)));
	put(&o, "state", m->state[0] != '\0' ? text(m->state) : json_null());
	put(&o, "indication", m->indication[0] != '\0' ? text(m->indication) : json_null());
	put(&o, "source", text(m->source));
	put(&o, "source_time", time_json(m->source_time));
	put(&o, "fields", names);
	return done(&o);
}

static json_t *materials_json(const struct receipt *r)
{
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < r->n_materials; i++)
		if (!append(list, material_json(&r->materials[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *hex_json(const uint8_t *p, size_t n)
{
	char hex[2 * SM3_LEN + 1];

	hex_encode(span_of(p, n), hex);
	return json_string(hex);
}

static json_t *receipt_json(const struct receipt *r)
{
	struct object o = object_new();

	put(&o, "id", text(r->id));
	put(&o, "kind", text(r->kind == RECEIPT_INSPECT ? "inspect" : "pull"));
	put(&o, "time", time_json(r->time));
	put(&o, "service", text(r->service));
	put(&o, "org_code", text(r->org_code));
	put(&o, "org_name", text(r->org_name));
	put(&o, "principal", text(r->principal));
	put(&o, "legal_basis", text(r->legal_basis));
	put(&o, "item_code", r->item_code[0] != '\0' ? text(r->item_code) : json_null());
	put(&o, "item_name", r->item_name[0] != '\0' ? text(r->item_name) : json_null());
	put(&o, "purpose", text(r->purpose));
	put(&o, "audit_leaf", hex_json(r->audit_leaf, SHA256_LEN));
	put(&o, "materials", materials_json(r));
	return done(&o);
}

static json_t *or_null(const char *s)
{
	return s[0] != '\0' ? text(s) : json_null();
}

static json_t *verdict_json(const struct verdict_record *v)
{
	struct object o = object_new();

	put(&o, "id", text(v->id));
	put(&o, "time", time_json(v->time));
	put(&o, "judged_at", time_json(v->judged_at));
	put(&o, "service", text(v->service));
	put(&o, "document_digest", hex_json(v->document_digest, SM3_LEN));
	put(&o, "data_digest", hex_json(v->data_digest, SM3_LEN));
	put(&o, "kind", text(v->kind));
	put(&o, "indication", text(v->indication));
	put(&o, "sub_indication", or_null(v->sub_indication));
	put(&o, "code", or_null(v->code));
	put(&o, "not_checked", text(v->not_checked));
	put(&o, "policy", text(v->policy));
	put(&o, "policy_version", text(v->policy_version));
	put(&o, "policy_digest", hex_json(v->policy_digest, SHA256_LEN));
	put(&o, "trust_digest", hex_json(v->trust_digest, SHA256_LEN));
	put(&o, "oldest_crl", time_json(v->oldest_crl));
	put(&o, "report_digest", hex_json(v->report_digest, SM3_LEN));
	return done(&o);
}

static void put_facts(struct object *o, const struct report *r)
{
	if (r->kind == KIND_SEAL) {
		put(o, "seal", r->has_seal ? seal_json(&r->seal) : json_null());
		put(o, "maker", r->has_maker ? cert_json(&r->maker) : json_null());
	}
	if (r->kind == KIND_LICENCE)
		put(o, "licence", r->licence != NULL ? licence_json(r->licence) : json_null());
	if (r->kind == KIND_VERDICT)
		put(o, "verdict", r->verdict != NULL ? verdict_json(r->verdict) : json_null());
	if (r->kind == KIND_RECEIPT)
		put(o, "receipt", r->receipt != NULL ? receipt_json(r->receipt) : json_null());
}

static json_t *whole(const struct report *r, const char *file)
{
	struct object o = object_new();

	put(&o, "file", text(file));
	put(&o, "kind", text(verify_kind_name(r->kind)));
	put(&o, "indication", text(indication_name(r->indication)));
	put(&o, "sub_indication", text(sub_indication_name(r->sub)));
	put(&o, "policy", text(r->policy));
	put(&o, "policy_version", text(r->policy_version));
	put(&o, "judged_at", time_json(r->judged_at));
	put(&o, "checks", checks_json(r->checks));
	put(&o, "signatures", signatures_json(r->signatures));
	put(&o, "coverage", r->coverage != NULL ? coverage_json(r->coverage) : json_null());
	put(&o, "not_checked", not_checked_json(r));
	put(&o, "trust", trust_json(r));
	put_facts(&o, r);
	return done(&o);
}

enum err report_json(struct arena *a, const struct report *r, const char *file, char **out)
{
	json_t *o = whole(r, file);
	char *line = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
	char *copy = line != NULL ? arena_strdup(a, line) : NULL;
	enum err e = line == NULL ? ERR_NO_MEMORY : copy == NULL ? ERR_BUDGET : ERR_OK;

	free(line);
	json_decref(o);
	if (e == ERR_OK)
		*out = copy;
	return e;
}
