/* SealService and VerificationService. */
#include "server/convert.h"
#include "yinzheng/v1/seal.pb-c.h"
#include "yinzheng/v1/verification.pb-c.h"

enum err decode_seal_create(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(CreateSealRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct seal_create_request), sizeof(struct seal_answer));

	if (e != ERR_OK)
		return e;
	struct seal_create_request *r = (void *)call->req;
	struct span *certs = arena_array(call->arena, in->n_certificates, sizeof(*certs));
	if (certs == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in->n_certificates; i++)
		certs[i] = conv_span(in->certificates[i]);
	*r = (struct seal_create_request){.id = in->id,
	                                  .name = in->name,
	                                  .owner_code = in->owner_code,
	                                  .application = in->application,
	                                  .approver = in->approver,
	                                  .type = in->type,
	                                  .n_certs = in->n_certificates,
	                                  .certs = certs,
	                                  .picture_png = conv_span(in->picture_png),
	                                  .width_mm = in->width_mm,
	                                  .height_mm = in->height_mm};
	if ((e = conv_time(call, "valid_start", in->valid_start, &r->valid_start)) != ERR_OK)
		return e;
	return conv_time(call, "valid_end", in->valid_end, &r->valid_end);
}

enum err decode_seal_import(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(ImportSealRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct seal_import_request), sizeof(struct seal_answer));

	if (e == ERR_OK)
		*(struct seal_import_request *)call->req =
		    (struct seal_import_request){conv_span(in->der), in->owner_code, in->application};
	return e;
}

enum err decode_seal_get(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(GetSealRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct by_id_request), sizeof(struct seal_answer));

	if (e == ERR_OK)
		*(struct by_id_request *)call->req = (struct by_id_request){in->id};
	return e;
}

enum err decode_seal_history(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(GetSealRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct by_id_request), sizeof(struct history_answer));

	if (e == ERR_OK)
		*(struct by_id_request *)call->req = (struct by_id_request){in->id};
	return e;
}

enum err decode_seal_list(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(ListSealsRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct seal_list_request), sizeof(struct seal_list_answer));

	if (e == ERR_OK)
		*(struct seal_list_request *)call->req =
		    (struct seal_list_request){in->owner_code, in->page_token, in->page_size};
	return e;
}

enum err decode_seal_status(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(ChangeSealStatusRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct status_request), sizeof(struct seal_answer));

	if (e != ERR_OK)
		return e;
	struct status_request *r = (void *)call->req;
	*r = (struct status_request){.id = in->id, .reason = in->reason, .state = (int)in->state};
	return conv_time(call, "effective", in->effective, &r->effective);
}

enum err decode_seal_sign(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(SignRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct sign_request), sizeof(struct sign_answer));

	if (e == ERR_OK)
		*(struct sign_request *)call->req =
		    (struct sign_request){in->seal_id, in->property_info, in->purpose, conv_span(in->digest)};
	return e;
}

static void put_seal(struct desk_call *call, const struct seal_answer *in, Y(Seal) * out)
{
	const struct seal_row *s = &in->seal;

	out->id = conv_text(s->id);
	out->name = conv_text(s->name);
	out->owner_code = conv_text(s->owner_code);
	out->type = s->type;
	out->state = (Y(SealState))s->state;
	out->valid_start = conv_time_text(call, s->valid_start);
	out->valid_end = conv_time_text(call, s->valid_end);
	out->maker = conv_text(s->maker);
	out->can_sign = in->can_sign;
	out->der = conv_bytes(s->der);
}

static enum err encode_seal(struct desk_call *call, bool with_der, ProtobufCMessage **out)
{
	Y(SealReply) *r = conv_new(call, DESC(seal_reply));
	Y(Seal) *s = conv_new(call, DESC(seal));

	if (r == NULL || s == NULL)
		return ERR_BUDGET;
	put_seal(call, call->ans, s);
	if (!with_der)
		s->der = conv_bytes(span_of(NULL, 0));
	r->seal = s;
	*out = &r->base;
	return ERR_OK;
}

enum err encode_seal_create(struct desk_call *call, ProtobufCMessage **out)
{
	return encode_seal(call, true, out);
}

enum err encode_seal_import(struct desk_call *call, ProtobufCMessage **out)
{
	return encode_seal(call, true, out);
}

enum err encode_seal_get(struct desk_call *call, ProtobufCMessage **out)
{
	return encode_seal(call, true, out);
}

enum err encode_seal_status(struct desk_call *call, ProtobufCMessage **out)
{
	return encode_seal(call, false, out);
}

enum err encode_seal_list(struct desk_call *call, ProtobufCMessage **out)
{
	const struct seal_list_answer *ans = call->ans;
	Y(ListSealsReply) *r = conv_new(call, DESC(list_seals_reply));
	Y(Seal) **seals = conv_array(call, DESC(seal), ans->n);

	if (r == NULL || seals == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < ans->n; i++)
		put_seal(call, &ans->seals[i], seals[i]);
	r->n_seals = ans->n;
	r->seals = seals;
	r->next_page_token = conv_text(ans->next);
	*out = &r->base;
	return ERR_OK;
}

enum err encode_seal_history(struct desk_call *call, ProtobufCMessage **out)
{
	static const char *const names[] = {"", "active", "suspended", "revoked"};
	Y(HistoryReply) *r = conv_new(call, DESC(history_reply));

	if (r == NULL)
		return ERR_BUDGET;
	*out = &r->base;
	return conv_events(call, names, SEAL_REVOKED, &r->events, &r->n_events);
}

enum err encode_seal_sign(struct desk_call *call, ProtobufCMessage **out)
{
	const struct sign_answer *ans = call->ans;
	Y(SignReply) *r = conv_new(call, DESC(sign_reply));

	if (r == NULL)
		return ERR_BUDGET;
	r->signature = conv_bytes(ans->signature);
	*out = &r->base;
	return ERR_OK;
}

enum err decode_verify(struct desk_call *call, const ProtobufCMessage *m)
{
	static const uint8_t nothing[1];
	const Y(VerifyRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct verify_request), sizeof(struct verify_answer));

	if (e != ERR_OK)
		return e;
	struct verify_request *r = (void *)call->req;
	*r = (struct verify_request){
	    .document = conv_span(in->document),
	    .policy = in->policy,
	    .want_receipt = in->want_receipt != 0,
	    .brief = in->brief != 0,
	};
	/* Empty data that was given differs from none. */
	if (in->has_data)
		r->data = in->data.len != 0 ? conv_span(in->data) : span_of(nothing, 0);
	return conv_time(call, "at", in->at, &r->at);
}

/* Signatures by a seal: what is judged of them is bounded by their size. A ZIP may unfold, a chain may be long. */
bool prompt_verify(const struct desk_call *call)
{
	enum { PROMPT_DOCUMENT_MAX = 16 * 1024 };
	const struct verify_request *r = call->req;

	return !r->want_receipt && r->document.len <= PROMPT_DOCUMENT_MAX && verify_is_seal_signature(r->document);
}

enum err encode_verify(struct desk_call *call, ProtobufCMessage **out)
{
	const struct verify_answer *ans = call->ans;
	Y(VerifyReply) *r = conv_new(call, DESC(verify_reply));
	enum err e;

	if (r == NULL)
		return ERR_BUDGET;
	r->kind = conv_text(verify_kind_name(ans->report->kind));
	if ((e = conv_verdict(call, ans->report, ans->json == NULL, &r->verdict)) != ERR_OK)
		return e;
	r->report_json = conv_text(ans->json);
	r->receipt = conv_bytes(ans->receipt);
	*out = &r->base;
	return ERR_OK;
}
