/*
 * The package of an OFD file (GB/T 33190 clause 7: a ZIP) as a checked list of entries, over libzip. Everything is read
 * from memory; nothing is written, unpacked or fetched.
 *
 * Every bound is checked before memory is taken or bytes are inflated: the directory is looked at before libzip sees
 * it, names are compared before anything is read, and whatever inflates counts against one total.
 *
 * Not checked: bytes between the entries that the directory does not name (a reader that scans local headers instead of
 * the directory may see other entries), dates and attributes of entries.
 */
#ifndef YZ_FORM_OFD_PACKAGE_H
#define YZ_FORM_OFD_PACKAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "crypto/digest_run.h"
#include "form/deviation.h"

enum {
	OFD_ENTRIES_MAX = 10000,
	OFD_NAME_MAX = 512,
	OFD_DEPTH_MAX = 32,                  /* folders */
	OFD_INFLATED_MAX = 96 * 1024 * 1024, /* all entries together */
	OFD_RATIO_FROM = 8 * 1024 * 1024,    /* an entry above this size may be … */
	OFD_RATIO_ALL = 100,                 /* all entries together, against the whole package, likewise */
	OFD_RATIO_MAX = 200,                 /* … this many times as large as its packed form */
	OFD_READ_MAX = 16 * 1024 * 1024,     /* entries that are held in memory, together */
	OFD_XML_MAX = 4 * 1024 * 1024        /* one XML file that is read for its meaning */
};

/* Why a package or a file in it is refused: a stable code (docs/report-codes.md) and what it is about. */
struct ofd_fault {
	const char *code;
	const char *detail; /* in the arena; NULL when none */
};

struct ofd_entry {
	const char *name;  /* "Doc_0/Document.xml": no leading slash, '/' between folders */
	uint64_t size;     /* inflated, as the directory says; held to when read */
	uint64_t index;    /* libzip's */
	unsigned digested; /* RUN_BIT of algorithms that `digests` holds */
	bool broken;       /* an earlier pass failed: not tried again */
	struct run_digests digests;
};

struct ofd_package {
	struct arena *arena;
	struct ofd_entry *entries; /* files in byte order of their names; folders are left out */
	size_t n;
	void *zip;
	uint64_t inflated; /* the sum of all sizes */
	size_t packed;     /* octets of the package */
	size_t held;       /* octets read into memory so far */
};

/* `bytes` must outlive the package; close it in any case but an error. ERR_FORMAT with *fault filled: PACKAGE_BROKEN,
 * PACKAGE_AMBIGUOUS, PACKAGE_BOMB, TOO_LARGE, PATH_UNSAFE, DUPLICATE_ENTRY, CASE_TWINS, ENCRYPTED_ENTRY. Deviations:
 * PATH_BACKSLASH. ERR_BUDGET, ERR_NO_MEMORY. */
enum err ofd_package_open(struct arena *a, struct span bytes, struct deviations *list, struct ofd_package **out,
                          struct ofd_fault *fault) MUST_CHECK;
void ofd_package_close(struct ofd_package *p);

/* By name; NULL when there is none. */
struct ofd_entry *ofd_find(const struct ofd_package *p, const char *name);
/* The whole entry in the arena `a`. ERR_FORMAT with *fault: PACKAGE_BROKEN (checksum, size), TOO_LARGE past `max` or
 * OFD_READ_MAX in all. */
enum err ofd_read(struct ofd_package *p, struct arena *a, const struct ofd_entry *e, size_t max, struct span *out,
                  struct ofd_fault *fault) MUST_CHECK;
/* The first bytes of an entry, at most n; *len says how many. ERR_FORMAT with *fault. */
enum err ofd_peek(struct ofd_package *p, const struct ofd_entry *e, uint8_t *to, size_t n, size_t *len,
                  struct ofd_fault *fault) MUST_CHECK;
/* e->digests of all `algs`, in one pass over the entry for those that it does not hold yet. ERR_FORMAT with *fault. */
enum err ofd_digest(struct ofd_package *p, struct ofd_entry *e, unsigned algs, struct ofd_fault *fault) MUST_CHECK;
/* SM3 of many entries, read and digested side by side (crypto/sm3_many.h), for who will ask ofd_digest() for them and
 * for no other algorithm. An entry may stand there twice; `entries` is put in another order. Those that cannot be read
 * are left as they are, so that ofd_digest() says what is wrong. ERR_NO_MEMORY. */
enum err ofd_digest_ahead(struct ofd_package *p, struct ofd_entry **entries, size_t n) MUST_CHECK;

/* A location (ST_Loc) as written in the file `from` (a name in the package): absolute with '/', else relative to the
 * folder of `from`; '.' and '..' are resolved, '\' counts as '/'. False when it leaves the package, is too long or
 * empty. */
bool ofd_resolve(const char *from, const char *loc, char out[OFD_NAME_MAX + 1]);
/* The entry that `loc` in `from` names. Where there is none, a relative location is tried from the root, as some
 * producers mean it (deviation PATH_FROM_ROOT; list NULL: not tried). */
struct ofd_entry *ofd_locate(const struct ofd_package *p, const char *from, const char *loc, struct deviations *list);

#endif
