#include "form/ofd_xml.h"

#include <libxml/xmlreader.h>
#include <strings.h>

#include "base/buf.h"

static enum err refuse(struct ofd_fault *fault, const char *code, const char *detail)
{
	*fault = (struct ofd_fault){code, detail};
	return ERR_FORMAT;
}

/* ---- before libxml2 ---- */

static bool begins(struct span s, size_t at, const char *what)
{
	size_t n = strlen(what);

	return s.len - at >= n && memcmp(s.ptr + at, what, n) == 0;
}

/* Behind the next `end`; the end of the bytes when there is none, which libxml2 will complain about. */
static size_t behind(struct span s, size_t at, const char *end)
{
	const uint8_t *hit = memmem(s.ptr + at, s.len - at, end, strlen(end));

	return hit != NULL ? (size_t)(hit - s.ptr) + strlen(end) : s.len;
}

struct tag {
	size_t end; /* behind '>' */
	size_t attributes;
	bool closes_itself;
};

static struct tag read_tag(struct span s, size_t at)
{
	struct tag t = {.end = s.len};
	uint8_t quote = 0;

	for (size_t i = at; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (quote != 0) {
			quote = c == quote ? 0 : quote;
		} else if (c == '"' || c == '\'') {
			quote = c;
			t.attributes++;
		} else if (c == '>') {
			t.end = i + 1;
			t.closes_itself = s.ptr[i - 1] == '/';
			return t;
		}
	}
	return t;
}

/* One piece of markup at `at`, where '<' stands. */
static const char *check_markup(struct span s, size_t *at, size_t *depth)
{
	struct tag t;

	if (begins(s, *at, "<!--"))
		*at = behind(s, *at + 4, "-->");
	else if (begins(s, *at, "<![CDATA["))
		*at = behind(s, *at + 9, "]]>");
	else if (begins(s, *at, "<?"))
		*at = behind(s, *at + 2, "?>");
	else if (begins(s, *at, "<!"))
		return "XML_DTD";
	else {
		t = read_tag(s, *at);
		if (t.attributes > OFD_XML_ATTRIBUTES)
			return "TOO_LARGE";
		if (begins(s, *at, "</"))
			*depth -= *depth > 0;
		else if (!t.closes_itself && ++*depth > OFD_XML_DEPTH)
			return "TOO_LARGE";
		*at = t.end;
	}
	return NULL;
}

static bool has_long_run(struct span s, int mark)
{
	size_t at = 0;

	while (s.len - at > OFD_XML_RUN) {
		const uint8_t *next = memchr(s.ptr + at, mark, OFD_XML_RUN);
		if (next == NULL)
			return true;
		at = (size_t)(next - s.ptr) + 1;
	}
	return false;
}

/* NULL when it is tame, else a code. */
static const char *check_tame(struct span s)
{
	size_t at = 0, depth = 0, tags = 0;
	const char *code = s.len == 0 || memchr(s.ptr, 0, s.len) != NULL ? "XML_BAD" : NULL;

	if (code == NULL && (has_long_run(s, '<') || has_long_run(s, '>')))
		code = "TOO_LARGE";
	while (code == NULL && at < s.len) {
		const uint8_t *next = memchr(s.ptr + at, '<', s.len - at);
		if (next == NULL)
			break;
		if (++tags > OFD_XML_TAGS)
			return "TOO_LARGE";
		at = (size_t)(next - s.ptr);
		code = check_markup(s, &at, &depth);
	}
	return code;
}

/* What the declaration says; "UTF-8" when it says nothing; NULL for an encoding whose '<' might be something else. */
static const char *encoding_of(struct span s)
{
	static const char *const known[] = {"UTF-8", "UTF8", "US-ASCII", "GBK", "GB2312", "GB18030"};
	struct span head = span_sub(s, 0, 200);
	const uint8_t *hit;
	size_t at;

	if (begins(s, 0, "\xef\xbb\xbf"))
		return "UTF-8";
	if (!begins(s, 0, "<?xml"))
		return "UTF-8";
	head.len = behind(head, 0, "?>");
	hit = memmem(head.ptr, head.len, "encoding", 8);
	if (hit == NULL)
		return "UTF-8";
	at = (size_t)(hit - head.ptr) + 8;
	while (at < head.len && (strchr(" \t\r\n=\"'", head.ptr[at]) != NULL))
		at++;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t n = strlen(known[i]);
		if (head.len - at > n && strncasecmp((const char *)head.ptr + at, known[i], n) == 0 &&
		    (head.ptr[at + n] == '"' || head.ptr[at + n] == '\''))
			return i < 2 ? "UTF-8" : known[i];
	}
	return NULL;
}

/* ---- the reader ---- */

enum err ofd_xml_open(struct ofd_xml *x, const char *name, struct span bytes, struct ofd_fault *fault)
{
	const char *encoding = encoding_of(bytes), *code = check_tame(bytes);
	struct ofd_xml new = {.name = name};

	if (code != NULL || encoding == NULL || bytes.len > OFD_XML_MAX)
		return refuse(fault, bytes.len > OFD_XML_MAX ? "TOO_LARGE" : code != NULL ? code : "XML_BAD", name);
	xmlInitParser();
	new.reader = xmlReaderForMemory((const char *)bytes.ptr, (int)bytes.len, NULL, encoding,
	                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	if (new.reader == NULL)
		return ERR_NO_MEMORY;
	*x = new;
	return ERR_OK;
}

void ofd_xml_close(struct ofd_xml *x)
{
	if (x->reader != NULL)
		xmlFreeTextReader(x->reader);
	x->reader = NULL;
}

static void drop_segment(struct ofd_xml *x)
{
	char *slash = strrchr(x->path, '/');

	if (x->pop && slash != NULL)
		*slash = '\0';
	x->pop = false;
}

static enum err opened(struct ofd_xml *x, enum ofd_event *event, struct ofd_fault *fault)
{
	const char *local = (const char *)xmlTextReaderConstLocalName(x->reader);
	size_t have = strlen(x->path), n = local != NULL ? strlen(local) : 0;

	if (n == 0 || have + n + 2 > sizeof(x->path))
		return refuse(fault, "XML_BAD", x->name);
	x->path[have] = '/';
	memcpy(x->path + have + 1, local, n + 1);
	x->empty = xmlTextReaderIsEmptyElement(x->reader) == 1;
	*event = OFD_OPEN;
	return ERR_OK;
}

static enum err closed(struct ofd_xml *x, enum ofd_event *event)
{
	x->pop = true;
	x->empty = false;
	*event = OFD_CLOSE;
	return ERR_OK;
}

enum err ofd_xml_next(struct ofd_xml *x, enum ofd_event *event, struct ofd_fault *fault)
{
	int got;

	drop_segment(x);
	if (x->empty)
		return closed(x, event);
	while ((got = xmlTextReaderRead(x->reader)) == 1) {
		switch (xmlTextReaderNodeType(x->reader)) {
		case XML_READER_TYPE_ELEMENT:
			return opened(x, event, fault);
		case XML_READER_TYPE_END_ELEMENT:
			return closed(x, event);
		case XML_READER_TYPE_TEXT:
		case XML_READER_TYPE_CDATA:
		case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
			*event = OFD_TEXT;
			return ERR_OK;
		case XML_READER_TYPE_DOCUMENT_TYPE:
		case XML_READER_TYPE_ENTITY_REFERENCE:
			return refuse(fault, "XML_DTD", x->name);
		default: /* comments, processing instructions, white space */
			break;
		}
	}
	if (got != 0)
		return refuse(fault, "XML_BAD", x->name);
	*event = OFD_END;
	return ERR_OK;
}

const char *ofd_xml_text(const struct ofd_xml *x)
{
	const char *text = (const char *)xmlTextReaderConstValue(x->reader);

	return text != NULL ? text : "";
}

enum err ofd_xml_attribute(const struct ofd_xml *x, struct arena *a, const char *name, char **out)
{
	enum err e = ERR_OK;

	while (e == ERR_OK && xmlTextReaderMoveToNextAttribute(x->reader) == 1) {
		const char *local = (const char *)xmlTextReaderConstLocalName(x->reader);
		if (local == NULL || strcmp(local, name) != 0 || xmlTextReaderIsNamespaceDecl(x->reader) == 1)
			continue;
		*out = arena_strdup(a, ofd_xml_text(x));
		e = *out != NULL ? ERR_OK : ERR_BUDGET;
		break;
	}
	xmlTextReaderMoveToElement(x->reader);
	return e;
}

void ofd_xml_values(const struct ofd_xml *x, bool (*each)(void *arg, const char *value), void *arg)
{
	while (xmlTextReaderMoveToNextAttribute(x->reader) == 1)
		if (xmlTextReaderIsNamespaceDecl(x->reader) != 1 && !each(arg, ofd_xml_text(x)))
			break;
	xmlTextReaderMoveToElement(x->reader);
}

static char *trimmed(char *s)
{
	size_t n;

	s += strspn(s, " \t\r\n");
	n = strlen(s);
	while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
		n--;
	s[n] = '\0';
	return s;
}

enum err ofd_xml_contents(struct ofd_xml *x, struct arena *a, char **out, struct ofd_fault *fault)
{
	struct buf b;
	enum ofd_event event;
	enum err e;
	char *text;

	buf_init(&b, a);
	for (;;) {
		e = ofd_xml_next(x, &event, fault);
		if (e != ERR_OK)
			return e;
		if (event == OFD_CLOSE)
			break;
		if (event != OFD_TEXT)
			return refuse(fault, "XML_BAD", x->name);
		buf_str(&b, ofd_xml_text(x));
	}
	text = buf_text(&b);
	if (text == NULL)
		return ERR_BUDGET;
	*out = trimmed(text);
	return ERR_OK;
}
