/* The XML of a new signature. Signature.xml is written as text: it is signed byte for byte. The files that are there
 * already are changed in their tree, after the reader of strangers' XML (form/ofd_xml.h) has found them tame. */
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "form/ofd_sign_parts.h"
#include "form/ses.h"

#define NAMESPACE   "http://www.ofdspec.org/2016"
#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NEW_LIST    DECLARATION "<ofd:Signatures xmlns:ofd=\"" NAMESPACE "\"/>"

enum { NUMBER_MAX = 99999999, DIGITS_MAX = 8 };

void ofd_sign_id(unsigned number, char out[OFD_SIGN_ID])
{
	snprintf(out, OFD_SIGN_ID, "s%03u", number);
}

/* ---- Signature.xml ---- */

static void put_escaped(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '&')
			buf_str(b, "&amp;");
		else if (*s == '<')
			buf_str(b, "&lt;");
		else if (*s == '>')
			buf_str(b, "&gt;");
		else if (*s == '"')
			buf_str(b, "&quot;");
		else
			buf_byte(b, (uint8_t)*s);
	}
}

/* Micrometres as millimetres: "128.5". No floating point, whose digits would depend on the locale. */
static void put_length(struct buf *b, int64_t v)
{
	int64_t size = v < 0 ? -v : v, part = size % 1000;

	buf_printf(b, "%s%lld", v < 0 ? "-" : "", (long long)(size / 1000));
	if (part == 0)
		return;
	buf_byte(b, '.');
	for (int64_t unit = 100; part != 0; part %= unit, unit /= 10)
		buf_byte(b, (uint8_t)('0' + part / unit));
}

static void put_box(struct buf *b, const char *name, const int64_t v[4])
{
	buf_printf(b, " %s=\"", name);
	for (size_t i = 0; i < 4; i++) {
		if (i > 0)
			buf_byte(b, ' ');
		put_length(b, v[i]);
	}
	buf_byte(b, '"');
}

static void put_stamp(struct buf *b, unsigned number, const struct placed *s)
{
	const int64_t boundary[4] = {s->x, s->y, s->width, s->height};
	const int64_t clip[4] = {s->clip_x, 0, s->clip_width, s->height};
	char id[OFD_SIGN_ID];

	ofd_sign_id(number, id);
	buf_printf(b, "<ofd:StampAnnot ID=\"%s\" PageRef=\"", id);
	put_escaped(b, s->page_ref);
	buf_byte(b, '"');
	put_box(b, "Boundary", boundary);
	if (s->clipped)
		put_box(b, "Clip", clip);
	buf_str(b, "/>");
}

static void put_reference(struct buf *b, const struct signed_file *f)
{
	char *value = base64_text(b->arena, span_of(f->digest, SM3_LEN));

	buf_str(b, "<ofd:Reference FileRef=\"/");
	put_escaped(b, f->name);
	buf_str(b, "\"><ofd:CheckValue>");
	b->failed = b->failed || value == NULL;
	if (value != NULL)
		buf_str(b, value);
	buf_str(b, "</ofd:CheckValue></ofd:Reference>");
}

enum err ofd_signature_write(struct arena *a, const struct signature_text *t, struct span *out)
{
	char when[TIME_TEXT];
	struct buf b;

	buf_init(&b, a);
	buf_str(&b, DECLARATION "<ofd:Signature xmlns:ofd=\"" NAMESPACE "\"><ofd:SignedInfo>");
	buf_str(&b, "<ofd:Provider ProviderName=\"Yinzheng\" Version=\"" YZ_VERSION "\"/>");
	buf_str(&b, "<ofd:SignatureMethod>" OID_SM2_SM3 "</ofd:SignatureMethod>");
	buf_printf(&b, "<ofd:SignatureDateTime>%s</ofd:SignatureDateTime>", time_format(t->time, when));
	buf_str(&b, "<ofd:References CheckMethod=\"" OID_SM3 "\">");
	for (size_t i = 0; i < t->n_files; i++)
		put_reference(&b, &t->files[i]);
	buf_str(&b, "</ofd:References>");
	for (size_t i = 0; i < t->n_stamps; i++)
		put_stamp(&b, t->first_id + 1 + (unsigned)i, &t->stamps[i]);
	buf_str(&b, "<ofd:Seal><ofd:BaseLoc>/");
	put_escaped(&b, t->seal_name);
	buf_str(&b, "</ofd:BaseLoc></ofd:Seal></ofd:SignedInfo><ofd:SignedValue>/");
	put_escaped(&b, t->value_name);
	buf_str(&b, "</ofd:SignedValue></ofd:Signature>");
	return buf_done(&b, out);
}

/* ---- files that are there ---- */

static bool is_named(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

static enum err tree_read(struct span bytes, xmlDoc **doc, xmlNode **root)
{
	*doc = xmlReadMemory((const char *)bytes.ptr, (int)bytes.len, NULL, NULL,
	                     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	*root = *doc != NULL ? xmlDocGetRootElement(*doc) : NULL;
	return *root != NULL ? ERR_OK : ERR_FORMAT;
}

static enum err tree_write(struct arena *a, xmlDoc *doc, struct span *out)
{
	xmlChar *text = NULL;
	struct span copy;
	int n = 0;

	xmlDocDumpMemoryEnc(doc, &text, &n, "UTF-8");
	if (text == NULL || n <= 0)
		return ERR_NO_MEMORY;
	copy = arena_dup(a, span_of(text, (size_t)n));
	xmlFree(text);
	if (copy.ptr == NULL)
		return ERR_BUDGET;
	*out = copy;
	return ERR_OK;
}

/* An element under `parent`, in its namespace, with this text. */
static enum err add_text(xmlNode *parent, const char *name, const char *text, bool first)
{
	xmlNode *n = xmlNewDocNode(parent->doc, parent->ns, (const xmlChar *)name, NULL);

	if (n == NULL)
		return ERR_NO_MEMORY;
	xmlNodeAddContent(n, (const xmlChar *)text);
	if (first && parent->children != NULL)
		xmlAddPrevSibling(parent->children, n);
	else
		xmlAddChild(parent, n);
	return ERR_OK;
}

/* The number at the end of an identifier: "s006", "6", "Sign-6". */
static enum err raise_max(const xmlChar *id, unsigned *max)
{
	size_t n = strlen((const char *)id), digits = 0;
	unsigned v;

	while (digits < n && id[n - digits - 1] >= '0' && id[n - digits - 1] <= '9')
		digits++;
	if (digits > DIGITS_MAX)
		return ERR_FORMAT;
	v = (unsigned)strtoul((const char *)id + n - digits, NULL, 10);
	*max = v > *max ? v : *max;
	return ERR_OK;
}

/* Over all identifiers that the list knows of. */
static enum err find_max(const xmlNode *root, unsigned *max)
{
	enum err e = ERR_OK;

	for (xmlNode *n = root->children; e == ERR_OK && n != NULL; n = n->next) {
		xmlChar *text = NULL;
		if (is_named(n, "MaxSignId"))
			text = xmlNodeGetContent(n);
		else if (is_named(n, "Signature"))
			text = xmlGetProp(n, (const xmlChar *)"ID");
		if (text != NULL)
			e = raise_max(text, max);
		xmlFree(text);
	}
	return e;
}

static enum err set_max(xmlNode *root, unsigned number)
{
	char id[OFD_SIGN_ID];
	bool found = false;

	ofd_sign_id(number, id);
	for (xmlNode *n = root->children; n != NULL; n = n->next) {
		if (!is_named(n, "MaxSignId"))
			continue;
		xmlNodeSetContent(n, (const xmlChar *)id);
		found = true;
	}
	return found ? ERR_OK : add_text(root, "MaxSignId", id, true);
}

static enum err add_signature(xmlNode *root, unsigned number, const char *location)
{
	xmlNode *n = xmlNewChild(root, root->ns, (const xmlChar *)"Signature", NULL);
	char id[OFD_SIGN_ID];

	ofd_sign_id(number, id);
	if (n == NULL || xmlNewProp(n, (const xmlChar *)"ID", (const xmlChar *)id) == NULL ||
	    xmlNewProp(n, (const xmlChar *)"Type", (const xmlChar *)"Seal") == NULL ||
	    xmlNewProp(n, (const xmlChar *)"BaseLoc", (const xmlChar *)location) == NULL)
		return ERR_NO_MEMORY;
	return ERR_OK;
}

enum err ofd_list_extend(struct arena *a, struct span old, const char *location, unsigned ids, unsigned *first,
                         struct span *out)
{
	xmlDoc *doc = NULL;
	xmlNode *root = NULL;
	unsigned max = 0;
	struct span text;
	enum err e = tree_read(old.len != 0 ? old : span_str(NEW_LIST), &doc, &root);

	if (e == ERR_OK)
		e = find_max(root, &max);
	if (e == ERR_OK && max > NUMBER_MAX - ids)
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = set_max(root, max + ids);
	if (e == ERR_OK)
		e = add_signature(root, max + 1, location);
	if (e == ERR_OK)
		e = tree_write(a, doc, &text);
	xmlFreeDoc(doc);
	if (e == ERR_OK) {
		*first = max + 1;
		*out = text;
	}
	return e;
}

enum err ofd_main_add_list(struct arena *a, struct span old, size_t index, const char *location, struct span *out)
{
	xmlDoc *doc = NULL;
	xmlNode *root = NULL, *body;
	enum err e = tree_read(old, &doc, &root);

	body = e == ERR_OK ? root->children : NULL;
	while (body != NULL && (!is_named(body, "DocBody") || index-- > 0))
		body = body->next;
	if (e == ERR_OK && body == NULL)
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = add_text(body, "Signatures", location, false);
	if (e == ERR_OK)
		e = tree_write(a, doc, out);
	xmlFreeDoc(doc);
	return e;
}
