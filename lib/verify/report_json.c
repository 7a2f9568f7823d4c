/* The JSON of a report: one line, arrays never absent, unknown values null, times in UTC. Written straight into the
 * arena: every verification makes one. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "verify/verify.h"

/* ---- writing -------------------------------------------------------------------------------- */

struct writer {
	struct buf b;
	bool more; /* a comma comes before the next value or name */
};

static void comma(struct writer *w)
{
	if (w->more)
		buf_byte(&w->b, ',');
	w->more = true;
}

static void open_with(struct writer *w, char c)
{
	comma(w);
	buf_byte(&w->b, (uint8_t)c);
	w->more = false;
}

static void close_with(struct writer *w, char c)
{
	buf_byte(&w->b, (uint8_t)c);
	w->more = true;
}

/* The name of a member, which needs no escapes; its value follows. */
static void name(struct writer *w, const char *s)
{
	comma(w);
	buf_byte(&w->b, '"');
	buf_str(&w->b, s);
	buf_str(&w->b, "\":");
	w->more = false;
}

static void word(struct writer *w, const char *s)
{
	comma(w);
	buf_str(&w->b, s);
}

static const char *escape_of(uint8_t c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

static void quoted(struct writer *w, struct span s)
{
	size_t from = 0, i;

	comma(w);
	buf_byte(&w->b, '"');
	for (i = 0; i < s.len; i++) {
		if (is_plain(s.ptr[i]))
			continue;
		buf_add(&w->b, span_sub(s, from, i - from));
		if (escape_of(s.ptr[i]) != NULL)
			buf_str(&w->b, escape_of(s.ptr[i]));
		else
			buf_printf(&w->b, "\\u%04X", s.ptr[i]);
		from = i + 1;
	}
	buf_add(&w->b, span_sub(s, from, i - from));
	buf_byte(&w->b, '"');
}

/* ---- values --------------------------------------------------------------------------------- */

/* Names in files are checked by their parsers, those of certificates and paths are not. */
static void text(struct writer *w, const char *s)
{
	if (s == NULL)
		word(w, "null");
	else
		quoted(w, text_is_utf8(span_str(s)) ? span_str(s) : span_str("(not UTF-8)"));
}

static void put(struct writer *w, const char *member, const char *s)
{
	name(w, member);
	text(w, s);
}

static void put_or_null(struct writer *w, const char *member, const char *s)
{
	put(w, member, s[0] != '\0' ? s : NULL);
}

static void put_time(struct writer *w, const char *member, int64_t ms)
{
	char t[TIME_TEXT];

	put(w, member, ms == 0 ? NULL : time_format(ms, t));
}

static void put_number(struct writer *w, const char *member, uint64_t v)
{
	name(w, member);
	comma(w);
	buf_printf(&w->b, "%llu", (unsigned long long)v);
}

static void put_version(struct writer *w, int version)
{
	if (version != 0)
		put_number(w, "version", (uint64_t)version);
	else
		put(w, "version", NULL);
}

static void put_hex(struct writer *w, const char *member, const uint8_t *p, size_t n)
{
	char hex[2 * SM3_LEN + 1];

	hex_encode(span_of(p, n), hex);
	put(w, member, hex);
}

static void put_texts(struct writer *w, const char *member, const char *const *list, size_t n)
{
	name(w, member);
	open_with(w, '[');
	for (size_t i = 0; i < n; i++)
		text(w, list[i]);
	close_with(w, ']');
}

/* ---- parts of a report ---------------------------------------------------------------------- */

static void put_checks(struct writer *w, const struct check *c)
{
	name(w, "checks");
	open_with(w, '[');
	for (; c != NULL; c = c->next) {
		open_with(w, '{');
		put(w, "step", c->step);
		put(w, "result", check_result_name(c->result));
		put(w, "code", c->code);
		put(w, "detail", c->detail);
		close_with(w, '}');
	}
	close_with(w, ']');
}

/* NULL: not known. */
static void put_cert(struct writer *w, const char *member, const struct cert_facts *c)
{
	if (c == NULL) {
		put(w, member, NULL);
		return;
	}
	name(w, member);
	open_with(w, '{');
	put(w, "subject", c->subject);
	put(w, "issuer", c->issuer);
	put(w, "serial", c->serial);
	put_time(w, "not_before", c->not_before);
	put_time(w, "not_after", c->not_after);
	close_with(w, '}');
}

static void put_seal(struct writer *w, const struct seal_facts *s)
{
	if (s == NULL) {
		put(w, "seal", NULL);
		return;
	}
	name(w, "seal");
	open_with(w, '{');
	put(w, "id", s->id);
	put(w, "name", s->name);
	put(w, "maker", s->maker);
	put_time(w, "valid_start", s->valid_start);
	put_time(w, "valid_end", s->valid_end);
	put_version(w, s->version);
	close_with(w, '}');
}

static void put_signatures(struct writer *w, const struct signature_report *s)
{
	name(w, "signatures");
	open_with(w, '[');
	for (; s != NULL; s = s->next) {
		open_with(w, '{');
		put(w, "id", s->id);
		put(w, "type", s->type);
		put_version(w, s->version);
		put(w, "indication", indication_name(s->indication));
		put(w, "sub_indication", sub_indication_name(s->sub));
		put_time(w, "signing_time", s->signing_time);
		put_cert(w, "signer", s->has_signer ? &s->signer : NULL);
		put_seal(w, s->has_seal ? &s->seal : NULL);
		put_checks(w, s->checks);
		close_with(w, '}');
	}
	close_with(w, ']');
}

static void put_coverage(struct writer *w, const struct report_coverage *c)
{
	if (c == NULL) {
		put(w, "coverage", NULL);
		return;
	}
	name(w, "coverage");
	open_with(w, '{');
	put_number(w, "protected", c->n_protected);
	put_texts(w, "unprotected", c->unprotected, c->n_unprotected);
	put_texts(w, "changed_later", c->changed, c->n_changed);
	close_with(w, '}');
}

static void put_trust(struct writer *w, const struct report *r)
{
	name(w, "trust");
	open_with(w, '{');
	put_number(w, "anchors", r->trust_anchors);
	put_number(w, "crls", r->trust_crls);
	put_time(w, "oldest_crl", r->oldest_crl);
	close_with(w, '}');
}

/* ---- what the file says --------------------------------------------------------------------- */

static void put_licence_lists(struct writer *w, const struct licence_record *l)
{
	name(w, "holders");
	open_with(w, '[');
	for (size_t i = 0; i < l->n_holders; i++) {
		open_with(w, '{');
		put(w, "name", l->holders[i].name);
		put(w, "code_type", l->holders[i].code_type);
		put(w, "code", l->holders[i].code);
		close_with(w, '}');
	}
	close_with(w, ']');
	name(w, "fields");
	open_with(w, '[');
	for (size_t i = 0; i < l->n_fields; i++) {
		open_with(w, '{');
		put(w, "name", l->fields[i].name);
		put(w, "value", l->fields[i].value);
		close_with(w, '}');
	}
	close_with(w, ']');
}

static void put_licence(struct writer *w, const struct licence_record *l)
{
	open_with(w, '{');
	put(w, "id", l->id);
	put(w, "type_code", l->type_code);
	put(w, "type_name", l->type_name);
	put(w, "number", l->number);
	put_number(w, "version", l->version);
	put(w, "issuer_code", l->issuer_code);
	put(w, "issuer_name", l->issuer_name);
	put_time(w, "issued", l->issued);
	put_time(w, "valid_from", l->valid_from);
	put_time(w, "valid_to", l->valid_to);
	put_or_null(w, "previous_id", l->previous_id);
	put_licence_lists(w, l);
	close_with(w, '}');
}

static void put_materials(struct writer *w, const struct receipt *r)
{
	name(w, "materials");
	open_with(w, '[');
	for (size_t i = 0; i < r->n_materials; i++) {
		const struct receipt_material *m = &r->materials[i];

		open_with(w, '{');
		put(w, "type_code", m->type_code);
		put(w, "name", m->name);
		put(w, "status", material_status_name(m->status));
		put_or_null(w, "state", m->state);
		put_or_null(w, "indication", m->indication);
		put(w, "source", m->source);
		put_time(w, "source_time", m->source_time);
		name(w, "fields");
		open_with(w, '[');
		for (size_t k = 0; k < m->n_fields; k++)
			text(w, m->fields[k].name);
		close_with(w, ']');
		close_with(w, '}');
	}
	close_with(w, ']');
}

static void put_receipt(struct writer *w, const struct receipt *r)
{
	open_with(w, '{');
	put(w, "id", r->id);
	put(w, "kind", r->kind == RECEIPT_INSPECT ? "inspect" : "pull");
	put_time(w, "time", r->time);
	put(w, "service", r->service);
	put(w, "org_code", r->org_code);
	put(w, "org_name", r->org_name);
	put(w, "principal", r->principal);
	put(w, "legal_basis", r->legal_basis);
	put_or_null(w, "item_code", r->item_code);
	put_or_null(w, "item_name", r->item_name);
	put(w, "purpose", r->purpose);
	put_hex(w, "audit_leaf", r->audit_leaf, SHA256_LEN);
	put_materials(w, r);
	close_with(w, '}');
}

static void put_verdict(struct writer *w, const struct verdict_record *v)
{
	open_with(w, '{');
	put(w, "id", v->id);
	put_time(w, "time", v->time);
	put_time(w, "judged_at", v->judged_at);
	put(w, "service", v->service);
	put_hex(w, "document_digest", v->document_digest, SM3_LEN);
	put_hex(w, "data_digest", v->data_digest, SM3_LEN);
	put(w, "kind", v->kind);
	put(w, "indication", v->indication);
	put_or_null(w, "sub_indication", v->sub_indication);
	put_or_null(w, "code", v->code);
	put(w, "not_checked", v->not_checked);
	put(w, "policy", v->policy);
	put(w, "policy_version", v->policy_version);
	put_hex(w, "policy_digest", v->policy_digest, SHA256_LEN);
	put_hex(w, "trust_digest", v->trust_digest, SHA256_LEN);
	put_time(w, "oldest_crl", v->oldest_crl);
	put_hex(w, "report_digest", v->report_digest, SM3_LEN);
	close_with(w, '}');
}

static void put_facts(struct writer *w, const struct report *r)
{
	if (r->kind == KIND_SEAL) {
		put_seal(w, r->has_seal ? &r->seal : NULL);
		put_cert(w, "maker", r->has_maker ? &r->maker : NULL);
	}
	if (r->kind == KIND_LICENCE && r->licence != NULL) {
		name(w, "licence");
		put_licence(w, r->licence);
	} else if (r->kind == KIND_LICENCE) {
		put(w, "licence", NULL);
	}
	if (r->kind == KIND_VERDICT && r->verdict != NULL) {
		name(w, "verdict");
		put_verdict(w, r->verdict);
	} else if (r->kind == KIND_VERDICT) {
		put(w, "verdict", NULL);
	}
	if (r->kind == KIND_RECEIPT && r->receipt != NULL) {
		name(w, "receipt");
		put_receipt(w, r->receipt);
	} else if (r->kind == KIND_RECEIPT) {
		put(w, "receipt", NULL);
	}
}

static void whole(struct writer *w, const struct report *r, const char *file)
{
	open_with(w, '{');
	put(w, "file", file);
	put(w, "kind", verify_kind_name(r->kind));
	put(w, "indication", indication_name(r->indication));
	put(w, "sub_indication", sub_indication_name(r->sub));
	put(w, "policy", r->policy);
	put(w, "policy_version", r->policy_version);
	put_time(w, "judged_at", r->judged_at);
	put_checks(w, r->checks);
	put_signatures(w, r->signatures);
	put_coverage(w, r->coverage);
	put_texts(w, "not_checked", r->not_checked, r->n_not_checked);
	put_trust(w, r);
	put_facts(w, r);
	close_with(w, '}');
}

enum err report_json(struct arena *a, const struct report *r, const char *file, char **out)
{
	struct writer w = {.more = false};
	char *line;

	buf_init(&w.b, a);
	whole(&w, r, file);
	line = buf_text(&w.b);
	if (line == NULL)
		return ERR_BUDGET;
	*out = line;
	return ERR_OK;
}
