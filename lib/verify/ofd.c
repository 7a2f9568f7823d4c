/* Verification of an OFD package: GB/T 33190 clause 18, GM/T 0099; every document and signature in it. */
#include "verify/ofd.h"

#include "verify/ahead.h"

const char *ofd_shown(struct judge *j, const struct ofd_entry *e)
{
	const char *text = arena_printf(j->a, "/%s", e->name);

	if (text == NULL)
		j->r->incomplete = true;
	return text != NULL ? text : "";
}

enum err ofd_fault_step(struct judge *j, const char *step, enum err e, const struct ofd_fault *fault)
{
	if (e != ERR_FORMAT)
		return e;
	step_fail(j, step, FAILED(FORMAT_FAILURE, fault->code), fault->detail);
	return ERR_OK;
}

/* OFD.xml: which documents there are. *is_ofd is false, and steps say why, when there is nothing to judge. */
static enum err read_main(struct ofd_job *job, bool *is_ofd)
{
	struct judge *j = job->j;
	const struct ofd_entry *entry = ofd_find(job->p, OFD_MAIN);
	struct ofd_fault fault = {0};
	struct span bytes;
	enum err e;

	if (entry == NULL) {
		j->r->kind = KIND_UNKNOWN;
		step_fail(j, "kind", FAILED(FORMAT_FAILURE, "NO_OFD_XML"), NULL);
		return ERR_OK;
	}
	e = ofd_read(job->p, j->a, entry, OFD_XML_MAX, &bytes, &fault);
	if (e == ERR_OK)
		e = ofd_parse_main(j->a, entry->name, bytes, &job->docs, &job->n_docs, &fault);
	if (e != ERR_OK)
		return ofd_fault_step(j, "documents", e, &fault);
	if (job->n_docs == 0) {
		step_fail(j, "documents", FAILED(FORMAT_FAILURE, "XML_BAD"), OFD_MAIN);
		return ERR_OK;
	}
	step_pass(j, "documents", arena_printf(j->a, "%zu", job->n_docs));
	*is_ofd = true;
	return ERR_OK;
}

static void no_signature(struct judge *j)
{
	if (j->r->indication != IND_NONE)
		return; /* a list that cannot be read is worse news */
	step_fail(j, "signatures", (struct failure){NO_SIGNATURE_FOUND, SUB_NONE, "UNSIGNED"}, NULL);
	if (j->r->last != NULL)
		j->r->last->result = CHECK_NOTICE;
}

static enum err judge_items(struct ofd_job *job)
{
	const struct sm2_ahead *outer = job->j->ahead;
	struct verify_ahead *values = ofd_ahead(job);
	const struct sm2_ahead *found = verify_ahead_run(values);
	enum err e = ERR_OK;

	job->j->ahead = found != NULL ? found : outer;
	for (size_t i = 0; e == ERR_OK && i < job->n_items; i++)
		e = ofd_judge_item(job, &job->items[i]);
	job->j->ahead = outer;
	verify_ahead_free(values);
	return e;
}

static enum err judge_package(struct ofd_job *job)
{
	bool is_ofd = false;
	enum err e = read_main(job, &is_ofd);

	if (e != ERR_OK || !is_ofd)
		return e;
	e = ofd_load(job);
	if (e == ERR_OK)
		e = judge_items(job);
	if (e == ERR_OK && job->n_items == 0)
		no_signature(job->j);
	return e == ERR_OK ? ofd_coverage(job) : e;
}

enum err verify_ofd(struct arena *a, const struct verify_policy *p, const struct verify_input *in, struct report **out)
{
	struct judge j;
	struct ofd_job job = {.j = &j};
	struct deviations deviations = {0};
	struct ofd_fault fault = {0};
	enum err opened, e = judge_begin(&j, KIND_OFD, a, p, in);

	if (e != ERR_OK)
		return e;
	opened = ofd_package_open(a, in->bytes, &deviations, &job.p, &fault);
	if (opened == ERR_OK) {
		step_pass(&j, "package", arena_printf(a, "%zu", job.p->n));
		judge_deviations(&j, &deviations);
		e = judge_package(&job);
	} else {
		e = ofd_fault_step(&j, "package", opened, &fault);
	}
	ofd_package_close(job.p);
	return e == ERR_OK ? judge_end(&j, out) : e;
}
