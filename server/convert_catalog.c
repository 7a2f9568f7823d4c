/* CatalogService. */
#include "server/convert.h"
#include "yinzheng/v1/catalog.pb-c.h"

static enum err take_field_types(struct desk_call *call, const Y(LicenceType) * in, struct licence_type *out)
{
	struct field_type *f = arena_array(call->arena, in->n_fields, sizeof(*f));

	if (f == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in->n_fields; i++) {
		const Y(FieldType) *t = in->fields[i];
		f[i] = (struct field_type){.name = t->name,
		                           .kind = (enum field_kind)t->kind,
		                           .required = t->required,
		                           .personal = t->personal,
		                           .face = t->face,
		                           .max_length = t->max_length,
		                           .n_choices = t->n_choices,
		                           .choices = t->choices};
	}
	out->n_fields = in->n_fields;
	out->fields = f;
	return ERR_OK;
}

enum err decode_type_put(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(PutLicenceTypeRequest) *in = (const void *)m;
	const Y(LicenceType) *t = in->type;
	enum err e = conv_begin(call, sizeof(struct licence_type), sizeof(struct catalog_put_answer));

	if (e != ERR_OK)
		return e;
	if (t == NULL)
		return err_note_set(&call->note, ERR_FIELD_MISSING, "type", "State the licence type.");
	struct licence_type *r = (void *)call->req;
	*r = (struct licence_type){.code = t->code,
	                           .name = t->name,
	                           .definer_code = t->definer_code,
	                           .definer_name = t->definer_name,
	                           .validity_months = t->validity_months,
	                           .sample = t->sample};
	return take_field_types(call, t, r);
}

enum err decode_item_put(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(PutItemRequest) *in = (const void *)m;
	const Y(Item) *t = in->item;
	enum err e = conv_begin(call, sizeof(struct service_item), sizeof(struct catalog_put_answer));

	if (e != ERR_OK)
		return e;
	if (t == NULL)
		return err_note_set(&call->note, ERR_FIELD_MISSING, "item", "State the service item.");
	struct item_material *x = arena_array(call->arena, t->n_materials, sizeof(*x));
	if (x == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < t->n_materials; i++) {
		const Y(Material) *s = t->materials[i];
		x[i] = (struct item_material){s->name, s->type_code, s->purpose, s->required, s->n_fields, s->fields};
	}
	*(struct service_item *)call->req = (struct service_item){t->code, t->name, t->sample, t->n_materials, x};
	return ERR_OK;
}

static enum err take_code(struct desk_call *call, const ProtobufCMessage *m, size_t ans)
{
	const Y(GetByCodeRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct by_id_request), ans);

	if (e == ERR_OK)
		*(struct by_id_request *)call->req = (struct by_id_request){in->code};
	return e;
}

enum err decode_type_get(struct desk_call *call, const ProtobufCMessage *m)
{
	return take_code(call, m, sizeof(struct licence_type));
}

enum err decode_item_get(struct desk_call *call, const ProtobufCMessage *m)
{
	return take_code(call, m, sizeof(struct service_item));
}

static enum err take_list(struct desk_call *call, const ProtobufCMessage *m, size_t ans)
{
	const Y(ListCatalogRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct list_request), ans);

	if (e == ERR_OK)
		*(struct list_request *)call->req = (struct list_request){in->page_token, in->page_size};
	return e;
}

enum err decode_type_list(struct desk_call *call, const ProtobufCMessage *m)
{
	return take_list(call, m, sizeof(struct type_list_answer));
}

enum err decode_item_list(struct desk_call *call, const ProtobufCMessage *m)
{
	return take_list(call, m, sizeof(struct item_list_answer));
}

static enum err encode_put(struct desk_call *call, ProtobufCMessage **out)
{
	const struct catalog_put_answer *ans = call->ans;
	Y(PutReply) *r = conv_new(call, DESC(put_reply));

	if (r == NULL)
		return ERR_BUDGET;
	r->version = ans->version;
	*out = &r->base;
	return ERR_OK;
}

enum err encode_type_put(struct desk_call *call, ProtobufCMessage **out)
{
	return encode_put(call, out);
}

enum err encode_item_put(struct desk_call *call, ProtobufCMessage **out)
{
	return encode_put(call, out);
}

static enum err put_type(struct desk_call *call, const struct licence_type *in, Y(LicenceType) * out)
{
	Y(FieldType) **f = conv_array(call, DESC(field_type), in->n_fields);

	if (f == NULL)
		return ERR_BUDGET;
	out->code = conv_text(in->code);
	out->name = conv_text(in->name);
	out->definer_code = conv_text(in->definer_code);
	out->definer_name = conv_text(in->definer_name);
	out->validity_months = in->validity_months;
	out->sample = in->sample;
	for (size_t i = 0; i < in->n_fields; i++) {
		const struct field_type *t = &in->fields[i];
		f[i]->name = conv_text(t->name);
		f[i]->kind = (Y(FieldKind))t->kind;
		f[i]->required = t->required;
		f[i]->personal = t->personal;
		f[i]->face = t->face;
		f[i]->max_length = t->max_length;
		f[i]->n_choices = t->n_choices;
		f[i]->choices = t->choices;
	}
	out->n_fields = in->n_fields;
	out->fields = f;
	return ERR_OK;
}

static enum err put_item(struct desk_call *call, const struct service_item *in, Y(Item) * out)
{
	Y(Material) **x = conv_array(call, DESC(material), in->n_materials);

	if (x == NULL)
		return ERR_BUDGET;
	out->code = conv_text(in->code);
	out->name = conv_text(in->name);
	out->sample = in->sample;
	for (size_t i = 0; i < in->n_materials; i++) {
		const struct item_material *s = &in->materials[i];
		x[i]->name = conv_text(s->name);
		x[i]->type_code = conv_text(s->type_code);
		x[i]->required = s->required;
		x[i]->purpose = conv_text(s->purpose);
		x[i]->n_fields = s->n_fields;
		x[i]->fields = s->fields;
	}
	out->n_materials = in->n_materials;
	out->materials = x;
	return ERR_OK;
}

enum err encode_type_get(struct desk_call *call, ProtobufCMessage **out)
{
	Y(LicenceType) *r = conv_new(call, DESC(licence_type));

	if (r == NULL)
		return ERR_BUDGET;
	*out = &r->base;
	return put_type(call, call->ans, r);
}

enum err encode_item_get(struct desk_call *call, ProtobufCMessage **out)
{
	Y(Item) *r = conv_new(call, DESC(item));

	if (r == NULL)
		return ERR_BUDGET;
	*out = &r->base;
	return put_item(call, call->ans, r);
}

enum err encode_type_list(struct desk_call *call, ProtobufCMessage **out)
{
	const struct type_list_answer *ans = call->ans;
	Y(ListLicenceTypesReply) *r = conv_new(call, DESC(list_licence_types_reply));
	Y(LicenceType) **t = conv_array(call, DESC(licence_type), ans->n);
	enum err e = r == NULL || t == NULL ? ERR_BUDGET : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < ans->n; i++)
		e = put_type(call, &ans->types[i], t[i]);
	if (e != ERR_OK)
		return e;
	r->n_types = ans->n;
	r->types = t;
	r->next_page_token = conv_text(ans->next);
	*out = &r->base;
	return ERR_OK;
}

enum err encode_item_list(struct desk_call *call, ProtobufCMessage **out)
{
	const struct item_list_answer *ans = call->ans;
	Y(ListItemsReply) *r = conv_new(call, DESC(list_items_reply));
	Y(Item) **t = conv_array(call, DESC(item), ans->n);
	enum err e = r == NULL || t == NULL ? ERR_BUDGET : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < ans->n; i++)
		e = put_item(call, &ans->items[i], t[i]);
	if (e != ERR_OK)
		return e;
	r->n_items = ans->n;
	r->items = t;
	r->next_page_token = conv_text(ans->next);
	*out = &r->base;
	return ERR_OK;
}
