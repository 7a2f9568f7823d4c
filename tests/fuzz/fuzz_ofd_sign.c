/*
 * Sealing packages from strangers. Target functions: ofd_sign_prepare, ofd_sign_finish, ofd_read_pages, ofd_page_size.
 *
 * The input is a byte of options and a list of files that is packed here: name, NUL, contents, and the byte 0x01
 * between files. What is made of it must be a package within the bounds, with the new signature in the right list and
 * every other file as it was; and whoever signs again finds it open or locked, as was asked.
 */
#include <zip.h>

#include "fuzz_form.h"

#include "form/ofd_sign.h"

enum { BUDGET = 64 * 1024 * 1024, FILES = 32 };
enum { OPT_RIGHT = 1, OPT_LEFT = 2, OPT_NO_STAMP = 4, OPT_LOCK = 8, OPT_SECOND = 16 };

/* One file of the list; where the next begins. */
static const uint8_t *pack_one(zip_t *z, const uint8_t *at, const uint8_t *end)
{
	const uint8_t *nul = memchr(at, 0, (size_t)(end - at)), *stop;

	if (nul == NULL || nul - at > OFD_NAME_MAX)
		return end;
	stop = memchr(nul + 1, 1, (size_t)(end - nul - 1));
	stop = stop != NULL ? stop : end;
	zip_source_t *s = zip_source_buffer(z, nul + 1, (zip_uint64_t)(stop - nul - 1), 0);
	if (s != NULL && zip_file_add(z, (const char *)at, s, 0) < 0)
		zip_source_free(s);
	return stop < end ? stop + 1 : end;
}

static struct span packed(struct arena *a, const uint8_t *at, const uint8_t *end)
{
	zip_source_t *s = zip_source_buffer_create(NULL, 0, 0, NULL);
	zip_t *z = s != NULL ? zip_open_from_source(s, ZIP_TRUNCATE, NULL) : NULL;
	struct zip_stat st;
	uint8_t *zip = NULL;

	MUST(z != NULL);
	zip_source_keep(s);
	for (int i = 0; i < FILES && at < end; i++)
		at = pack_one(z, at, end);
	if (zip_close(z) != 0) {
		zip_discard(z);
	} else if (zip_source_stat(s, &st) == 0 && zip_source_open(s) == 0) {
		zip = arena_alloc(a, st.size);
		MUST(zip != NULL && zip_source_read(s, zip, st.size) == (zip_int64_t)st.size);
		zip_source_close(s);
	}
	zip_source_free(s);
	return zip != NULL ? span_of(zip, st.size) : span_of(NULL, 0);
}

static struct ofd_package *opened(struct arena *a, struct span bytes)
{
	struct deviations list = {0};
	struct ofd_fault fault;
	struct ofd_package *p = NULL;

	MUST(ofd_package_open(a, bytes, &list, &p, &fault) == ERR_OK);
	return p;
}

static bool is_part(const struct ofd_signing *s, const char *name)
{
	for (size_t i = 0; i < s->n_parts; i++)
		if (strcmp(s->parts[i].name, name) == 0)
			return true;
	return false;
}

/* Every old file is there with its old digest; the new ones say what they should. */
static void compare(struct arena *a, const struct ofd_signing *s, struct span made)
{
	struct ofd_package *was = opened(a, s->package), *is = opened(a, made);
	struct ofd_fault fault;
	struct ofd_entry *e;
	struct span xml;

	for (size_t i = 0; i < was->n; i++) {
		e = ofd_find(is, was->entries[i].name);
		MUST(e != NULL);
		if (is_part(s, e->name))
			continue;
		MUST(ofd_digest(was, &was->entries[i], RUN_BIT(RUN_SM3), &fault) == ERR_OK);
		MUST(ofd_digest(is, e, RUN_BIT(RUN_SM3), &fault) == ERR_OK);
		MUST(memcmp(e->digests.value[RUN_SM3], was->entries[i].digests.value[RUN_SM3], 32) == 0);
	}
	e = ofd_find(is, s->location + 1);
	MUST(e != NULL && ofd_read(is, a, e, OFD_XML_MAX, &xml, &fault) == ERR_OK);
	MUST(span_eq(xml, s->xml));
	ofd_package_close(was);
	ofd_package_close(is);
}

static void listed(struct arena *a, const struct ofd_signing *s)
{
	const struct ofd_part *list = &s->parts[s->n_parts - 4];
	struct ofd_listed *items = NULL;
	struct ofd_signature sig;
	struct ofd_fault fault;
	size_t n = 0;

	MUST(ofd_parse_list(a, "list", list->bytes, &items, &n, &fault) == ERR_OK && n > 0);
	MUST(strcmp(items[n - 1].id, s->id) == 0 && strcmp(items[n - 1].base_loc, s->location) == 0);
	MUST(ofd_parse_signature(a, "sig", s->xml, &sig, &fault) == ERR_OK && sig.n_references > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ofd_stamp stamp = {1, 1000, 2500};
	struct arena *a = arena_new(BUDGET);
	uint8_t options = size > 0 ? data[0] : 0;
	struct ofd_sign_request q = {.n_stamps = (options & OPT_NO_STAMP) == 0,
	                             .stamps = &stamp,
	                             .document = (options & OPT_SECOND) != 0,
	                             .lock = (options & OPT_LOCK) != 0,
	                             .seal = span_str("seal"),
	                             .seal_width = 40000,
	                             .seal_height = 30001,
	                             .time = INT64_C(1795000000000)};
	struct err_note note = {0};
	struct ofd_signing s;
	struct span made;
	enum err e;

	MUST(a != NULL);
	q.riding.side = (options & OPT_RIGHT) != 0  ? OFD_SIDE_RIGHT
	                : (options & OPT_LEFT) != 0 ? OFD_SIDE_LEFT
	                                            : OFD_SIDE_NONE;
	q.package = size > 0 ? packed(a, data + 1, data + size) : span_of(NULL, 0);
	e = ofd_sign_prepare(a, &q, &s, &note);
	if (e == ERR_OK) {
		MUST(ofd_sign_finish(a, &s, span_str("value"), &made) == ERR_OK);
		compare(a, &s, made);
		listed(a, &s);
		q.package = made;
		e = ofd_sign_prepare(a, &q, &s, &note);
		MUST(e == (q.lock ? ERR_DOCUMENT_LOCKED : ERR_OK) || e == ERR_DOCUMENT_INVALID || e == ERR_BUDGET);
	} else {
		MUST(e == ERR_BUDGET || (note.code == e && note.help[0] != '\0'));
	}
	arena_free(a);
	return 0;
}
