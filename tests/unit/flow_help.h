/* What the tests of the main job share: refusals, delivered values, the policy of a strict verifier. */
#ifndef YZ_TESTS_UNIT_FLOW_HELP_H
#define YZ_TESTS_UNIT_FLOW_HELP_H

#include "desk_help.h"

static inline void refused(struct world *w, enum err got, enum err want, const char *field)
{
	assert_err(got, want);
	assert_string_equal(w->note.field, field);
	assert_int_equal(w->note.code, want);
}

static inline const char *value_in(const struct pulled_material *m, const char *name)
{
	for (size_t i = 0; i < m->n_fields; i++)
		if (strcmp(m->fields[i].name, name) == 0)
			return m->fields[i].value;
	return NULL;
}

static inline struct verify_policy strict_policy(struct arena *a)
{
	struct verify_policy p = {0};
	struct err_note note = {0};

	assert_err(policy_load(a, "strict", &p, &note), ERR_OK);
	p.trust = pki.trust;
	return p;
}

static inline const struct receipt_field *receipt_field_of(const struct receipt_material *m, const char *name)
{
	for (size_t i = 0; i < m->n_fields; i++)
		if (strcmp(m->fields[i].name, name) == 0)
			return &m->fields[i];
	fail_msg("the receipt has no %s", name);
	return NULL;
}

static inline const struct receipt *verified_receipt(struct world *w, struct span cose)
{
	struct verify_policy p = strict_policy(w->arena);
	struct verify_input in = {.bytes = cose, .now = w->clock};
	struct report *r;

	assert_err(verify_statement(w->arena, &p, &in, &r), ERR_OK);
	if (r->indication != TOTAL_PASSED)
		print_checks("receipt", r);
	assert_int_equal(r->indication, TOTAL_PASSED);
	return r->receipt;
}

#endif
