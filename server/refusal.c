#include "server/refusal.h"

#include "yinzheng/v1/common.pb-c.h"
#include <stdio.h>

#define REFUSAL_URL "type.googleapis.com/yinzheng.v1.Refusal"

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

size_t refusal_pack(enum err e, const struct err_note *note, uint8_t *out, size_t max)
{
	char text[300];
	uint8_t inner[512];
	Yinzheng__V1__Refusal refusal = YINZHENG__V1__REFUSAL__INIT;
	Yinzheng__V1__Detail detail = YINZHENG__V1__DETAIL__INIT, *details = &detail;
	Yinzheng__V1__Status status = YINZHENG__V1__STATUS__INIT;

	status_text(e, note, text, sizeof(text));
	refusal.reason = (char *)err_name(e);
	refusal.field = (char *)(note != NULL && note->code == e ? note->field : "");
	refusal.help = (char *)help_of(e, note);
	if (yinzheng__v1__refusal__get_packed_size(&refusal) > sizeof(inner))
		return 0;
	detail.type_url = (char *)REFUSAL_URL;
	detail.value = (ProtobufCBinaryData){yinzheng__v1__refusal__pack(&refusal, inner), inner};
	status.code = refusal_status(e);
	status.message = text;
	status.n_details = 1;
	status.details = &details;
	if (yinzheng__v1__status__get_packed_size(&status) > max)
		return 0;
	return yinzheng__v1__status__pack(&status, out);
}

void refuse_call(struct rpc_call *c, enum err e, const struct err_note *note)
{
	char text[300];
	uint8_t details[RPC_DETAILS_MAX];
	size_t n = refusal_pack(e, note, details, sizeof(details));

	status_text(e, note, text, sizeof(text));
	rpc_refuse(c, &(struct rpc_refusal){.status = refusal_status(e),
	                                    .text = text,
	                                    .details = span_of(details, n),
	                                    .retry_ms = e == ERR_OVERLOADED ? RETRY_AFTER_MS : 0});
}
