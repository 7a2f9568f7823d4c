/* What the signatures of a package protect: a document is what they cover (docs/verification.md, UNCOVERED). */
#include "verify/ofd.h"

enum { NAMES_SHOWN = 4 };

struct found {
	size_t n;
	const struct ofd_entry *first[NAMES_SHOWN];
};

static void note(struct found *f, const struct ofd_entry *e)
{
	if (f->n < NAMES_SHOWN)
		f->first[f->n] = e;
	f->n++;
}

static const char *names_of(struct judge *j, const struct found *f)
{
	const char *text = "";

	for (size_t i = 0; text != NULL && i < f->n && i < NAMES_SHOWN; i++)
		text = arena_printf(j->a, "%s%s%s", text, i > 0 ? ", " : "", ofd_shown(j, f->first[i]));
	if (text != NULL && f->n > NAMES_SHOWN)
		text = arena_printf(j->a, "%s and %zu more", text, f->n - NAMES_SHOWN);
	if (text == NULL)
		j->r->incomplete = true;
	return text;
}

static bool is_protected(const struct ofd_job *job, size_t entry)
{
	for (size_t i = 0; i < job->n_items; i++)
		if (job->items[i].protects != NULL && job->items[i].protects[entry])
			return true;
	return false;
}

static bool is_main(const struct ofd_entry *e)
{
	return strcmp(e->name, OFD_MAIN) == 0;
}

static enum err list_entries(struct ofd_job *job, struct report_coverage *c)
{
	c->unprotected = arena_array(job->j->a, job->p->n, sizeof(*c->unprotected));
	c->changed = arena_array(job->j->a, job->p->n, sizeof(*c->changed));
	if (c->unprotected == NULL || c->changed == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < job->p->n; i++) {
		if (is_protected(job, i))
			c->n_protected++;
		else if (!job->own[i] && !job->changed[i])
			c->unprotected[c->n_unprotected++] = ofd_shown(job->j, &job->p->entries[i]);
		if (job->changed[i])
			c->changed[c->n_changed++] = ofd_shown(job->j, &job->p->entries[i]);
	}
	return ERR_OK;
}

/* The document's step. `must`: what the policy wants protected and is not; `other`: what else is not. */
static void coverage_step(struct judge *j, const struct found *must, const struct found *other)
{
	if (must->n > 0 && policy_rules(j->p)->coverage == POLICY_COVERAGE_OFF)
		step_notice(j, "coverage", "UNCOVERED", names_of(j, must));
	else if (must->n > 0)
		step_fail(j, "coverage", (struct failure){INDETERMINATE, SUB_UNCOVERED, "UNCOVERED"}, names_of(j, must));
	else if (other->n > 0)
		step_notice(j, "coverage", "ENTRY_UNPROTECTED", names_of(j, other));
	else
		step_pass(j, "coverage", NULL);
}

static enum err judge_coverage(struct ofd_job *job)
{
	bool all = policy_rules(job->j->p)->coverage == POLICY_COVERAGE_ALL, complete = true;
	bool *displayed = arena_array(job->j->a, job->p->n, sizeof(*displayed));
	struct found must = {0}, other = {0};
	enum err e;

	if (displayed == NULL)
		return ERR_BUDGET;
	e = ofd_displayed(job->p, job->docs, job->n_docs, displayed, &complete);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < job->p->n; i++) {
		const struct ofd_entry *entry = &job->p->entries[i];
		if (is_protected(job, i) || job->changed[i] || (job->own[i] && !displayed[i]))
			continue;
		if (all || displayed[i] || (!complete && !is_main(entry)))
			note(&must, entry);
		else
			note(&other, entry);
	}
	coverage_step(job->j, &must, &other);
	return ERR_OK;
}

/* What only others protect may have been added after this signature, by somebody else. */
static void share_step(struct ofd_job *job, const struct ofd_item *item)
{
	struct found others = {0};

	for (size_t i = 0; i < job->p->n; i++)
		if (!job->own[i] && !job->changed[i] && !item->protects[i] && is_protected(job, i))
			note(&others, &job->p->entries[i]);
	job->j->s = item->report;
	if (others.n > 0)
		step_notice(job->j, "share", "COVERED_BY_OTHERS", names_of(job->j, &others));
	job->j->s = NULL;
}

enum err ofd_coverage(struct ofd_job *job)
{
	struct judge *j = job->j;
	struct report_coverage *c = arena_alloc(j->a, sizeof(*c));
	size_t sound = 0;
	enum err e = c != NULL ? list_entries(job, c) : ERR_BUDGET;

	if (e != ERR_OK)
		return e;
	j->r->coverage = c;
	for (size_t i = 0; i < job->n_items; i++)
		sound += job->items[i].sound;
	if (job->n_items == 0)
		return ERR_OK;
	if (sound == 0) {
		step_skip(j, "coverage", "CANNOT_JUDGE");
		return ERR_OK;
	}
	for (size_t i = 0; sound > 1 && i < job->n_items; i++)
		if (job->items[i].sound)
			share_step(job, &job->items[i]);
	if (c->n_unprotected > 0)
		return judge_coverage(job);
	step_pass(j, "coverage", NULL);
	return ERR_OK;
}
