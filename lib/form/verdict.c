#include "form/verdict.h"

#include <stddef.h>

#include "base/text.h"
#include "form/record.h"

#define AT(member) offsetof(struct verdict_record, member)

static const struct record_element elements[] = {
    {"id", RECORD_TEXT, AT(id), VERDICT_ID_LEN},
    {"time", RECORD_TIME, AT(time), 0},
    {"judged_at", RECORD_TIME, AT(judged_at), 0},
    {"service", RECORD_TEXT, AT(service), VERDICT_TEXT_MAX},
    {"document_digest", RECORD_DIGEST, AT(document_digest), SM3_LEN},
    {"data_digest", RECORD_DIGEST, AT(data_digest), SM3_LEN},
    {"kind", RECORD_TEXT, AT(kind), VERDICT_TEXT_MAX},
    {"indication", RECORD_TEXT, AT(indication), VERDICT_TEXT_MAX},
    {"sub_indication", RECORD_OPTIONAL, AT(sub_indication), VERDICT_TEXT_MAX},
    {"code", RECORD_OPTIONAL, AT(code), VERDICT_TEXT_MAX},
    {"not_checked", RECORD_OPTIONAL, AT(not_checked), VERDICT_TEXT_MAX},
    {"policy", RECORD_TEXT, AT(policy), VERDICT_TEXT_MAX},
    {"policy_version", RECORD_TEXT, AT(policy_version), VERDICT_TEXT_MAX},
    {"policy_digest", RECORD_DIGEST, AT(policy_digest), SHA256_LEN},
    {"trust_digest", RECORD_DIGEST, AT(trust_digest), SHA256_LEN},
    {"oldest_crl", RECORD_TIME, AT(oldest_crl), 0},
    {"report_digest", RECORD_DIGEST, AT(report_digest), SM3_LEN},
};

enum { N_ELEMENTS = sizeof(elements) / sizeof(elements[0]) };

/* What the table cannot say. */
static bool rules_ok(const struct verdict_record *v)
{
	struct span id = span_str(v->id);

	return id.len == VERDICT_ID_LEN && memcmp(id.ptr, "YZV-", 4) == 0 &&
	       text_only(span_sub(id, 4, VERDICT_ID_LEN), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") && v->time > 0 &&
	       v->judged_at > 0;
}

enum err verdict_encode(struct arena *a, const struct verdict_record *in, struct span *out)
{
	struct buf b;
	enum err e;

	buf_init(&b, a);
	cbor_put_map(&b, N_ELEMENTS);
	e = record_put(&b, elements, N_ELEMENTS, in);
	if (e == ERR_OK && !rules_ok(in))
		e = ERR_FIELD_INVALID;
	return e == ERR_OK ? buf_done(&b, out) : e;
}

enum err verdict_parse(struct arena *a, struct span in, struct verdict_record *out, struct err_note *note)
{
	struct verdict_record v = {0};
	struct cbor_reader r = {in};
	size_t n = 0;
	enum err e;

	if (in.len > VERDICT_MAX)
		return err_note_set(note, ERR_TOO_LARGE, "verdict", "larger than a verdict may be");
	if (cbor_get_map(&r, N_ELEMENTS, &n) != ERR_OK || n != N_ELEMENTS)
		return err_note_set(note, ERR_FORMAT, "verdict", "not a map of %d elements", N_ELEMENTS);
	e = record_get(&r, a, elements, N_ELEMENTS, &v, note);
	if (e != ERR_OK)
		return e;
	if (!rules_ok(&v))
		return err_note_set(note, ERR_FORMAT, "verdict", "id or a time is not as it must be");
	if (cbor_end(&r) != ERR_OK)
		return err_note_set(note, ERR_FORMAT, "verdict", "bytes follow the verdict");
	*out = v;
	return ERR_OK;
}
