/*
 * Putting a seal's signature into an OFD package (GB/T 33190 clause 18, GM/T 0099), in two steps so that whoever holds
 * the private key stays outside: ofd_sign_prepare() makes Signature.xml, whose bytes are what is signed; with the
 * SES_Signature over them ofd_sign_finish() makes the new package.
 *
 * Nothing that is there is written anew but Signatures.xml, which gets one more entry, and for the first signature of a
 * document OFD.xml, which gets the list's location: all other entries are taken over with their packed bytes, so that
 * earlier signatures stay as good as they were. A package where an earlier signature covers what must change is
 * refused.
 *
 * References: every entry of the package but the lists of signatures, Signature.xml and SignedValue.dat of the new one;
 * SM3. So others can sign later. With `lock` the document's list is among them, and nobody can.
 *
 * The same request on the same package gives the same Signature.xml, byte for byte.
 *
 * Not checked here: that the seal is good and what its picture is like, that earlier signatures verify.
 */
#ifndef YZ_FORM_OFD_SIGN_H
#define YZ_FORM_OFD_SIGN_H

#include "form/ofd_pages.h"

enum {
	OFD_STAMPS_MAX = 1000, /* of one signature, slices of a riding seal not counted */
	OFD_SLICE_MIN = 500,   /* micrometres: a narrower slice of a riding seal shows nothing */
	OFD_SIGN_PARTS = 5
};

/* Lengths are micrometres from the upper left corner of the page's PhysicalBox. */
struct ofd_stamp {
	uint64_t page; /* from 1 */
	int64_t x, y;  /* of the stamp's upper left corner */
};

/* 骑缝章: one picture cut by Clip into as many slices as there are pages, each at its page's edge. Fanned out, the
 * pages show the whole: at the right edge page 1 has the leftmost slice, at the left edge the rightmost. */
enum ofd_side { OFD_SIDE_NONE, OFD_SIDE_RIGHT, OFD_SIDE_LEFT };
struct ofd_riding {
	enum ofd_side side;
	int64_t centre; /* from the page's top to the middle of the picture; 0: the middle of each page */
};

struct ofd_sign_request {
	struct span package;
	size_t document; /* which of the package, from 0 */
	size_t n_stamps;
	const struct ofd_stamp *stamps;
	struct ofd_riding riding;
	bool lock;
	struct span seal; /* DER */
	int64_t seal_width, seal_height;
	int64_t time; /* of signing; its milliseconds are dropped */
};

/* An entry of the new package; `replaces` an old one. */
struct ofd_part {
	char *name;
	struct span bytes;
	bool replaces;
	uint64_t index; /* libzip's, of the old one */
};

struct ofd_signing {
	struct span package; /* the old one */
	char *id;            /* "s003" */
	char *location;      /* "/Doc_0/Signs/Sign_1/Signature.xml" */
	struct span xml;     /* Signature.xml: what is to be signed */
	int64_t time;
	size_t n_parts;
	struct ofd_part parts[OFD_SIGN_PARTS]; /* the last is SignedValue.dat, still empty */
};

/*
 * q->package must outlive *out. With a note:
 *   ERR_DOCUMENT_INVALID  the package is refused, or has no such document, pages or sizes: the note has the code of
 *                         docs/report-codes.md; or it has no room for another signature
 *   ERR_DOCUMENT_LOCKED   an earlier signature covers Signatures.xml or OFD.xml, where it must change
 *   ERR_STAMP_INVALID     no such page; a stamp reaches beyond its page; a riding seal over one page, or slices below
 *                         OFD_SLICE_MIN; nothing to be stamped at all, or too much
 * ERR_BUDGET, ERR_NO_MEMORY, ERR_CRYPTO.
 */
enum err ofd_sign_prepare(struct arena *a, const struct ofd_sign_request *q, struct ofd_signing *out,
                          struct err_note *note) MUST_CHECK;
/* value: the SES_Signature over s->xml. The new package is in the arena. ERR_BUDGET, ERR_NO_MEMORY; ERR_INTERNAL when
 * libzip refuses. */
enum err ofd_sign_finish(struct arena *a, const struct ofd_signing *s, struct span value, struct span *out) MUST_CHECK;

#endif
