/* One signature of an OFD package: its references, its Seal.esl, and the signature itself over Signature.xml. */
#include <strings.h>

#include "form/signed_data.h"
#include "verify/ofd.h"

enum { FAULTS_SHOWN = 32 }; /* references that get a step of their own */

/* ---- references (GB/T 33190 clause 18, GM/T 0099) ---- */

struct tally {
	size_t wrong;
	bool accepted; /* the policy accepts the algorithm */
};

static void wrong_reference(struct ofd_job *job, struct tally *t, struct failure f, const char *detail)
{
	if (t->wrong++ < FAULTS_SHOWN)
		step_fail(job->j, "reference_digest", f, detail);
}

/* A list that was locked and has signatures behind this one was extended; any other change is just that. */
static void changed_reference(struct ofd_job *job, struct ofd_item *item, struct tally *t,
                              const struct ofd_entry *entry)
{
	const char *shown = ofd_shown(job->j, entry);

	if (item->sound)
		job->changed[entry - job->p->entries] = true;
	if (entry == item->list && !item->is_last)
		wrong_reference(job, t, FAILED(HASH_FAILURE, "LOCKED_LIST_EXTENDED"), shown);
	else
		wrong_reference(job, t, FAILED(HASH_FAILURE, "HASH_MISMATCH"), shown);
}

static enum err judge_reference(struct ofd_job *job, struct ofd_item *item, struct tally *t,
                                const struct ofd_reference *ref, struct ofd_entry *entry)
{
	struct ofd_fault fault = {0};
	enum err e;

	if (entry == NULL) {
		wrong_reference(job, t, FAILED(HASH_FAILURE, "REFERENCE_MISSING"), ref->file);
		return ERR_OK;
	}
	e = ofd_digest(job->p, entry, job->algs, &fault);
	if (e == ERR_FORMAT) {
		wrong_reference(job, t, FAILED(FORMAT_FAILURE, fault.code), ofd_shown(job->j, entry));
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	if (ref->len == run_len(item->alg) && memcmp(ref->value, entry->digests.value[item->alg], ref->len) == 0)
		item->protects[entry - job->p->entries] = item->sound && t->accepted;
	else
		changed_reference(job, item, t, entry);
	return ERR_OK;
}

static const char *alg_name(enum run_alg alg)
{
	static const char *const names[RUN_ALGS] = {"SM3", "SHA-256", "SHA-1", "MD5"};

	return (size_t)alg < RUN_ALGS ? names[alg] : "";
}

/* False when nothing can be compared. */
static bool judge_method(struct ofd_job *job, const struct ofd_item *item, struct tally *t)
{
	struct judge *j = job->j;

	if (!item->has_method) {
		step_fail(j, "check_method", UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "CHECK_METHOD_UNKNOWN"),
		          item->sig.check_method);
		step_skip(j, "reference_digest", "CANNOT_JUDGE");
		return false;
	}
	t->accepted = policy_algorithm(j->p, alg_name(item->alg), j->time != 0 ? j->time : j->at);
	if (t->accepted)
		step_pass(j, "check_method", alg_name(item->alg));
	else
		step_fail(j, "check_method", UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "CHECK_METHOD_REFUSED"), alg_name(item->alg));
	return true;
}

/* The entries that an item's references name, NULL for those that are not there; what is to be read of them is read
 * side by side. */
static enum err locate_references(struct ofd_job *job, struct ofd_item *item, struct ofd_entry ***out)
{
	size_t n = item->sig.n_references, found = 0;
	struct ofd_entry **entries = arena_array(job->j->a, n, sizeof(struct ofd_entry *));
	struct ofd_entry **ahead = arena_array(job->j->a, n, sizeof(struct ofd_entry *));

	if (entries == NULL || ahead == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < n; i++) {
		entries[i] = ofd_locate(job->p, item->file->name, item->sig.references[i].file, &item->deviations);
		if (entries[i] != NULL)
			ahead[found++] = entries[i];
	}
	*out = entries;
	/* With other algorithms, too, each is read once for all of them. */
	return job->algs == RUN_BIT(RUN_SM3) ? ofd_digest_ahead(job->p, ahead, found) : ERR_OK;
}

static enum err judge_references(struct ofd_job *job, struct ofd_item *item)
{
	struct ofd_entry **entries = NULL;
	struct tally t = {0};
	enum err e;

	if (item->sig.n_references == 0) {
		step_fail(job->j, "reference_digest", FAILED(SIG_CONSTRAINTS_FAILURE, "NO_REFERENCES"), NULL);
		return ERR_OK;
	}
	if (!judge_method(job, item, &t))
		return ERR_OK;
	e = locate_references(job, item, &entries);
	for (size_t i = 0; e == ERR_OK && i < item->sig.n_references; i++)
		e = judge_reference(job, item, &t, &item->sig.references[i], entries[i]);
	if (e != ERR_OK)
		return e;
	if (t.wrong > FAULTS_SHOWN)
		step_fail(job->j, "reference_digest", FAILED(HASH_FAILURE, "HASH_MISMATCH"),
		          arena_printf(job->j->a, "and %zu more", t.wrong - FAULTS_SHOWN));
	if (t.wrong == 0)
		step_pass(job->j, "reference_digest", arena_printf(job->j->a, "%zu", item->sig.n_references));
	return ERR_OK;
}

/* Whether later signatures may join the list without doing harm to this one. */
static void judge_lock(struct ofd_job *job, const struct ofd_item *item)
{
	bool locked = false;

	for (size_t i = 0; i < item->sig.n_references && !locked; i++)
		locked = ofd_locate(job->p, item->file->name, item->sig.references[i].file, NULL) == item->list;
	step_pass(job->j, "list_lock", locked ? "locked" : "open");
}

/* ---- Seal.esl ---- */

/* What is noted on reading here was noted when the signature was judged. */
static enum err read_embedded(struct judge *j, struct span value, struct ses_seal *out)
{
	struct deviations noted = {0};
	const struct ses_reading how = {&noted, policy_rules(j->p)->zone_minutes};
	struct ses_signature *sig = arena_alloc(j->a, sizeof(*sig));
	enum err e = sig != NULL ? ses_signature_read(j->a, value, &how, sig, NULL) : ERR_BUDGET;

	if (e == ERR_OK)
		*out = sig->seal;
	return e;
}

/* The same seal: byte for byte, but for bytes behind it; or in another encoding, of which one is BER. */
static enum err is_same_seal(struct ofd_job *job, struct ofd_item *item, const struct ses_seal *seal, struct span file,
                             bool *same)
{
	struct judge *j = job->j;
	struct deviations noted = {0};
	const struct ses_reading how = {&noted, policy_rules(j->p)->zone_minutes};
	struct ses_seal other = {0};
	const char *code = "SEAL_FILE_TRAILING";
	enum err e;

	*same = span_eq(file, seal->received);
	if (*same)
		return ERR_OK;
	if (seal->received.len == 0 || !span_eq(span_sub(file, 0, seal->received.len), seal->received)) {
		code = "SEAL_FILE_ENCODING";
		e = ses_seal_read(j->a, file, &how, &other, NULL);
		if (e != ERR_OK || !span_eq(other.raw, seal->raw))
			return e == ERR_BUDGET || e == ERR_NO_MEMORY ? e : ERR_OK;
	}
	*same = deviation_add(&item->deviations, code, "Seal.esl") == ERR_OK;
	return ERR_OK;
}

static enum err compare_seals(struct ofd_job *job, struct ofd_item *item, struct span value, struct span file)
{
	struct judge *j = job->j;
	struct ses_seal seal = {0};
	bool same = false;
	enum err e = read_embedded(j, value, &seal);

	if (e == ERR_BUDGET || e == ERR_NO_MEMORY)
		return e;
	if (e != ERR_OK) {
		step_skip(j, "seal_file", "CANNOT_JUDGE");
		return ERR_OK;
	}
	e = is_same_seal(job, item, &seal, file, &same);
	if (e == ERR_OK && same)
		step_pass(j, "seal_file", NULL);
	else if (e == ERR_OK)
		step_fail(j, "seal_file", FAILED(SIG_CONSTRAINTS_FAILURE, "SEAL_FILE_MISMATCH"), ofd_shown(j, item->seal));
	return e;
}

static enum err judge_seal_file(struct ofd_job *job, struct ofd_item *item, struct span value)
{
	struct judge *j = job->j;
	struct ofd_fault fault = {0};
	struct span file;
	enum err e;

	if (item->sig.seal_loc == NULL)
		return ERR_OK;
	if (item->seal == NULL) {
		step_fail(j, "seal_file", FAILED(FORMAT_FAILURE, "ENTRY_MISSING"), item->sig.seal_loc);
		return ERR_OK;
	}
	e = ofd_read(job->p, j->a, item->seal, SES_MAX, &file, &fault);
	return e == ERR_OK ? compare_seals(job, item, value, file) : ofd_fault_step(j, "seal_file", e, &fault);
}

/* ---- the signature ---- */

/* The steps behind `judged` are put before it: the references and the seal file come first in the standard's order, and
 * last here because they need to know how sound the signature is. */
static void put_first(struct signature_report *s, struct check *judged)
{
	struct check *mine = judged->next;

	if (mine == NULL)
		return;
	s->last->next = s->checks;
	s->checks = mine;
	judged->next = NULL;
	s->last = judged;
}

static bool is_sound_one(const struct signature_report *s)
{
	bool value = false;

	if (s->indication == TOTAL_FAILED && s->sub <= SUB_SIG_CONSTRAINTS_FAILURE)
		return false;
	for (const struct check *c = s->checks; c != NULL; c = c->next)
		value = value || (strcmp(c->step, "signature_value") == 0 && c->result == CHECK_PASS);
	return value;
}

/* The value of every signer was verified, and over this Signature.xml. */
static bool is_sound(const struct signature_report *s)
{
	bool sound = s != NULL;

	for (; s != NULL && sound; s = s->next)
		sound = is_sound_one(s);
	return sound;
}

static bool is_sign(const struct ofd_item *item)
{
	return item->listed->type != NULL && strcasecmp(item->listed->type, "Sign") == 0;
}

static bool is_known_type(const struct ofd_item *item)
{
	return item->listed->type == NULL || is_sign(item) || strcasecmp(item->listed->type, "Seal") == 0;
}

/* No more than a name for it. */
static enum err begin_report(struct ofd_job *job, struct ofd_item *item)
{
	job->j->s = report_signature(job->j->r, item->listed->id, is_sign(item) ? "Sign" : "Seal");
	return job->j->s != NULL ? ERR_OK : ERR_BUDGET;
}

/* propertyInfo of a signature in a package: the absolute location of its Signature.xml (GB/T 33190 clause 18). It is an
 * IA5String, so characters beyond ASCII have no agreed form there: such a name is not compared (NULL). */
static const char *scope_of(struct arena *a, const char *name)
{
	for (const char *c = name; *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x80)
			return NULL;
	}
	return arena_printf(a, "/%s", name);
}

static enum err judge_value_file(struct ofd_job *job, struct ofd_item *item, struct span value)
{
	struct judge *j = job->j;
	bool plain = signed_data_starts(value);

	if (!is_sign(item) && !plain)
		return judge_signature(j, value, item->bytes, scope_of(j->a, item->file->name));
	if (!is_sign(item) && deviation_add(&item->deviations, "SIGNATURE_TYPE_WRONG", "Signatures.xml") != ERR_OK)
		return ERR_BUDGET;
	if (item->sig.time != NULL)
		j->said_time = ofd_time(item->sig.time, policy_rules(j->p)->zone_minutes, &item->deviations);
	return judge_signed_data(j, value, item->bytes);
}

static enum err judge_readable(struct ofd_job *job, struct ofd_item *item, struct span value)
{
	struct judge *j = job->j;
	struct check *judged;
	enum err e = judge_value_file(job, item, value);

	if (e != ERR_OK)
		return e;
	for (struct signature_report *s = j->s; s != NULL; s = s->next)
		s->id = item->listed->id; /* a SignedData may have several signers */
	judged = j->s->last;
	item->sound = is_sound(j->s);
	e = judge_references(job, item);
	if (e == ERR_OK)
		e = judge_seal_file(job, item, value);
	if (e != ERR_OK || judged == NULL)
		return e;
	judge_lock(job, item);
	judge_deviations(j, &item->deviations);
	put_first(j->s, judged);
	return ERR_OK;
}

/* Signature.xml or SignedValue.dat is not to be had: nothing of it can be judged. */
static enum err judge_unreadable(struct ofd_job *job, struct ofd_item *item, const struct ofd_fault *fault)
{
	enum err e = begin_report(job, item);

	if (e == ERR_OK)
		step_fail(job->j, "signature_file", FAILED(FORMAT_FAILURE, fault->code), fault->detail);
	return e;
}

/* What was read before its turn counts as read now. */
static enum err read_value(struct ofd_job *job, const struct ofd_item *item, struct span *out, struct ofd_fault *fault)
{
	if (item->ahead.len == 0 || item->ahead.len > OFD_READ_MAX - job->p->held)
		return ofd_read(job->p, job->j->a, item->value, SES_MAX, out, fault);
	job->p->held += item->ahead.len;
	*out = item->ahead;
	return ERR_OK;
}

enum err ofd_judge_item(struct ofd_job *job, struct ofd_item *item)
{
	static const struct ofd_fault unknown_type = {"SIGNATURE_TYPE_UNKNOWN", NULL};
	struct judge *j = job->j;
	struct ofd_fault fault = item->fault;
	struct span value;
	enum err e = ERR_FORMAT;

	/* What one signature taught says nothing about the next. */
	j->s = NULL;
	j->time = j->said_time = 0;
	j->time_proven = j->unauthenticated = false;
	if (!is_known_type(item))
		fault = unknown_type;
	else if (item->is_read)
		e = read_value(job, item, &value, &fault);
	if (e == ERR_OK)
		e = judge_readable(job, item, value);
	else if (e == ERR_FORMAT)
		e = judge_unreadable(job, item, &fault);
	item->report = j->s;
	j->s = NULL;
	return e;
}
