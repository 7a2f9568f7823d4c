#include "form/ofd.h"

#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "form/ofd_xml.h"

static enum err refuse(struct ofd_fault *fault, const char *code, const char *detail)
{
	*fault = (struct ofd_fault){code, detail};
	return ERR_FORMAT;
}

/* What each parser does with an element that opens; *out grows by its own rules. */
struct parse {
	struct arena *a;
	struct ofd_xml x;
	struct ofd_fault *fault;
	size_t cap;
	bool seen_info, seen_references, seen_seal; /* Signature.xml */
	void *out;
	size_t n;
};

/* Text of an element that must be single. */
static enum err single(struct parse *p, char **to)
{
	if (*to != NULL)
		return refuse(p->fault, "XML_BAD", p->x.name);
	return ofd_xml_contents(&p->x, p->a, to, p->fault);
}

static enum err once(struct parse *p, bool *seen)
{
	if (*seen)
		return refuse(p->fault, "XML_BAD", p->x.name);
	*seen = true;
	return ERR_OK;
}

/* Room for one more of `size` octets in *list, which holds p->n. */
static enum err room(struct parse *p, void **list, size_t size, size_t max)
{
	size_t cap = p->cap != 0 ? 2 * p->cap : 8;
	void *more;

	if (p->n >= max)
		return refuse(p->fault, "TOO_LARGE", p->x.name);
	if (p->n < p->cap)
		return ERR_OK;
	more = arena_array(p->a, cap, size);
	if (more == NULL)
		return ERR_BUDGET;
	if (p->n != 0)
		memcpy(more, *list, p->n * size);
	*list = more;
	p->cap = cap;
	return ERR_OK;
}

static enum err run(struct parse *p, const char *name, struct span bytes, const char *root,
                    enum err (*opened)(struct parse *p))
{
	enum ofd_event event = OFD_OPEN;
	bool is_root = true;
	enum err e = ofd_xml_open(&p->x, name, bytes, p->fault);

	while (e == ERR_OK) {
		e = ofd_xml_next(&p->x, &event, p->fault);
		if (e != ERR_OK || event == OFD_END)
			break;
		if (event != OFD_OPEN)
			continue;
		if (is_root && !ofd_xml_at(&p->x, root))
			e = refuse(p->fault, "XML_BAD", name);
		else
			e = opened(p);
		is_root = false;
	}
	ofd_xml_close(&p->x);
	return e;
}

/* ---- OFD.xml ---- */

static enum err main_opened(struct parse *p)
{
	struct ofd_document *docs = p->out;
	void *list = docs;
	enum err e;

	if (ofd_xml_at(&p->x, "/OFD/DocBody")) {
		e = room(p, &list, sizeof(*docs), OFD_DOCUMENTS_MAX);
		if (e == ERR_OK) {
			p->out = list;
			p->n++;
		}
		return e;
	}
	if (ofd_xml_at(&p->x, "/OFD/DocBody/DocRoot"))
		return single(p, &docs[p->n - 1].root);
	if (ofd_xml_at(&p->x, "/OFD/DocBody/Signatures"))
		return single(p, &docs[p->n - 1].signatures);
	return ERR_OK;
}

enum err ofd_parse_main(struct arena *a, const char *name, struct span bytes, struct ofd_document **out, size_t *n,
                        struct ofd_fault *fault)
{
	struct parse p = {.a = a, .fault = fault};
	enum err e = run(&p, name, bytes, "/OFD", main_opened);

	if (e == ERR_OK) {
		*out = p.out;
		*n = p.n;
	}
	return e;
}

/* ---- Signatures.xml ---- */

static enum err list_opened(struct parse *p)
{
	struct ofd_listed *item;
	void *list = p->out;
	enum err e;

	if (!ofd_xml_at(&p->x, "/Signatures/Signature"))
		return ERR_OK;
	e = room(p, &list, sizeof(*item), OFD_SIGNATURES_MAX);
	if (e != ERR_OK)
		return e;
	p->out = list;
	item = (struct ofd_listed *)p->out + p->n;
	*item = (struct ofd_listed){0};
	e = ofd_xml_attribute(&p->x, p->a, "ID", &item->id);
	if (e == ERR_OK)
		e = ofd_xml_attribute(&p->x, p->a, "Type", &item->type);
	if (e == ERR_OK)
		e = ofd_xml_attribute(&p->x, p->a, "BaseLoc", &item->base_loc);
	if (e != ERR_OK)
		return e;
	if (item->id == NULL)
		item->id = arena_strdup(p->a, "");
	if (item->id == NULL)
		return ERR_BUDGET;
	p->n++;
	return text_is_clean(span_str(item->id), OFD_ID_MAX) ? ERR_OK : refuse(p->fault, "XML_BAD", p->x.name);
}

enum err ofd_parse_list(struct arena *a, const char *name, struct span bytes, struct ofd_listed **out, size_t *n,
                        struct ofd_fault *fault)
{
	struct parse p = {.a = a, .fault = fault};
	enum err e = run(&p, name, bytes, "/Signatures", list_opened);

	if (e == ERR_OK) {
		*out = p.out;
		*n = p.n;
	}
	return e;
}

/* ---- Signature.xml ---- */

#define INFO "/Signature/SignedInfo"
#define REFS INFO "/References"

/* White space within base64 is the XML writer's, not the value's. */
static enum err check_value(struct parse *p, struct ofd_reference *ref)
{
	char *text = NULL, *to;
	struct span value;
	enum err e = ofd_xml_contents(&p->x, p->a, &text, p->fault);

	if (e != ERR_OK)
		return e;
	to = text;
	for (const char *c = text; *c != '\0'; c++)
		if (strchr(" \t\r\n", *c) == NULL)
			*to++ = *c;
	*to = '\0';
	e = base64_decode(p->a, span_str(text), &value);
	if (e == ERR_BUDGET)
		return e;
	if (e == ERR_OK && value.len <= RUN_LEN_MAX && value.len != 0) {
		memcpy(ref->value, value.ptr, value.len);
		ref->len = value.len;
	}
	return ERR_OK;
}

static enum err reference_opened(struct parse *p, struct ofd_signature *sig)
{
	struct ofd_reference *ref;
	void *list = sig->references;
	enum err e;

	p->n = sig->n_references;
	e = room(p, &list, sizeof(*ref), OFD_ENTRIES_MAX);
	if (e != ERR_OK)
		return e;
	sig->references = list;
	ref = &sig->references[sig->n_references];
	*ref = (struct ofd_reference){0};
	e = ofd_xml_attribute(&p->x, p->a, "FileRef", &ref->file);
	if (e == ERR_OK && ref->file == NULL)
		return refuse(p->fault, "XML_BAD", p->x.name);
	sig->n_references++;
	return e;
}

static enum err references_opened(struct parse *p, struct ofd_signature *sig)
{
	enum err e = once(p, &p->seen_references);

	return e == ERR_OK ? ofd_xml_attribute(&p->x, p->a, "CheckMethod", &sig->check_method) : e;
}

static enum err signature_opened(struct parse *p)
{
	struct ofd_signature *sig = p->out;

	if (ofd_xml_at(&p->x, REFS "/Reference/CheckValue")) {
		struct ofd_reference *ref = &sig->references[sig->n_references - 1];
		return ref->len == 0 ? check_value(p, ref) : refuse(p->fault, "XML_BAD", p->x.name);
	}
	if (ofd_xml_at(&p->x, REFS "/Reference"))
		return reference_opened(p, sig);
	if (ofd_xml_at(&p->x, REFS))
		return references_opened(p, sig);
	if (ofd_xml_at(&p->x, INFO))
		return once(p, &p->seen_info);
	if (ofd_xml_at(&p->x, INFO "/SignatureMethod"))
		return single(p, &sig->method);
	if (ofd_xml_at(&p->x, INFO "/SignatureDateTime"))
		return single(p, &sig->time);
	if (ofd_xml_at(&p->x, INFO "/Seal"))
		return once(p, &p->seen_seal);
	if (ofd_xml_at(&p->x, INFO "/Seal/BaseLoc"))
		return single(p, &sig->seal_loc);
	if (ofd_xml_at(&p->x, "/Signature/SignedValue"))
		return single(p, &sig->value_loc);
	return ERR_OK;
}

enum err ofd_parse_signature(struct arena *a, const char *name, struct span bytes, struct ofd_signature *out,
                             struct ofd_fault *fault)
{
	struct ofd_signature sig = {0};
	struct parse p = {.a = a, .fault = fault, .out = &sig};
	enum err e = run(&p, name, bytes, "/Signature", signature_opened);

	if (e == ERR_OK && sig.check_method == NULL)
		sig.check_method = arena_strdup(a, "MD5");
	if (e == ERR_OK && sig.check_method == NULL)
		e = ERR_BUDGET;
	if (e == ERR_OK)
		*out = sig;
	return e;
}

/* ---- values ---- */

/* Digits in one piece, or parted by '-', ':', ' ' and 'T': what follows the 14th is the zone. */
static const char *take_digits(const char *text, char digits[15])
{
	size_t n = 0;

	while (n < 14 && *text != '\0') {
		if (*text >= '0' && *text <= '9')
			digits[n++] = *text;
		else if (strchr("-: T", *text) == NULL)
			return NULL;
		text++;
	}
	digits[n] = '\0';
	if (n != 14)
		return NULL;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	return text;
}

static int number(const char *digits, size_t n)
{
	int v = 0;

	while (n-- > 0)
		v = 10 * v + (*digits++ - '0');
	return v;
}

int64_t ofd_time(const char *text, int zone_minutes, struct deviations *list)
{
	char d[15];
	const char *zone;
	int64_t ms = 0;

	if (time_parse(span_str(text), &ms) == ERR_OK)
		return ms;
	zone = take_digits(text, d);
	if (zone == NULL || (zone[0] != '\0' && strcmp(zone, "Z") != 0))
		return 0;
	if (time_from_parts(number(d, 4), number(d + 4, 2), number(d + 6, 2), number(d + 8, 2), number(d + 10, 2),
	                    number(d + 12, 2), &ms) != ERR_OK)
		return 0;
	if (zone[0] == 'Z')
		return ms;
	if (deviation_add(list, "TIME_NO_ZONE", "SignatureDateTime") != ERR_OK)
		return 0;
	return ms - (int64_t)zone_minutes * 60 * 1000;
}

bool ofd_check_method(const char *text, enum run_alg *out, struct deviations *list)
{
	static const struct {
		const char *name;
		enum run_alg alg;
		bool deviates;
	} known[] = {
	    {"SM3", RUN_SM3, false},
	    {"1.2.156.10197.1.401", RUN_SM3, false},
	    {"1.2.156.10197.1.401.1", RUN_SM3, true},
	    {"1.2.156.10197.1.401.2", RUN_SM3, true},
	    {"SHA256", RUN_SHA256, false},
	    {"SHA-256", RUN_SHA256, false},
	    {"2.16.840.1.101.3.4.2.1", RUN_SHA256, false},
	    {"SHA1", RUN_SHA1, false},
	    {"SHA-1", RUN_SHA1, false},
	    {"1.3.14.3.2.26", RUN_SHA1, false},
	    {"MD5", RUN_MD5, false},
	    {"1.2.840.113549.2.5", RUN_MD5, false},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcasecmp(known[i].name, text) != 0)
			continue;
		if (known[i].deviates && deviation_add(list, "CHECK_METHOD_OID", "References") != ERR_OK)
			return false;
		*out = known[i].alg;
		return true;
	}
	return false;
}
