/* Which signatures a package has: the lists of its documents, and what each Signature.xml says. */
#include "verify/ofd.h"

static struct ofd_fault missing(struct ofd_job *job, const char *loc)
{
	const char *detail = arena_strdup(job->j->a, loc);

	if (detail == NULL)
		job->j->r->incomplete = true;
	return (struct ofd_fault){"ENTRY_MISSING", detail};
}

static struct ofd_entry *locate(struct ofd_job *job, struct ofd_item *item, const char *loc)
{
	struct ofd_entry *e = ofd_locate(job->p, item->file->name, loc, &item->deviations);

	if (e != NULL)
		job->own[e - job->p->entries] = true;
	return e;
}

/* ERR_FORMAT with item->fault. */
static enum err read_signature(struct ofd_job *job, struct ofd_item *item)
{
	struct judge *j = job->j;
	enum err e;

	if (item->listed->base_loc == NULL)
		return item->fault = (struct ofd_fault){"XML_BAD", item->list->name}, ERR_FORMAT;
	item->file = ofd_locate(job->p, item->list->name, item->listed->base_loc, &item->deviations);
	if (item->file == NULL)
		return item->fault = missing(job, item->listed->base_loc), ERR_FORMAT;
	job->own[item->file - job->p->entries] = true;
	e = ofd_read(job->p, j->a, item->file, OFD_XML_MAX, &item->bytes, &item->fault);
	if (e == ERR_OK)
		e = ofd_parse_signature(j->a, item->file->name, item->bytes, &item->sig, &item->fault);
	if (e != ERR_OK)
		return e;
	if (item->sig.value_loc == NULL)
		return item->fault = (struct ofd_fault){"XML_BAD", item->file->name}, ERR_FORMAT;
	item->value = locate(job, item, item->sig.value_loc);
	if (item->value == NULL)
		return item->fault = missing(job, item->sig.value_loc), ERR_FORMAT;
	if (item->sig.seal_loc != NULL)
		item->seal = locate(job, item, item->sig.seal_loc);
	return ERR_OK;
}

static enum err load_item(struct ofd_job *job, struct ofd_item *item)
{
	enum err e = read_signature(job, item);

	if (e != ERR_OK)
		return e == ERR_FORMAT ? ERR_OK : e;
	item->is_read = true;
	item->has_method = ofd_check_method(item->sig.check_method, &item->alg, &item->deviations);
	if (item->has_method)
		job->algs |= RUN_BIT(item->alg);
	item->protects = arena_array(job->j->a, job->p->n, sizeof(*item->protects));
	return item->protects != NULL ? ERR_OK : ERR_BUDGET;
}

static bool is_loaded(const struct ofd_job *job, const struct ofd_entry *list)
{
	for (size_t i = 0; i < job->n_items; i++)
		if (job->items[i].list == list)
			return true;
	return false;
}

static enum err add_items(struct ofd_job *job, const struct ofd_entry *list, const struct ofd_listed *listed, size_t n)
{
	if (n > OFD_SIGNATURES_MAX - job->n_items) {
		step_fail(job->j, "signature_list", FAILED(FORMAT_FAILURE, "TOO_LARGE"), ofd_shown(job->j, list));
		return ERR_OK;
	}
	for (size_t i = 0; i < n; i++)
		job->items[job->n_items++] = (struct ofd_item){.listed = &listed[i], .list = list, .is_last = i + 1 == n};
	return ERR_OK;
}

static enum err load_list(struct ofd_job *job, const struct ofd_document *doc)
{
	struct judge *j = job->j;
	struct deviations deviations = {0};
	struct ofd_entry *list = ofd_locate(job->p, OFD_MAIN, doc->signatures, &deviations);
	struct ofd_fault fault = {0};
	struct ofd_listed *listed = NULL;
	struct span bytes;
	size_t n = 0;
	enum err e;

	if (list == NULL) {
		step_fail(j, "signature_list", FAILED(FORMAT_FAILURE, "ENTRY_MISSING"), doc->signatures);
		return ERR_OK;
	}
	if (is_loaded(job, list))
		return ERR_OK;
	job->own[list - job->p->entries] = true;
	e = ofd_read(job->p, j->a, list, OFD_XML_MAX, &bytes, &fault);
	if (e == ERR_OK)
		e = ofd_parse_list(j->a, list->name, bytes, &listed, &n, &fault);
	if (e != ERR_OK)
		return ofd_fault_step(j, "signature_list", e, &fault);
	judge_deviations(j, &deviations);
	return add_items(job, list, listed, n);
}

static enum err take_flags(struct ofd_job *job)
{
	struct arena *a = job->j->a;

	job->items = arena_array(a, OFD_SIGNATURES_MAX, sizeof(*job->items));
	job->own = arena_array(a, job->p->n, sizeof(*job->own));
	job->changed = arena_array(a, job->p->n, sizeof(*job->changed));
	return job->items != NULL && job->own != NULL && job->changed != NULL ? ERR_OK : ERR_BUDGET;
}

enum err ofd_load(struct ofd_job *job)
{
	size_t references = 0;
	enum err e = take_flags(job);

	for (size_t i = 0; e == ERR_OK && i < job->n_docs; i++)
		if (job->docs[i].signatures != NULL)
			e = load_list(job, &job->docs[i]);
	for (size_t i = 0; e == ERR_OK && i < job->n_items; i++) {
		struct ofd_item *item = &job->items[i];
		if (references <= OFD_REFERENCES_MAX)
			e = load_item(job, item);
		else
			item->fault = (struct ofd_fault){"TOO_LARGE", NULL};
		references += item->sig.n_references;
	}
	return e;
}
