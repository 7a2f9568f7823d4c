/* ShowCodeService. */
#include "server/convert.h"
#include "yinzheng/v1/showcode.pb-c.h"

enum err decode_holder_licences(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(ListHolderLicencesRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct holder_request), sizeof(struct holder_answer));

	if (e != ERR_OK)
		return e;
	struct holder_request *r = (void *)call->req;
	conv_holder(in->holder, &r->holder);
	r->item_code = in->item_code;
	return conv_presenter(call, in->presenter, &r->presenter);
}

enum err decode_code_issue(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(IssueCodeRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct code_request), sizeof(struct code_answer));

	if (e != ERR_OK)
		return e;
	struct code_request *r = (void *)call->req;
	struct show_selection *show = arena_array(call->arena, in->n_show, sizeof(*show));
	if (show == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in->n_show; i++)
		show[i] = (struct show_selection){in->show[i]->licence_id, in->show[i]->n_fields,
		                                  (const char *const *)in->show[i]->fields};
	*r = (struct code_request){.kind = (enum code_kind)in->kind,
	                           .audience = (enum audience_kind)(in->audience != NULL ? in->audience->kind : 0),
	                           .audience_org = conv_text(in->audience != NULL ? in->audience->org_code : NULL),
	                           .purpose = in->purpose,
	                           .item_code = in->item_code,
	                           .life_seconds = in->life_seconds,
	                           .n_show = in->n_show,
	                           .n_declined = in->n_declined_licences,
	                           .show = show,
	                           .declined = (const char *const *)in->declined_licences,
	                           .preview_digest = conv_span(in->preview_digest)};
	conv_holder(in->holder, &r->holder);
	return conv_presenter(call, in->presenter, &r->presenter);
}

enum err decode_code_cancel(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(CancelCodeRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct code_cancel_request), 0);

	if (e != ERR_OK)
		return e;
	struct code_cancel_request *r = (void *)call->req;
	conv_holder(in->holder, &r->holder);
	r->code = in->code;
	return conv_presenter(call, in->presenter, &r->presenter);
}

static enum err put_licences(struct desk_call *call, const struct holder_answer *ans, Y(ListHolderLicencesReply) * r)
{
	Y(HolderLicence) **l = conv_array(call, DESC(holder_licence), ans->n);

	if (l == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < ans->n; i++) {
		const struct holder_licence *h = &ans->licences[i];
		l[i]->id = conv_text(h->row.id);
		l[i]->type_code = conv_text(h->row.type_code);
		l[i]->type_name = conv_text(h->type_name);
		l[i]->issuer_name = conv_text(h->issuer_name);
		l[i]->state = (Y(LicenceState))h->row.state;
		l[i]->valid_to = conv_time_text(call, h->row.valid_to);
		l[i]->face_fields = conv_texts(call, h->face, h->n_face);
		if (l[i]->face_fields == NULL)
			return ERR_BUDGET;
		l[i]->n_face_fields = h->n_face;
	}
	r->n_licences = ans->n;
	r->licences = l;
	return ERR_OK;
}

static enum err put_preview(struct desk_call *call, const struct holder_answer *ans, Y(ListHolderLicencesReply) * r)
{
	Y(PreviewMaterial) **p = conv_array(call, DESC(preview_material), ans->n_preview);
	enum err e = p != NULL ? ERR_OK : ERR_BUDGET;

	for (size_t i = 0; e == ERR_OK && i < ans->n_preview; i++) {
		const struct preview_material *m = &ans->preview[i];
		p[i]->name = conv_text(m->material->name);
		p[i]->type_code = conv_text(m->material->type_code);
		p[i]->type_name = conv_text(m->type_name);
		p[i]->required = m->material->required;
		p[i]->purpose = conv_text(m->material->purpose);
		p[i]->licence_id = conv_text(m->licence_id);
		p[i]->state = (Y(LicenceState))m->state;
		e = conv_fields(call, m->fields, m->n_fields, &p[i]->fields);
		p[i]->n_fields = e == ERR_OK ? m->n_fields : 0;
	}
	if (e != ERR_OK)
		return e;
	r->n_preview = ans->n_preview;
	r->preview = p;
	return ERR_OK;
}

enum err encode_holder_licences(struct desk_call *call, ProtobufCMessage **out)
{
	const struct holder_request *req = call->req;
	const struct holder_answer *ans = call->ans;
	Y(ListHolderLicencesReply) *r = conv_new(call, DESC(list_holder_licences_reply));
	enum err e;

	if (r == NULL)
		return ERR_BUDGET;
	if ((e = put_licences(call, ans, r)) != ERR_OK || (e = put_preview(call, ans, r)) != ERR_OK)
		return e;
	if (*req->item_code != '\0')
		r->preview_digest = conv_bytes(span_of(ans->preview_digest, sizeof(ans->preview_digest)));
	r->item_name = conv_text(ans->item_name);
	*out = &r->base;
	return ERR_OK;
}

enum err encode_code_issue(struct desk_call *call, ProtobufCMessage **out)
{
	const struct code_answer *ans = call->ans;
	Y(IssueCodeReply) *r = conv_new(call, DESC(issue_code_reply));

	if (r == NULL)
		return ERR_BUDGET;
	r->code = conv_text(ans->code);
	r->expires = conv_time_text(call, ans->expires);
	*out = &r->base;
	return ERR_OK;
}

enum err encode_code_cancel(struct desk_call *call, ProtobufCMessage **out)
{
	Y(CancelCodeReply) *r = conv_new(call, DESC(cancel_code_reply));

	if (r == NULL)
		return ERR_BUDGET;
	*out = &r->base;
	return ERR_OK;
}
