/* Using a stored seal: is it good now, do we hold its key, and a signature that was verified before it leaves. */
#include "desk/internal.h"
#include "verify/subject.h"

/* ---- keys ----------------------------------------------------------------------------------- */

static bool seal_lists(const struct ses_seal *seal, struct span cert)
{
	uint8_t digest[SM3_LEN];
	size_t i;

	if (seal->list_kind == SES_LIST_DIGESTS) {
		if (sm3(cert, digest) != ERR_OK)
			return false;
		cert = span_of(digest, SM3_LEN);
	}
	for (i = 0; i < seal->n_list; i++)
		if (span_eq(seal->list[i], cert))
			return true;
	return false;
}

/* Our key whose certificate is in the seal's list; NULL when there is none. */
static const struct desk_key *key_for_seal(const struct desk *d, const struct ses_seal *seal)
{
	size_t i;

	for (i = 0; i < d->o.n_seal_keys; i++)
		if (seal_lists(seal, cert_der(d->o.seal_keys[i].cert)))
			return &d->o.seal_keys[i];
	return NULL;
}

bool desk_can_sign(const struct desk *d, struct span seal_der)
{
	struct arena *a = arena_new(SES_MAX);
	struct ses_seal seal;
	bool can = a != NULL && ses_seal_parse(a, seal_der, &seal, NULL) == ERR_OK && key_for_seal(d, &seal) != NULL;

	arena_free(a);
	return can;
}

/* ---- verdicts ------------------------------------------------------------------------------- */

static const char *failed_code(const struct check *c)
{
	for (; c != NULL; c = c->next)
		if (c->result == CHECK_FAIL)
			return c->code;
	return NULL;
}

char *desk_verdict_text(struct arena *a, const struct report *r)
{
	const struct signature_report *s;
	const char *code = failed_code(r->checks), *sub = sub_indication_name(r->sub),
	           *ind = indication_name(r->indication);

	for (s = r->signatures; code == NULL && s != NULL; s = s->next)
		code = failed_code(s->checks);
	return arena_printf(a, "%s%s%s%s%s", ind != NULL ? ind : "", sub != NULL ? "/" : "", sub != NULL ? sub : "",
	                    code != NULL ? " " : "", code != NULL ? code : "");
}

static enum err verdict_note(struct desk_call *call, enum err e, const struct report *r)
{
	const char *text = desk_verdict_text(call->arena, r);

	return err_note_set(&call->note, e, NULL, "The seal does not verify: %s.", text != NULL ? text : "");
}

enum err desk_seal_usable(struct desk_call *call, const struct seal_row *row)
{
	const struct desk *d = call->desk;
	int64_t now = desk_now(call);
	struct verify_input in = {.bytes = row->der, .now = now};
	struct report *r = NULL;
	enum err e;

	if (row->state != SEAL_ACTIVE)
		return err_note_set(&call->note, ERR_SEAL_NOT_USABLE, NULL, "The seal is %s.", seal_state_name(row->state));
	if (now < row->valid_start || now > row->valid_end)
		return err_note_set(&call->note, ERR_SEAL_NOT_USABLE, NULL, "The seal is outside its period of validity.");
	e = verify_seal(call->arena, d->strict, &in, &r);
	if (e == ERR_OK && r->indication != TOTAL_PASSED)
		e = verdict_note(call, ERR_SEAL_NOT_USABLE, r);
	return e;
}

/* ---- signing -------------------------------------------------------------------------------- */

static enum err make_signature(struct desk_call *call, const struct seal_use *use, const struct desk_key *key,
                               struct span *out)
{
	uint8_t value[SM2_SIG_MAX];
	size_t value_len = 0;
	struct span tbs;
	int64_t time = use->time != 0 ? use->time : desk_now(call);
	enum err e = ses_tbs_encode(call->arena, use->row->der, time, span_of(use->digest, SM3_LEN), use->scope, &tbs);

	if (e == ERR_OK)
		e = signer_sign(key->signer, tbs, value, &value_len);
	if (e == ERR_OK)
		e = ses_signature_encode(call->arena, tbs, cert_der(key->cert), span_of(value, value_len), out);
	return e;
}

/* A bad signature must not get into the world, whatever went wrong while it was made. Without the data the one thing
 * that cannot be judged is whether the digest is theirs; every other fault comes before it in the order of verdicts. */
static enum err check_signature(struct desk_call *call, struct span signature, struct span data)
{
	struct verify_input in = {.bytes = signature, .data = data, .now = desk_now(call)};
	struct report *r = NULL;
	enum err e = verify_signature(call->arena, call->desk->strict, &in, &r);

	if (e != ERR_OK || r->indication == TOTAL_PASSED)
		return e;
	if (data.ptr == NULL && r->indication == INDETERMINATE && r->sub == SUB_SIGNED_DATA_NOT_FOUND)
		return ERR_OK;
	return verdict_note(call, ERR_SEAL_INVALID, r);
}

enum err desk_seal_sign(struct desk_call *call, const struct seal_use *use, struct span *signature)
{
	const struct desk_key *key;
	struct ses_seal seal;
	struct span made;
	enum err e = desk_seal_usable(call, use->row);

	if (e == ERR_OK)
		e = ses_seal_parse(call->arena, use->row->der, &seal, &call->note);
	if (e != ERR_OK)
		return e;
	key = key_for_seal(call->desk, &seal);
	if (key == NULL)
		return err_note_set(&call->note, ERR_SEAL_KEY_MISSING, NULL, NULL);
	/* The list of a seal is its maker's word alone: it lends nobody the key of another agency. */
	if (subject_names_other(call->arena, cert_subject(key->cert), use->row->owner_code))
		return err_note_set(&call->note, ERR_SEAL_NOT_USABLE, NULL,
		                    "The signer's certificate is of another organisation than the seal's owner.");
	e = make_signature(call, use, key, &made);
	if (e == ERR_OK)
		e = check_signature(call, made, use->data);
	if (e == ERR_OK)
		*signature = made;
	return e;
}
