/* What the conversions of all services share. */
#include "server/convert.h"
#include "server/metrics.h"

static const void *member(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	return (const uint8_t *)m + f->offset;
}

void conv_head(struct desk_call *call, const ProtobufCMessage *m)
{
	const ProtobufCFieldDescriptor *id = wire_field(m->descriptor, "request_id", PROTOBUF_C_TYPE_BYTES);
	const ProtobufCFieldDescriptor *op = wire_field(m->descriptor, "operator", PROTOBUF_C_TYPE_MESSAGE);
	const Y(Operator) *o = NULL;

	if (id != NULL)
		call->request_id = conv_span(*(const ProtobufCBinaryData *)member(m, id));
	if (op != NULL && op->descriptor == DESC(operator))
		o = *(Y(Operator) *const *)member(m, op);
	if (o != NULL)
		call->operator=(struct operator_name){o->id, o->name, o->terminal};
}

void conv_replayed(ProtobufCMessage *reply)
{
	const ProtobufCFieldDescriptor *f = wire_field(reply->descriptor, "replayed", PROTOBUF_C_TYPE_BOOL);
	protobuf_c_boolean yes = 1;

	if (f != NULL)
		memcpy((uint8_t *)reply + f->offset, &yes, sizeof(yes));
}

enum err conv_complete(struct desk_call *call)
{
	/* Budgets are not given back: where a text found no room, a longer one finds none now. */
	return arena_alloc(call->arena, 2 * TIME_TEXT) != NULL ? ERR_OK : ERR_BUDGET;
}

enum err conv_begin(struct desk_call *call, size_t req, size_t ans)
{
	void *q = arena_alloc(call->arena, req), *s = arena_alloc(call->arena, ans);

	if (q == NULL || s == NULL)
		return ERR_BUDGET;
	call->req = q;
	call->ans = ans != 0 ? s : NULL;
	return ERR_OK;
}

void *conv_new(struct desk_call *call, const ProtobufCMessageDescriptor *d)
{
	void *m = arena_alloc(call->arena, d->sizeof_message);

	if (m != NULL)
		protobuf_c_message_init(d, m);
	return m;
}

void *conv_array(struct desk_call *call, const ProtobufCMessageDescriptor *d, size_t n)
{
	void **all = arena_array(call->arena, n, sizeof(void *));
	uint8_t *messages = arena_array(call->arena, n, d->sizeof_message);

	if (all == NULL || messages == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		all[i] = messages + i * d->sizeof_message;
		protobuf_c_message_init(d, all[i]);
	}
	return all;
}

enum err conv_time(struct desk_call *call, const char *field, const char *text, int64_t *ms)
{
	if (*text == '\0') {
		*ms = 0;
		return ERR_OK;
	}
	enum err e = time_parse(span_str(text), ms);
	if (e != ERR_OK)
		return err_note_set(&call->note, e, field, "Write times as RFC 3339, e.g. 2026-11-21T08:00:00Z.");
	return ERR_OK;
}

char *conv_time_text(struct desk_call *call, int64_t ms)
{
	return ms == 0 ? conv_text(NULL) : time_text(call->arena, ms);
}

char *conv_text(const char *s)
{
	return (char *)(s != NULL ? s : "");
}

struct span conv_span(ProtobufCBinaryData b)
{
	return span_of(b.data, b.len);
}

ProtobufCBinaryData conv_bytes(struct span s)
{
	return (ProtobufCBinaryData){s.len, (uint8_t *)s.ptr};
}

char **conv_texts(struct desk_call *call, const char *const *in, size_t n)
{
	char **out = arena_array(call->arena, n, sizeof(*out));

	for (size_t i = 0; out != NULL && i < n; i++)
		out[i] = conv_text(in[i]);
	return out;
}

void conv_holder(const Y(Holder) * in, struct licence_holder *out)
{
	*out =
	    (struct licence_holder){conv_text(in != NULL ? in->name : NULL), conv_text(in != NULL ? in->code_type : NULL),
	                            conv_text(in != NULL ? in->code : NULL)};
}

enum err conv_presenter(struct desk_call *call, const Y(Presenter) * in, struct presenter *out)
{
	const Y(Authentication) *auth = in != NULL ? in->authentication : NULL;

	*out = (struct presenter){.name = "", .code_type = "", .code = "", .auth_method = "", .auth_reference = ""};
	if (in == NULL)
		return ERR_OK;
	out->name = in->name;
	out->code_type = in->code_type;
	out->code = in->code;
	out->capacity = (enum capacity)in->capacity;
	if (auth == NULL)
		return ERR_OK;
	out->auth_method = auth->method;
	out->auth_reference = auth->reference;
	out->auth_level = auth->level;
	return conv_time(call, "presenter.authentication.time", auth->time, &out->auth_time);
}

enum err conv_fields(struct desk_call *call, const struct licence_field *in, size_t n, Y(Field) * **out)
{
	Y(Field) **f = conv_array(call, DESC(field), n);

	if (f == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < n; i++) {
		f[i]->name = conv_text(in[i].name);
		f[i]->value = conv_text(in[i].value);
	}
	*out = f;
	return ERR_OK;
}

/* Those of the checks that are told, into out (NULL: only counted) from `at`; the next free place. */
static size_t put_checks(const struct check *c, bool brief, Y(Check) * *out, size_t at)
{
	for (; c != NULL; c = c->next) {
		if (brief && c->result == CHECK_PASS)
			continue;
		if (out != NULL) {
			out[at]->step = conv_text(c->step);
			out[at]->result = conv_text(check_result_name(c->result));
			out[at]->code = conv_text(c->code);
			out[at]->detail = conv_text(c->detail);
		}
		at++;
	}
	return at;
}

static size_t put_all_checks(const struct report *r, bool brief, Y(Check) * *out)
{
	size_t at = put_checks(r->checks, brief, out, 0);

	for (const struct signature_report *s = r->signatures; s != NULL; s = s->next)
		at = put_checks(s->checks, brief, out, at);
	return at;
}

enum err conv_verdict(struct desk_call *call, const struct report *r, bool brief, Y(Verdict) * *out)
{
	if (r == NULL) {
		*out = NULL;
		return ERR_OK;
	}
	size_t n = put_all_checks(r, brief, NULL);
	Y(Verdict) *v = conv_new(call, DESC(verdict));
	Y(Check) **checks = conv_array(call, DESC(check), n);

	if (v == NULL || checks == NULL)
		return ERR_BUDGET;
	v->indication = conv_text(indication_name(r->indication));
	v->sub_indication = conv_text(sub_indication_name(r->sub));
	v->judged_at = conv_time_text(call, r->judged_at);
	put_all_checks(r, brief, checks);
	v->n_checks = n;
	v->checks = checks;
	metrics_verdict((int)r->indication);
	*out = v;
	return ERR_OK;
}

enum err conv_events(struct desk_call *call, const char *const *names, int max, Y(Event) * **out, size_t *n)
{
	const struct history_answer *ans = call->ans;
	Y(Event) **e = conv_array(call, DESC(event), ans->n);

	if (e == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < ans->n; i++) {
		const struct state_event *in = &ans->events[i];
		e[i]->sequence = in->sequence;
		e[i]->state = conv_text(in->state > 0 && in->state <= max ? names[in->state] : NULL);
		e[i]->reason = conv_text(in->reason);
		e[i]->effective = conv_time_text(call, in->effective);
		e[i]->recorded = conv_time_text(call, in->recorded);
		e[i]->principal = conv_text(in->principal);
	}
	*out = e;
	*n = ans->n;
	return ERR_OK;
}
