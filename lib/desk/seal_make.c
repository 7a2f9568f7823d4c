/* New seals: made by our seal maker after an approved application, or made by the competent authority and imported.
 * Either is stored only when it verifies with revocation required. */
#include "base/text.h"
#include "desk/seal.h"
#include "picture/png.h"
#include "picture/seal_face.h"
#include "verify/subject.h"

enum {
	CHANGE = USE_REQUEST_ID | USE_OPERATOR | USE_COMMIT,
	SEAL_TYPE_PERSONAL = 2,
	SEAL_TYPE_MAX = 99,
	UNIT_MM = 40,
	PERSONAL_MM = 20,
	MM_MIN = 10,
	MM_MAX = 80,
	PICTURE_SIDE_MAX = 2048,
	PICTURE_ARENA = 32 * 1024 * 1024,
	NEW_ID_CHARS = 20
};

#define VENDOR "YINZHENG"

struct make_work {
	struct ses_seal_new in;
	struct seal_row row;
};

/* ---- what is asked for ---------------------------------------------------------------------- */

static bool seal_id_ok(const char *id)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

	return id[0] != '\0' && strlen(id) <= SEAL_ID_MAX && text_only(span_str(id), alphabet);
}

static enum err owner_check(struct desk_call *call, const char *code)
{
	if (credit_code_ok(span_str(code)))
		return ERR_OK;
	return err_note_set(&call->note, ERR_ORG_CODE_INVALID, "owner_code", NULL);
}

/* Four eyes: who approves is not who makes. */
static enum err approver_check(struct desk_call *call, const char *approver)
{
	enum err e = need_text(call, approver, DESK_TEXT_MAX, ERR_FIELD_MISSING, "approver");

	if (e != ERR_OK)
		return e;
	if (!text_is_trimmed(span_str(approver)))
		return err_note_set(&call->note, ERR_FIELD_INVALID, "approver", "It begins and ends with a visible character.");
	if (strcmp(approver, call->operator.id) == 0 || strcmp(approver, call->operator.name) == 0)
		return err_note_set(&call->note, ERR_FIELD_INVALID, "approver", "The operator cannot approve the seal.");
	return ERR_OK;
}

static enum err texts_check(struct desk_call *call, const struct seal_create_request *q)
{
	enum err e = need_text(call, q->name, DESK_TEXT_MAX, ERR_FIELD_MISSING, "name");

	if (e == ERR_OK)
		e = owner_check(call, q->owner_code);
	if (e == ERR_OK)
		e = need_text(call, q->application, DESK_TEXT_MAX, ERR_FIELD_MISSING, "application");
	if (e == ERR_OK)
		e = approver_check(call, q->approver);
	if (e == ERR_OK && q->id[0] != '\0' && !seal_id_ok(q->id))
		e = err_note_set(&call->note, ERR_FIELD_INVALID, "id", "1 to %d letters, digits and - _ .", SEAL_ID_MAX);
	if (e == ERR_OK && (q->type < 1 || q->type > SEAL_TYPE_MAX))
		e = err_note_set(&call->note, ERR_FIELD_INVALID, "type", "1 a unit's, 2 personal, others up to %d.",
		                 SEAL_TYPE_MAX);
	return e;
}

static enum err period(struct desk_call *call, const struct seal_create_request *q, struct ses_seal_new *in)
{
	in->created = desk_now(call);
	in->valid_start = q->valid_start != 0 ? q->valid_start : in->created;
	in->valid_end = q->valid_end;
	if (q->valid_end == 0)
		return err_note_set(&call->note, ERR_FIELD_MISSING, "valid_end", NULL);
	if (in->valid_start > in->created)
		return err_note_set(&call->note, ERR_TIME_INVALID, "valid_start", "The seal must be valid when it is made.");
	if (in->valid_end <= in->created)
		return err_note_set(&call->note, ERR_TIME_INVALID, "valid_end", "It must be in the future.");
	return ERR_OK;
}

/* ---- certificates --------------------------------------------------------------------------- */

static enum err cert_usable(struct desk_call *call, struct cert *c, const char *owner)
{
	int64_t now = desk_now(call);
	struct chain_result r;
	enum err e;

	if (cert_sm2_key(c) == NULL || cert_is_ca(c) || (cert_key_usage(c) & 1) == 0)
		return err_note_set(&call->note, ERR_FIELD_INVALID, "certificates",
		                    "Each must be an SM2 certificate for digital signatures, not of a CA.");
	e = chain_check(call->desk->o.trust, c, NULL, 0, now, now, &r);
	if (e != ERR_OK)
		return e;
	if (r.status != CHAIN_OK)
		return err_note_set(&call->note, ERR_FIELD_INVALID, "certificates",
		                    "A certificate is out of date or does not chain to a trust anchor.");
	if (subject_names_other(call->arena, cert_subject(c), owner))
		return err_note_set(&call->note, ERR_FIELD_INVALID, "certificates",
		                    "A certificate is of another organisation than the seal's owner.");
	if (r.revocation != REVOCATION_GOOD)
		return err_note_set(&call->note, ERR_FIELD_INVALID, "certificates",
		                    "A certificate is revoked, or there is no fresh revocation list for it.");
	return ERR_OK;
}

static enum err cert_check(struct desk_call *call, struct span der, const char *owner)
{
	struct cert *c = NULL;
	enum err e = cert_parse(der, &c);

	if (e == ERR_CERT_UNREADABLE)
		e = err_note_set(&call->note, ERR_FIELD_INVALID, "certificates", "A certificate could not be read.");
	if (e == ERR_OK)
		e = cert_usable(call, c, owner);
	cert_free(c);
	return e;
}

static enum err certs_check(struct desk_call *call, const struct seal_create_request *q)
{
	enum err e = ERR_OK;
	size_t i, k;

	if (q->n_certs == 0)
		return err_note_set(&call->note, ERR_FIELD_MISSING, "certificates", NULL);
	if (q->n_certs > SES_CERTS_MAX)
		return err_note_set(&call->note, ERR_TOO_LARGE, "certificates", "At most %d.", SES_CERTS_MAX);
	for (i = 0; e == ERR_OK && i < q->n_certs; i++) {
		for (k = 0; k < i; k++)
			if (span_eq(q->certs[i], q->certs[k]))
				return err_note_set(&call->note, ERR_FIELD_INVALID, "certificates", "One is listed twice.");
		e = cert_check(call, q->certs[i], q->owner_code);
	}
	return e;
}

/* ---- picture -------------------------------------------------------------------------------- */

static enum err size_mm(struct desk_call *call, const struct seal_create_request *q, struct ses_seal_new *in)
{
	unsigned usual = q->type == SEAL_TYPE_PERSONAL ? PERSONAL_MM : UNIT_MM;
	unsigned width = q->width_mm != 0 ? q->width_mm : usual;
	unsigned height = q->height_mm != 0 ? q->height_mm : width;

	if (width < MM_MIN || width > MM_MAX || height < MM_MIN || height > MM_MAX)
		return err_note_set(&call->note, ERR_FIELD_INVALID, "width_mm", "%d to %d mm.", MM_MIN, MM_MAX);
	in->picture_width = width;
	in->picture_height = height;
	return ERR_OK;
}

/* Decoded once, in memory of its own, so that no seal carries a picture that cannot be shown. */
static enum err png_check(struct desk_call *call, struct span png)
{
	uint32_t width, height;
	struct image img;
	struct arena *a;
	enum err e;

	if (png.len > SES_PICTURE_MAX)
		return err_note_set(&call->note, ERR_TOO_LARGE, "picture_png", "At most %d bytes.", SES_PICTURE_MAX);
	e = png_size(png, &width, &height, &call->note);
	if (e != ERR_OK)
		return e;
	if (width > PICTURE_SIDE_MAX || height > PICTURE_SIDE_MAX)
		return err_note_set(&call->note, ERR_TOO_LARGE, "picture_png", "At most %d pixels a side.", PICTURE_SIDE_MAX);
	a = arena_new(PICTURE_ARENA);
	e = a != NULL ? png_read(a, png, IMAGE_GREY, &img, &call->note) : ERR_NO_MEMORY;
	arena_free(a);
	return e;
}

static enum err draw(struct desk_call *call, const struct seal_create_request *q, struct ses_seal_new *in)
{
	struct seal_face face = {.shape = q->type == SEAL_TYPE_PERSONAL ? SEAL_SQUARE : SEAL_ROUND,
	                         .name = q->name,
	                         .size_mm = (double)in->picture_width};

	if (in->picture_width != in->picture_height)
		return err_note_set(&call->note, ERR_FIELD_INVALID, "height_mm", "A drawn sample is as high as it is wide.");
	return seal_face_draw(call->arena, &face, &in->picture, &call->note);
}

static enum err picture(struct desk_call *call, const struct seal_create_request *q, struct ses_seal_new *in)
{
	enum err e = size_mm(call, q, in);

	if (e != ERR_OK)
		return e;
	in->picture_type = "PNG";
	if (q->picture_png.len == 0)
		return draw(call, q, in);
	in->picture = q->picture_png;
	return png_check(call, q->picture_png);
}

/* ---- making --------------------------------------------------------------------------------- */

static enum err sign_info(struct desk_call *call, const struct ses_seal_new *in, struct span *der)
{
	const struct desk_key *maker = call->desk->o.maker;
	uint8_t value[SM2_SIG_MAX];
	size_t value_len = 0;
	struct span info;
	enum err e = ses_seal_info_encode(call->arena, in, &info);

	if (e == ERR_OK)
		e = signer_sign(maker->signer, info, value, &value_len);
	if (e == ERR_OK)
		e = ses_seal_encode(call->arena, info, cert_der(maker->cert), span_of(value, value_len), der);
	return e;
}

static enum err maker_subject(struct desk_call *call, struct span der, char **out)
{
	struct cert *c = NULL;
	enum err e = cert_parse(der, &c);

	if (e != ERR_OK)
		return err_note_set(&call->note, ERR_SEAL_INVALID, NULL, "The maker's certificate cannot be read.");
	*out = arena_strdup(call->arena, cert_subject(c));
	cert_free(c);
	return *out != NULL ? ERR_OK : ERR_BUDGET;
}

static enum err verify_new(struct desk_call *call, struct span der)
{
	struct verify_input in = {.bytes = der, .now = desk_now(call)};
	struct report *r = NULL;
	const char *text;
	enum err e = verify_seal(call->arena, call->desk->strict, &in, &r);

	if (e != ERR_OK || r->indication == TOTAL_PASSED)
		return e;
	text = desk_verdict_text(call->arena, r);
	return err_note_set(&call->note, ERR_SEAL_INVALID, NULL, "The seal does not verify: %s.", text != NULL ? text : "");
}

/* The row of a seal that verifies; what the seal says is read from its bytes. */
static enum err row_of(struct desk_call *call, struct span der, struct seal_row *row)
{
	struct ses_seal seal;
	enum err e = verify_new(call, der);

	if (e == ERR_OK)
		e = ses_seal_parse(call->arena, der, &seal, &call->note);
	if (e == ERR_OK)
		e = maker_subject(call, seal.maker_cert, &row->maker);
	if (e == ERR_OK)
		e = sm3(der, row->hash);
	if (e != ERR_OK)
		return e;
	if (!seal_id_ok(seal.id) || seal.type < 0 || !text_is_clean(span_str(seal.name), DESK_TEXT_MAX))
		return err_note_set(&call->note, ERR_SEAL_INVALID, NULL, "Its identifier, name or type cannot be kept.");
	row->id = seal.id;
	row->name = seal.name;
	row->type = seal.type;
	row->valid_start = seal.valid_start;
	row->valid_end = seal.valid_end;
	row->state = SEAL_ACTIVE;
	row->der = der;
	row->version = 1;
	row->created_by = call->caller.id;
	return ERR_OK;
}

static char *text(const char *s)
{
	return (char *)(uintptr_t)s; /* rows are not const, and nobody writes */
}

static enum err fill(struct desk_call *call, const struct seal_create_request *q, struct ses_seal_new *in)
{
	char *id = text(q->id);
	enum err e = texts_check(call, q);

	if (e == ERR_OK)
		e = period(call, q, in);
	if (e == ERR_OK)
		e = certs_check(call, q);
	if (e == ERR_OK && id[0] == '\0')
		e = desk_random_text(call, "YZS-", NEW_ID_CHARS, &id);
	if (e != ERR_OK)
		return e;
	in->vendor = VENDOR;
	in->id = id;
	in->name = q->name;
	in->type = q->type;
	in->n_certs = q->n_certs;
	in->certs = q->certs;
	return picture(call, q, in);
}

static enum err create_prepare(struct desk_call *call)
{
	const struct seal_create_request *q = call->req;
	struct make_work *w = arena_alloc(call->arena, sizeof(*w));
	struct span der;
	enum err e;

	if (w == NULL)
		return ERR_BUDGET;
	if (call->desk->o.maker == NULL)
		return err_note_set(&call->note, ERR_SEAL_KEY_MISSING, NULL, "This service makes no seals. Import them.");
	e = fill(call, q, &w->in);
	if (e == ERR_OK)
		e = sign_info(call, &w->in, &der);
	if (e == ERR_OK)
		e = row_of(call, der, &w->row);
	if (e != ERR_OK)
		return e;
	w->row.owner_code = text(q->owner_code);
	w->row.application = text(q->application);
	w->row.approver = text(q->approver);
	call->work = w;
	return ERR_OK;
}

static enum err import_prepare(struct desk_call *call)
{
	const struct seal_import_request *q = call->req;
	struct make_work *w = arena_alloc(call->arena, sizeof(*w));
	enum err e;

	if (w == NULL)
		return ERR_BUDGET;
	if (q->der.len == 0)
		return err_note_set(&call->note, ERR_FIELD_MISSING, "der", NULL);
	if (q->der.len > SES_MAX)
		return err_note_set(&call->note, ERR_TOO_LARGE, "der", NULL);
	e = owner_check(call, q->owner_code);
	if (e == ERR_OK)
		e = need_text(call, q->application, DESK_TEXT_MAX, ERR_FIELD_MISSING, "application");
	if (e == ERR_OK)
		e = row_of(call, q->der, &w->row);
	if (e != ERR_OK)
		return e;
	w->row.owner_code = text(q->owner_code);
	w->row.application = text(q->application);
	w->row.approver = text("");
	call->work = w;
	return ERR_OK;
}

static enum err insert_commit(struct desk_call *call, struct store_tx *tx)
{
	const struct make_work *w = call->work;
	const struct seal_row *s = &w->row;
	const struct desk_fact facts[] = {
	    {"seal", s->id, false},
	    {"name", s->name, true}, /* of a personal seal, a person's */
	    {"owner", s->owner_code, false},
	    {"maker", s->maker, false},
	    {"hash", hex_text(call->arena, span_of(s->hash, SM3_LEN)), false},
	    {"application", s->application, true},
	    {"approver", s->approver, true},
	};
	enum err e = store_seal_insert(tx, s);

	if (e == ERR_ALREADY_EXISTS)
		return err_note_set(&call->note, e, "id", "A seal with this identifier is kept already.");
	if (e == ERR_OK)
		e = desk_audit(call, tx, "ok", facts, sizeof(facts) / sizeof(facts[0]));
	if (e == ERR_OK)
		*(struct seal_answer *)call->ans = (struct seal_answer){*s, desk_can_sign(call->desk, s->der)};
	return e;
}

const struct use_case use_seal_create = {
    .action = "seal.create", .roles = ROLE_SEALER, .flags = CHANGE, .prepare = create_prepare, .commit = insert_commit};
const struct use_case use_seal_import = {
    .action = "seal.import", .roles = ROLE_SEALER, .flags = CHANGE, .prepare = import_prepare, .commit = insert_commit};
