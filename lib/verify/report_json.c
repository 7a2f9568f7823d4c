/* The JSON of a report: one line, arrays never absent, unknown values null, times in UTC. Written straight into the
 * arena: every verification makes one. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "verify/verify.h"

enum { REPORT_USUAL = 4000 };

/* ---- writing -------------------------------------------------------------------------------- */

struct writer {
	struct buf b;
	bool more; /* a comma comes before the next value or name */
};

/* Where at most n octets can be written, done() says how far; NULL when there is no room: then nothing is. */
static uint8_t *room(struct writer *w, size_t n)
{
	return buf_room(&w->b, n);
}

static void done(struct writer *w, const uint8_t *end)
{
	w->b.len = (size_t)(end - w->b.ptr);
}

static uint8_t *copy(uint8_t *to, struct span s)
{
	if (s.len != 0)
		memcpy(to, s.ptr, s.len);
	return to + s.len;
}

/* The name of a member, which needs no escapes, as it is written. */
#define M(text) span_of("\"" text "\":", sizeof(text) - 1 + 3)

static void open_with(struct writer *w, char c)
{
	uint8_t *p = room(w, 2);

	if (p == NULL)
		return;
	if (w->more)
		*p++ = ',';
	*p++ = (uint8_t)c;
	w->more = false;
	done(w, p);
}

static void close_with(struct writer *w, char c)
{
	buf_byte(&w->b, (uint8_t)c);
	w->more = true;
}

/* Its value follows. */
static void name(struct writer *w, struct span member)
{
	uint8_t *p = room(w, member.len + 1);

	if (p == NULL)
		return;
	if (w->more)
		*p++ = ',';
	done(w, copy(p, member));
	w->more = false;
}

/* A value as it stands, with quotes (or 0) about it; `member` may be empty: one of an array. */
static void raw(struct writer *w, struct span member, struct span s, char quote)
{
	uint8_t *p = room(w, member.len + s.len + 3);

	if (p == NULL)
		return;
	if (w->more)
		*p++ = ',';
	p = copy(p, member);
	if (quote != 0)
		*p++ = (uint8_t)quote;
	p = copy(p, s);
	if (quote != 0)
		*p++ = (uint8_t)quote;
	w->more = true;
	done(w, p);
}

static const struct span null = {(const uint8_t *)"null", 4};

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

static size_t plain_until(struct span s, size_t from)
{
	while (from < s.len && is_plain(s.ptr[from]))
		from++;
	return from;
}

static void escaped(struct writer *w, struct span member, struct span s)
{
	raw(w, member, span_of("\"", 1), 0);
	for (size_t from = 0;;) {
		size_t i = plain_until(s, from);

		buf_add(&w->b, span_sub(s, from, i - from));
		if (i == s.len)
			break;
		if (escape_of(s.ptr[i]) != NULL)
			buf_str(&w->b, escape_of(s.ptr[i]));
		else
			buf_printf(&w->b, "\\u%04X", s.ptr[i]);
		from = i + 1;
	}
	buf_byte(&w->b, '"');
}

/* ---- values --------------------------------------------------------------------------------- */

/* Names in files are checked by their parsers, those of certificates and paths are not. */
static void put(struct writer *w, struct span member, const char *text)
{
	struct span s = span_str(text);

	if (text == NULL)
		raw(w, member, null, 0);
	else if (!text_is_utf8(s))
		raw(w, member, span_str("(not UTF-8)"), '"');
	else if (plain_until(s, 0) == s.len)
		raw(w, member, s, '"');
	else
		escaped(w, member, s);
}

/* A word of ours: no escapes. */
static void put_word(struct writer *w, struct span member, const char *word)
{
	if (word != NULL)
		raw(w, member, span_str(word), '"');
	else
		raw(w, member, null, 0);
}

static void text(struct writer *w, const char *s)
{
	put(w, span_of(NULL, 0), s);
}

static void put_or_null(struct writer *w, struct span member, const char *s)
{
	put(w, member, s[0] != '\0' ? s : NULL);
}

static void put_time(struct writer *w, struct span member, int64_t ms)
{
	char t[TIME_TEXT];

	put_word(w, member, ms == 0 ? NULL : time_format(ms, t));
}

static void put_number(struct writer *w, struct span member, uint64_t v)
{
	uint8_t digits[20], *p = digits + sizeof(digits);

	do
		*--p = (uint8_t)('0' + v % 10);
	while ((v /= 10) != 0);
	raw(w, member, span_of(p, (size_t)(digits + sizeof(digits) - p)), 0);
}

static void put_version(struct writer *w, int version)
{
	if (version != 0)
		put_number(w, M("version"), (uint64_t)version);
	else
		put(w, M("version"), NULL);
}

static void put_hex(struct writer *w, struct span member, const uint8_t *p, size_t n)
{
	char hex[2 * SM3_LEN + 1];

	hex_encode(span_of(p, n), hex);
	put_word(w, member, hex);
}

static void put_texts(struct writer *w, struct span member, const char *const *list, size_t n)
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
	name(w, M("checks"));
	open_with(w, '[');
	for (; c != NULL; c = c->next) {
		open_with(w, '{');
		put_word(w, M("step"), c->step);
		put_word(w, M("result"), check_result_name(c->result));
		put_word(w, M("code"), c->code);
		put(w, M("detail"), c->detail);
		close_with(w, '}');
	}
	close_with(w, ']');
}

/* NULL: not known. */
static void put_cert(struct writer *w, struct span member, const struct cert_facts *c)
{
	if (c == NULL) {
		put(w, member, NULL);
		return;
	}
	name(w, member);
	open_with(w, '{');
	put(w, M("subject"), c->subject);
	put(w, M("issuer"), c->issuer);
	put(w, M("serial"), c->serial);
	put_time(w, M("not_before"), c->not_before);
	put_time(w, M("not_after"), c->not_after);
	close_with(w, '}');
}

static void put_seal(struct writer *w, const struct seal_facts *s)
{
	if (s == NULL) {
		put(w, M("seal"), NULL);
		return;
	}
	name(w, M("seal"));
	open_with(w, '{');
	put(w, M("id"), s->id);
	put(w, M("name"), s->name);
	put(w, M("maker"), s->maker);
	put_time(w, M("valid_start"), s->valid_start);
	put_time(w, M("valid_end"), s->valid_end);
	put_version(w, s->version);
	close_with(w, '}');
}

static void put_signatures(struct writer *w, const struct signature_report *s)
{
	name(w, M("signatures"));
	open_with(w, '[');
	for (; s != NULL; s = s->next) {
		open_with(w, '{');
		put(w, M("id"), s->id);
		put(w, M("type"), s->type);
		put_version(w, s->version);
		put_word(w, M("indication"), indication_name(s->indication));
		put_word(w, M("sub_indication"), sub_indication_name(s->sub));
		put_time(w, M("signing_time"), s->signing_time);
		put_cert(w, M("signer"), s->has_signer ? &s->signer : NULL);
		put_seal(w, s->has_seal ? &s->seal : NULL);
		put_checks(w, s->checks);
		close_with(w, '}');
	}
	close_with(w, ']');
}

static void put_coverage(struct writer *w, const struct report_coverage *c)
{
	if (c == NULL) {
		put(w, M("coverage"), NULL);
		return;
	}
	name(w, M("coverage"));
	open_with(w, '{');
	put_number(w, M("protected"), c->n_protected);
	put_texts(w, M("unprotected"), c->unprotected, c->n_unprotected);
	put_texts(w, M("changed_later"), c->changed, c->n_changed);
	close_with(w, '}');
}

static void put_trust(struct writer *w, const struct report *r)
{
	name(w, M("trust"));
	open_with(w, '{');
	put_number(w, M("anchors"), r->trust_anchors);
	put_number(w, M("crls"), r->trust_crls);
	put_time(w, M("oldest_crl"), r->oldest_crl);
	close_with(w, '}');
}

/* ---- what the file says --------------------------------------------------------------------- */

static void put_licence_lists(struct writer *w, const struct licence_record *l)
{
	name(w, M("holders"));
	open_with(w, '[');
	for (size_t i = 0; i < l->n_holders; i++) {
		open_with(w, '{');
		put(w, M("name"), l->holders[i].name);
		put(w, M("code_type"), l->holders[i].code_type);
		put(w, M("code"), l->holders[i].code);
		close_with(w, '}');
	}
	close_with(w, ']');
	name(w, M("fields"));
	open_with(w, '[');
	for (size_t i = 0; i < l->n_fields; i++) {
		open_with(w, '{');
		put(w, M("name"), l->fields[i].name);
		put(w, M("value"), l->fields[i].value);
		close_with(w, '}');
	}
	close_with(w, ']');
}

static void put_licence(struct writer *w, const struct licence_record *l)
{
	open_with(w, '{');
	put(w, M("id"), l->id);
	put(w, M("type_code"), l->type_code);
	put(w, M("type_name"), l->type_name);
	put(w, M("number"), l->number);
	put_number(w, M("version"), l->version);
	put(w, M("issuer_code"), l->issuer_code);
	put(w, M("issuer_name"), l->issuer_name);
	put_time(w, M("issued"), l->issued);
	put_time(w, M("valid_from"), l->valid_from);
	put_time(w, M("valid_to"), l->valid_to);
	put_or_null(w, M("previous_id"), l->previous_id);
	put_licence_lists(w, l);
	close_with(w, '}');
}

static void put_materials(struct writer *w, const struct receipt *r)
{
	name(w, M("materials"));
	open_with(w, '[');
	for (size_t i = 0; i < r->n_materials; i++) {
		const struct receipt_material *m = &r->materials[i];

		open_with(w, '{');
		put(w, M("type_code"), m->type_code);
		put(w, M("name"), m->name);
		put(w, M("status"), material_status_name(m->status));
		put_or_null(w, M("state"), m->state);
		put_or_null(w, M("indication"), m->indication);
		put(w, M("source"), m->source);
		put_time(w, M("source_time"), m->source_time);
		name(w, M("fields"));
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
	put(w, M("id"), r->id);
	put(w, M("kind"), r->kind == RECEIPT_INSPECT ? "inspect" : "pull");
	put_time(w, M("time"), r->time);
	put(w, M("service"), r->service);
	put(w, M("org_code"), r->org_code);
	put(w, M("org_name"), r->org_name);
	put(w, M("principal"), r->principal);
	put(w, M("legal_basis"), r->legal_basis);
	put_or_null(w, M("item_code"), r->item_code);
	put_or_null(w, M("item_name"), r->item_name);
	put(w, M("purpose"), r->purpose);
	put_hex(w, M("audit_leaf"), r->audit_leaf, SHA256_LEN);
	put_materials(w, r);
	close_with(w, '}');
}

static void put_verdict(struct writer *w, const struct verdict_record *v)
{
	open_with(w, '{');
	put(w, M("id"), v->id);
	put_time(w, M("time"), v->time);
	put_time(w, M("judged_at"), v->judged_at);
	put(w, M("service"), v->service);
	put_hex(w, M("document_digest"), v->document_digest, SM3_LEN);
	put_hex(w, M("data_digest"), v->data_digest, SM3_LEN);
	put(w, M("kind"), v->kind);
	put(w, M("indication"), v->indication);
	put_or_null(w, M("sub_indication"), v->sub_indication);
	put_or_null(w, M("code"), v->code);
	put(w, M("not_checked"), v->not_checked);
	put(w, M("policy"), v->policy);
	put(w, M("policy_version"), v->policy_version);
	put_hex(w, M("policy_digest"), v->policy_digest, SHA256_LEN);
	put_hex(w, M("trust_digest"), v->trust_digest, SHA256_LEN);
	put_time(w, M("oldest_crl"), v->oldest_crl);
	put_hex(w, M("report_digest"), v->report_digest, SM3_LEN);
	close_with(w, '}');
}

static void put_facts(struct writer *w, const struct report *r)
{
	if (r->kind == KIND_SEAL) {
		put_seal(w, r->has_seal ? &r->seal : NULL);
		put_cert(w, M("maker"), r->has_maker ? &r->maker : NULL);
	}
	if (r->kind == KIND_LICENCE && r->licence != NULL) {
		name(w, M("licence"));
		put_licence(w, r->licence);
	} else if (r->kind == KIND_LICENCE) {
		put(w, M("licence"), NULL);
	}
	if (r->kind == KIND_VERDICT && r->verdict != NULL) {
		name(w, M("verdict"));
		put_verdict(w, r->verdict);
	} else if (r->kind == KIND_VERDICT) {
		put(w, M("verdict"), NULL);
	}
	if (r->kind == KIND_RECEIPT && r->receipt != NULL) {
		name(w, M("receipt"));
		put_receipt(w, r->receipt);
	} else if (r->kind == KIND_RECEIPT) {
		put(w, M("receipt"), NULL);
	}
}

static void whole(struct writer *w, const struct report *r, const char *file)
{
	open_with(w, '{');
	put(w, M("file"), file);
	put(w, M("kind"), verify_kind_name(r->kind));
	put_word(w, M("indication"), indication_name(r->indication));
	put_word(w, M("sub_indication"), sub_indication_name(r->sub));
	put(w, M("policy"), r->policy);
	put(w, M("policy_version"), r->policy_version);
	put_time(w, M("judged_at"), r->judged_at);
	put_checks(w, r->checks);
	put_signatures(w, r->signatures);
	put_coverage(w, r->coverage);
	put_texts(w, M("not_checked"), r->not_checked, r->n_not_checked);
	put_trust(w, r);
	put_facts(w, r);
	close_with(w, '}');
}

enum err report_json(struct arena *a, const struct report *r, const char *file, char **out)
{
	struct writer w = {.more = false};
	char *line;

	buf_init(&w.b, a);
	(void)room(&w, REPORT_USUAL);
	whole(&w, r, file);
	line = buf_text(&w.b);
	if (line == NULL)
		return ERR_BUDGET;
	*out = line;
	return ERR_OK;
}
