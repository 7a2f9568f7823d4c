#include "verify/report.h"

const char *indication_name(enum indication i)
{
	switch (i) {
	case TOTAL_PASSED:
		return "TOTAL_PASSED";
	case TOTAL_FAILED:
		return "TOTAL_FAILED";
	case INDETERMINATE:
		return "INDETERMINATE";
	case NO_SIGNATURE_FOUND:
		return "NO_SIGNATURE_FOUND";
	case IND_NONE:
		break;
	}
	return NULL;
}

const char *sub_indication_name(enum sub_indication s)
{
	static const char *const names[] = {
	    [SUB_FORMAT_FAILURE] = "FORMAT_FAILURE",
	    [SUB_HASH_FAILURE] = "HASH_FAILURE",
	    [SUB_SIG_CRYPTO_FAILURE] = "SIG_CRYPTO_FAILURE",
	    [SUB_SIG_CONSTRAINTS_FAILURE] = "SIG_CONSTRAINTS_FAILURE",
	    [SUB_REVOKED] = "REVOKED",
	    [SUB_EXPIRED] = "EXPIRED",
	    [SUB_NOT_YET_VALID] = "NOT_YET_VALID",
	    [SUB_NO_CERTIFICATE_CHAIN_FOUND] = "NO_CERTIFICATE_CHAIN_FOUND",
	    [SUB_CHAIN_CONSTRAINTS_FAILURE] = "CHAIN_CONSTRAINTS_FAILURE",
	    [SUB_CRYPTO_CONSTRAINTS_FAILURE] = "CRYPTO_CONSTRAINTS_FAILURE",
	    [SUB_TRY_LATER] = "TRY_LATER",
	    [SUB_OUT_OF_BOUNDS_NO_POE] = "OUT_OF_BOUNDS_NO_POE",
	    [SUB_SIGNED_DATA_NOT_FOUND] = "SIGNED_DATA_NOT_FOUND",
	    [SUB_UNCOVERED] = "SIG_CONSTRAINTS_FAILURE",
	};
	return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : NULL;
}

const char *check_result_name(enum check_result r)
{
	static const char *const names[] = {"PASS", "FAIL", "NOTICE", "SKIPPED"};
	return (size_t)r < sizeof(names) / sizeof(names[0]) ? names[r] : "SKIPPED";
}

const char *verify_kind_name(enum verify_kind k)
{
	static const char *const names[] = {"unknown", "ofd", "seal", "signature", "licence", "receipt", "verdict"};
	return (size_t)k < sizeof(names) / sizeof(names[0]) ? names[k] : "unknown";
}

struct report *report_new(struct arena *a, enum verify_kind kind)
{
	struct report *r = arena_alloc(a, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->arena = a;
	r->kind = kind;
	return r;
}

void report_check(struct report *r, struct signature_report *s, const char *step, enum check_result result,
                  const char *code, const char *detail)
{
	struct check **first = s != NULL ? &s->checks : &r->checks;
	struct check **last = s != NULL ? &s->last : &r->last;
	struct check *c = arena_alloc(r->arena, sizeof(*c));

	if (c == NULL) {
		r->incomplete = true;
		return;
	}
	*c = (struct check){.step = step, .result = result, .code = code};
	if (detail != NULL) {
		c->detail = arena_strdup(r->arena, detail);
		if (c->detail == NULL)
			r->incomplete = true;
	}
	if (*first == NULL)
		*first = c;
	else
		(*last)->next = c;
	*last = c;
}

static int rank(enum indication i)
{
	switch (i) {
	case TOTAL_FAILED:
		return 4;
	case INDETERMINATE:
		return 3;
	case NO_SIGNATURE_FOUND:
		return 2;
	case TOTAL_PASSED:
		return 1;
	case IND_NONE:
		break;
	}
	return 0;
}

/* True when a is worse news than b. */
static bool verdict_worse(enum indication a, enum sub_indication a_sub, enum indication b, enum sub_indication b_sub)
{
	if (rank(a) != rank(b))
		return rank(a) > rank(b);
	if (a_sub == SUB_NONE || b_sub == SUB_NONE)
		return b_sub == SUB_NONE && a_sub != SUB_NONE;
	return a_sub < b_sub;
}

void report_fail(struct report *r, struct signature_report *s, enum indication i, enum sub_indication sub)
{
	enum indication *ind = s != NULL ? &s->indication : &r->indication;
	enum sub_indication *old = s != NULL ? &s->sub : &r->sub;

	if (!verdict_worse(i, sub, *ind, *old))
		return;
	*ind = i;
	*old = sub;
}

struct signature_report *report_signature(struct report *r, const char *id, const char *type)
{
	struct signature_report *s = arena_alloc(r->arena, sizeof(*s));

	if (s == NULL) {
		r->incomplete = true;
		return NULL;
	}
	s->id = id;
	s->type = type;
	if (r->signatures == NULL)
		r->signatures = s;
	else
		r->last_signature->next = s;
	r->last_signature = s;
	return s;
}

static const struct check *reason_among(const struct report *r, const struct check *c)
{
	for (; c != NULL; c = c->next)
		if (c->indication != IND_NONE && c->indication == r->indication && c->sub == r->sub)
			return c;
	return NULL;
}

const struct check *report_reason(const struct report *r)
{
	const struct check *found = reason_among(r, r->checks);

	for (const struct signature_report *s = r->signatures; s != NULL && found == NULL; s = s->next)
		found = reason_among(r, s->checks);
	return found;
}

void report_not_checked(struct report *r, const char *what)
{
	for (size_t i = 0; i < r->n_not_checked; i++)
		if (strcmp(r->not_checked[i], what) == 0)
			return;
	if (r->n_not_checked < sizeof(r->not_checked) / sizeof(r->not_checked[0]))
		r->not_checked[r->n_not_checked++] = what;
	else
		r->incomplete = true;
}

void report_conclude(struct report *r)
{
	for (struct signature_report *s = r->signatures; s != NULL; s = s->next) {
		if (s->indication == IND_NONE)
			s->indication = TOTAL_PASSED;
		report_fail(r, NULL, s->indication, s->sub);
	}
	if (r->incomplete)
		report_fail(r, NULL, INDETERMINATE, SUB_NONE);
	if (r->indication == IND_NONE)
		r->indication = TOTAL_PASSED;
}
