#include "server/methods.h"

#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "grpc/reflection/v1alpha/reflection.pb-c.h"
#include "server/convert.h"
#include "server/health.h"
#include "server/reflect.h"
#include "server/status.h"
#include "server/verify_stream.h"
#include "yinzheng/v1/admin.pb-c.h"
#include "yinzheng/v1/audit.pb-c.h"
#include "yinzheng/v1/catalog.pb-c.h"
#include "yinzheng/v1/inspection.pb-c.h"
#include "yinzheng/v1/licence.pb-c.h"
#include "yinzheng/v1/seal.pb-c.h"
#include "yinzheng/v1/showcode.pb-c.h"
#include "yinzheng/v1/verification.pb-c.h"
#include "yinzheng/v1/window.pb-c.h"
#include <stdio.h>

#define KIB(n) ((n)*1024u)
#define MIB(n) ((n)*1024u * 1024u)

/* Limits that most methods share: request, life, arena. */
#define SMALL  KIB(64), 10000, MIB(16)  /* a few identifiers */
#define MEDIUM KIB(256), 15000, MIB(32) /* records, lists */
#define LARGE  MIB(2), 20000, MIB(64)   /* seals and pictures */
#define FILES  MIB(16), 30000, MIB(160) /* whole documents */

#define SEAL(name)    &yinzheng__v1__seal_service__descriptor, name, RPC_UNARY
#define CATALOG(name) &yinzheng__v1__catalog_service__descriptor, name, RPC_UNARY
#define LICENCE(name) &yinzheng__v1__licence_service__descriptor, name, RPC_UNARY
#define SHOW(name)    &yinzheng__v1__show_code_service__descriptor, name, RPC_UNARY
#define WINDOW(name)  &yinzheng__v1__window_service__descriptor, name, RPC_UNARY
#define INSPECT(name) &yinzheng__v1__inspection_service__descriptor, name, RPC_UNARY
#define VERIFY(name)  &yinzheng__v1__verification_service__descriptor, name, RPC_UNARY
#define AUDIT(name)   &yinzheng__v1__audit_service__descriptor, name, RPC_UNARY
#define ADMIN(name)   &yinzheng__v1__admin_service__descriptor, name, RPC_UNARY
#define USE(u, x)     &(u), decode_##x, encode_##x, NULL, NULL, NULL
#define DIRECT(h)     NULL, NULL, NULL, NULL, NULL, &(h)

const struct method methods[] = {
    {SEAL("CreateSeal"), LARGE, USE(use_seal_create, seal_create)},
    {SEAL("ImportSeal"), LARGE, USE(use_seal_import, seal_import)},
    {SEAL("GetSeal"), SMALL, USE(use_seal_get, seal_get)},
    {SEAL("ListSeals"), SMALL, USE(use_seal_list, seal_list)},
    {SEAL("ChangeSealStatus"), SMALL, USE(use_seal_status, seal_status)},
    {SEAL("GetSealHistory"), SMALL, USE(use_seal_history, seal_history)},
    {SEAL("Sign"), SMALL, USE(use_seal_sign, seal_sign)},
    {SEAL("SignDocument"), MIB(36), 60000, MIB(160), &use_seal_document, decode_seal_document, encode_seal_document,
     complete_seal_document, NULL, NULL},

    {VERIFY("Verify"), FILES, &use_verify, decode_verify, encode_verify, NULL, prompt_verify, NULL},
    {&yinzheng__v1__verification_service__descriptor, "VerifyStream", RPC_BIDI, MIB(16), 0, MIB(160),
     DIRECT(verify_stream_handler)},

    {CATALOG("PutLicenceType"), MEDIUM, USE(use_type_put, type_put)},
    {CATALOG("GetLicenceType"), SMALL, USE(use_type_get, type_get)},
    {CATALOG("ListLicenceTypes"), SMALL, USE(use_type_list, type_list)},
    {CATALOG("PutItem"), MEDIUM, USE(use_item_put, item_put)},
    {CATALOG("GetItem"), SMALL, USE(use_item_get, item_get)},
    {CATALOG("ListItems"), SMALL, USE(use_item_list, item_list)},

    {LICENCE("Issue"), MEDIUM, USE(use_issue, issue)},
    {LICENCE("Get"), SMALL, USE(use_licence_get, licence_get)},
    {LICENCE("List"), SMALL, USE(use_licence_list, licence_list)},
    {LICENCE("ChangeStatus"), SMALL, USE(use_licence_status, licence_status)},
    {LICENCE("GetHistory"), SMALL, USE(use_licence_history, licence_history)},
    {LICENCE("GetFile"), SMALL, USE(use_licence_file, licence_file)},

    {SHOW("ListHolderLicences"), MEDIUM, USE(use_holder_licences, holder_licences)},
    {SHOW("IssueCode"), MEDIUM, USE(use_code_issue, code_issue)},
    {SHOW("CancelCode"), SMALL, USE(use_code_cancel, code_cancel)},

    {WINDOW("Pull"), MEDIUM, &use_pull, decode_pull, encode_pull, complete_pull, NULL, NULL},
    {WINDOW("GetReceipt"), SMALL, USE(use_receipt_get, receipt_get)},

    {INSPECT("Inspect"), MEDIUM, &use_inspect, decode_inspect, encode_inspect, complete_inspect, NULL, NULL},

    {AUDIT("ListEntries"), MEDIUM, USE(use_audit_list, audit_list)},

    {ADMIN("PutPrincipal"), MEDIUM, USE(use_principal_put, principal_put)},
    {ADMIN("ListPrincipals"), SMALL, USE(use_principal_list, principal_list)},
    {ADMIN("DisablePrincipal"), SMALL, USE(use_principal_disable, principal_disable)},
    {ADMIN("GetStatus"), SMALL, USE(use_status_get, status_get)},

    {&grpc__health__v1__health__descriptor, "Check", RPC_UNARY, KIB(4), 5000, 0, DIRECT(health_check_handler)},
    {&grpc__health__v1__health__descriptor, "Watch", RPC_SERVER_STREAM, KIB(4), 0, 0, DIRECT(health_watch_handler)},
    {&grpc__reflection__v1__server_reflection__descriptor, "ServerReflectionInfo", RPC_BIDI, KIB(4), 60000, 0,
     DIRECT(reflect_handler)},
    {&grpc__reflection__v1alpha__server_reflection__descriptor, "ServerReflectionInfo", RPC_BIDI, KIB(4), 60000, 0,
     DIRECT(reflect_handler)},
};
const size_t methods_count = sizeof(methods) / sizeof(methods[0]);

const ProtobufCServiceDescriptor *const services[] = {
    &yinzheng__v1__seal_service__descriptor,
    &yinzheng__v1__verification_service__descriptor,
    &yinzheng__v1__catalog_service__descriptor,
    &yinzheng__v1__licence_service__descriptor,
    &yinzheng__v1__show_code_service__descriptor,
    &yinzheng__v1__window_service__descriptor,
    &yinzheng__v1__inspection_service__descriptor,
    &yinzheng__v1__audit_service__descriptor,
    &yinzheng__v1__admin_service__descriptor,
    &grpc__health__v1__health__descriptor,
    &grpc__reflection__v1__server_reflection__descriptor,
    &grpc__reflection__v1alpha__server_reflection__descriptor,
};
const size_t services_count = sizeof(services) / sizeof(services[0]);

const ProtobufCMethodDescriptor *method_descriptor(const struct method *m)
{
	return protobuf_c_service_descriptor_get_method_by_name(m->service, m->name);
}

enum call_class method_class(const struct method *m)
{
	if (m->service == &yinzheng__v1__admin_service__descriptor)
		return CLASS_ADMIN;
	return (m->use->flags & USE_COMMIT) != 0 ? CLASS_WRITE : CLASS_READ;
}

enum err method_path(const struct method *m, char *out, size_t n)
{
	int len = snprintf(out, n, "/%s/%s", m->service->name, m->name);

	return len > 0 && (size_t)len < n ? ERR_OK : ERR_INTERNAL;
}

size_t methods_max_request(void)
{
	size_t max = 0;

	for (size_t i = 0; i < methods_count; i++)
		if (methods[i].max_request > max)
			max = methods[i].max_request;
	return max;
}

/* ---- the check at start --------------------------------------------------------------------- */

static enum err disagree(struct err_note *note, const char *service, const char *method, const char *what)
{
	return err_note_set(note, ERR_INTERNAL, NULL, "contract and table disagree: %.60s/%.40s %.80s", service, method,
	                    what);
}

static bool has(const ProtobufCMessageDescriptor *d, const char *name, ProtobufCType type)
{
	return wire_field(d, name, type) != NULL;
}

static bool service_known(const ProtobufCServiceDescriptor *s)
{
	for (size_t i = 0; i < services_count; i++)
		if (services[i] == s)
			return true;
	return false;
}

/* NULL: all is well. */
static const char *row_fault(const struct method *m)
{
	const ProtobufCMethodDescriptor *d = method_descriptor(m);

	if (d == NULL || !service_known(m->service))
		return "is not in the contract";
	if ((m->use != NULL) == (m->direct != NULL))
		return "needs a use case or a direct handler";
	if (m->max_request == 0)
		return "has no limit";
	if (wire_recursive(d->input) || wire_recursive(d->output))
		return "has a message that contains itself";
	if (m->direct != NULL)
		return NULL;
	if (m->decode == NULL || m->encode == NULL || m->budget == 0 || m->max_millis == 0)
		return "lacks decode, encode, budget or time";
	bool asks_twice = (m->use->flags & USE_REQUEST_ID) != 0;
	if (asks_twice != has(d->input, "request_id", PROTOBUF_C_TYPE_BYTES))
		return asks_twice ? "has no bytes request_id" : "has a request_id that nobody looks at";
	if (asks_twice && !has(d->output, "replayed", PROTOBUF_C_TYPE_BOOL))
		return "has no bool replayed";
	if ((m->use->flags & USE_OPERATOR) != 0 && !has(d->input, "operator", PROTOBUF_C_TYPE_MESSAGE))
		return "has no operator";
	return NULL;
}

static size_t rows_of(const struct method *rows, size_t n, const ProtobufCServiceDescriptor *s, const char *name)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += rows[i].service == s && strcmp(rows[i].name, name) == 0;
	return found;
}

enum err methods_check(const struct method *rows, size_t n, struct err_note *note)
{
	for (size_t i = 0; i < n; i++) {
		const char *fault = row_fault(&rows[i]);
		if (fault != NULL)
			return disagree(note, rows[i].service->name, rows[i].name, fault);
	}
	for (size_t i = 0; i < services_count; i++) {
		const ProtobufCServiceDescriptor *s = services[i];
		for (unsigned k = 0; k < s->n_methods; k++)
			if (rows_of(rows, n, s, s->methods[k].name) != 1)
				return disagree(note, s->name, s->methods[k].name, "does not have exactly one row");
	}
	return ERR_OK;
}
