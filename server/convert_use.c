/* WindowService and InspectionService: where data leaves. */
#include "server/convert.h"
#include "yinzheng/v1/inspection.pb-c.h"
#include "yinzheng/v1/window.pb-c.h"

enum err decode_pull(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(PullRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct pull_request), sizeof(struct pull_answer));

	if (e == ERR_OK)
		*(struct pull_request *)call->req =
		    (struct pull_request){in->code, in->item_code, in->case_number, in->purpose, in->brief != 0};
	return e;
}

static enum err put_delivered(struct desk_call *call, const struct pulled_material *in, Y(PulledMaterial) * out)
{
	Y(DeliveredField) **f = conv_array(call, DESC(delivered_field), in->n_fields);

	if (f == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in->n_fields; i++) {
		f[i]->name = conv_text(in->fields[i].name);
		f[i]->value = conv_text(in->fields[i].value);
	}
	out->n_fields = in->n_fields;
	out->fields = f;
	return ERR_OK;
}

static enum err put_verdict(struct desk_call *call, const struct report *r, bool brief, Y(Verdict) * *out)
{
	return conv_verdict(call, r, brief && r != NULL && r->indication == TOTAL_PASSED, out);
}

static enum err put_material(struct desk_call *call, const struct pulled_material *in, Y(PulledMaterial) * out)
{
	const struct pull_request *req = call->req;
	enum err e;

	out->name = conv_text(in->material->name);
	out->type_code = conv_text(in->material->type_code);
	out->type_name = conv_text(in->type_name);
	out->required = in->material->required;
	out->status = (Y(MaterialStatus))in->status;
	out->licence_id = conv_text(in->licence_id);
	out->state = (Y(LicenceState))in->state;
	out->source = conv_text(in->source);
	out->source_time = conv_time_text(call, in->source_time);
	out->why = conv_text(in->why);
	if ((e = put_delivered(call, in, out)) != ERR_OK)
		return e;
	return put_verdict(call, in->report, req->brief, &out->verdict);
}

enum err encode_pull(struct desk_call *call, ProtobufCMessage **out)
{
	const struct pull_answer *ans = call->ans;
	Y(PullReply) *r = conv_new(call, DESC(pull_reply));
	Y(PulledMaterial) **m = conv_array(call, DESC(pulled_material), ans->n);
	enum err e = r == NULL || m == NULL ? ERR_BUDGET : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < ans->n; i++)
		e = put_material(call, &ans->materials[i], m[i]);
	if (e != ERR_OK)
		return e;
	r->receipt_id = conv_text(ans->receipt_id);
	r->n_materials = ans->n;
	r->materials = m;
	r->complete = ans->complete;
	r->receipt_salt = conv_bytes(ans->salt);
	r->holder_name = conv_text(ans->holder_name);
	r->time = conv_time_text(call, ans->time);
	*out = &r->base;
	return ERR_OK;
}

enum err complete_pull(struct desk_call *call, const ProtobufCMessage *reply, ProtobufCMessage *more)
{
	struct span receipt;
	enum err e = desk_receipt(call, ((const Y(PullReply) *)reply)->receipt_id, &receipt);

	if (e == ERR_OK)
		((Y(PullReply) *)more)->receipt = conv_bytes(receipt);
	return e;
}

enum err decode_receipt_get(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(GetReceiptRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct by_id_request), sizeof(struct file_answer));

	if (e == ERR_OK)
		*(struct by_id_request *)call->req = (struct by_id_request){in->receipt_id};
	return e;
}

enum err encode_receipt_get(struct desk_call *call, ProtobufCMessage **out)
{
	const struct file_answer *ans = call->ans;
	Y(GetReceiptReply) *r = conv_new(call, DESC(get_receipt_reply));

	if (r == NULL)
		return ERR_BUDGET;
	r->receipt = conv_bytes(ans->file);
	*out = &r->base;
	return ERR_OK;
}

enum err decode_inspect(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(InspectRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct inspect_request), sizeof(struct inspect_answer));

	if (e == ERR_OK)
		*(struct inspect_request *)call->req =
		    (struct inspect_request){in->code, in->licence_id, in->basis, in->purpose, in->place, in->brief != 0};
	return e;
}

static enum err put_inspected(struct desk_call *call, const struct inspected_licence *in, Y(InspectedLicence) * out)
{
	const struct inspect_request *req = call->req;
	enum err e = conv_fields(call, in->face, in->n_face, &out->face);

	if (e != ERR_OK)
		return e;
	out->n_face = in->n_face;
	out->id = conv_text(in->id);
	out->type_code = conv_text(in->type_code);
	out->type_name = conv_text(in->type_name);
	out->issuer_name = conv_text(in->issuer_name);
	out->state = (Y(LicenceState))in->state;
	out->state_since = conv_time_text(call, in->state_since);
	out->valid_from = conv_time_text(call, in->valid_from);
	out->valid_to = conv_time_text(call, in->valid_to);
	out->source = conv_text(in->source);
	out->source_time = conv_time_text(call, in->source_time);
	out->usable = in->usable;
	out->why = conv_text(in->why);
	return put_verdict(call, in->report, req->brief, &out->verdict);
}

enum err encode_inspect(struct desk_call *call, ProtobufCMessage **out)
{
	const struct inspect_answer *ans = call->ans;
	Y(InspectReply) *r = conv_new(call, DESC(inspect_reply));
	Y(InspectedLicence) **l = conv_array(call, DESC(inspected_licence), ans->n);
	enum err e = r == NULL || l == NULL ? ERR_BUDGET : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < ans->n; i++)
		e = put_inspected(call, &ans->licences[i], l[i]);
	if (e != ERR_OK)
		return e;
	r->receipt_id = conv_text(ans->receipt_id);
	r->n_licences = ans->n;
	r->licences = l;
	r->holder_name = conv_text(ans->holder_name);
	r->presenter_capacity = conv_text(ans->presenter_capacity);
	r->time = conv_time_text(call, ans->time);
	r->receipt_salt = conv_bytes(ans->salt);
	*out = &r->base;
	return ERR_OK;
}

enum err complete_inspect(struct desk_call *call, const ProtobufCMessage *reply, ProtobufCMessage *more)
{
	struct span receipt;
	enum err e = desk_receipt(call, ((const Y(InspectReply) *)reply)->receipt_id, &receipt);

	if (e == ERR_OK)
		((Y(InspectReply) *)more)->receipt = conv_bytes(receipt);
	return e;
}
