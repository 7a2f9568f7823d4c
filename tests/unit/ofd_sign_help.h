/* OFD packages made and sealed for a test. */
#ifndef YZ_TESTS_UNIT_OFD_SIGN_HELP_H
#define YZ_TESTS_UNIT_OFD_SIGN_HELP_H

#include "ofd_help.h"

#include "form/ofd_sign.h"

enum { PAGES_MAX = 12 };

#define MM(x) ((int64_t)((x)*1000))

/* A document of so many pages, never signed; A4, but for page 2, which is A3 landscape by its own Area. */
static inline struct pack pages(struct arena *a, size_t n)
{
	struct pack p = {.a = a};
	struct buf b;
	struct span xml;

	pack_text(&p, OFD_MAIN,
	          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ofd:OFD " NS
	          " Version=\"1.0\" DocType=\"OFD\"><ofd:DocBody><ofd:DocInfo><ofd:DocID>0</ofd:DocID></ofd:DocInfo>"
	          "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>");
	buf_init(&b, a);
	buf_str(&b, "<ofd:Document " NS "><ofd:CommonData><ofd:MaxUnitID>9</ofd:MaxUnitID><ofd:PageArea>"
	            "<ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea></ofd:CommonData><ofd:Pages>");
	for (size_t i = 0; i < n; i++) {
		buf_printf(&b, "<ofd:Page ID=\"%zu\" BaseLoc=\"Pages/Page_%zu/Content.xml\"/>", 10 + i, i);
		pack_text(&p, arena_printf(a, "Doc_0/Pages/Page_%zu/Content.xml", i),
		          arena_printf(a, "<ofd:Page " NS ">%s<ofd:Content>第%zu页</ofd:Content></ofd:Page>",
		                       i == 1 ? "<ofd:Area><ofd:PhysicalBox>0 0 420.0 297</ofd:PhysicalBox></ofd:Area>" : "",
		                       i + 1));
	}
	buf_str(&b, "</ofd:Pages></ofd:Document>");
	assert_err(buf_done(&b, &xml), ERR_OK);
	pack_put(&p, DOCUMENT, xml);
	return p;
}

static const struct ofd_stamp corner[] = {{1, MM(100), MM(200.5)}};

static inline struct ofd_sign_request request(struct arena *a, struct span package)
{
	static const struct made good;

	return (struct ofd_sign_request){.package = package,
	                                 .n_stamps = 1,
	                                 .stamps = corner,
	                                 .seal = make_seal(a, &good),
	                                 .seal_width = MM(40),
	                                 .seal_height = MM(40),
	                                 .time = pki.t0 + 999};
}

/* What the desk does with the seal's key. */
static inline struct span signature_over(struct arena *a, struct span seal, const struct ofd_signing *s)
{
	uint8_t digest[SM3_LEN];
	struct span tbs, out;

	assert_err(sm3(s->xml, digest), ERR_OK);
	assert_err(ses_tbs_encode(a, seal, s->time, span_of(digest, SM3_LEN), s->location, &tbs), ERR_OK);
	assert_err(ses_signature_encode(a, tbs, der_of_who("samr"), sign_by(a, "samr", tbs), &out), ERR_OK);
	return out;
}

static inline struct span sealed_as(struct arena *a, const struct ofd_sign_request *q, struct ofd_signing *plan)
{
	struct err_note note = {0};
	struct span out;
	enum err e = ofd_sign_prepare(a, q, plan, &note);

	if (e != ERR_OK)
		fail_msg("%s %s %s", err_name(e), note.field, note.help);
	assert_err(ofd_sign_finish(a, plan, signature_over(a, q->seal, plan), &out), ERR_OK);
	return out;
}

static inline struct span sealed(struct arena *a, struct span package)
{
	struct ofd_sign_request q = request(a, package);
	struct ofd_signing plan;

	return sealed_as(a, &q, &plan);
}

static inline void refused_note(struct arena *a, const struct ofd_sign_request *q, enum err want, const char *says)
{
	struct err_note note = {0};
	struct ofd_signing plan;

	assert_err(ofd_sign_prepare(a, q, &plan, &note), want);
	if (says != NULL && strstr(note.help, says) == NULL)
		fail_msg("the note says: %s", note.help);
}

static inline struct report *judged(struct arena *a, struct span package)
{
	const struct made m = {0};

	return judge_made(a, &m, verify_ofd, package, span_of(NULL, 0));
}

/* All signatures pass, and there are so many; nothing that is displayed is left out. */
static inline void passes(struct arena *a, struct span package, size_t signatures)
{
	struct report *r = judged(a, package);
	size_t n = 0;

	if (r->indication != TOTAL_PASSED)
		print_checks("sealed", r);
	assert_int_equal(r->indication, TOTAL_PASSED);
	for (const struct signature_report *s = r->signatures; s != NULL; s = s->next, n++)
		assert_int_equal(s->indication, TOTAL_PASSED);
	assert_int_equal(n, signatures);
	assert_non_null(r->coverage);
	assert_int_equal(r->coverage->n_unprotected, 0);
	assert_int_equal(r->coverage->n_changed, 0);
}

static inline struct span entry(struct arena *a, struct span package, const char *name)
{
	struct deviations d = {0};
	struct ofd_fault fault;
	struct ofd_package *p;
	struct ofd_entry *e;
	struct span out;

	assert_err(ofd_package_open(a, package, &d, &p, &fault), ERR_OK);
	e = ofd_find(p, name);
	if (e == NULL)
		fail_msg("no %s", name);
	assert_err(ofd_read(p, a, e, OFD_XML_MAX, &out, &fault), ERR_OK);
	ofd_package_close(p);
	return out;
}

static inline bool says(struct span s, const char *what)
{
	return memmem(s.ptr, s.len, what, strlen(what)) != NULL;
}

#endif
