/* AdminService (but for GetStatus, see status.c) and AuditService. */
#include "server/convert.h"
#include "yinzheng/v1/admin.pb-c.h"
#include "yinzheng/v1/audit.pb-c.h"

/* Roles are numbered in the contract and bits in the store. */
static enum err take_roles(struct desk_call *call, const Y(Principal) * in, unsigned *out)
{
	unsigned roles = 0;

	for (size_t i = 0; i < in->n_roles; i++) {
		int role = (int)in->roles[i];
		if (role < YINZHENG__V1__ROLE__ROLE_SYSTEM || role > YINZHENG__V1__ROLE__ROLE_GATEWAY)
			return err_note_set(&call->note, ERR_FIELD_INVALID, "principal.roles", "No such role.");
		roles |= 1u << (role - YINZHENG__V1__ROLE__ROLE_SYSTEM);
	}
	*out = roles;
	return ERR_OK;
}

static enum err take_keys(struct desk_call *call, const Y(Principal) * in, struct principal *out)
{
	struct principal_key *k = arena_array(call->arena, in->n_keys, sizeof(*k));
	enum err e;

	if (k == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in->n_keys; i++) {
		const Y(PrincipalKey) *key = in->keys[i];
		if (key->fingerprint.len != FINGERPRINT_LEN)
			return err_note_set(&call->note, ERR_FIELD_INVALID, "principal.keys.fingerprint",
			                    "A fingerprint is the SHA-256 of the public key, 32 bytes.");
		memcpy(k[i].fingerprint, key->fingerprint.data, FINGERPRINT_LEN);
		if ((e = conv_time(call, "principal.keys.not_before", key->not_before, &k[i].not_before)) != ERR_OK ||
		    (e = conv_time(call, "principal.keys.not_after", key->not_after, &k[i].not_after)) != ERR_OK)
			return e;
	}
	out->n_keys = in->n_keys;
	out->keys = k;
	return ERR_OK;
}

enum err decode_principal_put(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(PutPrincipalRequest) *in = (const void *)m;
	const Y(Principal) *p = in->principal;
	enum err e = conv_begin(call, sizeof(struct principal), sizeof(struct principal_answer));

	if (e != ERR_OK)
		return e;
	if (p == NULL)
		return err_note_set(&call->note, ERR_FIELD_MISSING, "principal", "State the principal.");
	struct principal *r = (void *)call->req;
	*r = (struct principal){.id = p->id,
	                        .name = p->name,
	                        .org_code = p->org_code,
	                        .org_name = p->org_name,
	                        .statutory = p->statutory,
	                        .disabled = p->disabled,
	                        .n_types = p->n_types,
	                        .n_items = p->n_items,
	                        .types = p->types,
	                        .items = p->items,
	                        .version = p->version};
	if ((e = take_roles(call, p, &r->roles)) != ERR_OK)
		return e;
	return take_keys(call, p, r);
}

enum err decode_principal_list(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(ListPrincipalsRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct list_request), sizeof(struct principal_list_answer));

	if (e == ERR_OK)
		*(struct list_request *)call->req = (struct list_request){in->page_token, in->page_size};
	return e;
}

enum err decode_principal_disable(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(DisablePrincipalRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct disable_request), sizeof(struct principal_answer));

	if (e == ERR_OK)
		*(struct disable_request *)call->req = (struct disable_request){in->id, in->reason};
	return e;
}

static enum err put_roles(struct desk_call *call, unsigned roles, Y(Principal) * out)
{
	Y(Role) *r = arena_array(call->arena, YINZHENG__V1__ROLE__ROLE_GATEWAY, sizeof(*r));

	if (r == NULL)
		return ERR_BUDGET;
	for (unsigned i = 0; i < YINZHENG__V1__ROLE__ROLE_GATEWAY; i++)
		if ((roles & 1u << i) != 0)
			r[out->n_roles++] = (Y(Role))(i + YINZHENG__V1__ROLE__ROLE_SYSTEM);
	out->roles = r;
	return ERR_OK;
}

static enum err put_principal(struct desk_call *call, const struct principal *in, Y(Principal) * out)
{
	Y(PrincipalKey) **k = conv_array(call, DESC(principal_key), in->n_keys);

	if (k == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in->n_keys; i++) {
		k[i]->fingerprint = conv_bytes(span_of(in->keys[i].fingerprint, FINGERPRINT_LEN));
		k[i]->not_before = conv_time_text(call, in->keys[i].not_before);
		k[i]->not_after = conv_time_text(call, in->keys[i].not_after);
	}
	out->n_keys = in->n_keys;
	out->keys = k;
	out->id = conv_text(in->id);
	out->name = conv_text(in->name);
	out->org_code = conv_text(in->org_code);
	out->org_name = conv_text(in->org_name);
	out->n_types = in->n_types;
	out->types = in->types;
	out->n_items = in->n_items;
	out->items = in->items;
	out->statutory = in->statutory;
	out->disabled = in->disabled;
	out->version = in->version;
	return put_roles(call, in->roles, out);
}

static enum err encode_principal(struct desk_call *call, ProtobufCMessage **out)
{
	const struct principal_answer *ans = call->ans;
	Y(PrincipalReply) *r = conv_new(call, DESC(principal_reply));
	Y(Principal) *p = conv_new(call, DESC(principal));

	if (r == NULL || p == NULL)
		return ERR_BUDGET;
	r->principal = p;
	r->pending = ans->pending;
	*out = &r->base;
	return put_principal(call, &ans->principal, p);
}

enum err encode_principal_put(struct desk_call *call, ProtobufCMessage **out)
{
	return encode_principal(call, out);
}

enum err encode_principal_disable(struct desk_call *call, ProtobufCMessage **out)
{
	return encode_principal(call, out);
}

enum err encode_principal_list(struct desk_call *call, ProtobufCMessage **out)
{
	const struct principal_list_answer *ans = call->ans;
	Y(ListPrincipalsReply) *r = conv_new(call, DESC(list_principals_reply));
	Y(Principal) **p = conv_array(call, DESC(principal), ans->n);
	enum err e = r == NULL || p == NULL ? ERR_BUDGET : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < ans->n; i++)
		e = put_principal(call, &ans->principals[i], p[i]);
	if (e != ERR_OK)
		return e;
	r->n_principals = ans->n;
	r->principals = p;
	r->next_page_token = conv_text(ans->next);
	*out = &r->base;
	return ERR_OK;
}

/* ---- audit ---------------------------------------------------------------------------------- */

enum err decode_audit_list(struct desk_call *call, const ProtobufCMessage *m)
{
	const Y(ListEntriesRequest) *in = (const void *)m;
	enum err e = conv_begin(call, sizeof(struct audit_list_request), sizeof(struct audit_list_answer));

	if (e == ERR_OK)
		*(struct audit_list_request *)call->req =
		    (struct audit_list_request){in->from_index, in->page_size, in->action, in->principal};
	return e;
}

static enum err put_values(struct desk_call *call, const struct audit_item *in, Y(AuditEntry) * out)
{
	Y(AuditValue) **v = conv_array(call, DESC(audit_value), in->row.n_values);

	if (v == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in->row.n_values; i++) {
		const struct audit_value *x = &in->row.values[i];
		v[i]->name = conv_text(x->name);
		v[i]->erased = x->erased;
		if (!x->erased) {
			v[i]->value = conv_text(x->value);
			v[i]->salt = conv_bytes(span_of(x->salt, sizeof(x->salt)));
		}
		if (in->digests != NULL)
			v[i]->digest = conv_bytes(span_of(in->digests[i], SM3_LEN));
	}
	out->n_values = in->row.n_values;
	out->values = v;
	return ERR_OK;
}

static enum err put_entry(struct desk_call *call, const struct audit_item *in, Y(AuditEntry) * out)
{
	Y(AuditFact) **f = conv_array(call, DESC(audit_fact), in->n_facts);

	if (f == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in->n_facts; i++) {
		f[i]->name = conv_text(in->facts[i].name);
		f[i]->value = conv_text(in->facts[i].value);
	}
	out->n_facts = in->n_facts;
	out->facts = f;
	out->index = in->row.index;
	out->time = conv_time_text(call, in->row.time);
	out->action = conv_text(in->row.action);
	out->principal = conv_text(in->row.principal);
	out->org_code = conv_text(in->org_code);
	out->result = conv_text(in->result);
	out->leaf_hash = conv_bytes(span_of(in->row.leaf, sizeof(in->row.leaf)));
	out->record = conv_bytes(in->row.record);
	return put_values(call, in, out);
}

enum err encode_audit_list(struct desk_call *call, ProtobufCMessage **out)
{
	const struct audit_list_answer *ans = call->ans;
	Y(ListEntriesReply) *r = conv_new(call, DESC(list_entries_reply));
	Y(AuditEntry) **x = conv_array(call, DESC(audit_entry), ans->n);
	enum err e = r == NULL || x == NULL ? ERR_BUDGET : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < ans->n; i++)
		e = put_entry(call, &ans->entries[i], x[i]);
	if (e != ERR_OK)
		return e;
	r->n_entries = ans->n;
	r->entries = x;
	r->next_index = ans->next;
	*out = &r->base;
	return ERR_OK;
}
