#include "server/reflect.h"

#include "grpc/reflection/v1/reflection.pb-c.h"
#include "server/methods.h"
#include "server/refusal.h"
#include <stdio.h>

#define R(name)      Grpc__Reflection__V1__##name
#define ASKED(name)  GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##name
#define ANSWER(name) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##name

enum { STATUS_NOT_FOUND = 5, FILES_MAX = 64, ANSWER_BUDGET = 1024 * 1024, SYMBOL_MAX = 256 };

/* The FileDescriptorSet made by protoc (Makefile, contract.desc). */
__asm__(".section .rodata\n"
        ".global contract_desc\n"
        ".global contract_desc_end\n"
        "contract_desc:\n"
        ".incbin \"" CONTRACT_DESC "\"\n"
        "contract_desc_end:\n"
        ".byte 0\n"
        ".previous\n");
extern const uint8_t contract_desc[], contract_desc_end[];

/* Field numbers of google/protobuf/descriptor.proto. */
enum { SET_FILE = 1 };
enum { FILE_NAME = 1, FILE_PACKAGE = 2, FILE_DEPENDENCY = 3, FILE_MESSAGE = 4, FILE_ENUM = 5, FILE_SERVICE = 6 };
enum { ANY_NAME = 1 }; /* of messages, enums, services and methods alike */
enum { MESSAGE_NESTED = 3, MESSAGE_ENUM = 4, SERVICE_METHOD = 2 };

static struct span contract(void)
{
	return span_of(contract_desc, (size_t)(contract_desc_end - contract_desc));
}

/* The next element with this number; false at the end. */
static bool next_of(struct span *in, uint32_t id, struct span *out)
{
	struct wire_element e;

	while (in->len != 0 && wire_next(in, &e)) {
		if (e.id != id || e.type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
			continue;
		*out = e.body;
		return true;
	}
	return false;
}

static struct span first_of(struct span in, uint32_t id)
{
	struct span out = {0};

	return next_of(&in, id, &out) ? out : span_of(NULL, 0);
}

/* Takes "name" or "name." off the front of a symbol. `rest` is empty after the last part. */
static bool take_part(struct span symbol, struct span name, struct span *rest)
{
	if (symbol.len < name.len || !span_eq(span_sub(symbol, 0, name.len), name))
		return false;
	*rest = span_sub(symbol, name.len, symbol.len);
	if (rest->len == 0)
		return true;
	if (rest->ptr[0] != '.')
		return false;
	*rest = span_sub(*rest, 1, rest->len);
	return rest->len != 0;
}

static bool among(struct span in, uint32_t id, struct span symbol)
{
	struct span x, rest;

	while (next_of(&in, id, &x))
		if (take_part(symbol, first_of(x, ANY_NAME), &rest) && rest.len == 0)
			return true;
	return false;
}

static bool in_services(struct span file, struct span symbol)
{
	struct span s, rest;

	while (next_of(&file, FILE_SERVICE, &s))
		if (take_part(symbol, first_of(s, ANY_NAME), &rest) && (rest.len == 0 || among(s, SERVICE_METHOD, rest)))
			return true;
	return false;
}

/* Messages below `in` at field `id`, with what is nested in them; the set is our own and not deep. */
static bool in_messages(struct span in, uint32_t id, struct span symbol)
{
	struct span m, rest;

	while (next_of(&in, id, &m)) {
		if (!take_part(symbol, first_of(m, ANY_NAME), &rest))
			continue;
		if (rest.len == 0 || among(m, MESSAGE_ENUM, rest) || in_messages(m, MESSAGE_NESTED, rest))
			return true;
	}
	return false;
}

static bool declares(struct span file, struct span symbol)
{
	struct span package = first_of(file, FILE_PACKAGE), rest = symbol;

	if (package.len != 0 && (!take_part(symbol, package, &rest) || rest.len == 0))
		return false;
	return among(file, FILE_ENUM, rest) || in_services(file, rest) || in_messages(file, FILE_MESSAGE, rest);
}

static bool find_file(struct span name, bool by_symbol, struct span *out)
{
	struct span set = contract(), file;

	while (next_of(&set, SET_FILE, &file))
		if (by_symbol ? declares(file, name) : span_eq(first_of(file, FILE_NAME), name)) {
			*out = file;
			return true;
		}
	return false;
}

/* ---- answers -------------------------------------------------------------------------------- */

/* The file and what it imports, each once, the file itself first. */
static size_t with_imports(struct span file, ProtobufCBinaryData out[FILES_MAX])
{
	size_t n = 1;

	out[0] = (ProtobufCBinaryData){file.len, (uint8_t *)file.ptr};
	for (size_t i = 0; i < n; i++) {
		struct span deps = span_of(out[i].data, out[i].len), name, f;
		while (next_of(&deps, FILE_DEPENDENCY, &name)) {
			size_t k = 0;
			if (!find_file(name, false, &f))
				continue;
			while (k < n && out[k].data != f.ptr)
				k++;
			if (k == n && n < FILES_MAX)
				out[n++] = (ProtobufCBinaryData){f.len, (uint8_t *)f.ptr};
		}
	}
	return n;
}

static enum err list_services(struct arena *a, R(ServerReflectionResponse) * r)
{
	R(ListServiceResponse) *list = arena_alloc(a, sizeof(*list));
	R(ServiceResponse) *s = arena_array(a, services_count, sizeof(*s));
	R(ServiceResponse) **all = arena_array(a, services_count, sizeof(*all));

	if (list == NULL || s == NULL || all == NULL)
		return ERR_BUDGET;
	grpc__reflection__v1__list_service_response__init(list);
	for (size_t i = 0; i < services_count; i++) {
		grpc__reflection__v1__service_response__init(&s[i]);
		s[i].name = (char *)services[i]->name;
		all[i] = &s[i];
	}
	list->n_service = services_count;
	list->service = all;
	r->message_response_case = ANSWER(LIST_SERVICES_RESPONSE);
	r->list_services_response = list;
	return ERR_OK;
}

static enum err not_found(struct arena *a, R(ServerReflectionResponse) * r)
{
	R(ErrorResponse) *e = arena_alloc(a, sizeof(*e));

	if (e == NULL)
		return ERR_BUDGET;
	grpc__reflection__v1__error_response__init(e);
	e->error_code = STATUS_NOT_FOUND;
	e->error_message = (char *)"This server does not have it.";
	r->message_response_case = ANSWER(ERROR_RESPONSE);
	r->error_response = e;
	return ERR_OK;
}

static enum err give_file(struct arena *a, const char *name, bool by_symbol, R(ServerReflectionResponse) * r)
{
	R(FileDescriptorResponse) *f = arena_alloc(a, sizeof(*f));
	ProtobufCBinaryData *files = arena_array(a, FILES_MAX, sizeof(*files));
	struct span file;

	if (f == NULL || files == NULL)
		return ERR_BUDGET;
	if (!find_file(span_str(name), by_symbol, &file))
		return not_found(a, r);
	grpc__reflection__v1__file_descriptor_response__init(f);
	f->n_file_descriptor_proto = with_imports(file, files);
	f->file_descriptor_proto = files;
	r->message_response_case = ANSWER(FILE_DESCRIPTOR_RESPONSE);
	r->file_descriptor_response = f;
	return ERR_OK;
}

static enum err fill(struct arena *a, const R(ServerReflectionRequest) * q, R(ServerReflectionResponse) * r)
{
	switch (q->message_request_case) {
	case ASKED(LIST_SERVICES):
		return list_services(a, r);
	case ASKED(FILE_BY_FILENAME):
		return give_file(a, q->file_by_filename, false, r);
	case ASKED(FILE_CONTAINING_SYMBOL):
		return give_file(a, q->file_containing_symbol, true, r);
	default:
		return not_found(a, r);
	}
}

enum err reflect_answer(struct arena *a, struct span request, struct span *response)
{
	R(ServerReflectionResponse) r = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
	ProtobufCMessage *m;
	enum err e;

	if (request.len > REFLECT_REQUEST_MAX)
		return ERR_TOO_LARGE;
	e = wire_unpack(a, &grpc__reflection__v1__server_reflection_request__descriptor, request, &m, NULL);
	if (e != ERR_OK)
		return e;
	R(ServerReflectionRequest) *q = (void *)m;
	r.valid_host = q->host;
	r.original_request = q;
	if ((e = fill(a, q, &r)) != ERR_OK)
		return e;
	return wire_pack(a, &r.base, response);
}

/* ---- the stream: one message in, one out ---------------------------------------------------- */

static void reflect_start(struct rpc_call *c)
{
	rpc_set_user(c, NULL);
	rpc_receive(c);
}

static void reflect_message(struct rpc_call *c, const struct span *m)
{
	uintptr_t count = (uintptr_t)rpc_user(c);
	struct span response;
	struct arena *a;
	enum err e;

	if (m == NULL) {
		rpc_end(c);
		return;
	}
	if (count >= REFLECT_MESSAGES_MAX) {
		refuse_call(c, ERR_PRINCIPAL_LIMIT, NULL);
		return;
	}
	rpc_set_user(c, (void *)(count + 1));
	a = arena_new(ANSWER_BUDGET);
	e = a != NULL ? reflect_answer(a, *m, &response) : ERR_NO_MEMORY;
	if (e != ERR_OK)
		refuse_call(c, e, NULL);
	else
		rpc_send(c, response);
	arena_free(a);
}

static void reflect_sent(struct rpc_call *c)
{
	rpc_receive(c);
}

/* Nothing is kept but the count, so there is nothing to give back. */
static void reflect_closed(struct rpc_call *c)
{
}

const struct rpc_handler reflect_handler = {
    .start = reflect_start, .message = reflect_message, .sent = reflect_sent, .closed = reflect_closed};

/* ---- the check at start --------------------------------------------------------------------- */

static bool service_listed(struct span package, struct span name)
{
	char full[SYMBOL_MAX];

	snprintf(full, sizeof(full), "%.*s.%.*s", (int)package.len, (const char *)package.ptr, (int)name.len,
	         (const char *)name.ptr);
	for (size_t i = 0; i < services_count; i++)
		if (strcmp(services[i]->name, full) == 0)
			return true;
	return false;
}

enum err reflect_check(struct err_note *note)
{
	struct span set = contract(), file, service;
	size_t found = 0;

	while (next_of(&set, SET_FILE, &file)) {
		struct span rest = file;
		while (next_of(&rest, FILE_SERVICE, &service)) {
			struct span name = first_of(service, ANY_NAME);
			if (!service_listed(first_of(file, FILE_PACKAGE), name))
				return err_note_set(note, ERR_INTERNAL, NULL, "service %.*s of the contract is not served",
				                    (int)name.len, (const char *)name.ptr);
			found++;
		}
	}
	if (found != services_count)
		return err_note_set(note, ERR_INTERNAL, NULL, "%zu services are served, %zu are in the contract",
		                    services_count, found);
	return ERR_OK;
}
