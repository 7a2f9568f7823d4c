/* Sealing OFD files: what is written verifies, and what was signed before stays signed. */
#include "ofd_sign_help.h"

/* ---- round trips ---------------------------------------------------------------------------- */

static void first_signature(void **state)
{
	struct arena *a = *state;
	struct pack p = pages(a, 1);
	struct ofd_sign_request q = request(a, pack_zip(&p, NULL));
	struct ofd_signing plan;
	struct span out = sealed_as(a, &q, &plan), xml = entry(a, out, SIGN(0)), list = entry(a, out, LIST);

	passes(a, out, 1);
	assert_string_equal(plan.id, "s001");
	assert_string_equal(plan.location, "/" SIGN(0));
	assert_span(xml, plan.xml);
	assert_true(says(xml, "<ofd:StampAnnot ID=\"s002\" PageRef=\"10\" Boundary=\"100 200.5 40 40\"/>"));
	assert_true(says(xml, "FileRef=\"/OFD.xml\"") && says(xml, "FileRef=\"/" PAGE "\"") && says(xml, "/" ESL(0)));
	assert_false(says(xml, "FileRef=\"/" LIST "\""));
	assert_true(says(list, "<ofd:MaxSignId>s002</ofd:MaxSignId>"));
	assert_true(says(list, "ID=\"s001\" Type=\"Seal\" BaseLoc=\"/" SIGN(0) "\""));
	assert_true(says(entry(a, out, OFD_MAIN), "<ofd:Signatures>/" LIST "</ofd:Signatures>"));
	assert_span(entry(a, out, PAGE), pack_get(&p, PAGE));
	assert_span(entry(a, out, ESL(0)), q.seal);
}

static void again_is_the_same(void **state)
{
	struct arena *a = *state;
	struct pack p = pages(a, 2);
	struct ofd_sign_request q = request(a, pack_zip(&p, NULL));
	struct ofd_signing one, two;

	sealed_as(a, &q, &one);
	sealed_as(a, &q, &two);
	assert_span(one.xml, two.xml);
}

static void several_stamps(void **state)
{
	static const struct ofd_stamp stamps[] = {
	    {1, 0, 0}, {1, MM(170), MM(257)}, {2, MM(380), MM(0.001)}, {12, MM(33.3), MM(44.12)}};
	struct arena *a = *state;
	struct pack p = pages(a, 12);
	struct ofd_sign_request q = request(a, pack_zip(&p, NULL));
	struct ofd_signing plan;
	struct span out;

	q.stamps = stamps;
	q.n_stamps = 4;
	out = sealed_as(a, &q, &plan);
	passes(a, out, 1);
	assert_true(says(plan.xml, "ID=\"s003\" PageRef=\"10\" Boundary=\"170 257 40 40\"/>"));
	assert_true(says(plan.xml, "ID=\"s004\" PageRef=\"11\" Boundary=\"380 0.001 40 40\"/>"));
	assert_true(says(plan.xml, "ID=\"s005\" PageRef=\"21\" Boundary=\"33.3 44.12 40 40\"/>"));
	assert_true(says(entry(a, out, LIST), "<ofd:MaxSignId>s005</ofd:MaxSignId>"));
}

static void riding(void **state)
{
	struct arena *a = *state;
	struct pack p = pages(a, 12);
	struct ofd_sign_request q = request(a, pack_zip(&p, NULL));
	struct ofd_signing plan;

	q.n_stamps = 0;
	q.riding = (struct ofd_riding){OFD_SIDE_RIGHT, MM(60)};
	passes(a, sealed_as(a, &q, &plan), 1);
	assert_true(says(plan.xml, "PageRef=\"10\" Boundary=\"206.667 40 40 40\" Clip=\"0 0 3.333 40\"/>"));
	assert_true(says(plan.xml, "PageRef=\"11\" Boundary=\"413.334 40 40 40\" Clip=\"3.333 0 3.333 40\"/>"));
	assert_true(says(plan.xml, "PageRef=\"21\" Boundary=\"170 40 40 40\" Clip=\"36.666 0 3.334 40\"/>"));
	q.riding = (struct ofd_riding){OFD_SIDE_LEFT, 0};
	passes(a, sealed_as(a, &q, &plan), 1);
	assert_true(says(plan.xml, "PageRef=\"10\" Boundary=\"-36.666 128.5 40 40\" Clip=\"36.666 0 3.334 40\"/>"));
	assert_true(says(plan.xml, "PageRef=\"21\" Boundary=\"0 128.5 40 40\" Clip=\"0 0 3.333 40\"/>"));
	p = pages(a, 2);
	q = request(a, pack_zip(&p, NULL));
	q.riding.side = OFD_SIDE_RIGHT; /* beside a stamp */
	passes(a, sealed_as(a, &q, &plan), 1);
	assert_true(says(plan.xml, "ID=\"s004\" PageRef=\"11\" Boundary=\"380 128.5 40 40\" Clip=\"20 0 20 40\"/>"));
}

static void again_and_again(void **state)
{
	struct arena *a = *state;
	struct pack p = pages(a, 2);
	struct span one = sealed(a, pack_zip(&p, NULL)), two = sealed(a, one), three = sealed(a, two);
	static const char *const kept[] = {SIGN(0), VALUE(0), ESL(0), OFD_MAIN, DOCUMENT, PAGE};

	passes(a, two, 2);
	passes(a, three, 3);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		assert_span(entry(a, three, kept[i]), entry(a, one, kept[i]));
	assert_span(entry(a, three, VALUE(1)), entry(a, two, VALUE(1)));
	assert_true(says(entry(a, three, SIGN(2)), "FileRef=\"/" VALUE(1) "\""));
	assert_true(says(entry(a, three, LIST), "<ofd:MaxSignId>s006</ofd:MaxSignId>"));
}

static void locked(void **state)
{
	struct arena *a = *state;
	struct pack p = pages(a, 2);
	struct ofd_sign_request q = request(a, sealed(a, pack_zip(&p, NULL)));
	struct ofd_signing plan;

	q.lock = true;
	q.package = sealed_as(a, &q, &plan);
	passes(a, q.package, 2);
	assert_true(says(plan.xml, "FileRef=\"/" LIST "\""));
	refused_note(a, &q, ERR_DOCUMENT_LOCKED, LIST);
	q.lock = false;
	refused_note(a, &q, ERR_DOCUMENT_LOCKED, "s003");
}

/* The earlier signature is another's, with its own habits. */
static void signed_by_others(void **state)
{
	static const char *const lists[] = {
	    "<Signatures xmlns=\"http://www.ofdspec.org/2016\"><MaxSignId>7</MaxSignId>"
	    "<Signature ID=\"1\" BaseLoc=\"Sign_0/Signature.xml\"/></Signatures>",
	    "<?xml version=\"1.0\"?><x:Signatures xmlns:x=\"http://www.ofdspec.org/2016\">\n <x:Signature ID=\"a7\" "
	    "Type=\"Seal\" BaseLoc=\"/" SIGN(0) "\"/>\n</x:Signatures>",
	    "<Signatures><Signature ID=\"s007\" BaseLoc=\"/" SIGN(0) "\"/><MaxSignId>s001</MaxSignId><MaxSignId/>"
	                                                             "</Signatures>",
	};
	struct arena *a = *state;

	for (size_t i = 0; i < 3; i++) {
		struct pack p = pack_document(a);
		struct ofd_sign_request q;
		struct ofd_signing plan;
		struct span out;

		pack_text(&p, DOCUMENT,
		          "<ofd:Document " NS "><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox>"
		          "</ofd:PageArea></ofd:CommonData><ofd:Pages><ofd:Page ID=\"1\" BaseLoc=\"Pages/Page_0/Content.xml\"/>"
		          "</ofd:Pages></ofd:Document>");
		pack_sign(&p, &(struct stamp){0}, 1);
		pack_text(&p, LIST, lists[i]);
		q = request(a, pack_zip(&p, NULL));
		out = sealed_as(a, &q, &plan);
		assert_string_equal(plan.id, "s008");
		assert_string_equal(plan.location, "/" SIGN(1));
		assert_int_equal(judged(a, out)->indication, TOTAL_PASSED);
		out = sealed(a, out);
		assert_int_equal(judged(a, out)->indication, TOTAL_PASSED);
		assert_span(entry(a, out, VALUE(0)), pack_get(&p, VALUE(0)));
	}
}

static void names_that_are_taken(void **state)
{
	struct arena *a = *state;
	struct pack p = pages(a, 1);
	struct ofd_sign_request q;
	struct ofd_signing plan;

	pack_text(&p, "Doc_0/signs/Signatures.xml", "left behind");
	q = request(a, pack_zip(&p, NULL));
	passes(a, sealed_as(a, &q, &plan), 1);
	assert_string_equal(plan.location, "/Doc_0/Signs_0/Sign_0/Signature.xml");
	p = pages(a, 1);
	pack_text(&p, "Doc_0/<甲 & 乙>\".txt", "附件");
	q = request(a, pack_zip(&p, NULL));
	passes(a, sealed_as(a, &q, &plan), 1);
	assert_true(says(plan.xml, "FileRef=\"/Doc_0/&lt;甲 &amp; 乙&gt;&quot;.txt\""));
}

/* Two documents in one package: each has its list, and the first signature of one must not break the other's. */
static void two_documents(void **state)
{
	struct arena *a = *state;
	struct pack p = pages(a, 1);
	struct ofd_sign_request q;
	struct ofd_signing plan;
	struct span out;

	pack_text(&p, "Doc_1/Document.xml",
	          "<ofd:Document " NS "><ofd:Pages><ofd:Page ID=\"1\" BaseLoc=\"/Doc_0/Pages/Page_0/Content.xml\"/>"
	          "<ofd:Page ID=\"2\" BaseLoc=\"P.xml\"/></ofd:Pages></ofd:Document>");
	pack_text(&p, "Doc_1/P.xml",
	          "<ofd:Page " NS "><ofd:Area><ofd:PhysicalBox>0 0 100 100</ofd:PhysicalBox></ofd:Area></ofd:Page>");
	pack_text(&p, OFD_MAIN,
	          "<ofd:OFD " NS "><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody>"
	          "<ofd:DocBody><ofd:DocRoot>Doc_1/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>");
	q = request(a, pack_zip(&p, NULL));
	q.document = 1;
	q.stamps = &(struct ofd_stamp){2, MM(60), MM(60)};
	out = sealed_as(a, &q, &plan);
	passes(a, out, 1);
	assert_string_equal(plan.location, "/Doc_1/Signs/Sign_0/Signature.xml");
	q.package = out;
	passes(a, sealed_as(a, &q, &plan), 2);
	q.document = 0; /* would need OFD.xml to change, which is signed */
	q.stamps = corner;
	refused_note(a, &q, ERR_DOCUMENT_LOCKED, OFD_MAIN);
	q.document = 2;
	refused_note(a, &q, ERR_DOCUMENT_INVALID, NULL);
	q.package = pack_zip(&p, NULL);
	q.document = 1; /* page 1 states no size, nor does its document */
	refused_note(a, &q, ERR_DOCUMENT_INVALID, "XML_BAD");
}

/* ---- real files ----------------------------------------------------------------------------- */

/* The steps over the document and the signature's value, not those that depend on trust and time. */
static void same_steps(const struct signature_report *was, const struct signature_report *is)
{
	const struct check *x = was->checks, *y = is->checks;

	assert_string_equal(was->id, is->id);
	for (; x != NULL && y != NULL; x = x->next, y = y->next) {
		if (strcmp(y->code, "COVERED_BY_OTHERS") == 0) /* of the new signature's files: rightly said */
			break;
		assert_string_equal(x->step, y->step);
		assert_string_equal(x->code, y->code);
		assert_int_equal(x->result, y->result);
	}
	assert_int_equal(was->indication, is->indication);
	assert_int_equal(was->sub, is->sub);
}

static void corpus(void **state)
{
	struct arena *a = *state;
	struct ofd_sign_request q;
	struct ofd_signing plan;
	struct report *before, *after;
	struct span file, out;

	if (!corpus_read(a, "ofd/unsigned_helloworld.ofd", &file)) {
		print_message("note: corpus absent, skipped\n");
		return;
	}
	passes(a, sealed(a, file), 1);
	passes(a, sealed(a, sealed(a, file)), 2);
	assert_true(corpus_read(a, "ofd/v4_kinggrid_999.ofd", &file));
	before = judged(a, file);
	q = request(a, file);
	q.riding = (struct ofd_riding){OFD_SIDE_RIGHT, 0};
	q.stamps = &(struct ofd_stamp){1, MM(10), MM(10)};
	out = sealed_as(a, &q, &plan);
	after = judged(a, out);
	assert_int_equal(before->indication, after->indication);
	same_steps(before->signatures, after->signatures);
	assert_int_equal(after->signatures->next->indication, TOTAL_PASSED);
	assert_span(entry(a, out, VALUE(0)), entry(a, file, VALUE(0)));
	assert_span(entry(a, out, SIGN(0)), entry(a, file, SIGN(0)));
	/* Both lock their lists, the second in spite of which it was signed once more. */
	assert_true(corpus_read(a, "ofd/v4_riding_seal.ofd", &file));
	q = request(a, file);
	refused_note(a, &q, ERR_DOCUMENT_LOCKED, "s001");
	assert_true(corpus_read(a, "ofd/v4_two_sigs_h.ofd", &file));
	q = request(a, file);
	refused_note(a, &q, ERR_DOCUMENT_LOCKED, "s001");
}

/* Files of many producers: sealed, or refused because they are locked; what they had signed is judged as before. */
static void corpus_of_many(void **state)
{
	static const struct {
		const char *name;
		enum err want;
	} rows[] = {
	    {"sign_bare_DigitalSign", ERR_OK},
	    {"sign_cms_ber_image-signs", ERR_OK},
	    {"sign_cms_two_testImageOverridePage", ERR_DOCUMENT_LOCKED},
	    {"unsigned_gmt0099_hello-integrity", ERR_OK},
	    {"v1_nonstandard_n", ERR_OK},
	    {"v4_expired_seal_SESV4SignDoc", ERR_OK},
	    {"v4_invoice_v4signed", ERR_OK},
	    {"v4_kinggrid_999", ERR_OK},
	    {"v4_wrong_alg_oid_image-seal", ERR_OK},
	};
	struct arena *a = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ofd_sign_request q;
		struct ofd_signing plan;
		struct err_note note = {0};
		const struct signature_report *x, *y;
		struct span file, out;
		enum err e;

		if (!corpus_read(a, arena_printf(a, "ofd/%s.ofd", rows[i].name), &file)) {
			print_message("note: corpus absent, skipped\n");
			return;
		}
		q = request(a, file);
		q.stamps = &(struct ofd_stamp){1, 0, 0};
		e = ofd_sign_prepare(a, &q, &plan, &note);
		if (e != rows[i].want)
			fail_msg("%s: %s %s", rows[i].name, err_name(e), note.help);
		if (e != ERR_OK)
			continue;
		out = sealed_as(a, &q, &plan);
		x = judged(a, file)->signatures;
		for (y = judged(a, out)->signatures; x != NULL; x = x->next, y = y->next)
			same_steps(x, y);
		assert_int_equal(y->indication, TOTAL_PASSED);
		assert_null(y->next);
	}
}

/* Memory may end anywhere: a refusal, and nothing written. */
static void budgets(void **state)
{
	struct arena *a = *state;
	struct pack p = pages(a, 12);
	struct ofd_sign_request q = request(a, sealed(a, pack_zip(&p, NULL)));
	size_t refusals = 0;

	q.riding.side = OFD_SIDE_RIGHT;
	for (size_t budget = 64; budget < 400000; budget += budget / 8) {
		struct arena *small = arena_new(budget);
		struct ofd_signing plan = {0};
		struct err_note note = {0};
		struct span out = {NULL, 0};
		enum err e = ofd_sign_prepare(small, &q, &plan, &note);

		if (e == ERR_OK)
			e = ofd_sign_finish(small, &plan, span_str("value"), &out);
		else
			assert_null(plan.id);
		if (e != ERR_OK) {
			assert_err(e, ERR_BUDGET);
			assert_null(out.ptr);
			refusals++;
		}
		arena_free(small);
	}
	assert_true(refusals > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(first_signature),  TEST(again_is_the_same),    TEST(several_stamps),
	    TEST(riding),           TEST(again_and_again),      TEST(locked),
	    TEST(signed_by_others), TEST(names_that_are_taken), TEST(two_documents),
	    TEST(corpus),           TEST(corpus_of_many),       TEST(budgets),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
