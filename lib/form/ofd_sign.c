#include "form/ofd_sign.h"

#include <stdio.h>
#include <strings.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "form/ofd_sign_parts.h"

enum { FOLDERS_TRIED = 1000 };

/* What prepare() finds out on its way. */
struct plan {
	struct arena *a;
	const struct ofd_sign_request *q;
	struct err_note *note;
	struct ofd_package *p;
	struct ofd_document *docs;
	size_t n_docs;
	struct span main;             /* OFD.xml */
	const struct ofd_entry *list; /* of the document; NULL: it has none yet */
	struct span list_bytes;
	size_t n_signatures; /* of the package */
	const char *list_name, *xml_name, *value_name, *seal_name;
	struct placed *stamps;
	size_t n_stamps;
	struct ofd_part new_list, new_main;
	unsigned first_id;
	struct span xml;
};

static enum err invalid(struct plan *s, const char *code, const char *detail)
{
	return err_note_set(s->note, ERR_DOCUMENT_INVALID, "document", "%s: %.120s.", code, detail != NULL ? detail : "");
}

enum err ofd_sign_fault(struct err_note *note, enum err e, const struct ofd_fault *fault)
{
	if (e != ERR_FORMAT)
		return e;
	return err_note_set(note, ERR_DOCUMENT_INVALID, "document", "%s%s%.120s", fault->code,
	                    fault->detail != NULL ? ": " : "", fault->detail != NULL ? fault->detail : "");
}

static enum err read_xml(struct plan *s, const struct ofd_entry *e, struct span *out)
{
	struct ofd_fault fault = {0};

	return ofd_sign_fault(s->note, ofd_read(s->p, s->a, e, OFD_XML_MAX, out, &fault), &fault);
}

/* ---- what is there -------------------------------------------------------------------------- */

static enum err read_main(struct plan *s)
{
	const struct ofd_entry *e = ofd_find(s->p, OFD_MAIN);
	struct ofd_fault fault = {0};
	enum err err;

	if (e == NULL)
		return invalid(s, "ENTRY_MISSING", OFD_MAIN);
	err = read_xml(s, e, &s->main);
	if (err == ERR_OK)
		err = ofd_sign_fault(s->note, ofd_parse_main(s->a, e->name, s->main, &s->docs, &s->n_docs, &fault), &fault);
	if (err != ERR_OK)
		return err;
	return s->q->document < s->n_docs ? ERR_OK : invalid(s, "ENTRY_MISSING", "the package has no such document");
}

/* Names go into XML as they are. */
static enum err check_names(struct plan *s)
{
	for (size_t i = 0; i < s->p->n; i++)
		if (!text_is_clean(span_str(s->p->entries[i].name), OFD_NAME_MAX))
			return invalid(s, "PATH_UNSAFE", "an entry's name is not clean UTF-8");
	return ERR_OK;
}

/* ---- earlier signatures --------------------------------------------------------------------- */

/* Must this entry change for the new signature? */
static bool must_change(const struct plan *s, const struct ofd_entry *e)
{
	return s->list != NULL ? e == s->list : strcmp(e->name, OFD_MAIN) == 0;
}

static enum err check_lock(struct plan *s, const struct ofd_listed *listed, const char *file,
                           const struct ofd_signature *sig)
{
	for (size_t i = 0; i < sig->n_references; i++) {
		struct deviations deviations = {0};
		const struct ofd_entry *e = ofd_locate(s->p, file, sig->references[i].file, &deviations);
		if (e != NULL && must_change(s, e))
			return err_note_set(s->note, ERR_DOCUMENT_LOCKED, "document",
			                    "Signature %.40s covers %.80s: the document cannot be signed again.", listed->id,
			                    e->name);
	}
	return ERR_OK;
}

/* A signature that cannot be read may lock the list, for all we know. */
static enum err check_earlier(struct plan *s, const char *list, const struct ofd_listed *listed)
{
	struct deviations deviations = {0};
	const struct ofd_entry *file =
	    listed->base_loc != NULL ? ofd_locate(s->p, list, listed->base_loc, &deviations) : NULL;
	struct ofd_signature sig;
	struct ofd_fault fault = {0};
	struct span bytes;
	enum err e;

	if (++s->n_signatures >= OFD_SIGNATURES_MAX)
		return invalid(s, "TOO_LARGE", "signatures");
	if (file == NULL)
		return invalid(s, "ENTRY_MISSING", "the file of an earlier signature");
	e = read_xml(s, file, &bytes);
	if (e == ERR_OK)
		e = ofd_sign_fault(s->note, ofd_parse_signature(s->a, file->name, bytes, &sig, &fault), &fault);
	return e == ERR_OK ? check_lock(s, listed, file->name, &sig) : e;
}

static enum err locate_list(struct plan *s, const struct ofd_document *doc, const struct ofd_entry **out)
{
	struct deviations deviations = {0};

	*out = ofd_locate(s->p, OFD_MAIN, doc->signatures, &deviations);
	return *out != NULL ? ERR_OK : invalid(s, "ENTRY_MISSING", "the list of signatures that OFD.xml names");
}

static enum err check_list(struct plan *s, const struct ofd_document *doc)
{
	const struct ofd_entry *list = NULL;
	struct ofd_listed *listed = NULL;
	struct ofd_fault fault = {0};
	struct span bytes;
	size_t n = 0;
	enum err e = locate_list(s, doc, &list);

	if (e == ERR_OK)
		e = read_xml(s, list, &bytes);
	if (e == ERR_OK)
		e = ofd_sign_fault(s->note, ofd_parse_list(s->a, list->name, bytes, &listed, &n, &fault), &fault);
	if (e == ERR_OK && list == s->list)
		s->list_bytes = bytes;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = check_earlier(s, list->name, &listed[i]);
	return e;
}

static enum err read_earlier(struct plan *s)
{
	const struct ofd_document *mine = &s->docs[s->q->document];
	enum err e = mine->signatures != NULL ? locate_list(s, mine, &s->list) : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < s->n_docs; i++)
		if (s->docs[i].signatures != NULL)
			e = check_list(s, &s->docs[i]);
	return e;
}

/* ---- new names ------------------------------------------------------------------------------ */

/* Is anything there under this name, whatever the letters' case? */
static bool is_taken(const struct plan *s, const char *folder)
{
	size_t n = strlen(folder);

	for (size_t i = 0; i < s->p->n; i++) {
		const char *name = s->p->entries[i].name;
		if (strncasecmp(name, folder, n) == 0 && (name[n] == '/' || name[n] == '\0'))
			return true;
	}
	return false;
}

/* The folder part of a name with its '/', "" at the root. */
static char *folder_of(struct arena *a, const char *name)
{
	const char *slash = strrchr(name, '/');

	return arena_strndup(a, name, slash != NULL ? (size_t)(slash - name) + 1 : 0);
}

/* "<folder>Sign_0", "…1": the first that is free. NULL when there is none, or no memory. */
static char *free_name(struct plan *s, const char *folder, const char *stem)
{
	for (unsigned i = 0; folder != NULL && i < FOLDERS_TRIED; i++) {
		char *name = arena_printf(s->a, "%s%s%u", folder, stem, i);
		if (name == NULL || strlen(name) > OFD_NAME_MAX - 32)
			return NULL;
		if (!is_taken(s, name))
			return name;
	}
	return NULL;
}

static enum err name_list(struct plan *s)
{
	char name[OFD_NAME_MAX + 1], *folder;

	if (s->list != NULL) {
		s->list_name = s->list->name;
		return ERR_OK;
	}
	if (!ofd_resolve(OFD_MAIN, s->docs[s->q->document].root, name))
		return invalid(s, "ENTRY_MISSING", "Document.xml");
	folder = folder_of(s->a, name);
	if (folder == NULL)
		return ERR_BUDGET;
	/* Signs, unless a folder of that name is there although nothing was ever signed. */
	folder = arena_printf(s->a, "%sSigns", folder);
	if (folder != NULL && is_taken(s, folder))
		folder = free_name(s, folder_of(s->a, name), "Signs_");
	s->list_name = folder != NULL ? arena_printf(s->a, "%s/Signatures.xml", folder) : NULL;
	return s->list_name != NULL ? ERR_OK : ERR_BUDGET;
}

static enum err name_files(struct plan *s)
{
	char *folder;
	enum err e = name_list(s);

	if (e != ERR_OK)
		return e;
	folder = free_name(s, folder_of(s->a, s->list_name), "Sign_");
	if (folder == NULL)
		return invalid(s, "TOO_LARGE", "no name is left for another signature");
	s->xml_name = arena_printf(s->a, "%s/Signature.xml", folder);
	s->value_name = arena_printf(s->a, "%s/SignedValue.dat", folder);
	s->seal_name = arena_printf(s->a, "%s/Seal.esl", folder);
	return s->xml_name != NULL && s->value_name != NULL && s->seal_name != NULL ? ERR_OK : ERR_BUDGET;
}

/* ---- what changes --------------------------------------------------------------------------- */

static enum err change_files(struct plan *s)
{
	const char *location = arena_printf(s->a, "/%s", s->xml_name), *at = arena_printf(s->a, "/%s", s->list_name);
	enum err e;

	if (location == NULL || at == NULL)
		return ERR_BUDGET;
	s->new_list = (struct ofd_part){.name = arena_strdup(s->a, s->list_name), .replaces = s->list != NULL};
	if (s->list != NULL)
		s->new_list.index = s->list->index;
	e = ofd_list_extend(s->a, s->list_bytes, location, 1 + (unsigned)s->n_stamps, &s->first_id, &s->new_list.bytes);
	if (e == ERR_OK && s->list == NULL) {
		s->new_main = (struct ofd_part){
		    .name = arena_strdup(s->a, OFD_MAIN), .replaces = true, .index = ofd_find(s->p, OFD_MAIN)->index};
		e = ofd_main_add_list(s->a, s->main, s->q->document, at, &s->new_main.bytes);
	}
	return e == ERR_FORMAT ? invalid(s, "XML_BAD", "OFD.xml or Signatures.xml") : e;
}

/* ---- references ----------------------------------------------------------------------------- */

static enum err digest_of(struct plan *s, struct span bytes, const uint8_t **out)
{
	uint8_t *d = arena_alloc(s->a, SM3_LEN);
	enum err e = d != NULL ? sm3(bytes, d) : ERR_BUDGET;

	if (e == ERR_OK)
		*out = d;
	return e;
}

/* Lists of all documents stay out, so that each can be extended; the own one is handled by add_changed(). */
static bool is_list(const struct plan *s, const struct ofd_entry *e)
{
	struct deviations deviations = {0};

	for (size_t i = 0; i < s->n_docs; i++)
		if (s->docs[i].signatures != NULL && ofd_locate(s->p, OFD_MAIN, s->docs[i].signatures, &deviations) == e)
			return true;
	return false;
}

static enum err add_entry(struct plan *s, struct signature_text *t, struct signed_file *files, struct ofd_entry *e)
{
	struct ofd_fault fault = {0};
	enum err err = ofd_sign_fault(s->note, ofd_digest(s->p, e, RUN_BIT(RUN_SM3), &fault), &fault);

	if (err == ERR_OK)
		files[t->n_files++] = (struct signed_file){e->name, e->digests.value[RUN_SM3]};
	return err;
}

/* What stays as it is, digested side by side. */
static enum err add_entries(struct plan *s, struct signature_text *t, struct signed_file *files)
{
	struct ofd_entry **stay = arena_array(s->a, s->p->n, sizeof(struct ofd_entry *));
	struct ofd_entry **ahead = arena_array(s->a, s->p->n, sizeof(struct ofd_entry *));
	size_t n = 0;
	enum err e;

	if (stay == NULL || ahead == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < s->p->n; i++)
		if (!is_list(s, &s->p->entries[i]) && !must_change(s, &s->p->entries[i]))
			stay[n++] = &s->p->entries[i];
	memcpy(ahead, stay, n * sizeof(struct ofd_entry *));
	e = ofd_digest_ahead(s->p, ahead, n);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = add_entry(s, t, files, stay[i]);
	return e;
}

static enum err add_bytes(struct plan *s, struct signature_text *t, struct signed_file *files, const char *name,
                          struct span bytes)
{
	enum err e = digest_of(s, bytes, &files[t->n_files].digest);

	files[t->n_files].name = name;
	t->n_files += e == ERR_OK;
	return e;
}

/* The files that are new, or will be changed, with their new contents. */
static enum err add_changed(struct plan *s, struct signature_text *t, struct signed_file *files)
{
	enum err e = add_bytes(s, t, files, s->seal_name, s->q->seal);

	if (e == ERR_OK && s->new_main.name != NULL)
		e = add_bytes(s, t, files, OFD_MAIN, s->new_main.bytes);
	if (e == ERR_OK && s->q->lock)
		e = add_bytes(s, t, files, s->list_name, s->new_list.bytes);
	return e;
}

static enum err write_signature(struct plan *s)
{
	struct signed_file *files = arena_array(s->a, s->p->n + OFD_SIGN_PARTS, sizeof(*files));
	struct signature_text t = {.first_id = s->first_id,
	                           .seal_name = s->seal_name,
	                           .value_name = s->value_name,
	                           .time = s->q->time - s->q->time % 1000,
	                           .files = files,
	                           .n_stamps = s->n_stamps,
	                           .stamps = s->stamps};
	enum err e = files != NULL ? ERR_OK : ERR_BUDGET;

	if (e == ERR_OK)
		e = add_entries(s, &t, files);
	if (e == ERR_OK)
		e = add_changed(s, &t, files);
	if (e == ERR_OK)
		e = ofd_signature_write(s->a, &t, &s->xml);
	if (e == ERR_OK && s->xml.len > OFD_XML_MAX)
		return invalid(s, "TOO_LARGE", "Signature.xml");
	return e;
}

/* ---- all together --------------------------------------------------------------------------- */

static enum err make_plan(struct plan *s)
{
	enum err e = check_names(s);

	if (e == ERR_OK)
		e = read_main(s);
	if (e == ERR_OK)
		e = read_earlier(s);
	if (e == ERR_OK && s->p->n + OFD_SIGN_PARTS > OFD_ENTRIES_MAX)
		return invalid(s, "TOO_LARGE", "entries");
	if (e == ERR_OK)
		e = ofd_place(s->p, s->a, &s->docs[s->q->document], s->q, &s->stamps, &s->n_stamps, s->note);
	if (e == ERR_OK)
		e = name_files(s);
	if (e == ERR_OK)
		e = change_files(s);
	return e == ERR_OK ? write_signature(s) : e;
}

static void add_part(struct ofd_signing *out, struct ofd_part part)
{
	out->parts[out->n_parts++] = part;
}

static enum err take_plan(struct plan *s, struct ofd_signing *out)
{
	struct ofd_signing r = {.package = s->q->package, .xml = s->xml, .time = s->q->time - s->q->time % 1000};
	char id[OFD_SIGN_ID];

	ofd_sign_id(s->first_id, id);
	r.id = arena_strdup(s->a, id);
	r.location = arena_printf(s->a, "/%s", s->xml_name);
	if (s->new_main.name != NULL)
		add_part(&r, s->new_main);
	add_part(&r, s->new_list);
	add_part(&r, (struct ofd_part){.name = arena_strdup(s->a, s->xml_name), .bytes = s->xml});
	add_part(&r, (struct ofd_part){.name = arena_strdup(s->a, s->seal_name), .bytes = s->q->seal});
	add_part(&r, (struct ofd_part){.name = arena_strdup(s->a, s->value_name)});
	for (size_t i = 0; i < r.n_parts; i++)
		if (r.parts[i].name == NULL)
			return ERR_BUDGET;
	if (r.id == NULL || r.location == NULL)
		return ERR_BUDGET;
	*out = r;
	return ERR_OK;
}

enum err ofd_sign_prepare(struct arena *a, const struct ofd_sign_request *q, struct ofd_signing *out,
                          struct err_note *note)
{
	struct plan s = {.a = a, .q = q, .note = note};
	struct deviations deviations = {0};
	struct ofd_fault fault = {0};
	enum err e = ofd_sign_fault(note, ofd_package_open(a, q->package, &deviations, &s.p, &fault), &fault);

	if (e == ERR_OK)
		e = make_plan(&s);
	if (e == ERR_OK)
		e = take_plan(&s, out);
	ofd_package_close(s.p);
	return e;
}
