/*
 * XML from strangers, one element after another, over libxml2's reader. Refused before libxml2 sees it: a document type
 * declaration (and so every entity but the five of XML), NUL bytes, encodings other than UTF-8 and the GB family, more
 * than OFD_XML_DEPTH open elements or OFD_XML_ATTRIBUTES in one tag, a comment or other markup without end, and more
 * than OFD_XML_RUN octets without '<' or '>', or OFD_XML_TAGS tags (libxml2's time grows with
 * their square). Nothing is fetched or opened.
 *
 * Elements and attributes are known by their local names: producers differ in the namespace that they write.
 */
#ifndef YZ_FORM_OFD_XML_H
#define YZ_FORM_OFD_XML_H

#include "form/ofd_package.h"

enum {
	OFD_XML_DEPTH = 64,
	OFD_XML_ATTRIBUTES = 64,
	OFD_XML_PATH = 512,
	OFD_XML_RUN = 128 * 1024,
	OFD_XML_TAGS = 60000
};

enum ofd_event { OFD_OPEN, OFD_TEXT, OFD_CLOSE, OFD_END };

struct ofd_xml {
	void *reader;
	const char *name;        /* of the file, for faults */
	char path[OFD_XML_PATH]; /* "/Signature/SignedInfo": the element that was opened, is closing, or holds the text */
	bool pop;                /* the last segment of path goes with the next event */
	bool empty;              /* an element that closes itself is still to be closed */
};

/* bytes must outlive it. ERR_FORMAT with *fault: XML_DTD, XML_BAD, TOO_LARGE. ERR_NO_MEMORY. */
enum err ofd_xml_open(struct ofd_xml *x, const char *name, struct span bytes, struct ofd_fault *fault) MUST_CHECK;
/* ERR_FORMAT with *fault: XML_BAD. White space between elements is a text too. */
enum err ofd_xml_next(struct ofd_xml *x, enum ofd_event *event, struct ofd_fault *fault) MUST_CHECK;
void ofd_xml_close(struct ofd_xml *x);

static inline bool ofd_xml_at(const struct ofd_xml *x, const char *path)
{
	return strcmp(x->path, path) == 0;
}

/* After OFD_TEXT: the text; valid until the next event. */
const char *ofd_xml_text(const struct ofd_xml *x);
/* After OFD_OPEN: an attribute; *out stays NULL when it is absent. ERR_BUDGET. */
enum err ofd_xml_attribute(const struct ofd_xml *x, struct arena *a, const char *name, char **out) MUST_CHECK;
/* After OFD_OPEN: every attribute's value, until `each` returns false. */
void ofd_xml_values(const struct ofd_xml *x, bool (*each)(void *arg, const char *value), void *arg);
/* After OFD_OPEN: the text of the element up to its end, without the white space around it; child elements are a fault.
 */
enum err ofd_xml_contents(struct ofd_xml *x, struct arena *a, char **out, struct ofd_fault *fault) MUST_CHECK;

#endif
