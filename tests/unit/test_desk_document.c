/* Sealing an OFD file at the desk: who may, with which seal, what is refused, and the same answer twice. */
#include "desk_people.h"
#include "ofd_help.h"

static struct span one_page(struct arena *a)
{
	struct pack p = pack_document(a);

	pack_text(&p, OFD_MAIN,
	          "<ofd:OFD " NS "><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>");
	pack_text(&p, DOCUMENT,
	          "<ofd:Document " NS "><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox>"
	          "</ofd:PageArea></ofd:CommonData><ofd:Pages><ofd:Page ID=\"1\" BaseLoc=\"Pages/Page_0/Content.xml\"/>"
	          "</ofd:Pages></ofd:Document>");
	return pack_zip(&p, NULL);
}

static const struct ofd_stamp corner[] = {{1, 100000, 200000}};

static struct document_request request(struct span document)
{
	return (struct document_request){
	    .seal_id = "SEAL-1", .purpose = "准予许可决定", .document = document, .n_stamps = 1, .stamps = corner};
}

static struct span rebuilt(struct world *w, const struct document_request *q, struct span signature)
{
	struct desk_call call = {.desk = w->desk, .arena = w->arena, .req = q};
	struct span out = {NULL, 0};

	assert_err(desk_signed_document(&call, signature, &out), ERR_OK);
	return out;
}

static struct report *judged(struct world *w, struct span document)
{
	struct verify_request v = {.policy = "strict", .document = document};
	struct verify_answer ans = {0};

	assert_err(ask(w, the_window(), &use_verify, &v, &ans), ERR_OK);
	return (struct report *)(uintptr_t)ans.report;
}

static void sealed_and_sealed_again(void **state)
{
	struct world *w = *state;
	struct document_request q = request(one_page(w->arena));
	struct document_answer ans = {0};
	uint8_t digest[SM3_LEN];
	struct span out;
	const struct report *r;

	assert_err(ask(w, the_issuer(), &use_seal_document, &q, &ans), ERR_OK);
	out = rebuilt(w, &q, ans.signature);
	assert_err(sm3(out, digest), ERR_OK);
	assert_memory_equal(digest, ans.digest, SM3_LEN); /* what the audit log names is what was handed out */
	assert_span(rebuilt(w, &q, ans.signature), out);
	r = judged(w, out);
	if (r->indication != TOTAL_PASSED)
		print_checks("sealed", r);
	assert_int_equal(r->indication, TOTAL_PASSED);
	w->clock += 60 * 1000;
	q.document = out;
	q.lock = true;
	assert_err(ask(w, the_issuer(), &use_seal_document, &q, &ans), ERR_OK);
	assert_string_equal(ans.id, "s003");
	out = rebuilt(w, &q, ans.signature);
	assert_int_equal(judged(w, out)->indication, TOTAL_PASSED);
	q.document = out;
	assert_err(ask(w, the_issuer(), &use_seal_document, &q, &ans), ERR_DOCUMENT_LOCKED);
}

static void refusals(void **state)
{
	struct world *w = *state;
	struct principal other = enrolled(w, with_key(someone("mnr", MNR, ROLE_ISSUER), 80));
	struct document_request good = request(one_page(w->arena)), q = good;
	struct document_answer ans = {0};
	static uint8_t large[DESK_DOCUMENT_MAX + 1];

#define REFUSED(change, want)                                                                                          \
	q = good, change;                                                                                                  \
	assert_err(ask(w, the_issuer(), &use_seal_document, &q, &ans), want)
	REFUSED(q.purpose = " ", ERR_PURPOSE_MISSING);
	REFUSED(q.seal_id = "", ERR_FIELD_MISSING);
	REFUSED(q.seal_id = "SEAL-9", ERR_SEAL_UNKNOWN);
	REFUSED(q.document.len = 0, ERR_FIELD_MISSING);
	REFUSED(q.document = span_of(large, sizeof(large)), ERR_TOO_LARGE);
	REFUSED(q.document = span_of(large, 100), ERR_DOCUMENT_INVALID);
	REFUSED(q.document = span_str("%PDF-1.7"), ERR_DOCUMENT_INVALID);
	REFUSED(q.index = 1, ERR_DOCUMENT_INVALID);
	REFUSED(q.n_stamps = 0, ERR_STAMP_INVALID);
	REFUSED(q.riding.side = OFD_SIDE_RIGHT, ERR_STAMP_INVALID);
#undef REFUSED
	assert_err(ask(w, other, &use_seal_document, &good, &ans), ERR_SEAL_NOT_OWN);
	assert_err(ask(w, the_window(), &use_seal_document, &good, &ans), ERR_ROLE_MISSING);
	w->clock = pki.t0 + 5000 * DAY;
	assert_err(ask(w, the_issuer(), &use_seal_document, &good, &ans), ERR_SEAL_NOT_USABLE);
	assert_null(ans.id);
}

/* A page was changed after the first seal. */
static void altered(void **state)
{
	struct world *w = *state;
	struct pack p = pack_signed(w->arena);
	struct document_request q;
	struct document_answer ans = {0};

	pack_text(&p, DOCUMENT,
	          "<ofd:Document " NS "><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox>"
	          "</ofd:PageArea></ofd:CommonData><ofd:Pages><ofd:Page ID=\"1\" BaseLoc=\"Pages/Page_0/Content.xml\"/>"
	          "</ofd:Pages></ofd:Document>");
	q = request(pack_zip(&p, NULL));
	assert_err(ask(w, the_issuer(), &use_seal_document, &q, &ans), ERR_DOCUMENT_ALTERED);
	assert_non_null(strstr(w->note.help, "HASH_MISMATCH"));
}

/* With another request than the one that was signed, the kept answer is not made into a document. */
static void answer_of_another_request(void **state)
{
	struct world *w = *state;
	struct document_request q = request(one_page(w->arena));
	struct document_answer ans = {0};
	struct desk_call call = {.desk = w->desk, .arena = w->arena, .req = &q};
	struct ofd_stamp elsewhere = {1, 0, 0};
	struct span out = {NULL, 0};

	assert_err(ask(w, the_issuer(), &use_seal_document, &q, &ans), ERR_OK);
	q.stamps = &elsewhere;
	assert_err(desk_signed_document(&call, ans.signature, &out), ERR_STORE_CHANGED);
	assert_null(out.ptr);
}

static void audited(void **state)
{
	struct world *w = *state;
	struct audit_list_request q = {.action = "seal.sign_document", .principal = ""};
	struct document_request d = request(one_page(w->arena));
	struct document_answer ans = {0};
	struct audit_list_answer all = {0};
	uint8_t digest[SM3_LEN];
	const char *hex;

	assert_err(ask(w, the_issuer(), &use_seal_document, &d, &ans), ERR_OK);
	assert_err(ask(w, the_auditor(w), &use_audit_list, &q, &all), ERR_OK);
	assert_int_equal(all.n, 1);
	assert_err(sm3(d.document, digest), ERR_OK);
	hex = hex_text(w->arena, span_of(digest, SM3_LEN));
	assert_non_null(memmem(all.entries[0].row.record.ptr, all.entries[0].row.record.len, hex, strlen(hex)));
	hex = hex_text(w->arena, span_of(ans.digest, SM3_LEN));
	assert_non_null(memmem(all.entries[0].row.record.ptr, all.entries[0].row.record.len, hex, strlen(hex)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(sealed_and_sealed_again),   WORLD(refusals), WORLD(altered),
	    WORLD(answer_of_another_request), WORLD(audited),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
