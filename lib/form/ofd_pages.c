#include "form/ofd_pages.h"

#include "base/text.h"
#include "form/ofd_xml.h"

enum { PAGE_SCRATCH = 24 * 1024 * 1024, GROW = 16 };

static enum err refuse(struct ofd_fault *fault, const char *code, const char *detail)
{
	*fault = (struct ofd_fault){code, detail};
	return ERR_FORMAT;
}

/* ---- lengths ---- */

bool ofd_length(const char **text, int64_t *out)
{
	const char *s = *text;
	bool minus = *s == '-', digits = false;
	int64_t v = 0, unit = 1000;

	s += minus;
	for (; *s >= '0' && *s <= '9'; s++, digits = true) {
		v = v * 10 + (*s - '0') * unit;
		if (v > OFD_LENGTH_MAX)
			return false;
	}
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, digits = true) {
			unit /= 10;
			v += (*s - '0') * unit;
		}
	if (!digits)
		return false;
	*text = s;
	*out = minus ? -v : v;
	return true;
}

/* ST_Box: "x y width height". The corner is the origin of the page's coordinates; only the size matters. */
static bool read_box(const char *s, int64_t *width, int64_t *height)
{
	int64_t v[4];

	for (size_t i = 0; i < 4; i++) {
		s += strspn(s, " \t\r\n");
		if (!ofd_length(&s, &v[i]) || (i < 3 && strchr(" \t\r\n", *s) == NULL))
			return false;
	}
	if (s[strspn(s, " \t\r\n")] != '\0' || v[2] <= 0 || v[3] <= 0)
		return false;
	*width = v[2];
	*height = v[3];
	return true;
}

static enum err take_box(struct ofd_xml *x, struct arena *a, int64_t *width, int64_t *height, struct ofd_fault *fault)
{
	char *text = NULL;
	enum err e = ofd_xml_contents(x, a, &text, fault);

	if (e == ERR_OK && (*width != 0 || !read_box(text, width, height)))
		return refuse(fault, "XML_BAD", x->name);
	return e;
}

/* ---- Document.xml ---- */

static enum err add_page(struct ofd_xml *x, struct arena *a, struct ofd_pages *all, size_t *cap,
                         struct ofd_fault *fault)
{
	struct ofd_page page = {0}, *more;
	enum err e;

	if (all->n >= OFD_PAGES_MAX)
		return refuse(fault, "TOO_LARGE", x->name);
	if (all->n == *cap) {
		more = arena_array(a, 2 * *cap + GROW, sizeof(*more));
		if (more == NULL)
			return ERR_BUDGET;
		if (all->n != 0)
			memcpy(more, all->pages, all->n * sizeof(*more));
		all->pages = more;
		*cap = 2 * *cap + GROW;
	}
	e = ofd_xml_attribute(x, a, "ID", &page.id);
	if (e == ERR_OK)
		e = ofd_xml_attribute(x, a, "BaseLoc", &page.loc);
	if (e != ERR_OK)
		return e;
	if (page.id == NULL || page.loc == NULL || page.id[0] == '\0' || !text_is_clean(span_str(page.id), OFD_ID_MAX))
		return refuse(fault, "XML_BAD", x->name);
	all->pages[all->n++] = page;
	return ERR_OK;
}

static enum err read_document(struct ofd_xml *x, struct arena *a, struct ofd_pages *all, struct ofd_fault *fault)
{
	enum ofd_event event = OFD_OPEN;
	size_t cap = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK) {
		e = ofd_xml_next(x, &event, fault);
		if (e != ERR_OK || event == OFD_END)
			break;
		if (event != OFD_OPEN)
			continue;
		if (ofd_xml_at(x, "/Document/CommonData/PageArea/PhysicalBox"))
			e = take_box(x, a, &all->width, &all->height, fault);
		else if (ofd_xml_at(x, "/Document/Pages/Page"))
			e = add_page(x, a, all, &cap, fault);
	}
	return e;
}

enum err ofd_read_pages(struct ofd_package *p, struct arena *a, const struct ofd_document *doc, struct ofd_pages *out,
                        struct ofd_fault *fault)
{
	struct deviations deviations = {0};
	struct ofd_pages all = {0};
	struct ofd_xml x;
	struct span bytes;
	enum err e;

	all.root = doc->root != NULL ? ofd_locate(p, OFD_MAIN, doc->root, &deviations) : NULL;
	if (all.root == NULL)
		return refuse(fault, "ENTRY_MISSING", "Document.xml");
	e = ofd_read(p, a, all.root, OFD_XML_MAX, &bytes, fault);
	if (e == ERR_OK)
		e = ofd_xml_open(&x, all.root->name, bytes, fault);
	if (e != ERR_OK)
		return e;
	e = read_document(&x, a, &all, fault);
	ofd_xml_close(&x);
	if (e == ERR_OK)
		*out = all;
	return e;
}

/* ---- Content.xml ---- */

/* Area stands before Content: what is drawn need not be read. */
static enum err read_area(struct arena *a, const char *name, struct span bytes, struct ofd_page *page,
                          struct ofd_fault *fault)
{
	struct ofd_xml x;
	enum ofd_event event = OFD_OPEN;
	enum err e = ofd_xml_open(&x, name, bytes, fault);

	if (e != ERR_OK)
		return e;
	while (e == ERR_OK && event != OFD_END && !ofd_xml_at(&x, "/Page/Content")) {
		e = ofd_xml_next(&x, &event, fault);
		if (e == ERR_OK && event == OFD_OPEN && ofd_xml_at(&x, "/Page/Area/PhysicalBox"))
			e = take_box(&x, a, &page->width, &page->height, fault);
	}
	ofd_xml_close(&x);
	return e;
}

enum err ofd_page_size(struct ofd_package *p, const struct ofd_pages *all, struct ofd_page *page,
                       struct ofd_fault *fault)
{
	struct deviations deviations = {0};
	const struct ofd_entry *entry = ofd_locate(p, all->root->name, page->loc, &deviations);
	struct ofd_page found = *page;
	size_t held = p->held;
	struct arena *a;
	struct span bytes;
	enum err e;

	if (page->width != 0)
		return ERR_OK;
	if (entry == NULL)
		return refuse(fault, "ENTRY_MISSING", "Content.xml");
	a = arena_new(PAGE_SCRATCH);
	if (a == NULL)
		return ERR_NO_MEMORY;
	e = ofd_read(p, a, entry, OFD_XML_MAX, &bytes, fault);
	if (e == ERR_OK)
		e = read_area(a, entry->name, bytes, &found, fault);
	arena_free(a);
	p->held = held; /* given back */
	if (e == ERR_OK && found.width == 0) {
		found.width = all->width;
		found.height = all->height;
	}
	if (e == ERR_OK && found.width == 0)
		return refuse(fault, "XML_BAD", entry->name);
	if (e == ERR_OK)
		*page = found;
	return e;
}
