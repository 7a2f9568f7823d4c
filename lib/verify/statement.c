/* Verification of a signed statement: COSE_Sign1, the statement key's certificate, and the receipt or verdict inside.
 * Its content type says which it claims to be, and so which purpose its certificate must name. */
#include "form/statement.h"
#include "form/cose.h"
#include "verify/judge.h"

struct statement {
	struct cose_sign1 cose;
	const struct role *role;
	const char *id; /* NULL when its structure is wrong */
	int64_t time;
	struct cert *signer, *extra[COSE_CERTS_MAX];
	size_t n_extra;
};

static const struct role role_receipt = {ROLE("STATEMENT", "statement"), .revoked = "STATEMENT_CERT_REVOKED_BEFORE",
                                         .required = PURPOSE_RECEIPT, .trust = POLICY_STATEMENT};
static const struct role role_verdict = {ROLE("STATEMENT", "statement"), .revoked = "STATEMENT_CERT_REVOKED_BEFORE",
                                         .required = PURPOSE_VERDICT, .trust = POLICY_STATEMENT};

/* What is of no known kind is judged as a receipt, so that all that can be said is said. */
static void content_type_step(struct judge *j, struct statement *st)
{
	bool is_verdict = strcmp(st->cose.content_type, VERDICT_TYPE) == 0;

	st->role = is_verdict ? &role_verdict : &role_receipt;
	j->r->kind = is_verdict ? KIND_VERDICT : KIND_RECEIPT;
	if (is_verdict || strcmp(st->cose.content_type, RECEIPT_TYPE) == 0)
		step_pass(j, "content_type", NULL);
	else
		step_fail(j, "content_type", FAILED(SIG_CONSTRAINTS_FAILURE, "STATEMENT_TYPE"), st->cose.content_type);
}

static enum err verdict_step(struct judge *j, struct statement *st)
{
	struct verdict_record *v = arena_alloc(j->a, sizeof(*v));
	struct err_note note = {0};
	enum err parsed, e;

	if (v == NULL)
		return ERR_BUDGET;
	parsed = verdict_parse(j->a, st->cose.payload, v, &note);
	e = judge_structure(j, "verdict", parsed, &note);
	if (e != ERR_OK || parsed != ERR_OK)
		return e;
	j->r->verdict = v;
	st->id = v->id;
	st->time = v->time;
	return ERR_OK;
}

static enum err receipt_step(struct judge *j, struct statement *st)
{
	struct receipt *rec = arena_alloc(j->a, sizeof(*rec));
	struct err_note note = {0};
	enum err parsed, e;

	if (rec == NULL)
		return ERR_BUDGET;
	parsed = receipt_parse(j->a, st->cose.payload, rec, &note);
	e = judge_structure(j, "receipt", parsed, &note);
	if (e != ERR_OK || parsed != ERR_OK)
		return e;
	j->r->receipt = rec;
	st->id = rec->id;
	st->time = rec->time;
	return ERR_OK;
}

/* The signer's certificate must be readable; unreadable ones beside it only do not help to build the path. */
static enum err read_certs(struct judge *j, struct statement *st)
{
	enum err e = judge_cert_read(j, st->role, st->cose.certs[0], &st->signer);

	for (size_t i = 1; e == ERR_OK && i < st->cose.n_certs; i++) {
		e = cert_parse(st->cose.certs[i], &st->extra[st->n_extra]);
		if (e == ERR_OK)
			st->n_extra++;
		else if (err_class_of(e) == ERRC_DATA)
			e = ERR_OK;
	}
	return e;
}

/* The parser has seen that the algorithm is SM2; judge_value() takes the value as DER. */
static enum err value_step(struct judge *j, const struct statement *st)
{
	static const struct value_steps steps = {"statement_algorithm", "statement_value", "STATEMENT_SIG_BAD", MEMO_NONE};
	uint8_t der[SM2_SIG_MAX];
	size_t len = 0;
	enum err e = cose_value_to_der(st->cose.value, der, &len);

	if (e != ERR_OK && err_class_of(e) != ERRC_DATA)
		return e;
	return judge_value(j, &steps, OID_SM2_SM3, st->signer, st->cose.to_be_signed, span_of(der, len));
}

static enum err signer_steps(struct judge *j, struct statement *st)
{
	enum err e;

	if (st->signer == NULL) {
		step_skip(j, "statement_value", "CANNOT_JUDGE");
		judge_cert_skip(j, st->role);
		return ERR_OK;
	}
	j->s->signer = cert_facts_of(j, st->signer);
	j->s->has_signer = true;
	e = value_step(j, st);
	judge_time(j, j->s->signing_time);
	if (e == ERR_OK)
		e = judge_cert_path(j, st->role, st->signer, st->extra, st->n_extra);
	if (e == ERR_OK)
		judge_cert_period(j, st->role, st->signer);
	return e;
}

static enum err judge_statement(struct judge *j, struct statement *st)
{
	enum err e;

	content_type_step(j, st);
	e = j->r->kind == KIND_VERDICT ? verdict_step(j, st) : receipt_step(j, st);
	if (e != ERR_OK)
		return e;
	j->s = report_signature(j->r, st->id, "Statement");
	if (j->s == NULL)
		return ERR_BUDGET;
	j->s->signing_time = st->time;
	e = read_certs(j, st);
	if (e == ERR_OK)
		e = signer_steps(j, st);
	cert_free(st->signer);
	for (size_t i = 0; i < st->n_extra; i++)
		cert_free(st->extra[i]);
	return e;
}

enum err verify_statement(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                          struct report **out)
{
	struct judge j;
	struct statement *st = arena_alloc(a, sizeof(*st));
	struct err_note note = {0};
	enum err parsed, e = judge_begin(&j, KIND_RECEIPT, a, p, in);

	if (st == NULL)
		return ERR_BUDGET;
	if (e != ERR_OK)
		return e;
	parsed = cose_parse(a, in->bytes, &st->cose);
	e = judge_structure(&j, "structure", parsed, &note);
	if (e == ERR_OK && parsed == ERR_OK)
		e = judge_statement(&j, st);
	return e == ERR_OK ? judge_end(&j, out) : e;
}
