/* What is not sealed: stamps off the page, hostile packages, earlier signatures that cannot be read. */
#include "ofd_sign_help.h"

/* ---- refusals ------------------------------------------------------------------------------- */

static void stamps_off_the_page(void **state)
{
	static const struct ofd_stamp bad[] = {
	    {0, 0, 0},           {3, 0, 0},           {UINT64_MAX, 0, 0},  {1, -1, 0},        {1, 0, -1},
	    {1, MM(170) + 1, 0}, {1, 0, MM(257) + 1}, {2, MM(380) + 1, 0}, {1, INT64_MAX, 0}, {1, 0, INT64_MIN},
	};
	struct arena *a = *state;
	struct pack p = pages(a, 2);
	struct ofd_sign_request good = request(a, pack_zip(&p, NULL)), q = good;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		q.stamps = &bad[i];
		refused_note(a, &q, ERR_STAMP_INVALID, NULL);
	}
#define REFUSED(change)                                                                                                \
	q = good, change;                                                                                                  \
	refused_note(a, &q, ERR_STAMP_INVALID, NULL)
	REFUSED(q.n_stamps = 0);
	REFUSED(q.n_stamps = OFD_STAMPS_MAX + 1);
	REFUSED(q.seal_width = 0);
	REFUSED(q.seal_height = -1);
	REFUSED(q.seal_width = INT64_MAX);
	REFUSED((q.riding = (struct ofd_riding){OFD_SIDE_LEFT, MM(19)}));
	REFUSED((q.riding = (struct ofd_riding){OFD_SIDE_RIGHT, MM(278)}));
	REFUSED((q.riding = (struct ofd_riding){OFD_SIDE_RIGHT, INT64_MAX}));
	REFUSED((q.riding.side = OFD_SIDE_RIGHT, q.seal_width = MM(0.9)));
#undef REFUSED
	p = pages(a, 1);
	q = request(a, pack_zip(&p, NULL));
	q.riding.side = OFD_SIDE_RIGHT;
	refused_note(a, &q, ERR_STAMP_INVALID, "two pages");
}

static void pages_that_are_wrong(void **state)
{
	static const char *const sizes[] = {"",
	                                    "0 0 210",
	                                    "0 0 210 297 1",
	                                    "a b c d",
	                                    "0 0 -210 297",
	                                    "0 0 0 0",
	                                    "0 0 1e2 99",
	                                    "0 0 99999999999999999999 1",
	                                    "0,0,210,297",
	                                    "0 0 . 297"};
	struct arena *a = *state;
	struct ofd_sign_request q;
	struct pack p;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = pages(a, 1);
		pack_text(&p, PAGE,
		          arena_printf(a,
		                       "<ofd:Page " NS "><ofd:Area><ofd:PhysicalBox>%s</ofd:PhysicalBox></ofd:Area></ofd:Page>",
		                       sizes[i]));
		q = request(a, pack_zip(&p, NULL));
		refused_note(a, &q, ERR_DOCUMENT_INVALID, "XML_BAD");
	}
#define BROKEN(change)                                                                                                 \
	p = pages(a, 1);                                                                                                   \
	change;                                                                                                            \
	q = request(a, pack_zip(&p, NULL));                                                                                \
	refused_note(a, &q, ERR_DOCUMENT_INVALID, NULL)
	BROKEN(pack_remove(&p, PAGE));
	BROKEN(pack_remove(&p, DOCUMENT));
	BROKEN(pack_remove(&p, OFD_MAIN));
	BROKEN(pack_text(&p, DOCUMENT, "<ofd:Document"));
	BROKEN(pack_text(&p, DOCUMENT, "<!DOCTYPE x [<!ENTITY y SYSTEM \"/etc/passwd\">]><x>&y;</x>"));
	BROKEN(pack_text(&p, PAGE, "no xml"));
	BROKEN(pack_text(&p, OFD_MAIN, "<ofd:OFD " NS "/>"));
	BROKEN(pack_text(&p, OFD_MAIN, "<ofd:OFD " NS "><ofd:DocBody/></ofd:OFD>"));
#undef BROKEN
	p = pages(a, 1);
	pack_text(&p, DOCUMENT, "<ofd:Document " NS "/>");
	q = request(a, pack_zip(&p, NULL));
	refused_note(a, &q, ERR_STAMP_INVALID, "no page 1");
}

static void hostile_packages(void **state)
{
	struct arena *a = *state;
	struct ofd_sign_request q = request(a, span_str("PK"));
	struct pack p = pages(a, 1);
	struct span zip;

	refused_note(a, &q, ERR_DOCUMENT_INVALID, "PACKAGE_BROKEN");
	q.package = span_of(NULL, 0);
	refused_note(a, &q, ERR_DOCUMENT_INVALID, "PACKAGE_BROKEN");
	q.package = pack_zip(&p, PAGE);
	refused_note(a, &q, ERR_DOCUMENT_INVALID, "ENCRYPTED_ENTRY");
	q.package = span_sub(pack_zip(&p, NULL), 0, 300);
	refused_note(a, &q, ERR_DOCUMENT_INVALID, "PACKAGE_BROKEN");
	pack_text(&p, "../../etc/passwd", "x");
	q.package = pack_zip(&p, NULL);
	refused_note(a, &q, ERR_DOCUMENT_INVALID, "PATH_UNSAFE");
	p = pages(a, 1);
	pack_text(&p, "doc_0/document.XML", "x");
	q.package = pack_zip(&p, NULL);
	refused_note(a, &q, ERR_DOCUMENT_INVALID, "CASE_TWINS");
	p = pages(a, 1);
	pack_text(&p, "Doc_0/Document.xmk", "x");
	zip = pack_zip(&p, NULL);
	assert_true(patch(zip, "Document.xmk", "Document.xml") > 0);
	q.package = zip;
	refused_note(a, &q, ERR_DOCUMENT_INVALID, "DUPLICATE_ENTRY");
	p = pages(a, 1);
	pack_text(&p, "Doc_0/\xff\xfe.bin", "x");
	p.file[p.n - 1].name = "Doc_0/QQQQ.bin";
	zip = pack_zip(&p, NULL);
	patch(zip, "QQQQ", "\xff\xff\xff\xff");
	q.package = zip;
	refused_note(a, &q, ERR_DOCUMENT_INVALID, NULL);
}

/* What cannot be read may lock the list: it is not taken for harmless. */
static void earlier_signatures_that_cannot_be_read(void **state)
{
	struct arena *a = *state;
	struct pack p;
	struct ofd_sign_request q;

#define BROKEN(change, code)                                                                                           \
	p = pack_signed(a);                                                                                                \
	change;                                                                                                            \
	q = request(a, pack_zip(&p, NULL));                                                                                \
	refused_note(a, &q, ERR_DOCUMENT_INVALID, code)
	BROKEN(pack_remove(&p, LIST), "ENTRY_MISSING");
	BROKEN(pack_remove(&p, SIGN(0)), "ENTRY_MISSING");
	BROKEN(pack_text(&p, SIGN(0), "<x/>"), "XML_BAD");
	BROKEN(pack_text(&p, LIST, "<x/>"), "XML_BAD");
	BROKEN(pack_text(&p, LIST, "<Signatures><Signature ID=\"s1\"/></Signatures>"), "ENTRY_MISSING");
#undef BROKEN
	p = pack_document(a);
	pack_sign(&p, &(struct stamp){.locks = true}, 1);
	q = request(a, pack_zip(&p, NULL));
	refused_note(a, &q, ERR_DOCUMENT_LOCKED, LIST);
}

static void lengths(void **state)
{
	static const struct {
		const char *text;
		int64_t um;
	} rows[] = {{"210", MM(210)}, {"128.5", MM(128.5)}, {"-1", -MM(1)},          {".5", 500},
	            {"0.0019", 1},    {"20000", MM(20000)}, {"20000.001", 20000001}, {"-0.25", -250}};
	static const char *const bad[] = {"", "-", ".", "x", "+1", "20001", "99999999999999999999"};
	int64_t um;
	const char *s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s = rows[i].text;
		assert_true(ofd_length(&s, &um));
		assert_int_equal(um, rows[i].um);
		assert_string_equal(s, "");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		s = bad[i];
		assert_false(ofd_length(&s, &um));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(stamps_off_the_page),
	    TEST(pages_that_are_wrong),
	    TEST(hostile_packages),
	    TEST(earlier_signatures_that_cannot_be_read),
	    TEST(lengths),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
