/* OFD packages (GB/T 33190) that hold one page, and signatures over it. */
#ifndef YZ_TESTS_CORPUS_PACKAGE_H
#define YZ_TESTS_CORPUS_PACKAGE_H

#include "tests/corpus/corpus.h"

enum { PACKAGE_FILES_MAX = 40, PACKAGE_SIGNATURES_MAX = 4 };

#define OFD_NS    "xmlns:ofd=\"http://www.ofdspec.org/2016\""
#define OFD_DOC   "Doc_0/Document.xml"
#define OFD_PAGE  "Doc_0/Pages/Page_0/Content.xml"
#define OFD_FACE  "Doc_0/Res/face.png"
#define OFD_LIST  "Doc_0/Signs/Signatures.xml"
#define OFD_SIGN  "Doc_0/Signs/Sign_0/Signature.xml"
#define OFD_VALUE "Doc_0/Signs/Sign_0/SignedValue.dat"
#define OFD_ESL   "Doc_0/Signs/Sign_0/Seal.esl"

struct package {
	size_t n;
	struct {
		const char *name;
		struct span bytes;
	} file[PACKAGE_FILES_MAX];
};

/* One signature of a package; zero means the usual. */
struct package_wish {
	struct signature_wish signature;
	const struct cms_wish *cms; /* a SignedData instead, Type="Sign" */
	const char *method;         /* CheckMethod; "": none */
	const EVP_MD *md;
	const char *leave_out; /* without Reference */
	const char *first_ref; /* in place of the first FileRef */
	const char *type, *base_loc, *value_loc, *seal_loc, *date;
	bool no_references, locks;
};

struct package new_package(void);
void package_put(struct package *p, const char *name, struct span bytes);
void package_text(struct package *p, const char *name, const char *text);
void package_remove(struct package *p, const char *name);
struct span package_get(const struct package *p, const char *name);
/* Signatures one after the other, each over what is there when it is made. */
void package_sign(struct package *p, const struct package_wish *w, size_t n);
/* encrypted: the entry of this name; NULL: none. */
struct span package_zip(const struct package *p, const char *encrypted);
/* Every `from` in the bytes becomes `to`, which is as long. */
struct span patched(struct span bytes, const char *from, const char *to);

#endif
