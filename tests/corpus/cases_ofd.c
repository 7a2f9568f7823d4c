/* OFD documents: references, seal file, coverage, and packages that mean harm. */
#include <string.h>

#include "tests/corpus/helpers.h"
#include "tests/corpus/package.h"

static const struct family documents = {"ofd", NULL, "ofd"};

/* ---- one fault in a signature --------------------------------------------------------------------------------------
 */

enum verdict { PASSED, FAILED, DOUBTFUL, UNSIGNED };

static const struct {
	const char *id;
	enum verdict verdict;
	const char *sub, *codes, *about;
	struct package_wish wish;
} signed_so[] = {
    {"ofd-good", PASSED, NULL, NULL, "nothing is wrong", {.method = NULL}},
    {"ofd-sha256", PASSED, NULL, NULL, "references with SHA-256", {.method = "2.16.840.1.101.3.4.2.1"}},
    {"ofd-sha1",
     DOUBTFUL,
     "CRYPTO_CONSTRAINTS_FAILURE",
     "check_method=CHECK_METHOD_REFUSED coverage=UNCOVERED",
     "references with SHA-1",
     {.method = "SHA1"}},
    {"ofd-md5",
     DOUBTFUL,
     "CRYPTO_CONSTRAINTS_FAILURE",
     "check_method=CHECK_METHOD_REFUSED coverage=UNCOVERED",
     "references with MD5",
     {.method = "MD5"}},
    {"ofd-method-absent",
     DOUBTFUL,
     "CRYPTO_CONSTRAINTS_FAILURE",
     "check_method=CHECK_METHOD_REFUSED coverage=UNCOVERED",
     "no CheckMethod, which means MD5",
     {.method = ""}},
    {"ofd-method-unknown",
     DOUBTFUL,
     "CRYPTO_CONSTRAINTS_FAILURE",
     "check_method=CHECK_METHOD_UNKNOWN reference_digest=CANNOT_JUDGE coverage=UNCOVERED",
     "CheckMethod is CRC32",
     {.method = "CRC32"}},
    {"ofd-no-references",
     FAILED,
     "SIG_CONSTRAINTS_FAILURE",
     "check_method reference_digest=NO_REFERENCES coverage=UNCOVERED",
     "not a single reference",
     {.no_references = true}},
    {"ofd-page-left-out",
     DOUBTFUL,
     "SIG_CONSTRAINTS_FAILURE",
     "coverage=UNCOVERED",
     "no reference protects the page",
     {.leave_out = OFD_PAGE}},
    {"ofd-picture-left-out",
     DOUBTFUL,
     "SIG_CONSTRAINTS_FAILURE",
     "coverage=UNCOVERED",
     "no reference protects a picture on the page",
     {.leave_out = OFD_FACE}},
    {"ofd-root-left-out",
     DOUBTFUL,
     "SIG_CONSTRAINTS_FAILURE",
     "coverage=UNCOVERED",
     "no reference protects Document.xml",
     {.leave_out = OFD_DOC}},
    {"ofd-main-left-out",
     PASSED,
     NULL,
     "coverage=ENTRY_UNPROTECTED",
     "no reference protects OFD.xml",
     {.leave_out = "OFD.xml"}},
    {"ofd-reference-missing",
     FAILED,
     "HASH_FAILURE",
     "reference_digest=REFERENCE_MISSING coverage=ENTRY_UNPROTECTED",
     "a reference to a file that is not there",
     {.first_ref = "/Doc_0/None.xml"}},
    {"ofd-reference-outside",
     FAILED,
     "HASH_FAILURE",
     "reference_digest=REFERENCE_MISSING coverage=ENTRY_UNPROTECTED",
     "a reference that leads out of the package",
     {.first_ref = "/../../etc/passwd"}},
    {"ofd-signature-missing",
     FAILED,
     "FORMAT_FAILURE",
     "only package=OK documents=OK signature_file=ENTRY_MISSING coverage=CANNOT_JUDGE",
     "Signature.xml is elsewhere",
     {.base_loc = "Sign_9/Signature.xml"}},
    {"ofd-value-missing",
     FAILED,
     "FORMAT_FAILURE",
     "only package=OK documents=OK signature_file=ENTRY_MISSING coverage=CANNOT_JUDGE",
     "SignedValue is elsewhere",
     {.value_loc = "None.dat"}},
    {"ofd-seal-missing",
     FAILED,
     "FORMAT_FAILURE",
     "seal_file=ENTRY_MISSING coverage=ENTRY_UNPROTECTED",
     "Seal.esl is elsewhere",
     {.seal_loc = "None.esl"}},
    {"ofd-type-unknown",
     FAILED,
     "FORMAT_FAILURE",
     "only package=OK documents=OK signature_file=SIGNATURE_TYPE_UNKNOWN coverage=CANNOT_JUDGE",
     "Type is Stamp",
     {.type = "Stamp"}},
    {"ofd-locked", PASSED, NULL, NULL, "one signature that locks the list", {.locks = true}},
    {"ofd-value-bit",
     FAILED,
     "SIG_CRYPTO_FAILURE",
     "signature_value=SIG_BAD coverage=CANNOT_JUDGE",
     "one bit of the signature value is turned over",
     {.signature = {.value = VALUE_FLIP}}},
    {"ofd-hash",
     FAILED,
     "HASH_FAILURE",
     "data_hash=HASH_MISMATCH coverage=CANNOT_JUDGE",
     "the signature is over another Signature.xml",
     {.signature = {.data = "other"}}},
    {"ofd-seal-signature",
     FAILED,
     "SIG_CRYPTO_FAILURE",
     "seal_signature=SEAL_SIG_BAD coverage=CANNOT_JUDGE",
     "the seal is forged",
     {.signature = {.seal = {.value = VALUE_FLIP}}}},
    {"ofd-method-oid",
     PASSED,
     NULL,
     "+form=CHECK_METHOD_OID",
     "CheckMethod is the OID of SM3 without a key",
     {.method = "1.2.156.10197.1.401.1"}},
    {"ofd-from-root",
     PASSED,
     NULL,
     "+form=PATH_FROM_ROOT",
     "a relative FileRef that counts from the root",
     {.first_ref = "OFD.xml"}},
    {"ofd-scope",
     PASSED,
     NULL,
     "+scope=SCOPE_OTHER",
     "propertyInfo is the location of Signature.xml without its slash",
     {.signature = {.scope = "Doc_0/Signs/Sign_0/Signature.xml"}}},
    {"ofd-v1", PASSED, NULL, NULL, "a seal of version 1", {.signature = {.seal = {.version = 1}}}},
    {"ofd-v5", PASSED, NULL, NULL, "a seal of version 5", {.signature = {.seal = {.version = 5}}}},
};

static void verdict_row(const char *id, enum verdict v, const char *sub, const char *codes, const char *about,
                        struct span zip)
{
	static const char *const words[] = {"TOTAL_PASSED", "TOTAL_FAILED", "INDETERMINATE", "NO_SIGNATURE_FOUND"};

	add_case(
	    (struct row){
	        .id = id, .kind = documents.kind, .indication = words[v], .sub = sub, .codes = codes, .about = about},
	    zip);
}

static void signed_cases(void)
{
	for (size_t i = 0; i < sizeof(signed_so) / sizeof(signed_so[0]); i++) {
		struct package p = new_package();
		struct package_wish w = signed_so[i].wish;

		if (strcmp(signed_so[i].id, "ofd-sha256") == 0)
			w.md = EVP_sha256();
		if (strcmp(signed_so[i].id, "ofd-sha1") == 0)
			w.md = EVP_sha1();
		if (strcmp(signed_so[i].id, "ofd-md5") == 0 || strcmp(signed_so[i].id, "ofd-method-absent") == 0)
			w.md = EVP_md5();
		package_sign(&p, &w, 1);
		verdict_row(signed_so[i].id, signed_so[i].verdict, signed_so[i].sub, signed_so[i].codes, signed_so[i].about,
		            package_zip(&p, NULL));
	}
}

static void not_listed(void)
{
	struct package p = new_package();
	struct package_wish w = {.signature = {.seal = {.listed = people()->colleague}}};

	package_sign(&p, &w, 1);
	verdict_row("ofd-not-listed", FAILED, "SIG_CONSTRAINTS_FAILURE",
	            "signer_in_seal=SIGNER_NOT_IN_SEAL coverage=CANNOT_JUDGE", "the signer is not in the seal's list",
	            package_zip(&p, NULL));
}

/* ---- one change after signing
 * ------------------------------------------------------------------------------------------ */

static const struct {
	const char *id, *file, *text; /* text NULL: removed */
	enum verdict verdict;
	const char *sub, *codes, *about;
} changes[] = {
    {"ofd-page-changed", OFD_PAGE, "<Page/>", FAILED, "HASH_FAILURE", "reference_digest=HASH_MISMATCH",
     "the page was changed"},
    {"ofd-picture-changed", OFD_FACE, "another", FAILED, "HASH_FAILURE", "reference_digest=HASH_MISMATCH",
     "a picture was changed"},
    {"ofd-page-removed", OFD_PAGE, NULL, FAILED, "HASH_FAILURE", "reference_digest=REFERENCE_MISSING",
     "the page was taken away"},
    {"ofd-stray-file", "Doc_0/stray.txt", "x", PASSED, NULL, "coverage=ENTRY_UNPROTECTED",
     "a file was added that nothing shows"},
    {"ofd-seal-other", OFD_ESL, "another seal", FAILED, "SIG_CONSTRAINTS_FAILURE", "seal_file=SEAL_FILE_MISMATCH",
     "Seal.esl is another seal"},
    {"ofd-seal-empty", OFD_ESL, "", FAILED, "SIG_CONSTRAINTS_FAILURE", "seal_file=SEAL_FILE_MISMATCH",
     "Seal.esl is empty"},
    {"ofd-signature-cut", OFD_SIGN, "<Signature>", FAILED, "FORMAT_FAILURE",
     "only package=OK documents=OK signature_file=XML_BAD coverage=CANNOT_JUDGE", "Signature.xml is cut off"},
    {"ofd-signature-removed", OFD_SIGN, NULL, FAILED, "FORMAT_FAILURE",
     "only package=OK documents=OK signature_file=ENTRY_MISSING coverage=CANNOT_JUDGE", "Signature.xml was taken away"},
    {"ofd-list-removed", OFD_LIST, NULL, FAILED, "FORMAT_FAILURE",
     "only package=OK documents=OK signature_list=ENTRY_MISSING", "Signatures.xml was taken away"},
    {"ofd-list-empty", OFD_LIST, "<Signatures/>", UNSIGNED, NULL, "only package=OK documents=OK signatures=UNSIGNED",
     "Signatures.xml lists none"},
    {"ofd-list-of-itself", OFD_LIST, "<Signatures><Signature BaseLoc='Signatures.xml'/></Signatures>", FAILED,
     "FORMAT_FAILURE", "only package=OK documents=OK signature_file=XML_BAD coverage=CANNOT_JUDGE",
     "Signatures.xml names itself as a signature"},
    {"ofd-list-doctype", OFD_LIST, "<!DOCTYPE x><Signatures/>", FAILED, "FORMAT_FAILURE",
     "only package=OK documents=OK signature_list=XML_DTD", "Signatures.xml has a document type"},
    {"ofd-external-entity", OFD_LIST,
     "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><Signatures>&e;</Signatures>", FAILED, "FORMAT_FAILURE",
     "only package=OK documents=OK signature_list=XML_DTD", "Signatures.xml takes in a file of the machine"},
    {"ofd-entity-expansion", "OFD.xml",
     "<!DOCTYPE OFD [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;'>]>"
     "<OFD>&c;</OFD>",
     FAILED, "FORMAT_FAILURE", "only package=OK documents=XML_DTD", "OFD.xml expands entities"},
    {"ofd-main-empty", "OFD.xml", "<OFD/>", FAILED, "FORMAT_FAILURE", "only package=OK documents=XML_BAD",
     "OFD.xml names no document"},
    {"ofd-main-removed", "OFD.xml", NULL, FAILED, "FORMAT_FAILURE", "only package=OK kind=NO_OFD_XML",
     "a ZIP without OFD.xml"},
    {"ofd-main-forgets", "OFD.xml", "<OFD><DocBody><DocRoot>Doc_0/Document.xml</DocRoot></DocBody></OFD>", UNSIGNED,
     NULL, "only package=OK documents=OK signatures=UNSIGNED", "OFD.xml no longer names the signatures"},
};

static struct package signed_package(void)
{
	static const struct package_wish usual;
	struct package p = new_package();

	package_sign(&p, &usual, 1);
	return p;
}

static void change_cases(void)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct package p = signed_package();

		if (changes[i].text != NULL)
			package_text(&p, changes[i].file, changes[i].text);
		else
			package_remove(&p, changes[i].file);
		verdict_row(changes[i].id, changes[i].verdict, changes[i].sub, changes[i].codes, changes[i].about,
		            package_zip(&p, NULL));
	}
}

/* ---- several signatures
 * --------------------------------------------------------------------------------------------------- */

static void several_cases(void)
{
	struct package_wish open[2] = {{.locks = false}, {.locks = false}}, locked[2] = {{.locks = true}, {.locks = true}};
	struct package_wish shared[2] = {{.leave_out = OFD_FACE}, {.leave_out = NULL}};
	struct package_wish added = {.leave_out = OFD_DOC};
	struct package p = new_package();

	package_sign(&p, open, 2);
	verdict_row("ofd-two", PASSED, NULL, "+time=TIME_CLAIMED_ONLY", "a second signature after the first",
	            package_zip(&p, NULL));
	p = new_package();
	package_sign(&p, locked, 2);
	verdict_row("ofd-locked-extended", FAILED, "HASH_FAILURE",
	            "+time=TIME_CLAIMED_ONLY +reference_digest=LOCKED_LIST_EXTENDED",
	            "a second signature after one that locks the list", package_zip(&p, NULL));
	p = new_package();
	package_sign(&p, shared, 2);
	verdict_row("ofd-covered-by-others", PASSED, NULL, "+time=TIME_CLAIMED_ONLY +share=COVERED_BY_OTHERS",
	            "only the second signature protects the picture", package_zip(&p, NULL));
	p = new_package();
	package_sign(&p, &added, 1);
	package_text(&p, OFD_DOC, "<Document><Pages><Page BaseLoc='Pages/Page_1/Content.xml'/></Pages></Document>");
	package_text(&p, "Doc_0/Pages/Page_1/Content.xml", "<Page/>");
	verdict_row("ofd-page-added", DOUBTFUL, "SIG_CONSTRAINTS_FAILURE", "coverage=UNCOVERED",
	            "another page shown in place of the signed one", package_zip(&p, NULL));
	p = signed_package();
	package_put(&p, OFD_ESL, joined(package_get(&p, OFD_ESL), span_str("tail")));
	verdict_row("ofd-seal-tail", PASSED, NULL, "+form=SEAL_FILE_TRAILING", "bytes follow the seal in Seal.esl",
	            package_zip(&p, NULL));
}

static void odd_cases(void)
{
	struct package p = signed_package();
	struct cms_wish cms = {.gm = true, .attrs = true};
	struct package_wish w = {.cms = &cms, .type = "Seal"};

	package_put(&p, OFD_ESL, in_ber(package_get(&p, OFD_ESL), BER_INDEFINITE));
	verdict_row("ofd-seal-encoding", PASSED, NULL, "+form=SEAL_FILE_ENCODING", "Seal.esl is the same seal in BER",
	            package_zip(&p, NULL));
	p = signed_package();
	package_text(&p, "Doc_0/Res+stray.txt", "x");
	verdict_row("ofd-backslash", PASSED, NULL, "+form=PATH_BACKSLASH coverage=ENTRY_UNPROTECTED",
	            "an entry whose name has a backslash",
	            patched(package_zip(&p, NULL), "Res+stray.txt", "Res\\stray.txt"));
	p = new_package();
	package_sign(&p, &w, 1);
	add_case((struct row){.id = "ofd-type-wrong",
	                      .kind = "ofd-sign",
	                      .codes = "+form=SIGNATURE_TYPE_WRONG",
	                      .about = "Type Seal over a SignedData"},
	         package_zip(&p, NULL));
}

/* Files that name one another in circles end somewhere. */
static void cycle(void)
{
	struct package p = new_package();
	struct package_wish w = {.leave_out = OFD_DOC};

	package_text(&p, OFD_DOC,
	             "<Document><Pages><Page BaseLoc='Pages/Page_0/Content.xml'/></Pages>"
	             "<Annotations>Annotations.xml</Annotations></Document>");
	package_text(&p, "Doc_0/Annotations.xml",
	             "<Annotations><FileLoc>Annotations.xml</FileLoc><FileLoc>Document.xml</FileLoc></Annotations>");
	package_sign(&p, &w, 1);
	verdict_row("ofd-cycle", DOUBTFUL, "SIG_CONSTRAINTS_FAILURE", "coverage=UNCOVERED",
	            "annotations that name themselves and their document", package_zip(&p, NULL));
}

static void many_signatures(void)
{
	struct package p = signed_package();
	struct buf b;

	buf_init(&b, mem());
	buf_str(&b, "<Signatures>");
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "<Signature ID='s%d' BaseLoc='Sign_0/Signature.xml'/>", i);
	buf_str(&b, "</Signatures>");
	package_put(&p, OFD_LIST, done(&b));
	verdict_row("ofd-thousand-signatures", FAILED, "FORMAT_FAILURE",
	            "only package=OK documents=OK signature_list=TOO_LARGE", "a thousand signatures",
	            package_zip(&p, NULL));
}

/* ---- hostile packages
 * ------------------------------------------------------------------------------------------------------- */

static struct span with_file(const char *name, struct span bytes)
{
	struct package p = signed_package();

	package_put(&p, name, bytes);
	return package_zip(&p, NULL);
}

static void hostile(const char *id, struct span zip, const char *code, const char *about)
{
	verdict_row(id, FAILED, "FORMAT_FAILURE", arena_printf(mem(), "only package=%s", code), about, zip);
}

static void package_cases(void)
{
	enum { BOMB = 32 * 1024 * 1024 };
	struct span x = span_str("x"), whole;
	struct package p = signed_package();

	hostile("ofd-traversal", patched(with_file("ab/evil.xml", x), "ab/evil.xml", "../evil.xml"), "PATH_UNSAFE",
	        "an entry named ../evil.xml");
	hostile("ofd-absolute", patched(with_file("ab/evil.xml", x), "ab/evil.xml", "/b/evil.xml"), "PATH_UNSAFE",
	        "an entry with an absolute name");
	hostile("ofd-drive", patched(with_file("ab/evil.xml", x), "ab/evil.xml", "C:/evil.xml"), "PATH_UNSAFE",
	        "an entry named by a drive");
	hostile("ofd-duplicate", patched(with_file("Doc_0/Pages/Page_0/Kontent.xml", x), "Kontent.xml", "Content.xml"),
	        "DUPLICATE_ENTRY", "two entries of the same name");
	hostile("ofd-case-twins", with_file("Doc_0/Pages/Page_0/content.XML", x), "CASE_TWINS",
	        "two entries that differ in case alone");
	hostile("ofd-bomb", with_file("Doc_0/bomb.bin", span_of(arena_alloc(mem(), BOMB), BOMB)), "PACKAGE_BOMB",
	        "32 MiB in 32 KiB");
	hostile("ofd-encrypted", package_zip(&p, OFD_PAGE), "ENCRYPTED_ENTRY", "an encrypted entry");
	whole = package_zip(&p, NULL);
	hostile("ofd-cut", span_sub(whole, 0, whole.len / 2), "PACKAGE_BROKEN", "the package is cut off");
	hostile("ofd-tail", joined(whole, span_str("tail")), "PACKAGE_AMBIGUOUS", "bytes follow the package");
}

/* ---- SignedData in place of a seal
 * ------------------------------------------------------------------------------------------ */

static void sign_cases(void)
{
	struct cms_wish good_one = {.gm = true, .attrs = true, .content = C_DIGEST},
	                bad_one = {.gm = true, .attrs = true, .flip_value = true};
	struct package_wish w = {.cms = &good_one};
	struct package p = new_package();

	package_sign(&p, &w, 1);
	add_case((struct row){.id = "ofd-sign",
	                      .kind = "ofd-sign",
	                      .codes = "+form=CONTENT_IS_DIGEST",
	                      .about = "Type Sign with a SignedData over the digest"},
	         package_zip(&p, NULL));
	w.cms = &bad_one;
	p = new_package();
	package_sign(&p, &w, 1);
	add_case((struct row){.id = "ofd-sign-value",
	                      .kind = "ofd-sign",
	                      .sub = "SIG_CRYPTO_FAILURE",
	                      .codes = "signature_value=SIG_BAD coverage=CANNOT_JUDGE",
	                      .about = "the same, one bit of the value turned over"},
	         package_zip(&p, NULL));
}

void ofd_cases(void)
{
	signed_cases();
	not_listed();
	change_cases();
	several_cases();
	odd_cases();
	cycle();
	many_signatures();
	package_cases();
	sign_cases();
}
