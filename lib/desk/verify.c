/* Verification for whoever is enrolled: the verdict is the answer, never an error. */
#include "desk/internal.h"

static enum err verify(struct desk_call *call)
{
	const struct verify_request *q = call->req;
	const struct verify_policy *p = desk_policy(call->desk, q->policy);
	struct verify_input in = {.bytes = q->document, .data = q->data, .now = desk_now(call), .at = q->at};
	struct report *r = NULL;
	enum err e;

	if (p == NULL)
		return err_note_set(&call->note, ERR_FIELD_INVALID, "policy", "Policies are default, strict and archive.");
	if (q->document.len == 0)
		return err_note_set(&call->note, ERR_FIELD_MISSING, "document", NULL);
	if (q->document.len > VERIFY_FILE_MAX)
		return err_note_set(&call->note, ERR_TOO_LARGE, "document", NULL);
	e = verify_any(call->arena, p, &in, &r);
	if (e == ERR_OK)
		((struct verify_answer *)call->ans)->report = r;
	return e;
}

const struct use_case use_verify = {"verify", 0, 0, verify, NULL};
