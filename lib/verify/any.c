/* What is this file? Decided by its first bytes; the verifier of that kind judges the rest. */
#include "form/signed_data.h"
#include "verify/judge.h"

enum { TAG_INTEGER = 0x02, TAG_OCTETS = 0x04, TAG_IA5 = 0x16, TAG_SEQUENCE = 0x30 };

/* Over identifier and length octets. Whether the length fits is left to the parser, so that a truncated seal is still
 * called a seal. False when the tag is another one. */
static bool step_into(struct span *s, uint8_t tag, size_t *len)
{
	size_t n = 0, header = 2;

	if (s->len < 2 || s->ptr[0] != tag)
		return false;
	n = s->ptr[1];
	if (n >= 0x80) {
		size_t octets = n & 0x7f;
		if (octets > 4 || s->len < 2 + octets)
			return false;
		n = 0;
		for (size_t i = 0; i < octets; i++)
			n = n << 8 | s->ptr[2 + i];
		header += octets;
	}
	*s = span_sub(*s, header, s->len);
	*len = n;
	return true;
}

/* SESeal ::= { SES_SealInfo { SES_Header { IA5String … */
static bool starts_like_seal(struct span s)
{
	size_t n;

	return step_into(&s, TAG_SEQUENCE, &n) && step_into(&s, TAG_SEQUENCE, &n) && step_into(&s, TAG_SEQUENCE, &n) &&
	       step_into(&s, TAG_IA5, &n);
}

/* SES_Signature ::= { TBS_Sign { version INTEGER, SESeal …, the seal some time in an OCTET STRING */
static bool starts_like_signature(struct span s)
{
	size_t n;

	if (!step_into(&s, TAG_SEQUENCE, &n) || !step_into(&s, TAG_SEQUENCE, &n) || !step_into(&s, TAG_INTEGER, &n))
		return false;
	s = span_sub(s, n, s.len);
	(void)step_into(&s, TAG_OCTETS, &n);
	return starts_like_seal(s);
}

bool verify_is_seal_signature(struct span document)
{
	return !starts_like_seal(document) && starts_like_signature(document);
}

static bool starts_with(struct span s, const void *magic, size_t n)
{
	return s.len >= n && memcmp(s.ptr, magic, n) == 0;
}

static enum err verify_unknown(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                               struct report **out)
{
	struct judge j;
	enum err e = judge_begin(&j, KIND_UNKNOWN, a, p, in);

	if (e != ERR_OK)
		return e;
	step_fail(&j, "kind", FAILED(FORMAT_FAILURE, "UNKNOWN_KIND"), NULL);
	return judge_end(&j, out);
}

enum err verify_any(struct arena *a, const struct verify_policy *p, const struct verify_input *in, struct report **out)
{
	static const char licence[] = "\x84\x69" LICENCE_FILE_MAGIC; /* CBOR: array of 4, text of 9 */

	if (starts_like_seal(in->bytes))
		return verify_seal(a, p, in, out);
	if (starts_like_signature(in->bytes))
		return verify_signature(a, p, in, out);
	if (signed_data_starts(in->bytes) || signature_value_starts(in->bytes))
		return verify_signed_data(a, p, in, out);
	if (starts_with(in->bytes, licence, sizeof(licence) - 1))
		return verify_licence(a, p, in, out);
	if (starts_with(in->bytes, "\xd2\x84", 2)) /* CBOR: tag 18 (COSE_Sign1), array of 4 */
		return verify_statement(a, p, in, out);
	if (starts_with(in->bytes, "PK\x03\x04", 4) || starts_with(in->bytes, "PK\x05\x06", 4)) /* a ZIP, or an empty one */
		return verify_ofd(a, p, in, out);
	return verify_unknown(a, p, in, out);
}
