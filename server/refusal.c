#include "server/refusal.h"

#include "yinzheng/v1/common.pb-c.h"
#include <stdatomic.h>
#include <stdio.h>

#define REFUSAL_URL "type.googleapis.com/yinzheng.v1.Refusal"
#define RETRY_URL   "type.googleapis.com/google.rpc.RetryInfo"

static const struct {
	int status;
	const char *name;
} by_class[] = {
    [ERRC_OK] = {0, "OK"},
    [ERRC_INVALID] = {3, "INVALID_ARGUMENT"},
    [ERRC_UNAUTHENTICATED] = {16, "UNAUTHENTICATED"},
    [ERRC_DENIED] = {7, "PERMISSION_DENIED"},
    [ERRC_NOT_FOUND] = {5, "NOT_FOUND"},
    [ERRC_EXISTS] = {6, "ALREADY_EXISTS"},
    [ERRC_PRECONDITION] = {9, "FAILED_PRECONDITION"},
    [ERRC_EXHAUSTED] = {8, "RESOURCE_EXHAUSTED"},
    [ERRC_DEADLINE] = {4, "DEADLINE_EXCEEDED"},
    [ERRC_CANCELLED] = {1, "CANCELLED"},
    [ERRC_UNAVAILABLE] = {14, "UNAVAILABLE"},
    [ERRC_DATA] = {15, "DATA_LOSS"},
    [ERRC_INTERNAL] = {13, "INTERNAL"},
};
enum { STATUS_UNIMPLEMENTED = 12 };

int refusal_status(enum err e)
{
	if (e == ERR_UNIMPLEMENTED)
		return STATUS_UNIMPLEMENTED;
	return by_class[err_class_of(e)].status;
}

const char *refusal_status_name(int status)
{
	for (size_t i = 0; i < sizeof(by_class) / sizeof(by_class[0]); i++)
		if (by_class[i].status == status)
			return by_class[i].name;
	return status == STATUS_UNIMPLEMENTED ? "UNIMPLEMENTED" : "UNKNOWN";
}

/* The note counts only when it is about this error. */
static const char *help_of(enum err e, const struct err_note *note)
{
	return note != NULL && note->code == e ? err_note_text(note) : err_help(e);
}

static void status_text(enum err e, const struct err_note *note, char *out, size_t size)
{
	snprintf(out, size, "%s: %s", err_name(e), help_of(e, note));
}

/* Spread, so that all who were turned away together do not come back together. */
unsigned refusal_retry_ms(enum err e)
{
	static atomic_uint turn;

	if (e == ERR_PRINCIPAL_LIMIT || e == ERR_OPERATOR_LIMIT)
		return RETRY_LIMIT_MS;
	if (e != ERR_OVERLOADED)
		return 0;
	return RETRY_AFTER_MS + atomic_fetch_add(&turn, 1) * RETRY_STEP_MS % RETRY_SPREAD_MS;
}

static size_t put_varint(uint8_t *out, unsigned v)
{
	size_t n = 0;

	for (; v > 127; v >>= 7)
		out[n++] = (uint8_t)(v | 128);
	out[n++] = (uint8_t)v;
	return n;
}

/* google.rpc.RetryInfo { 1: google.protobuf.Duration { 1: seconds, 2: nanos } }; at most 16 bytes. */
static size_t pack_retry(unsigned ms, uint8_t *out)
{
	size_t n = 2;

	out[0] = 1 << 3 | 2;
	out[n++] = 1 << 3;
	n += put_varint(out + n, ms / 1000);
	out[n++] = 2 << 3;
	n += put_varint(out + n, ms % 1000 * 1000000);
	out[1] = (uint8_t)(n - 2);
	return n;
}

size_t refusal_pack(enum err e, const struct err_note *note, unsigned retry_ms, uint8_t *out, size_t max)
{
	char text[300];
	uint8_t inner[512], retry[16];
	Yinzheng__V1__Refusal refusal = YINZHENG__V1__REFUSAL__INIT;
	Yinzheng__V1__Detail detail[2] = {YINZHENG__V1__DETAIL__INIT, YINZHENG__V1__DETAIL__INIT};
	Yinzheng__V1__Detail *details[2] = {&detail[0], &detail[1]};
	Yinzheng__V1__Status status = YINZHENG__V1__STATUS__INIT;

	status_text(e, note, text, sizeof(text));
	refusal.reason = (char *)err_name(e);
	refusal.field = (char *)(note != NULL && note->code == e ? note->field : "");
	refusal.help = (char *)help_of(e, note);
	if (yinzheng__v1__refusal__get_packed_size(&refusal) > sizeof(inner))
		return 0;
	detail[0].type_url = (char *)REFUSAL_URL;
	detail[0].value = (ProtobufCBinaryData){yinzheng__v1__refusal__pack(&refusal, inner), inner};
	detail[1].type_url = (char *)RETRY_URL;
	detail[1].value = (ProtobufCBinaryData){pack_retry(retry_ms, retry), retry};
	status.code = refusal_status(e);
	status.message = text;
	status.n_details = retry_ms != 0 ? 2 : 1;
	status.details = details;
	if (yinzheng__v1__status__get_packed_size(&status) > max)
		return 0;
	return yinzheng__v1__status__pack(&status, out);
}

void refuse_call(struct rpc_call *c, enum err e, const struct err_note *note)
{
	char text[300];
	uint8_t details[RPC_DETAILS_MAX];
	unsigned retry_ms = refusal_retry_ms(e);
	size_t n = refusal_pack(e, note, retry_ms, details, sizeof(details));

	status_text(e, note, text, sizeof(text));
	rpc_refuse(c, &(struct rpc_refusal){
	                  .status = refusal_status(e), .text = text, .details = span_of(details, n), .retry_ms = retry_ms});
}
