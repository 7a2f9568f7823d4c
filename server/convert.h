/*
 * Messages <-> the desk's requests and answers, one pair of functions per method (see methods.h for what they may do).
 * Thin: what a request must be like is the desk's business; here only the forms change (times, roles, arrays).
 * decode_X() sets call->req and call->ans; strings and bytes stay views into the message, which is in call->arena.
 * encode_X() makes the reply in call->arena. A text that found no room is left out: who calls checks the budget once
 * at the end (conv_complete()).
 */
#ifndef YZ_SERVER_CONVERT_H
#define YZ_SERVER_CONVERT_H

#include "desk/uses.h"
#include "server/wire.h"
#include "yinzheng/v1/common.pb-c.h"

#define Y(name)    Yinzheng__V1__##name
#define DESC(name) (&yinzheng__v1__##name##__descriptor)
#define METHOD(name)                                                                                                   \
	enum err decode_##name(struct desk_call *call, const ProtobufCMessage *m);                                         \
	enum err encode_##name(struct desk_call *call, ProtobufCMessage **out)

METHOD(seal_create);
METHOD(seal_import);
METHOD(seal_get);
METHOD(seal_list);
METHOD(seal_status);
METHOD(seal_history);
METHOD(seal_sign);
METHOD(seal_document);
METHOD(verify);
bool prompt_verify(const struct desk_call *call);
METHOD(type_put);
METHOD(type_get);
METHOD(type_list);
METHOD(item_put);
METHOD(item_get);
METHOD(item_list);
METHOD(issue);
METHOD(licence_get);
METHOD(licence_list);
METHOD(licence_status);
METHOD(licence_history);
METHOD(licence_file);
METHOD(holder_licences);
METHOD(code_issue);
METHOD(code_cancel);
METHOD(pull);
METHOD(receipt_get);
METHOD(inspect);
METHOD(audit_list);
METHOD(principal_put);
METHOD(principal_list);
METHOD(principal_disable);
enum err complete_seal_document(struct desk_call *call, const ProtobufCMessage *reply, ProtobufCMessage *more);
enum err complete_pull(struct desk_call *call, const ProtobufCMessage *reply, ProtobufCMessage *more);
enum err complete_inspect(struct desk_call *call, const ProtobufCMessage *reply, ProtobufCMessage *more);

/* ---- shared by the above -------------------------------------------------------------------- */

/* request_id and operator, which stand in most requests under the same names. */
void conv_head(struct desk_call *call, const ProtobufCMessage *m);
/* Marks a reply as given before. */
void conv_replayed(ProtobufCMessage *reply);
/* ERR_BUDGET when the arena had no room for all of the reply. */
enum err conv_complete(struct desk_call *call) MUST_CHECK;

/* call->req and call->ans of these sizes, zeroed; ERR_BUDGET. ans 0: none. */
enum err conv_begin(struct desk_call *call, size_t req, size_t ans) MUST_CHECK;
/* An initialised message; n of them behind n pointers. NULL when there is no room. n == 0 is fine. */
void *conv_new(struct desk_call *call, const ProtobufCMessageDescriptor *d);
void *conv_array(struct desk_call *call, const ProtobufCMessageDescriptor *d, size_t n);

/* "" gives 0. */
enum err conv_time(struct desk_call *call, const char *field, const char *text, int64_t *ms) MUST_CHECK;
char *conv_time_text(struct desk_call *call, int64_t ms);
char *conv_text(const char *s); /* NULL becomes "" */
struct span conv_span(ProtobufCBinaryData b);
ProtobufCBinaryData conv_bytes(struct span s);
char **conv_texts(struct desk_call *call, const char *const *in, size_t n);

void conv_holder(const Y(Holder) * in, struct licence_holder *out);
enum err conv_presenter(struct desk_call *call, const Y(Presenter) * in, struct presenter *out) MUST_CHECK;
enum err conv_fields(struct desk_call *call, const struct licence_field *in, size_t n, Y(Field) * **out) MUST_CHECK;
/* brief: without the checks that are a plain PASS. */
enum err conv_verdict(struct desk_call *call, const struct report *r, bool brief, Y(Verdict) * *out) MUST_CHECK;
/* names[state] is the text of a state. */
enum err conv_events(struct desk_call *call, const char *const *names, int max, Y(Event) * **out, size_t *n) MUST_CHECK;

#endif
