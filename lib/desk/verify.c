/* Verification for whoever is enrolled: the verdict is the answer, never an error. On demand it is signed. */
#include "base/buf.h"
#include "desk/internal.h"
#include "verify/ahead.h"

enum { VERDICT_ID_RANDOM = 26 };

static char *or_empty(const char *s)
{
	return (char *)(uintptr_t)(s != NULL ? s : "");
}

static char *not_checked(struct arena *a, const struct report *r)
{
	struct buf b;

	buf_init(&b, a);
	for (size_t i = 0; i < r->n_not_checked; i++)
		buf_printf(&b, "%s%s", i != 0 ? " " : "", r->not_checked[i]);
	return r->n_not_checked != 0 ? buf_text(&b) : or_empty(NULL);
}

static void fill(struct verdict_record *v, const struct desk *d, const struct report *r)
{
	const struct check *reason = report_reason(r);

	v->judged_at = r->judged_at;
	v->service = or_empty(d->o.service);
	v->kind = or_empty(verify_kind_name(r->kind));
	v->indication = or_empty(indication_name(r->indication));
	v->sub_indication = or_empty(sub_indication_name(r->sub));
	v->code = or_empty(reason != NULL ? reason->code : NULL);
	v->policy = or_empty(r->policy);
	v->policy_version = or_empty(r->policy_version);
	v->oldest_crl = r->oldest_crl;
	memcpy(v->trust_digest, d->trust_digest, SHA256_LEN);
}

static enum err digests(struct verdict_record *v, const struct verify_request *q, const struct verify_policy *p,
                        const char *json)
{
	enum err e = sm3(q->document, v->document_digest);

	memcpy(v->policy_digest, policy_rules(p)->digest, SHA256_LEN);
	if (e == ERR_OK && q->data.ptr != NULL)
		e = sm3(q->data, v->data_digest);
	return e == ERR_OK ? sm3(span_str(json), v->report_digest) : e;
}

static enum err make_receipt(struct desk_call *call, const struct verify_policy *p, struct verify_answer *ans)
{
	struct verdict_record v = {.time = desk_now(call)};
	struct span body;
	enum err e = desk_random_text(call, "YZV-", VERDICT_ID_RANDOM, &v.id);

	if (e != ERR_OK)
		return e;
	fill(&v, call->desk, ans->report);
	v.not_checked = not_checked(call->arena, ans->report);
	if (v.not_checked == NULL)
		return ERR_BUDGET;
	e = digests(&v, call->req, p, ans->json);
	if (e == ERR_OK)
		e = verdict_encode(call->arena, &v, &body);
	return e == ERR_OK ? desk_sign(call, call->desk->o.verdict, VERDICT_TYPE, body, &ans->receipt) : e;
}

static enum err check(struct desk_call *call, const struct verify_request *q)
{
	if (desk_policy(call->desk, q->policy) == NULL)
		return err_note_set(&call->note, ERR_FIELD_INVALID, "policy", "Policies are default, strict and archive.");
	if (q->document.len == 0)
		return err_note_set(&call->note, ERR_FIELD_MISSING, "document", NULL);
	if (q->document.len > VERIFY_FILE_MAX)
		return err_note_set(&call->note, ERR_TOO_LARGE, "document", NULL);
	if (q->want_receipt && call->desk->o.verdict == NULL)
		return err_note_set(&call->note, ERR_VERDICT_KEY_MISSING, "want_receipt", NULL);
	return ERR_OK;
}

static bool needs_report(const struct verify_request *q, const struct report *r)
{
	return !q->brief || q->want_receipt || r->indication != TOTAL_PASSED;
}

static enum err verify(struct desk_call *call)
{
	const struct verify_request *q = call->req;
	const struct verify_policy *p = desk_policy(call->desk, q->policy);
	struct verify_input in = {
	    .bytes = q->document, .data = q->data, .now = desk_now(call), .at = q->at, .ahead = q->ahead};
	struct verify_answer ans = {0};
	struct report *r = NULL;
	enum err e = check(call, q);

	if (e == ERR_OK)
		e = verify_any(call->arena, p, &in, &r);
	if (e == ERR_OK && needs_report(q, r))
		e = report_json(call->arena, r, NULL, &ans.json);
	ans.report = r;
	if (e == ERR_OK && q->want_receipt)
		e = make_receipt(call, p, &ans);
	if (e == ERR_OK)
		*(struct verify_answer *)call->ans = ans;
	return e;
}

struct verify_ahead *desk_verify_ahead(const struct desk *d)
{
	return verify_ahead_new(policy_means(desk_policy(d, NULL)));
}

const struct use_case use_verify = {.action = "verify", .roles = 0, .flags = 0, .prepare = verify, .commit = NULL};
