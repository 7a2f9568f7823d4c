#include "form/licence.h"
#include "verify/report.h"

/* NULL stays NULL; what could not be copied is remembered in r->incomplete. */
static const char *copy_text(struct report *r, const char *s)
{
	const char *copy = arena_strdup(r->arena, s);

	if (s != NULL && copy == NULL)
		r->incomplete = true;
	return copy;
}

static struct check *copy_checks(struct report *r, const struct check *from, struct check **last)
{
	struct check *first = NULL, **at = &first;

	*last = NULL;
	for (; from != NULL; from = from->next) {
		struct check *c = arena_alloc(r->arena, sizeof(*c));

		if (c == NULL) {
			r->incomplete = true;
			break;
		}
		*c = *from;
		c->next = NULL;
		c->detail = copy_text(r, from->detail);
		*at = *last = c;
		at = &c->next;
	}
	return first;
}

static void own_cert(struct report *r, struct cert_facts *f)
{
	f->subject = copy_text(r, f->subject);
	f->issuer = copy_text(r, f->issuer);
	f->serial = copy_text(r, f->serial);
}

static void own_seal(struct report *r, struct seal_facts *f)
{
	f->id = copy_text(r, f->id);
	f->name = copy_text(r, f->name);
	f->maker = copy_text(r, f->maker);
}

static void copy_signatures(struct report *r, const struct signature_report *from)
{
	struct signature_report **at = &r->signatures;

	r->signatures = r->last_signature = NULL;
	for (; from != NULL; from = from->next) {
		struct signature_report *s = arena_alloc(r->arena, sizeof(*s));

		if (s == NULL) {
			r->incomplete = true;
			return;
		}
		*s = *from;
		s->next = NULL;
		s->id = copy_text(r, from->id);
		own_cert(r, &s->signer);
		own_seal(r, &s->seal);
		s->checks = copy_checks(r, from->checks, &s->last);
		*at = r->last_signature = s;
		at = &s->next;
	}
}

struct report *report_copy(struct arena *a, const struct report *from)
{
	struct report *r = report_new(a, from->kind);

	if (r == NULL)
		return NULL;
	*r = *from;
	r->arena = a;
	r->coverage = NULL;
	r->receipt = NULL;
	r->verdict = NULL;
	own_seal(r, &r->seal);
	own_cert(r, &r->maker);
	r->checks = copy_checks(r, from->checks, &r->last);
	copy_signatures(r, from->signatures);
	if (from->licence != NULL) {
		struct licence_record *rec = licence_record_copy(a, from->licence);

		r->licence = rec;
		r->incomplete = r->incomplete || rec == NULL;
	}
	return r->incomplete ? NULL : r;
}
