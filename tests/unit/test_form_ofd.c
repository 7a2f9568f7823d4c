/* Packages, locations and XML of OFD files: what is read, and what is refused with which code. */
#include "ofd_help.h"

#include "crypto/digest.h"
#include "form/ofd_xml.h"

/* ---- packages ---- */

static const char *open_code(struct arena *a, struct span zip)
{
	struct deviations list = {0};
	struct ofd_package *p = NULL;
	struct ofd_fault fault = {0};
	enum err e = ofd_package_open(a, zip, &list, &p, &fault);

	ofd_package_close(p);
	if (e == ERR_OK)
		return list.n != 0 ? list.item[0].code : "OK";
	assert_err(e, ERR_FORMAT);
	assert_non_null(fault.code);
	assert_non_null(report_code_find(fault.code));
	return fault.code;
}

static void names_are_checked(void **state)
{
	static const struct {
		const char *name, *code;
	} table[] = {
	    {"a/b.xml", "OK"},
	    {"证照/面.xml", "OK"},
	    {"a/", "PATH_UNSAFE"}, /* a folder with contents */
	    {"../evil", "PATH_UNSAFE"},
	    {"a/../../evil", "PATH_UNSAFE"},
	    {"a/..", "PATH_UNSAFE"},
	    {"a/./b", "PATH_UNSAFE"},
	    {"./a", "PATH_UNSAFE"},
	    {"/etc/passwd", "PATH_UNSAFE"},
	    {"a//b", "PATH_UNSAFE"},
	    {"C:/evil", "PATH_UNSAFE"},
	    {"a\\..\\..\\evil", "PATH_UNSAFE"},
	    {"\\\\host\\evil", "PATH_UNSAFE"},
	    {"a\tb", "PATH_UNSAFE"},
	    {"a\\b.xml", "PATH_BACKSLASH"},
	    {"1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3", "PATH_UNSAFE"},
	    {"ofd.xml", "CASE_TWINS"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pack p = {.a = *state};
		struct span zip;
		/* libzip itself refuses some names, so they are put in afterwards. */
		char plain[80];
		size_t len = strlen(table[i].name);

		memset(plain, '#', sizeof(plain));
		plain[len] = '\0';
		pack_text(&p, OFD_MAIN, "<x/>");
		pack_text(&p, plain, "x");
		zip = pack_zip(&p, NULL);
		assert_int_equal(patch(zip, plain, table[i].name), 2);
		if (strcmp(open_code(*state, zip), table[i].code) != 0)
			fail_msg("%s: %s", table[i].name, open_code(*state, zip));
	}
}

static struct span one_file(struct arena *a)
{
	struct pack p = {.a = a};

	pack_text(&p, "a.xml", "<hello/>");
	return pack_zip(&p, NULL);
}

static void duplicates_are_refused(void **state)
{
	struct pack p = {.a = *state};
	struct span zip;

	pack_text(&p, "aa.xml", "x");
	pack_text(&p, "ab.xml", "y");
	zip = pack_zip(&p, NULL);
	patch(zip, "ab.xml", "aa.xml");
	assert_string_equal(open_code(*state, zip), "DUPLICATE_ENTRY");
	zip = pack_zip(&p, NULL);
	patch(zip, "ab.xml", "aA.xml");
	assert_string_equal(open_code(*state, zip), "CASE_TWINS");
}

static void encrypted_entries_are_refused(void **state)
{
	struct pack p = {.a = *state};

	pack_text(&p, "a.xml", "x");
	pack_text(&p, "b.xml", "y");
	assert_string_equal(open_code(*state, pack_zip(&p, "b.xml")), "ENCRYPTED_ENTRY");
}

static void bombs_are_refused(void **state)
{
	struct pack one = {.a = *state}, two = {.a = *state};
	size_t n = 9 * 1024 * 1024;
	uint8_t *zeros = arena_alloc(*state, n);

	pack_put(&one, "bomb", span_of(zeros, n));
	assert_string_equal(open_code(*state, pack_zip(&one, NULL)), "PACKAGE_BOMB");
	pack_put(&two, "a", span_of(zeros, n / 2));
	assert_string_equal(open_code(*state, pack_zip(&two, NULL)), "OK");
	pack_put(&two, "b", span_of(zeros, n / 2));
	assert_string_equal(open_code(*state, pack_zip(&two, NULL)), "PACKAGE_BOMB");
}

/* An announced size beyond every bound, without the bytes behind it. */
static void announced_sizes_are_bounded(void **state)
{
	struct span zip = one_file(*state);
	uint8_t *central = memmem(zip.ptr, zip.len, "PK\1\2", 4);

	assert_non_null(central);
	memset(central + 24, 0x7f, 4);
	assert_string_not_equal(open_code(*state, zip), "OK");
}

static void too_many_entries_are_refused(void **state)
{
	struct span zip = one_file(*state);
	uint8_t *end = memmem(zip.ptr, zip.len, "PK\5\6", 4);

	assert_non_null(end);
	memset(end + 8, 0xff, 4);
	assert_string_equal(open_code(*state, zip), "TOO_LARGE");
}

static struct span joined(struct arena *a, struct span x, struct span y)
{
	uint8_t *out = arena_alloc(a, x.len + y.len);

	assert_non_null(out);
	memcpy(out, x.ptr, x.len);
	memcpy(out + x.len, y.ptr, y.len);
	return span_of(out, x.len + y.len);
}

static void the_directory_is_the_only_one(void **state)
{
	struct span zip = one_file(*state), end = span_sub(zip, zip.len - 22, 22);

	assert_string_equal(open_code(*state, joined(*state, zip, span_str("tail"))), "PACKAGE_AMBIGUOUS");
	assert_string_equal(open_code(*state, joined(*state, zip, end)), "PACKAGE_AMBIGUOUS");
	assert_string_equal(open_code(*state, joined(*state, span_str("head"), zip)), "PACKAGE_BROKEN");
	assert_string_equal(open_code(*state, joined(*state, zip, zip)), "PACKAGE_AMBIGUOUS");
	for (size_t n = 0; n < zip.len; n++)
		assert_string_equal(open_code(*state, span_sub(zip, 0, n)), "PACKAGE_BROKEN");
}

/* A name in the local header other than the directory's: another reader would see another file. */
static void entries_and_directory_must_agree(void **state)
{
	struct span zip = one_file(*state);
	uint8_t *name = memmem(zip.ptr, zip.len, "a.xml", 5);

	assert_non_null(name);
	name[0] = 'b';
	assert_string_equal(open_code(*state, zip), "PACKAGE_BROKEN");
}

static void contents_are_bounded_and_checked(void **state)
{
	struct pack p = {.a = *state};
	struct deviations list = {0};
	struct ofd_fault fault = {0};
	struct ofd_package *pkg;
	struct span zip, out;
	uint8_t *at;

	pack_text(&p, "a.xml", "qwertyuiopasdfghjkl1234567890");
	zip = pack_zip(&p, NULL);
	assert_err(ofd_package_open(*state, zip, &list, &pkg, &fault), ERR_OK);
	assert_int_equal(pkg->n, 1);
	assert_null(ofd_find(pkg, "A.xml"));
	assert_err(ofd_read(pkg, *state, &pkg->entries[0], 100, &out, &fault), ERR_OK);
	assert_span(out, span_str("qwertyuiopasdfghjkl1234567890"));
	assert_err(ofd_read(pkg, *state, &pkg->entries[0], 28, &out, &fault), ERR_FORMAT);
	assert_string_equal(fault.code, "TOO_LARGE");
	assert_err(ofd_digest(pkg, &pkg->entries[0], RUN_BIT(RUN_SM3) | RUN_BIT(RUN_MD5), &fault), ERR_OK);
	assert_string_equal(digest_text(*state, RUN_MD5, out),
	                    base64_text(*state, span_of(pkg->entries[0].digests.value[RUN_MD5], 16)));
	ofd_package_close(pkg);
	at = memmem(zip.ptr, zip.len, "a.xml", 5);
	at[8] ^= 0x55; /* in the packed bytes */
	if (ofd_package_open(*state, zip, &list, &pkg, &fault) == ERR_OK) {
		assert_err(ofd_read(pkg, *state, &pkg->entries[0], 100, &out, &fault), ERR_FORMAT);
		assert_string_equal(fault.code, "PACKAGE_BROKEN");
		assert_err(ofd_digest(pkg, &pkg->entries[0], RUN_BIT(RUN_SM3), &fault), ERR_FORMAT);
		ofd_package_close(pkg);
	}
}

enum { MANY = 45, BROKEN = 7 };

/* Entries of 0 to 300 kB; `broken`: the packed bytes of one are changed. */
static struct ofd_package *many_entries(struct arena *a, bool broken)
{
	struct pack p = {.a = a};
	struct deviations list = {0};
	struct ofd_fault fault = {0};
	struct ofd_package *pkg;
	struct span zip;

	for (size_t i = 0; i < MANY; i++) {
		size_t len = i == 20 ? 300000 : i * i * 37;
		uint8_t *bytes = arena_alloc(a, len + 1);

		assert_non_null(bytes);
		for (size_t k = 0; k < len; k++)
			bytes[k] = (uint8_t)(k * k >> 7 ^ k * i);
		pack_put(&p, arena_printf(a, "e%02zu.bin", i), span_of(bytes, len));
	}
	zip = pack_zip(&p, NULL);
	if (broken)
		((uint8_t *)memmem(zip.ptr, zip.len, "e07.bin", 7))[40] ^= 0x55;
	assert_err(ofd_package_open(a, zip, &list, &pkg, &fault), ERR_OK);
	assert_int_equal(pkg->n, MANY);
	return pkg;
}

/* Side by side the same comes out as one after the other, whatever is asked for twice, known before or broken. */
static void digests_side_by_side(void **state)
{
	struct ofd_fault fault = {0};

	for (size_t turn = 0; turn < 2; turn++) {
		struct ofd_package *one = many_entries(*state, turn != 0), *other = many_entries(*state, turn != 0);
		struct ofd_entry *ahead[MANY + 3];

		assert_err(ofd_digest_ahead(one, ahead, 0), ERR_OK);
		assert_err(ofd_digest(one, &one->entries[3], RUN_BIT(RUN_SM3), &fault), ERR_OK);
		for (size_t i = 0; i < MANY + 3; i++)
			ahead[i] = &one->entries[i % MANY];
		assert_err(ofd_digest_ahead(one, ahead, MANY + 3), ERR_OK);
		for (size_t i = 0; i < MANY; i++) {
			bool bad = turn != 0 && i == BROKEN;

			assert_int_equal(one->entries[i].digested, bad ? 0 : RUN_BIT(RUN_SM3));
			assert_err(ofd_digest(other, &other->entries[i], RUN_BIT(RUN_SM3), &fault), bad ? ERR_FORMAT : ERR_OK);
			assert_err(ofd_digest(one, &one->entries[i], RUN_BIT(RUN_SM3), &fault), bad ? ERR_FORMAT : ERR_OK);
			if (!bad)
				assert_memory_equal(one->entries[i].digests.value[RUN_SM3], other->entries[i].digests.value[RUN_SM3],
				                    SM3_LEN);
		}
		ofd_package_close(one);
		ofd_package_close(other);
	}
}

/* ---- locations ---- */

static void locations_are_resolved(void **state)
{
	static const struct {
		const char *from, *loc, *name; /* NULL: refused */
	} table[] = {
	    {"OFD.xml", "Doc_0/Document.xml", "Doc_0/Document.xml"},
	    {"OFD.xml", "/Doc_0/Document.xml", "Doc_0/Document.xml"},
	    {"Doc_0/Document.xml", "Pages/Page_0/Content.xml", "Doc_0/Pages/Page_0/Content.xml"},
	    {"Doc_0/Pages/Page_0/Content.xml", "../../Res/a.png", "Doc_0/Res/a.png"},
	    {"Doc_0/Pages/Page_0/Content.xml", "./a.png", "Doc_0/Pages/Page_0/a.png"},
	    {"Doc_0/Document.xml", "Res\\a.png", "Doc_0/Res/a.png"},
	    {"Doc_0/Document.xml", "//Doc_0//a", "Doc_0/a"},
	    {"Doc_0/Document.xml", "../../a", NULL},
	    {"Doc_0/Document.xml", "/../a", NULL},
	    {"OFD.xml", "..", NULL},
	    {"Doc_0/Document.xml", "..", NULL},
	    {"OFD.xml", "", NULL},
	    {"OFD.xml", "/", NULL},
	};
	char out[OFD_NAME_MAX + 1], *long_loc;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		bool found = ofd_resolve(table[i].from, table[i].loc, out);
		assert_int_equal(found, table[i].name != NULL);
		if (found)
			assert_string_equal(out, table[i].name);
	}
	long_loc = arena_alloc(*state, OFD_NAME_MAX + 2);
	memset(long_loc, 'a', OFD_NAME_MAX);
	assert_false(ofd_resolve("OFD.xml", long_loc, out));
	long_loc[OFD_NAME_MAX - 1] = '\0';
	assert_true(ofd_resolve("OFD.xml", long_loc, out));
}

/* ---- XML ---- */

static const char *xml_code(struct arena *a, struct span text)
{
	struct ofd_document *docs = NULL;
	struct ofd_fault fault = {0};
	size_t n = 0;
	enum err e = ofd_parse_main(a, "OFD.xml", text, &docs, &n, &fault);

	if (e == ERR_OK)
		return "OK";
	assert_err(e, ERR_FORMAT);
	return fault.code;
}

static void xml_is_tame(void **state)
{
	static const struct {
		const char *text, *code;
	} table[] = {
	    {"<OFD/>", "OK"},
	    {"<?xml version=\"1.0\" encoding=\"utf-8\"?><OFD a=\"&lt;!DOCTYPE\"/>", "OK"},
	    {"<?xml version=\"1.0\" encoding='GBK'?><OFD>\xd6\xa4</OFD>", "OK"},
	    {"\xef\xbb\xbf<OFD><!-- <!DOCTYPE --><![CDATA[<!DOCTYPE x>]]></OFD>", "OK"},
	    {"<o:OFD xmlns:o='http://other'><o:DocBody><o:DocRoot>a</o:DocRoot></o:DocBody></o:OFD>", "OK"},
	    {"", "XML_BAD"},
	    {"<OFD>", "XML_BAD"},
	    {"<OFD></ofd>", "XML_BAD"},
	    {"<OFD/><OFD/>", "XML_BAD"},
	    {"<Other/>", "XML_BAD"},
	    {"<OFD>&none;</OFD>", "XML_BAD"},
	    {"<OFD a='1' a='2'/>", "XML_BAD"},
	    {"<OFD>\xff</OFD>", "XML_BAD"},
	    {"<?xml version=\"1.0\" encoding=\"UTF-7\"?><OFD/>", "XML_BAD"},
	    {"<?xml version=\"1.0\" encoding=\"UTF-16\"?><OFD/>", "XML_BAD"},
	    {"<!DOCTYPE OFD><OFD/>", "XML_DTD"},
	    {"<!DOCTYPE OFD [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><OFD>&a;</OFD>", "XML_DTD"},
	    {"<!DOCTYPE OFD SYSTEM \"http://192.0.2.1/x.dtd\"><OFD/>", "XML_DTD"},
	    {"<!DOCTYPE l [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><OFD>&b;</OFD>", "XML_DTD"},
	    {"<OFD><DocBody><DocRoot>a</DocRoot><DocRoot>b</DocRoot></DocBody></OFD>", "XML_BAD"},
	    {"<OFD><DocBody><DocRoot>a<x/></DocRoot></DocBody></OFD>", "XML_BAD"},
	    {"<OFD><DocBody><Signatures>a</Signatures><Signatures>a</Signatures></DocBody></OFD>", "XML_BAD"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(xml_code(*state, span_str(table[i].text)), table[i].code) != 0)
			fail_msg("%s: %s", table[i].text, xml_code(*state, span_str(table[i].text)));
	assert_string_equal(xml_code(*state, span_of("<\0O\0F\0D\0/\0>\0", 12)), "XML_BAD");
}

static struct span repeated(struct arena *a, const char *head, const char *part, size_t n, const char *tail)
{
	struct buf b;
	struct span out;

	buf_init(&b, a);
	buf_str(&b, head);
	while (n-- > 0)
		buf_str(&b, part);
	buf_str(&b, tail);
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

static void xml_is_bounded(void **state)
{
	struct arena *a = *state;

	assert_string_equal(xml_code(a, repeated(a, "<OFD>", "<a>", 100, "")), "TOO_LARGE");
	assert_string_equal(xml_code(a, repeated(a, "<OFD ", "a='1' ", 100, "/>")), "TOO_LARGE");
	assert_string_equal(xml_code(a, repeated(a, "<OFD>", "<DocBody/>", OFD_DOCUMENTS_MAX, "</OFD>")), "OK");
	assert_string_equal(xml_code(a, repeated(a, "<OFD>", "<DocBody/>", OFD_DOCUMENTS_MAX + 1, "</OFD>")), "TOO_LARGE");
	assert_string_equal(xml_code(a, repeated(a, "<OFD>", "        ", OFD_XML_RUN / 8, "</OFD>")), "TOO_LARGE");
	assert_string_equal(xml_code(a, repeated(a, "<OFD>", "<!--", OFD_XML_RUN / 4, "</OFD>")), "TOO_LARGE");
	assert_string_equal(xml_code(a, repeated(a, "<OFD>", "]]>", OFD_XML_RUN / 3, "</OFD>")), "TOO_LARGE");
	assert_string_equal(xml_code(a, repeated(a, "<OFD>", "<a>x</a>", OFD_XML_TAGS / 2 - 2, "</OFD>")), "OK");
	assert_string_equal(xml_code(a, repeated(a, "<OFD>", "<a>x</a>", OFD_XML_TAGS / 2, "</OFD>")), "TOO_LARGE");
}

static void signature_files_are_read(void **state)
{
	struct ofd_signature sig;
	struct ofd_fault fault = {0};
	const char *text = "<Signature><SignedInfo><SignatureMethod>1.2.156.10197.1.501</SignatureMethod><References>"
	                   "<Reference FileRef='/a'><CheckValue> AA\n== </CheckValue></Reference>"
	                   "<Reference FileRef='/b'><CheckValue>?</CheckValue></Reference><Reference FileRef='/c'/>"
	                   "</References><Seal><BaseLoc>Seal.esl</BaseLoc></Seal></SignedInfo>"
	                   "<SignedValue> v.dat </SignedValue></Signature>";

	assert_err(ofd_parse_signature(*state, "x", span_str(text), &sig, &fault), ERR_OK);
	assert_string_equal(sig.check_method, "MD5");
	assert_string_equal(sig.value_loc, "v.dat");
	assert_string_equal(sig.seal_loc, "Seal.esl");
	assert_int_equal(sig.n_references, 3);
	assert_int_equal(sig.references[0].len, 1);
	assert_int_equal(sig.references[1].len, 0);
	assert_string_equal(sig.references[2].file, "/c");
}

static void ambiguous_signature_files_are_refused(void **state)
{
	static const char *const table[] = {
	    "<Signature><SignedInfo/><SignedInfo/></Signature>",
	    "<Signature><SignedInfo><References/><References/></SignedInfo></Signature>",
	    "<Signature><SignedInfo><Seal/><Seal/></SignedInfo></Signature>",
	    "<Signature><SignedValue>a</SignedValue><SignedValue>b</SignedValue></Signature>",
	    "<Signature><SignedInfo><References><Reference/></References></SignedInfo></Signature>",
	    ("<Signature><SignedInfo><References><Reference FileRef='a'><CheckValue>AA==</CheckValue>"
	     "<CheckValue>AA==</CheckValue></Reference></References></SignedInfo></Signature>"),
	    "<Signatures/>",
	};
	struct ofd_signature sig;
	struct ofd_fault fault = {0};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_err(ofd_parse_signature(*state, "x", span_str(table[i]), &sig, &fault), ERR_FORMAT);
		assert_string_equal(fault.code, "XML_BAD");
	}
}

/* ---- what is displayed ---- */

static void displayed_entries_are_found(void **state)
{
	static const char *const shown[] = {DOCUMENT, PAGE, TEMPLATE, PUBLIC, PICTURE, ANNOTS, ANNOT};
	struct pack p = pack_document(*state);
	struct ofd_document doc = {.root = (char[]){"Doc_0/Document.xml"}};
	struct deviations list = {0};
	struct ofd_fault fault = {0};
	struct ofd_package *pkg;
	bool displayed[FILES_MAX] = {false}, complete = false;
	size_t n = 0;

	pack_text(&p, "stray.txt", "x");
	assert_err(ofd_package_open(*state, pack_zip(&p, NULL), &list, &pkg, &fault), ERR_OK);
	assert_err(ofd_displayed(pkg, &doc, 1, displayed, &complete), ERR_OK);
	assert_true(complete);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (!displayed[ofd_find(pkg, shown[i]) - pkg->entries])
			fail_msg("%s is displayed", shown[i]);
	for (size_t i = 0; i < pkg->n; i++)
		n += displayed[i];
	assert_int_equal(n, sizeof(shown) / sizeof(shown[0]));
	ofd_package_close(pkg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(names_are_checked),
	    TEST(duplicates_are_refused),
	    TEST(encrypted_entries_are_refused),
	    TEST(bombs_are_refused),
	    TEST(announced_sizes_are_bounded),
	    TEST(too_many_entries_are_refused),
	    TEST(the_directory_is_the_only_one),
	    TEST(entries_and_directory_must_agree),
	    TEST(contents_are_bounded_and_checked),
	    TEST(digests_side_by_side),
	    TEST(locations_are_resolved),
	    TEST(xml_is_tame),
	    TEST(xml_is_bounded),
	    TEST(signature_files_are_read),
	    TEST(ambiguous_signature_files_are_refused),
	    TEST(displayed_entries_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
