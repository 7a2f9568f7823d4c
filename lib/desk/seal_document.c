/* Sealing an OFD file: the stamps' places, the signature over Signature.xml, and the whole verified before it leaves.
 * What the store keeps for replay is the signature alone: with it the package is made again from the request. */
#include "base/text.h"
#include "desk/internal.h"
#include "form/ofd_sign.h"

enum { SCRATCH = 192 * 1024 * 1024, SEAL_ID_MAX = 64, UM_PER_MM = 1000 };

struct document_work {
	struct seal_row row;
	struct document_answer ans;
};

/* ---- the request ---------------------------------------------------------------------------- */

static enum err check(struct desk_call *call, const struct document_request *q)
{
	enum err e = need_text(call, q->purpose, DESK_PURPOSE_MAX, ERR_PURPOSE_MISSING, "purpose");

	if (e == ERR_OK)
		e = need_text(call, q->seal_id, SEAL_ID_MAX, ERR_FIELD_MISSING, "seal_id");
	if (e != ERR_OK)
		return e;
	if (q->document.len == 0)
		return err_note_set(&call->note, ERR_FIELD_MISSING, "document", NULL);
	if (q->document.len > DESK_DOCUMENT_MAX)
		return err_note_set(&call->note, ERR_TOO_LARGE, "document", "A document may have %d MiB.",
		                    DESK_DOCUMENT_MAX / (1024 * 1024));
	return ERR_OK;
}

static enum err seal_row_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	const struct document_request *q = call->req;
	struct document_work *w = call->work;
	enum err e = store_seal_get(tx, call->arena, q->seal_id, &w->row);

	return e == ERR_NOT_FOUND ? err_note_set(&call->note, ERR_SEAL_UNKNOWN, "seal_id", NULL) : e;
}

/* The size of the stamps is the seal's. */
static enum err sign_request(struct arena *a, const struct document_request *q, struct span seal, int64_t time,
                             struct ofd_sign_request *out, struct err_note *note)
{
	struct ses_seal s;
	enum err e = ses_seal_parse(a, seal, &s, note);

	if (e != ERR_OK)
		return e;
	if (s.picture_width <= 0 || s.picture_width > 1000 || s.picture_height <= 0 || s.picture_height > 1000)
		return err_note_set(note, ERR_SEAL_INVALID, NULL, "The seal's picture has no size that could be stamped.");
	*out = (struct ofd_sign_request){.package = q->document,
	                                 .document = q->index,
	                                 .n_stamps = q->n_stamps,
	                                 .stamps = q->stamps,
	                                 .riding = q->riding,
	                                 .lock = q->lock,
	                                 .seal = seal,
	                                 .seal_width = s.picture_width * UM_PER_MM,
	                                 .seal_height = s.picture_height * UM_PER_MM,
	                                 .time = time};
	return ERR_OK;
}

/* ---- verdicts ------------------------------------------------------------------------------- */

/* Not what its signer signed, whatever became of certificates and seals since. */
static bool is_broken(enum indication i, enum sub_indication sub)
{
	return i == TOTAL_FAILED && sub <= SUB_SIG_CONSTRAINTS_FAILURE;
}

/* By the policy that takes others' habits as they are; our own signature was judged by the strict one when it was made.
 */
static enum err judge(struct desk_call *call, struct arena *a, struct span package, struct report **out)
{
	struct verify_input in = {.bytes = package, .now = desk_now(call)};

	return verify_ofd(a, desk_policy(call->desk, "default"), &in, out);
}

/* Nobody adds a seal to a document that was changed after it was signed: the new one would lend it credit. */
static enum err check_earlier(struct desk_call *call, struct arena *a, struct span package)
{
	struct report *r = NULL;
	const struct check *why;
	enum err e = judge(call, a, package, &r);

	if (e != ERR_OK || !is_broken(r->indication, r->sub))
		return e;
	why = report_reason(r);
	if (r->signatures == NULL) /* a package that nobody can read */
		return err_note_set(&call->note, ERR_DOCUMENT_INVALID, "document", "%.40s: %.120s", why->code,
		                    why->detail != NULL ? why->detail : "");
	if (strcmp(why->code, "LOCKED_LIST_EXTENDED") == 0)
		return err_note_set(&call->note, ERR_DOCUMENT_LOCKED, "document",
		                    "%s: a list that was locked has been extended already.", why->code);
	return err_note_set(&call->note, ERR_DOCUMENT_ALTERED, "document",
	                    "%.40s: an earlier signature does not verify. It is not sealed.", why->code);
}

/* Ours passes; the earlier ones are as they were. */
static enum err check_result(struct desk_call *call, struct arena *a, const char *id, struct span package)
{
	const struct signature_report *s, *mine = NULL;
	struct report *r = NULL;
	char *text;
	enum err e = judge(call, a, package, &r);

	if (e != ERR_OK)
		return e;
	for (s = r->signatures; s != NULL; s = s->next) {
		if (is_broken(s->indication, s->sub))
			return err_note_set(&call->note, ERR_INTERNAL, NULL, "The sealed document does not verify.");
		if (s->id != NULL && strcmp(s->id, id) == 0)
			mine = s;
	}
	if (mine != NULL && mine->indication == TOTAL_PASSED)
		return ERR_OK;
	text = desk_verdict_text(call->arena, r);
	return err_note_set(&call->note, ERR_SEAL_INVALID, NULL, "The signature does not verify: %s.",
	                    text != NULL ? text : "");
}

/* ---- signing -------------------------------------------------------------------------------- */

/* propertyInfo is an IA5String: other characters of the location are percent-encoded, as in a URI. */
static char *scope_of(struct arena *a, const char *location)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = arena_alloc(a, 3 * strlen(location) + 1), *to = out;

	for (; out != NULL && *location != '\0'; location++) {
		unsigned char c = (unsigned char)*location;
		if (c > ' ' && c < 0x7f && c != '%') {
			*to++ = (char)c;
			continue;
		}
		*to++ = '%';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return out;
}

static enum err sign_plan(struct desk_call *call, struct arena *a, struct document_work *w,
                          const struct ofd_signing *plan)
{
	struct seal_use use = {.row = &w->row, .data = plan->xml, .time = plan->time};
	enum err e = sm3(plan->xml, use.digest);

	use.scope = scope_of(a, plan->location);
	if (e == ERR_OK && use.scope == NULL)
		e = ERR_BUDGET;
	if (e == ERR_OK)
		e = desk_seal_sign(call, &use, &w->ans.signature);
	if (e != ERR_OK)
		return e;
	w->ans.id = arena_strdup(call->arena, plan->id);
	w->ans.location = arena_strdup(call->arena, plan->location);
	return w->ans.id != NULL && w->ans.location != NULL ? ERR_OK : ERR_BUDGET;
}

static enum err make(struct desk_call *call, struct arena *a, struct document_work *w)
{
	const struct document_request *q = call->req;
	struct ofd_sign_request r;
	struct ofd_signing plan;
	struct span package;
	enum err e = sign_request(a, q, w->row.der, desk_now(call), &r, &call->note);

	if (e == ERR_OK)
		e = ofd_sign_prepare(a, &r, &plan, &call->note);
	if (e == ERR_OK)
		e = check_earlier(call, a, q->document);
	if (e == ERR_OK)
		e = sign_plan(call, a, w, &plan);
	if (e == ERR_OK)
		e = ofd_sign_finish(a, &plan, w->ans.signature, &package);
	if (e == ERR_OK && package.len > DESK_DOCUMENT_MAX)
		return err_note_set(&call->note, ERR_TOO_LARGE, "document", "The sealed document would have more than %d MiB.",
		                    DESK_DOCUMENT_MAX / (1024 * 1024));
	if (e == ERR_OK)
		e = check_result(call, a, w->ans.id, package);
	return e == ERR_OK ? sm3(package, w->ans.digest) : e;
}

static enum err prepare(struct desk_call *call)
{
	const struct document_request *q = call->req;
	struct document_work *w = arena_alloc(call->arena, sizeof(*w));
	struct arena *a;
	enum err e;

	if (w == NULL)
		return ERR_BUDGET;
	call->work = w;
	e = check(call, q);
	if (e == ERR_OK)
		e = desk_read(call, seal_row_read);
	if (e != ERR_OK)
		return e;
	if (strcmp(w->row.owner_code, call->caller.org_code) != 0)
		return ERR_SEAL_NOT_OWN;
	e = desk_seal_usable(call, &w->row); /* before all the work on the document */
	if (e != ERR_OK)
		return e;
	a = arena_new(SCRATCH);
	e = a != NULL ? make(call, a, w) : ERR_NO_MEMORY;
	arena_free(a);
	return e;
}

static enum err commit(struct desk_call *call, struct store_tx *tx)
{
	const struct document_request *q = call->req;
	const struct document_work *w = call->work;
	uint8_t before[SM3_LEN];
	enum err e = sm3(q->document, before);
	const struct desk_fact facts[] = {
	    {"seal", w->row.id, false},
	    {"document", hex_text(call->arena, span_of(before, SM3_LEN)), false},
	    {"sealed", hex_text(call->arena, span_of(w->ans.digest, SM3_LEN)), false},
	    {"signature", w->ans.id, false},
	    {"location", w->ans.location, true}, /* an entry's name, which may have a person's in it */
	    {"riding", q->riding.side != OFD_SIDE_NONE ? "yes" : NULL, false},
	    {"locked", q->lock ? "yes" : NULL, false},
	    {"purpose", q->purpose, false},
	};

	if (e == ERR_OK)
		e = store_seal_same(tx, w->row.id, w->row.version);
	if (e == ERR_OK)
		e = desk_audit(call, tx, "ok", facts, sizeof(facts) / sizeof(facts[0]));
	if (e == ERR_OK)
		*(struct document_answer *)call->ans = w->ans;
	return e;
}

const struct use_case use_seal_document = {.action = "seal.sign_document",
                                           .roles = ROLE_ISSUER,
                                           .flags = USE_REQUEST_ID | USE_OPERATOR | USE_COMMIT,
                                           .prepare = prepare,
                                           .commit = commit};

/* ---- the package ---------------------------------------------------------------------------- */

static enum err rebuild(struct desk_call *call, struct arena *a, struct span signature, struct span *out)
{
	struct ses_signature sig;
	struct ofd_sign_request r;
	struct ofd_signing plan;
	uint8_t digest[SM3_LEN];
	enum err e = ses_signature_parse(a, signature, &sig, &call->note);

	if (e == ERR_OK)
		e = sign_request(a, call->req, sig.seal.raw, sig.time, &r, &call->note);
	if (e == ERR_OK)
		e = ofd_sign_prepare(a, &r, &plan, &call->note);
	if (e == ERR_OK)
		e = sm3(plan.xml, digest);
	if (e != ERR_OK)
		return e;
	/* A newer program may write Signature.xml otherwise: an answer kept by the old one cannot be given again. */
	if (!span_eq(sig.data_hash, span_of(digest, SM3_LEN)))
		return err_note_set(&call->note, ERR_STORE_CHANGED, "request_id",
		                    "This answer cannot be given again. Ask with a new request_id.");
	return ofd_sign_finish(call->arena, &plan, signature, out);
}

enum err desk_signed_document(struct desk_call *call, struct span signature, struct span *out)
{
	struct arena *a = arena_new(SCRATCH);
	enum err e = a != NULL ? rebuild(call, a, signature, out) : ERR_NO_MEMORY;

	arena_free(a);
	return e;
}
