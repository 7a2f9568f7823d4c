#include "base/text.h"
#include "desk/caches.h"
#include "desk/show.h"
#include "form/showcode.h"

enum err code_scan(struct desk_call *call, const char *text, struct scanned_code *out)
{
	char *canonical;
	enum err e = showcode_read(call->arena, span_str(text), &canonical);

	if (e == ERR_CODE_MALFORMED)
		return err_note_set(&call->note, e, "code", NULL);
	if (e == ERR_OK)
		e = showcode_hash(canonical, out->hash);
	if (e == ERR_OK)
		hex_encode(span_of(out->hash, SM3_LEN), out->hash_hex);
	return e;
}

static bool in_audience(const struct desk_call *call, const struct code_row *row, unsigned acting)
{
	switch (row->audience) {
	case AUDIENCE_INSPECTORS:
		return (acting & ROLE_INSPECTOR) != 0;
	case AUDIENCE_WINDOWS:
		return (acting & ROLE_WINDOW) != 0;
	case AUDIENCE_ORGANISATION:
		return row->audience_org[0] != '\0' && strcmp(row->audience_org, call->caller.org_code) == 0;
	}
	return false;
}

static enum err code_refusal(const struct desk_call *call, const struct code_row *row, enum code_kind kind,
                             unsigned acting, int64_t now)
{
	if (!in_audience(call, row, acting))
		return ERR_CODE_AUDIENCE;
	if (row->kind != kind)
		return ERR_CODE_KIND;
	if (row->cancelled != 0)
		return ERR_CODE_CANCELLED;
	if (row->used != 0)
		return ERR_CODE_USED;
	return row->expires <= now ? ERR_CODE_EXPIRED : ERR_OK;
}

enum err code_load(struct desk_call *call, struct store_tx *tx, enum code_kind kind, unsigned acting,
                   struct scanned_code *c)
{
	struct fresh *fresh = desk_caches_codes(call->desk->o.caches);
	enum err e = ERR_OK;

	if (!fresh_take(fresh, c->hash, call->arena, &c->row))
		e = store_code_get(tx, call->arena, c->hash, &c->row);
	if (e == ERR_NOT_FOUND)
		e = ERR_CODE_UNKNOWN;
	if (e == ERR_OK)
		e = code_refusal(call, &c->row, kind, acting, store_tx_now(tx));
	if (e != ERR_OK)
		return err_class_of(e) == ERRC_UNAVAILABLE ? e : err_note_set(&call->note, e, "code", NULL);
	e = code_body_parse(call->arena, c->row.body, &c->body);
	return e == ERR_FORMAT || e == ERR_TOO_LARGE ? ERR_STORE_CORRUPT : e;
}

enum err code_spend(struct desk_call *call, struct store_tx *tx, const struct scanned_code *c)
{
	enum err e = store_code_spend(tx, c->hash, call->caller.id);

	if (e == ERR_CODE_UNKNOWN || e == ERR_CODE_USED || e == ERR_CODE_CANCELLED || e == ERR_CODE_EXPIRED)
		return err_note_set(&call->note, e, "code", NULL);
	return e;
}
