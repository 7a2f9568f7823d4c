/*
 * The pages of a document in an OFD package: their identifiers and physical sizes (GB/T 33190 clauses 7.4, 7.5, 7.7).
 * Lengths are micrometres: 1/1000 of the millimetres that OFD writes, so that nothing is rounded.
 */
#ifndef YZ_FORM_OFD_PAGES_H
#define YZ_FORM_OFD_PAGES_H

#include "form/ofd.h"

enum {
	OFD_PAGES_MAX = 10000,
	OFD_LENGTH_MAX = 20 * 1000 * 1000 /* 20 m: no page is larger, and no sum overflows */
};

struct ofd_page {
	char *id;              /* what a PageRef names */
	char *loc;             /* of its Content.xml, relative to Document.xml */
	int64_t width, height; /* of its PhysicalBox; 0 until ofd_page_size() */
};

struct ofd_pages {
	const struct ofd_entry *root; /* Document.xml */
	int64_t width, height;        /* of the document's PageArea; 0 when it states none */
	size_t n;
	struct ofd_page *pages; /* in the order of the document */
};

/* ERR_FORMAT with *fault: ENTRY_MISSING (no Document.xml), XML_BAD, XML_DTD, TOO_LARGE; ERR_BUDGET, ERR_NO_MEMORY. */
enum err ofd_read_pages(struct ofd_package *p, struct arena *a, const struct ofd_document *doc, struct ofd_pages *out,
                        struct ofd_fault *fault) MUST_CHECK;
/* Fills in the size of one page: its own Area, else the document's. ERR_FORMAT also when neither states one. */
enum err ofd_page_size(struct ofd_package *p, const struct ofd_pages *all, struct ofd_page *page,
                       struct ofd_fault *fault) MUST_CHECK;

/* "210", "128.5" (no exponent, at most OFD_LENGTH_MAX either way) as micrometres; digits past the third are dropped.
 * *text goes behind the number. False when there is none. */
bool ofd_length(const char **text, int64_t *out);

#endif
