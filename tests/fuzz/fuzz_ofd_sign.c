/*
 * Sealing packages from strangers. Target functions: ofd_sign_prepare, ofd_sign_finish, ofd_read_pages, ofd_page_size.
 *
 * The input is a byte of options and a list of files that is packed here: name, NUL, contents, and the byte 0x01
 * between files. What is made of it must be a package within the bounds, with the new signature in the right list and
 * every other file as it was; and whoever signs again finds it open or locked, as was asked.
 */
#include "fuzz_pack.h"

#include "form/ofd_sign.h"

enum { OPT_RIGHT = 1, OPT_LEFT = 2, OPT_NO_STAMP = 4, OPT_LOCK = 8, OPT_SECOND = 16 };

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
	struct arena *a = arena_new(FUZZ_PACK_BUDGET);
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
	void *packed;
	enum err e;

	MUST(a != NULL);
	q.riding.side = (options & OPT_RIGHT) != 0  ? OFD_SIDE_RIGHT
	                : (options & OPT_LEFT) != 0 ? OFD_SIDE_LEFT
	                                            : OFD_SIDE_NONE;
	q.package = size > 0 ? fuzz_pack(data + 1, data + size) : span_of(NULL, 0);
	packed = (void *)(uintptr_t)q.package.ptr;
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
	free(packed);
	arena_free(a);
	return 0;
}
