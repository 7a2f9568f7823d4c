/* Rows of one kind: `good`, `fault` (TOTAL_FAILED), `doubt` (INDETERMINATE), `deviation` (two rows: accepted with a
 * notice, refused by policy). */
#ifndef YZ_TESTS_CORPUS_HELPERS_H
#define YZ_TESTS_CORPUS_HELPERS_H

#include "tests/corpus/corpus.h"

#define SEAL(...)      new_seal(&(struct seal_wish){__VA_ARGS__})
#define SIGNATURE(...) new_signature(&(struct signature_wish){__VA_ARGS__})
#define CMS(...)       new_cms(&(struct cms_wish){__VA_ARGS__})

/* What the rows made next are: kind, and the data given with them. */
struct family {
	const char *kind, *data, *end;
};

static inline void good(const struct family *f, const char *id, struct span bytes, const char *codes, const char *about)
{
	add_case((struct row){.id = id, .kind = f->kind, .data = f->data, .codes = codes, .about = about}, bytes);
}

static inline void fault(const struct family *f, const char *id, struct span bytes, const char *sub, const char *codes,
                         const char *about)
{
	add_case((struct row){.id = id, .kind = f->kind, .data = f->data, .sub = sub, .codes = codes, .about = about},
	         bytes);
}

static inline void doubt(const struct family *f, const char *id, struct span bytes, const char *sub, const char *codes,
                         const char *about)
{
	add_case((struct row){.id = id,
	                      .kind = f->kind,
	                      .data = f->data,
	                      .indication = "INDETERMINATE",
	                      .sub = sub,
	                      .codes = codes,
	                      .about = about},
	         bytes);
}

/* codes: what differs in both rows. */
static inline void deviation(const struct family *f, const char *id, struct span bytes, const char *codes,
                             const char *about)
{
	good(f, id, bytes, codes, about);
	add_row(&(struct row){.id = arena_printf(mem(), "%s-refused", id),
	                      .file = arena_printf(mem(), "files/%s.%s", id, f->end),
	                      .kind = f->kind,
	                      .data = f->data,
	                      .policy = "policies/refuse.ini",
	                      .sub = "FORMAT_FAILURE",
	                      .codes = codes,
	                      .about = arena_printf(mem(), "%s; the policy refuses it", about)});
}

static inline const char *named(const char *format, int version)
{
	char *out = arena_strdup(mem(), format);
	char *at = strchr(out, '#');

	if (at != NULL)
		*at = (char)('0' + version);
	return out;
}

#endif
