/* Private to ofd_sign*.c: what the new files of a signature consist of. */
#ifndef YZ_FORM_OFD_SIGN_PARTS_H
#define YZ_FORM_OFD_SIGN_PARTS_H

#include "base/buf.h"
#include "form/ofd_sign.h"

/* Where a stamp goes. */
struct placed {
	const char *page_ref;
	int64_t x, y, width, height; /* Boundary */
	bool clipped;
	int64_t clip_x, clip_width; /* of its whole height */
};

/* Stamps and slices with their pages, as q says. ERR_STAMP_INVALID, ERR_DOCUMENT_INVALID with a note. */
enum err ofd_place(struct ofd_package *p, struct arena *a, const struct ofd_document *doc,
                   const struct ofd_sign_request *q, struct placed **out, size_t *n, struct err_note *note) MUST_CHECK;

struct signed_file {
	const char *name;      /* of the entry, without the leading slash */
	const uint8_t *digest; /* SM3 */
};
struct signature_text {
	unsigned first_id; /* the signature's; its stamps follow */
	const char *seal_name, *value_name;
	int64_t time;
	size_t n_files, n_stamps;
	const struct signed_file *files;
	const struct placed *stamps;
};
/* Signature.xml */
enum err ofd_signature_write(struct arena *a, const struct signature_text *t, struct span *out) MUST_CHECK;

/* Signatures.xml with one more signature, at `location`. old: empty for a new list. `ids` identifiers are taken;
 * *first is the first of them. ERR_FORMAT. */
enum err ofd_list_extend(struct arena *a, struct span old, const char *location, unsigned ids, unsigned *first,
                         struct span *out) MUST_CHECK;
/* OFD.xml whose document `index` has a list at `location`. ERR_FORMAT. */
enum err ofd_main_add_list(struct arena *a, struct span old, size_t index, const char *location,
                           struct span *out) MUST_CHECK;

enum { OFD_SIGN_ID = 16 };
/* "s003" */
void ofd_sign_id(unsigned number, char out[OFD_SIGN_ID]);

/* A refusal of the package's reader as one of ours; other errors pass. */
enum err ofd_sign_fault(struct err_note *note, enum err e, const struct ofd_fault *fault);

#endif
