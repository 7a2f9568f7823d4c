/*
 * What the files of an OFD package say about its documents and signatures: GB/T 33190 clauses 7 and 18, GM/T 0099.
 * Bytes to checked structs, no verdicts. Locations stay as written; form/ofd_package.h resolves them.
 *
 * Where an element that must be single stands twice, two readers may take different ones: that is XML_BAD.
 */
#ifndef YZ_FORM_OFD_H
#define YZ_FORM_OFD_H

#include "form/ofd_package.h"

enum {
	OFD_DOCUMENTS_MAX = 64,
	OFD_SIGNATURES_MAX = 128,   /* of one package */
	OFD_REFERENCES_MAX = 50000, /* of one package */
	OFD_ID_MAX = 64
};

#define OFD_MAIN "OFD.xml"

/* A DocBody of OFD.xml. */
struct ofd_document {
	char *root;       /* DocRoot; NULL when absent */
	char *signatures; /* Signatures: location of the list; NULL when absent */
};

/* A Signature of Signatures.xml. */
struct ofd_listed {
	char *id;       /* "" when absent */
	char *type;     /* "Seal", "Sign", as written; NULL when absent (it means Seal) */
	char *base_loc; /* of Signature.xml; NULL when absent */
};

struct ofd_reference {
	char *file;
	uint8_t value[RUN_LEN_MAX];
	size_t len; /* of value; 0 when CheckValue is absent, no base64, or longer than any digest here */
};

/* Signature.xml */
struct ofd_signature {
	char *value_loc;    /* SignedValue; NULL when absent */
	char *seal_loc;     /* Seal/BaseLoc; NULL when absent */
	char *method;       /* SignatureMethod; NULL when absent */
	char *time;         /* SignatureDateTime, as written; NULL when absent */
	char *check_method; /* CheckMethod; "MD5" when absent, as the standard says */
	size_t n_references;
	struct ofd_reference *references;
};

/* All three: ERR_FORMAT with *fault (XML_DTD, XML_BAD, TOO_LARGE); ERR_BUDGET, ERR_NO_MEMORY. name: of the file, for
 * faults. *out is filled up to `max`, which is at most the bound above. */
enum err ofd_parse_main(struct arena *a, const char *name, struct span bytes, struct ofd_document **out, size_t *n,
                        struct ofd_fault *fault) MUST_CHECK;
enum err ofd_parse_list(struct arena *a, const char *name, struct span bytes, struct ofd_listed **out, size_t *n,
                        struct ofd_fault *fault) MUST_CHECK;
enum err ofd_parse_signature(struct arena *a, const char *name, struct span bytes, struct ofd_signature *out,
                             struct ofd_fault *fault) MUST_CHECK;

/* SignatureDateTime in a form that is seen: RFC 3339, "yyyy-MM-dd HH:mm:ss", "yyyyMMddHHmmss" with or without fraction
 * and Z. A time without zone is read `zone_minutes` east of UTC (TIME_NO_ZONE). 0 when it is none of these. */
int64_t ofd_time(const char *text, int zone_minutes, struct deviations *list);
/* The algorithm that a CheckMethod names: by its name in any letter case, or its OID. False when it is none of ours.
 * The OIDs of SM3 with and without key (GM/T 0006) are taken for SM3 as some producers mean them (CHECK_METHOD_OID). */
bool ofd_check_method(const char *text, enum run_alg *out, struct deviations *list);

/*
 * Which entries are displayed: those that the documents' roots name, directly or through other files, by any attribute
 * or text that is the location of an entry, but for what stands below Attachments, CustomTags, Extensions and Versions.
 * It is not the schema that decides but what can be found, so that it holds for producers and readers who take
 * liberties: nothing that a reader displays should be missing. displayed[i] goes with p->entries[i].
 * *complete is false when a file could not be read or a bound was reached: then more may be displayed.
 */
enum err ofd_displayed(struct ofd_package *p, const struct ofd_document *docs, size_t n_docs, bool *displayed,
                       bool *complete) MUST_CHECK;

#endif
