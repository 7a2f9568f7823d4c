/* SealService.SignDocument. The reply that is kept has no document: it is made again from request and signature. */
#include "server/convert.h"
#include "yinzheng/v1/seal.pb-c.h"

static enum err get_stamps(struct desk_call *call, const Y(SignDocumentRequest) * in, struct document_request *r)
{
	struct ofd_stamp *stamps = arena_array(call->arena, in->n_stamps, sizeof(*stamps));

	if (stamps == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in->n_stamps; i++)
		stamps[i] = (struct ofd_stamp){in->stamps[i]->page, in->stamps[i]->x, in->stamps[i]->y};
	r->n_stamps = in->n_stamps;
	r->stamps = stamps;
	return ERR_OK;
}

static enum err get_riding(struct desk_call *call, const Y(RidingSeal) * in, struct ofd_riding *out)
{
	if (in == NULL)
		return ERR_OK;
	if (in->side == YINZHENG__V1__RIDING_SIDE__RIDING_SIDE_UNSPECIFIED)
		return err_note_set(&call->note, ERR_FIELD_MISSING, "riding.side", NULL);
	out->side = in->side == YINZHENG__V1__RIDING_SIDE__RIDING_SIDE_LEFT ? OFD_SIDE_LEFT : OFD_SIDE_RIGHT;
	out->centre = in->centre;
	return ERR_OK;
}

enum err decode_seal_document(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(SignDocumentRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct document_request), sizeof(struct document_answer));

	if (e != ERR_OK)
		return e;
	struct document_request *r = (void *)call->req;
	*r = (struct document_request){.seal_id = in->seal_id,
	                               .purpose = in->purpose,
	                               .document = conv_span(in->document),
	                               .index = in->document_index,
	                               .lock = in->lock};
	e = get_stamps(call, in, r);
	return e == ERR_OK ? get_riding(call, in->riding, &r->riding) : e;
}

enum err encode_seal_document(struct desk_call *call, ProtobufCMessage **out)
{
	const struct document_answer *ans = call->ans;
	Y(SignDocumentReply) *r = conv_new(call, DESC(sign_document_reply));

	if (r == NULL)
		return ERR_BUDGET;
	r->signature_id = conv_text(ans->id);
	r->location = conv_text(ans->location);
	r->signature = conv_bytes(ans->signature);
	*out = &r->base;
	return ERR_OK;
}

enum err complete_seal_document(struct desk_call *call, const ProtobufCMessage *reply, ProtobufCMessage *more)
{
	const Y(SignDocumentReply) *r = (const void *)reply;
	struct span document;
	enum err e = desk_signed_document(call, span_of(r->signature.data, r->signature.len), &document);

	if (e == ERR_OK)
		((Y(SignDocumentReply) *)more)->document = conv_bytes(document);
	return e;
}
