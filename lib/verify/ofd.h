/* Private to the room: what the steps over an OFD package share. */
#ifndef YZ_VERIFY_OFD_H
#define YZ_VERIFY_OFD_H

#include "form/ofd.h"
#include "verify/judge.h"

/* One signature of the package, as it is read and judged. */
struct ofd_item {
	const struct ofd_listed *listed;
	const struct ofd_entry *list; /* the Signatures.xml that names it */
	bool is_last;                 /* of that list */
	struct ofd_entry *file;       /* Signature.xml; NULL when it is missing */
	struct ofd_entry *value;      /* SignedValue.dat */
	struct ofd_entry *seal;       /* Seal.esl; NULL when none is named, or it is missing */
	struct span bytes;            /* of Signature.xml: what is signed */
	struct ofd_signature sig;
	bool is_read;           /* file, value and sig are there */
	struct ofd_fault fault; /* else why */
	struct span ahead;      /* contents of `value` when they were read before their turn; else empty */
	struct deviations deviations;
	bool has_method;
	enum run_alg alg;
	bool sound;     /* its value and data hash are right: what it says of other files is what its signer said */
	bool *protects; /* by entry: it has a right digest of it */
	struct signature_report *report;
};

struct ofd_job {
	struct judge *j;
	struct ofd_package *p;
	struct ofd_document *docs;
	size_t n_docs;
	struct ofd_item *items;
	size_t n_items;
	unsigned algs;       /* of all references: an entry is read once for all of them */
	bool *own, *changed; /* by entry: a file of the signatures themselves; differs from what was signed */
};

/* Read the lists and every Signature.xml; steps of the file say what is wrong with a list. */
enum err ofd_load(struct ofd_job *job) MUST_CHECK;
/* The SM2 values of several signatures, collected before they are judged one by one (ahead.h): not yet verified. NULL
 * when it would not pay. */
struct verify_ahead *ofd_ahead(struct ofd_job *job);
/* All steps of one signature. */
enum err ofd_judge_item(struct ofd_job *job, struct ofd_item *item) MUST_CHECK;
/* After all signatures: the coverage of the report, and its step. */
enum err ofd_coverage(struct ofd_job *job) MUST_CHECK;

/* "/Doc_0/Document.xml"; marks the report incomplete when out of memory. */
const char *ofd_shown(struct judge *j, const struct ofd_entry *e);
/* What a fault of the package means: a step that fails, or e itself when it is none of the file's. */
enum err ofd_fault_step(struct judge *j, const char *step, enum err e, const struct ofd_fault *fault) MUST_CHECK;

#endif
