/* Which entries does a reader display? A walk over whatever names an entry. */
#include "form/ofd.h"
#include "form/ofd_xml.h"

enum { SCRATCH = 24 * 1024 * 1024 };

struct walk {
	struct ofd_package *p;
	bool *displayed;
	size_t *todo; /* entries that are still to be looked into: each stands here at most once */
	size_t n_todo;
	const char *from;            /* the file that is read now */
	char base[OFD_NAME_MAX + 2]; /* folder of its resources (Res/@BaseLoc), "" when it states none */
	const char *root;            /* of its document */
	bool aside;                  /* below Attachments and the like */
	bool ends[256];              /* by octet: a location of an entry may end with it */
	bool complete;
};

static void reach(struct walk *w, const struct ofd_entry *e)
{
	size_t i = (size_t)(e - w->p->entries);

	if (w->displayed[i])
		return;
	w->displayed[i] = true;
	w->todo[w->n_todo++] = i;
}

/* The last octets of all names; and of what is dropped when a location is resolved ("x/", "x/.", "x/y/.."). So most
 * numbers and texts, of which pages are full, are known not to be locations by their last octet. */
static void note_ends(struct walk *w)
{
	for (size_t i = 0; i < w->p->n; i++)
		w->ends[(uint8_t)w->p->entries[i].name[strlen(w->p->entries[i].name) - 1]] = true;
	w->ends['/'] = w->ends['\\'] = w->ends['.'] = true;
}

/* From everywhere from where a reader might look: too many displayed entries do no harm, too few would. */
static bool try_value(void *arg, const char *value)
{
	struct walk *w = arg;
	const char *from[4] = {w->from, w->base, w->root, ""};
	size_t n = strlen(value);

	if (w->aside || n == 0 || n > OFD_NAME_MAX || !w->ends[(uint8_t)value[n - 1]] || strpbrk(value, "./\\") == NULL)
		return true;
	for (size_t i = 0; i < 4; i++) {
		const struct ofd_entry *e = ofd_locate(w->p, from[i], value, NULL);
		if (e != NULL)
			reach(w, e);
	}
	return true;
}

static bool is_aside(const struct ofd_xml *x)
{
	static const char *const names[] = {"/Document/Attachments", "/Document/CustomTags", "/Document/Extensions",
	                                    "/Document/Versions"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ofd_xml_at(x, names[i]))
			return true;
	return false;
}

/* MediaFile and FontFile are relative to the folder that the resource file names. */
static enum err note_base(struct walk *w, struct arena *a, const struct ofd_xml *x)
{
	char *loc = NULL, name[OFD_NAME_MAX + 1];
	enum err e;

	if (!ofd_xml_at(x, "/Res"))
		return ERR_OK;
	e = ofd_xml_attribute(x, a, "BaseLoc", &loc);
	if (e == ERR_OK && loc != NULL && ofd_resolve(w->from, loc, name)) {
		memcpy(w->base, name, strlen(name));
		memcpy(w->base + strlen(name), "/", 2);
	}
	return e;
}

static enum err handle(struct walk *w, struct arena *a, const struct ofd_xml *x, enum ofd_event event)
{
	enum err e = ERR_OK;

	if (event == OFD_OPEN) {
		w->aside = w->aside || is_aside(x);
		e = note_base(w, a, x);
		ofd_xml_values(x, try_value, w);
	} else if (event == OFD_CLOSE) {
		w->aside = w->aside && !is_aside(x);
	} else if (event == OFD_TEXT) {
		char text[OFD_NAME_MAX + 1];
		const char *s = ofd_xml_text(x);
		size_t skip = strspn(s, " \t\r\n"), n = strcspn(s + skip, "\t\r\n");
		while (n > 0 && s[skip + n - 1] == ' ')
			n--;
		if (n <= OFD_NAME_MAX) {
			memcpy(text, s + skip, n);
			text[n] = '\0';
			try_value(w, text);
		}
	}
	return e;
}

static enum err read_events(struct walk *w, struct arena *a, struct span bytes, struct ofd_fault *fault)
{
	struct ofd_xml x;
	enum ofd_event event = OFD_OPEN;
	enum err e = ofd_xml_open(&x, w->from, bytes, fault);

	if (e != ERR_OK)
		return e;
	while (e == ERR_OK && event != OFD_END) {
		e = ofd_xml_next(&x, &event, fault);
		if (e == ERR_OK)
			e = handle(w, a, &x, event);
	}
	ofd_xml_close(&x);
	return e;
}

/* XML in truth, whatever it is called. */
static bool is_xml(struct span s)
{
	size_t at = s.len >= 3 && memcmp(s.ptr, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (at < s.len && s.ptr[at] != '\0' && strchr(" \t\r\n", s.ptr[at]) != NULL)
		at++;
	return at < s.len && s.ptr[at] == '<';
}

static enum err is_xml_entry(struct walk *w, const struct ofd_entry *entry, bool *is, struct ofd_fault *fault)
{
	size_t n = strlen(entry->name), len = 0;
	uint8_t head[64];
	enum err e = ERR_OK;

	*is = n >= 4 && strcmp(entry->name + n - 4, ".xml") == 0;
	if (!*is)
		e = ofd_peek(w->p, entry, head, sizeof(head), &len, fault);
	*is = *is || is_xml(span_of(head, len));
	return e;
}

static enum err read_xml(struct walk *w, const struct ofd_entry *entry, struct ofd_fault *fault)
{
	struct arena *a = arena_new(SCRATCH);
	struct span bytes;
	enum err e;

	if (a == NULL)
		return ERR_NO_MEMORY;
	w->from = entry->name;
	w->base[0] = '\0';
	w->aside = false;
	e = ofd_read(w->p, a, entry, OFD_XML_MAX, &bytes, fault);
	if (e == ERR_OK)
		e = read_events(w, a, bytes, fault);
	arena_free(a);
	return e;
}

/* One file. What cannot be read makes the answer incomplete and is no error of ours. */
static enum err look_into(struct walk *w, const struct ofd_entry *entry)
{
	struct ofd_fault fault;
	bool is = false;
	enum err e = is_xml_entry(w, entry, &is, &fault);

	if (e == ERR_OK && is)
		e = read_xml(w, entry, &fault);
	if (e == ERR_OK || e == ERR_NO_MEMORY)
		return e;
	w->complete = false;
	return ERR_OK;
}

static enum err walk_document(struct walk *w, const struct ofd_document *doc)
{
	const struct ofd_entry *root = doc->root != NULL ? ofd_locate(w->p, OFD_MAIN, doc->root, NULL) : NULL;
	enum err e = ERR_OK;

	if (root == NULL) {
		w->complete = false;
		return ERR_OK;
	}
	w->root = root->name;
	reach(w, root);
	while (e == ERR_OK && w->n_todo > 0)
		e = look_into(w, &w->p->entries[w->todo[--w->n_todo]]);
	return e;
}

enum err ofd_displayed(struct ofd_package *p, const struct ofd_document *docs, size_t n_docs, bool *displayed,
                       bool *complete)
{
	struct walk w = {.p = p, .displayed = displayed, .complete = true};
	enum err e = ERR_OK;

	w.todo = arena_array(p->arena, p->n + 1, sizeof(*w.todo));
	if (w.todo == NULL)
		return ERR_BUDGET;
	note_ends(&w);
	for (size_t i = 0; e == ERR_OK && i < n_docs; i++)
		e = walk_document(&w, &docs[i]);
	if (e == ERR_OK)
		*complete = w.complete;
	return e;
}
