#include "form/timestamp.h"

#include "base/clock.h"
#include "base/text.h"

enum {
	TAG_EXTENSIONS = 0xa1,
	IMPRINT_MAX = 64,
	SERIAL_MAX = 64,
	SECONDS = 14, /* digits of a GeneralizedTime down to the second */
	FRACTION_MAX = 9,
	GRANTED_WITH_MODS = 1 /* PKIStatus: 0 and 1 come with a token */
};

static enum err wrong(struct err_note *note, enum err e, const char *element)
{
	if (e == ERR_FORMAT)
		return err_note_set(note, e, element, "%s is not as RFC 3161 has it", element);
	return e;
}

/* ".f", in milliseconds. Zeros at its end are not DER, but some write them all the same. */
static enum err read_fraction(struct span s, int64_t *ms)
{
	int64_t v = 0;

	*ms = 0;
	if (s.len == 0)
		return ERR_OK;
	if (s.len < 2 || s.len > 1 + FRACTION_MAX || s.ptr[0] != '.' || !text_only(span_sub(s, 1, s.len), "0123456789"))
		return ERR_FORMAT;
	for (size_t i = 1; i <= 3; i++)
		v = v * 10 + (i < s.len ? s.ptr[i] - '0' : 0);
	*ms = v;
	return ERR_OK;
}

/* GeneralizedTime with parts of a second: YYYYMMDDHHMMSS[.f]Z. */
static enum err read_time(struct der *d, int64_t *ms)
{
	struct der_item it;
	struct der whole;
	uint8_t text[2 + SECONDS + 1] = {DER_GENERALIZED_TIME, SECONDS + 1};
	int64_t seconds, part;
	enum err e = der_take(d, DER_GENERALIZED_TIME, &it);

	if (e != ERR_OK)
		return e;
	if (it.value.len < SECONDS + 1 || it.value.ptr[it.value.len - 1] != 'Z')
		return ERR_FORMAT;
	e = read_fraction(span_sub(it.value, SECONDS, it.value.len - SECONDS - 1), &part);
	if (e != ERR_OK)
		return e;
	memcpy(text + 2, it.value.ptr, SECONDS);
	text[2 + SECONDS] = 'Z';
	whole = der_of(span_of(text, sizeof(text)));
	e = der_gentime(&whole, &seconds);
	if (e == ERR_OK)
		*ms = seconds + part;
	return e;
}

static enum err read_imprint(struct arena *a, struct der *d, struct time_stamp *out)
{
	struct der in, alg;
	struct der_item params;
	char *oid = NULL;
	enum err e = der_enter(d, DER_SEQUENCE, &in, NULL);

	if (e == ERR_OK)
		e = der_enter(&in, DER_SEQUENCE, &alg, NULL);
	if (e == ERR_OK)
		e = der_oid(&alg, a, &oid);
	if (e == ERR_OK && der_more(&alg))
		e = der_take(&alg, DER_ANY, &params);
	if (e == ERR_OK)
		e = der_end(&alg);
	if (e == ERR_OK)
		e = der_octets(&in, &out->imprint);
	if (e == ERR_OK && (out->imprint.len == 0 || out->imprint.len > IMPRINT_MAX))
		e = ERR_FORMAT;
	out->imprint_alg = oid;
	return e == ERR_OK ? der_end(&in) : e;
}

static bool ext_is_critical(struct der *d, enum err *e)
{
	struct der in;
	struct der_item oid;
	bool critical = false;

	*e = der_enter(d, DER_SEQUENCE, &in, NULL);
	if (*e == ERR_OK)
		*e = der_take(&in, DER_OID, &oid);
	if (*e == ERR_OK && der_peek(&in) == DER_BOOLEAN)
		*e = der_bool(&in, &critical);
	return critical;
}

/* accuracy, ordering, nonce, tsa [0], extensions [1]: each may be absent. */
static enum err read_tail(struct der *d)
{
	struct der_item it;
	enum err e = ERR_OK;

	while (e == ERR_OK && der_more(d) && der_peek(d) != TAG_EXTENSIONS)
		e = der_take(d, DER_ANY, &it);
	if (e == ERR_OK && der_more(d)) {
		struct der list;

		e = der_enter(d, TAG_EXTENSIONS, &list, NULL);
		while (e == ERR_OK && der_more(&list))
			if (ext_is_critical(&list, &e) && e == ERR_OK)
				e = ERR_VERSION_UNSUPPORTED;
	}
	return e == ERR_OK ? der_end(d) : e;
}

static enum err read_info(struct arena *a, struct span content, struct time_stamp *out)
{
	struct der d = der_of(content), in;
	struct der_item serial;
	int64_t version;
	char *policy = NULL;
	enum err e = der_enter(&d, DER_SEQUENCE, &in, NULL);

	if (e == ERR_OK)
		e = der_end(&d);
	if (e == ERR_OK)
		e = der_int64(&in, &version);
	if (e == ERR_OK && version != 1)
		e = ERR_VERSION_UNSUPPORTED;
	if (e == ERR_OK)
		e = der_oid(&in, a, &policy);
	if (e == ERR_OK)
		e = read_imprint(a, &in, out);
	if (e == ERR_OK)
		e = der_take(&in, DER_INTEGER, &serial);
	if (e == ERR_OK && (serial.value.len == 0 || serial.value.len > SERIAL_MAX))
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = read_time(&in, &out->time);
	if (e != ERR_OK)
		return e;
	out->policy = policy;
	out->serial = serial.value;
	return read_tail(&in);
}

/* TimeStampResp ::= SEQUENCE { PKIStatusInfo SEQUENCE { INTEGER, … }, token }; *token is left as it is when this is
 * none. */
static enum err unwrap(struct span in, struct deviations *dev, struct span *token)
{
	struct der d = der_of(in), response, status;
	struct der_item it;
	int64_t code;

	if (der_enter(&d, DER_SEQUENCE, &response, NULL) != ERR_OK || der_peek(&response) != DER_SEQUENCE)
		return ERR_OK;
	if (der_enter(&response, DER_SEQUENCE, &status, NULL) != ERR_OK || der_int64(&status, &code) != ERR_OK)
		return ERR_FORMAT;
	if (code < 0 || code > GRANTED_WITH_MODS || der_take(&response, DER_SEQUENCE, &it) != ERR_OK)
		return ERR_FORMAT;
	*token = it.raw;
	return deviation_add(dev, "TS_WHOLE_RESPONSE", "timeStamp");
}

enum err time_stamp_parse(struct arena *a, struct span in, struct deviations *dev, struct time_stamp *out,
                          struct err_note *note)
{
	struct time_stamp *ts = arena_alloc(a, sizeof(*ts));
	struct span token = in;
	enum err e;

	if (ts == NULL)
		return ERR_BUDGET;
	e = wrong(note, unwrap(in, dev, &token), "TimeStampResp");
	if (e == ERR_OK)
		e = signed_data_parse(a, token, dev, &ts->sd, note);
	if (e != ERR_OK)
		return e;
	if (!ts->sd.has_content || strcmp(ts->sd.content_type, OID_TST_INFO) != 0)
		return wrong(note, ERR_FORMAT, "TimeStampToken.eContentType");
	if (ts->sd.n_signers != 1)
		return wrong(note, ERR_FORMAT, "TimeStampToken.signerInfos");
	e = read_info(a, ts->sd.content, ts);
	if (e == ERR_VERSION_UNSUPPORTED)
		return err_note_set(note, e, "TSTInfo", "TSTInfo has a version or a critical extension that is not known here");
	if (e != ERR_OK)
		return wrong(note, e, "TSTInfo");
	*out = *ts;
	return ERR_OK;
}
