/* LicenceService. */
#include "server/convert.h"
#include "yinzheng/v1/licence.pb-c.h"

enum err decode_issue(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(IssueRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct issue_request), sizeof(struct licence_answer));

	if (e != ERR_OK)
		return e;
	struct issue_request *r = (void *)call->req;
	struct licence_holder *holders = arena_array(call->arena, in->n_holders, sizeof(*holders));
	struct licence_field *fields = arena_array(call->arena, in->n_fields, sizeof(*fields));
	if (holders == NULL || fields == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in->n_holders; i++)
		conv_holder(in->holders[i], &holders[i]);
	for (size_t i = 0; i < in->n_fields; i++)
		fields[i] = (struct licence_field){in->fields[i]->name, in->fields[i]->value};
	*r = (struct issue_request){.type_code = in->type_code,
	                            .number = in->number,
	                            .serial = in->serial,
	                            .area_code = in->area_code,
	                            .seal_id = in->seal_id,
	                            .n_holders = in->n_holders,
	                            .n_fields = in->n_fields,
	                            .holders = holders,
	                            .fields = fields};
	if ((e = conv_time(call, "valid_from", in->valid_from, &r->valid_from)) != ERR_OK)
		return e;
	return conv_time(call, "valid_to", in->valid_to, &r->valid_to);
}

static enum err take_id(struct desk_call *call, const ProtobufCMessage *m, size_t ans)
{
	const Y(GetLicenceRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct by_id_request), ans);

	if (e == ERR_OK)
		*(struct by_id_request *)call->req = (struct by_id_request){in->id};
	return e;
}

enum err decode_licence_get(struct desk_call *call, const ProtobufCMessage *m)
{
	return take_id(call, m, sizeof(struct licence_answer));
}

enum err decode_licence_history(struct desk_call *call, const ProtobufCMessage *m)
{
	return take_id(call, m, sizeof(struct history_answer));
}

enum err decode_licence_file(struct desk_call *call, const ProtobufCMessage *m)
{
	return take_id(call, m, sizeof(struct file_answer));
}

enum err decode_licence_list(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(ListLicencesRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct licence_list_request), sizeof(struct licence_list_answer));

	if (e == ERR_OK)
		*(struct licence_list_request *)call->req =
		    (struct licence_list_request){in->type_code, in->page_token, in->page_size};
	return e;
}

enum err decode_licence_status(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(ChangeStatusRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct status_request), sizeof(struct licence_answer));

	if (e != ERR_OK)
		return e;
	struct status_request *r = (void *)call->req;
	*r = (struct status_request){.id = in->id, .reason = in->reason, .state = (int)in->state};
	return conv_time(call, "effective", in->effective, &r->effective);
}

static enum err put_holders(struct desk_call *call, const struct licence_record *in, Y(Licence) * out)
{
	Y(Holder) **h = conv_array(call, DESC(holder), in->n_holders);

	if (h == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in->n_holders; i++) {
		h[i]->name = conv_text(in->holders[i].name);
		h[i]->code_type = conv_text(in->holders[i].code_type);
		h[i]->code = conv_text(in->holders[i].code);
	}
	out->n_holders = in->n_holders;
	out->holders = h;
	return ERR_OK;
}

static enum err put_licence(struct desk_call *call, const struct licence_answer *in, Y(Licence) * out)
{
	const struct licence_record *r = &in->record;
	enum err e;

	out->id = conv_text(r->id);
	out->type_code = conv_text(r->type_code);
	out->type_name = conv_text(r->type_name);
	out->number = conv_text(r->number);
	out->version = r->version;
	out->issuer_code = conv_text(r->issuer_code);
	out->issuer_name = conv_text(r->issuer_name);
	out->issued = conv_time_text(call, r->issued);
	out->valid_from = conv_time_text(call, r->valid_from);
	out->valid_to = conv_time_text(call, r->valid_to);
	out->area_code = conv_text(r->area_code);
	out->state = (Y(LicenceState))in->state;
	out->seal_id = conv_text(in->seal_id);
	if ((e = put_holders(call, r, out)) != ERR_OK)
		return e;
	out->n_fields = r->n_fields;
	e = conv_fields(call, r->fields, r->n_fields, &out->fields);
	return e;
}

static enum err encode_licence(struct desk_call *call, ProtobufCMessage **out)
{
	Y(LicenceReply) *r = conv_new(call, DESC(licence_reply));
	Y(Licence) *l = conv_new(call, DESC(licence));

	if (r == NULL || l == NULL)
		return ERR_BUDGET;
	r->licence = l;
	*out = &r->base;
	return put_licence(call, call->ans, l);
}

enum err encode_issue(struct desk_call *call, ProtobufCMessage **out)
{
	return encode_licence(call, out);
}

enum err encode_licence_get(struct desk_call *call, ProtobufCMessage **out)
{
	return encode_licence(call, out);
}

enum err encode_licence_status(struct desk_call *call, ProtobufCMessage **out)
{
	return encode_licence(call, out);
}

enum err encode_licence_list(struct desk_call *call, ProtobufCMessage **out)
{
	const struct licence_list_answer *ans = call->ans;
	Y(ListLicencesReply) *r = conv_new(call, DESC(list_licences_reply));
	Y(LicenceSummary) **l = conv_array(call, DESC(licence_summary), ans->n);

	if (r == NULL || l == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < ans->n; i++) {
		const struct licence_row *row = &ans->rows[i];
		l[i]->id = conv_text(row->id);
		l[i]->type_code = conv_text(row->type_code);
		l[i]->type_name = conv_text(ans->type_names != NULL ? ans->type_names[i] : NULL);
		l[i]->state = (Y(LicenceState))row->state;
		l[i]->issued = conv_time_text(call, row->issued);
		l[i]->valid_to = conv_time_text(call, row->valid_to);
	}
	r->n_licences = ans->n;
	r->licences = l;
	r->next_page_token = conv_text(ans->next);
	*out = &r->base;
	return ERR_OK;
}

enum err encode_licence_history(struct desk_call *call, ProtobufCMessage **out)
{
	static const char *const names[] = {"", "valid", "suspended", "revoked", "cancelled", "expired"};
	Y(LicenceHistoryReply) *r = conv_new(call, DESC(licence_history_reply));

	if (r == NULL)
		return ERR_BUDGET;
	*out = &r->base;
	return conv_events(call, names, LICENCE_EXPIRED, &r->events, &r->n_events);
}

enum err encode_licence_file(struct desk_call *call, ProtobufCMessage **out)
{
	const struct file_answer *ans = call->ans;
	Y(LicenceFile) *r = conv_new(call, DESC(licence_file));

	if (r == NULL)
		return ERR_BUDGET;
	r->file = conv_bytes(ans->file);
	*out = &r->base;
	return ERR_OK;
}
