/* What the calls of a load carry. */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/online/bench.h"
#include "crypto/rand.h"
#include "grpc/health/v1/health.pb-c.h"
#include "yinzheng/v1/inspection.pb-c.h"
#include "yinzheng/v1/showcode.pb-c.h"
#include "yinzheng/v1/verification.pb-c.h"
#include "yinzheng/v1/window.pb-c.h"

enum { CODES_FILE_MAX = 64 * 1024 * 1024, DOCUMENT_MAX = 16 * 1024 * 1024, DOCUMENTS_MAX = 10000, LIFE_SECONDS = 300 };

typedef Yinzheng__V1__IssueCodeRequest code_req;

const struct bench_method *bench_method(enum bench_op op)
{
	static const struct bench_method methods[BENCH_OPS] = {
	    [BENCH_NULL] = {BENCH_WINDOW, &grpc__health__v1__health__descriptor, "Check"},
	    [BENCH_VERIFY] = {BENCH_WINDOW, &yinzheng__v1__verification_service__descriptor, "Verify"},
	    [BENCH_SHOW] = {BENCH_WALLET, &yinzheng__v1__show_code_service__descriptor, "IssueCode"},
	    [BENCH_PULL] = {BENCH_WINDOW, &yinzheng__v1__window_service__descriptor, "Pull"},
	    [BENCH_INSPECT] = {BENCH_INSPECTOR, &yinzheng__v1__inspection_service__descriptor, "Inspect"},
	};

	return &methods[op];
}

static const ProtobufCMethodDescriptor *method_of(enum bench_op op)
{
	const struct bench_method *m = bench_method(op);

	return protobuf_c_service_descriptor_get_method_by_name(m->service, m->name);
}

/* ---- stock ---------------------------------------------------------------------------------- */

bool stock_take(struct stock *s, struct bench_code *out)
{
	bool any;

	pthread_mutex_lock(&s->lock);
	any = s->n != 0;
	if (any) {
		*out = s->code[s->first];
		s->first = (s->first + 1) % s->cap;
		s->n--;
	}
	pthread_mutex_unlock(&s->lock);
	return any;
}

size_t stock_count(struct stock *s)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = s->n;
	pthread_mutex_unlock(&s->lock);
	return n;
}

bool stock_put(struct stock *s, const struct bench_code *c)
{
	bool room;

	pthread_mutex_lock(&s->lock);
	room = s->n < s->cap;
	if (room)
		s->code[(s->first + s->n++) % s->cap] = *c;
	pthread_mutex_unlock(&s->lock);
	return room;
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static struct arena *arena_of(struct bench *b)
{
	return b->as[BENCH_WINDOW].arena;
}

static enum err pack(struct bench *b, const ProtobufCMessage *m, struct bench_packed *out)
{
	size_t len = protobuf_c_message_get_packed_size(m);
	uint8_t *bytes = arena_alloc(arena_of(b), len);
	struct span *s = arena_alloc(arena_of(b), sizeof(*s));

	if (bytes == NULL || s == NULL)
		return ERR_BUDGET;
	*s = span_of(bytes, protobuf_c_message_pack(m, bytes));
	atomic_store(&out->bytes, s);
	return ERR_OK;
}

struct span work_body(const struct bench *b, enum bench_op op, uint32_t request)
{
	const struct bench_packed *p = &b->null_packed;

	if (op == BENCH_VERIFY)
		p = &b->documents[request];
	else if (op == BENCH_SHOW)
		p = &b->requests[request].issue_packed;
	else if (op == BENCH_PULL || op == BENCH_INSPECT)
		p = &b->requests[request].redeem_packed;
	return *atomic_load(&p->bytes);
}

/* Tag, length, bytes; of fields below 16, as these are in every message. */
static size_t put_field(uint8_t *out, const ProtobufCFieldDescriptor *f, const void *value, size_t len)
{
	enum { LENGTH_DELIMITED = 2 };

	out[0] = (uint8_t)(f->id << 3 | LENGTH_DELIMITED);
	out[1] = (uint8_t)len;
	memcpy(out + 2, value, len);
	return len + 2;
}

/* Never twice the same in one process, and by its random half in no other. */
static void next_id(uint8_t out[REQUEST_ID])
{
	static atomic_uint_fast64_t counter, half;
	uint64_t part[2] = {atomic_load(&half), atomic_fetch_add(&counter, 1)};
	struct rand r = rand_system();
	uint_fast64_t none = 0;
	uint64_t fresh = 0;

	if (part[0] == 0) {
		if (rand_fill(&r, (uint8_t *)&fresh, sizeof(fresh)) != ERR_OK || fresh == 0)
			fresh = (uint64_t)clock_monotonic_ms() | 1;
		part[0] = atomic_compare_exchange_strong(&half, &none, fresh) ? fresh : none;
	}
	memcpy(out, part, REQUEST_ID);
}

size_t work_head(enum bench_op op, const char *code, uint8_t out[HEAD_MAX])
{
	const ProtobufCMessageDescriptor *d = method_of(op)->input;
	const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(d, "request_id");
	uint8_t id[REQUEST_ID];
	size_t n = 0;

	if (f != NULL) {
		next_id(id);
		n += put_field(out + n, f, id, sizeof(id));
	}
	f = code != NULL ? protobuf_c_message_descriptor_get_field_by_name(d, "code") : NULL;
	return f != NULL ? n + put_field(out + n, f, code, strlen(code)) : n;
}

bool work_read_code(struct span reply, char out[CODE_TEXT])
{
	Yinzheng__V1__IssueCodeReply *r = yinzheng__v1__issue_code_reply__unpack(NULL, reply.len, reply.ptr);
	bool ok = r != NULL && r->code[0] != '\0' && strlen(r->code) < CODE_TEXT;

	if (ok)
		memcpy(out, r->code, strlen(r->code) + 1);
	if (r != NULL)
		yinzheng__v1__issue_code_reply__free_unpacked(r, NULL);
	return ok;
}

uint32_t work_next_issue(struct bench *b, enum bench_op op)
{
	atomic_size_t *at = &b->next_issue[op == BENCH_OPS ? BENCH_SHOW : op];
	uint32_t i;

	do
		i = (uint32_t)(atomic_fetch_add(at, 1) % b->n_requests);
	while (op != BENCH_OPS && b->requests[i].redeemed_by != op);
	return i;
}

uint32_t work_next_document(struct bench *b)
{
	return (uint32_t)(atomic_fetch_add(&b->next_document, 1) % b->n_documents);
}

/* ---- what is given -------------------------------------------------------------------------- */

static int usage(const struct bench *b, const char *field, const char *help)
{
	struct err_note note;

	err_note_set(&note, ERR_USAGE, field, "%s", help);
	return online_fail(&b->as[BENCH_WINDOW], ERR_USAGE, &note, NULL);
}

static int add_document(struct bench *b, const char *path, const char *data_path)
{
	Yinzheng__V1__VerifyRequest req = YINZHENG__V1__VERIFY_REQUEST__INIT;
	struct span document, data = {0};
	enum err e;
	int st = online_file(&b->as[BENCH_WINDOW], path, DOCUMENT_MAX, &document);

	if (st == 0 && data_path != NULL)
		st = online_file(&b->as[BENCH_WINDOW], data_path, DOCUMENT_MAX, &data);
	if (st != 0)
		return st;
	req.document = BYTES(document);
	req.data = BYTES(data);
	req.has_data = data_path != NULL;
	req.policy = text_of(b->o.policy);
	req.brief = b->o.brief;
	e = pack(b, &req.base, &b->documents[b->n_documents]);
	if (e != ERR_OK)
		return online_fail(&b->as[BENCH_WINDOW], e, NULL, path);
	b->n_documents++;
	return 0;
}

/* Of NAME.sig and NAME.dat the second is the data of the first. */
static int add_folder(struct bench *b, DIR *d)
{
	struct arena *a = arena_of(b);
	struct dirent *entry;
	int st = 0;

	while (st == 0 && b->n_documents < DOCUMENTS_MAX && (entry = readdir(d)) != NULL) {
		size_t n = strlen(entry->d_name);
		char *path, *data;

		if (entry->d_name[0] == '.' || (n > 4 && strcmp(entry->d_name + n - 4, ".dat") == 0))
			continue;
		path = arena_printf(a, "%s/%s", b->o.document, entry->d_name);
		data = arena_printf(a, "%s/%.*s.dat", b->o.document, (int)(n > 4 ? n - 4 : 0), entry->d_name);
		if (path == NULL || data == NULL)
			return online_fail(&b->as[BENCH_WINDOW], ERR_BUDGET, NULL, b->o.document);
		st = add_document(b, path, access(data, R_OK) == 0 ? data : NULL);
	}
	return st;
}

static int prepare_verify(struct bench *b)
{
	DIR *d;
	int st;

	if (b->o.document == NULL)
		return usage(b, "document", "State --document: the file, or folder of files, that the calls of 'verify' send.");
	b->documents = arena_array(arena_of(b), DOCUMENTS_MAX, sizeof(*b->documents));
	if (b->documents == NULL)
		return online_fail(&b->as[BENCH_WINDOW], ERR_BUDGET, NULL, b->o.document);
	d = opendir(b->o.document);
	if (d == NULL)
		return add_document(b, b->o.document, b->o.data);
	st = add_folder(b, d);
	closedir(d);
	if (st == 0 && b->n_documents == 0)
		st = usage(b, "document", "The folder has no file that could be sent.");
	return st;
}

static int prepare_null(struct bench *b)
{
	Grpc__Health__V1__HealthCheckRequest req = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	enum err e = pack(b, &req.base, &b->null_packed);

	return e == ERR_OK ? 0 : online_fail(&b->as[BENCH_WINDOW], e, NULL, NULL);
}

static Yinzheng__V1__Operator *operator_of(struct bench *b, enum bench_role role, Yinzheng__V1__Operator *op)
{
	const struct online *o = &b->as[role];

	yinzheng__v1__operator__init(op);
	op->id = text_of(o->operator_id);
	op->name = text_of(o->operator_name);
	op->terminal = text_of(o->operator_terminal);
	return op;
}

static enum err pack_pull(struct bench *b, struct bench_request *r)
{
	Yinzheng__V1__PullRequest req = YINZHENG__V1__PULL_REQUEST__INIT;
	const code_req *issue = (const code_req *)r->issue;
	Yinzheng__V1__Operator operator;

	req.operator_ = operator_of(b, BENCH_WINDOW, &operator);
	req.item_code = issue->item_code;
	req.purpose = issue->purpose;
	req.case_number = text_of("BENCH-1");
	req.brief = b->o.brief;
	return pack(b, &req.base, &r->redeem_packed);
}

static enum err pack_inspect(struct bench *b, struct bench_request *r)
{
	Yinzheng__V1__InspectRequest req = YINZHENG__V1__INSPECT_REQUEST__INIT;
	Yinzheng__V1__Operator operator;

	req.operator_ = operator_of(b, BENCH_INSPECTOR, &operator);
	req.purpose = ((const code_req *)r->issue)->purpose;
	req.place = text_of("BENCH");
	req.brief = b->o.brief;
	return pack(b, &req.base, &r->redeem_packed);
}

/* The citizen was authenticated a moment ago. */
static enum err pack_issue(struct bench *b, struct bench_request *r)
{
	code_req *req = (code_req *)r->issue;
	struct clock now = clock_system();
	char *time;

	if (req->presenter != NULL && req->presenter->authentication != NULL) {
		time = time_text(arena_of(b), clock_now(&now));
		if (time == NULL)
			return ERR_BUDGET;
		req->presenter->authentication->time = time;
	}
	return pack(b, r->issue, &r->issue_packed);
}

enum err work_refresh(struct bench *b)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < b->n_requests; i++)
		e = pack_issue(b, &b->requests[i]);
	return e;
}

/* What the citizen agrees to: the preview as it is now. */
static int agree(struct bench *b, code_req *req)
{
	Yinzheng__V1__ListHolderLicencesRequest ask = YINZHENG__V1__LIST_HOLDER_LICENCES_REQUEST__INIT;
	struct online *o = &b->as[BENCH_WALLET];
	ProtobufCMessage *reply;
	int st;

	ask.holder = req->holder;
	ask.presenter = req->presenter;
	ask.item_code = req->item_code;
	st = online_call(o, bench_method(BENCH_SHOW)->service, "ListHolderLicences", &ask.base, &reply);
	if (st == 0)
		req->preview_digest = ((const Yinzheng__V1__ListHolderLicencesReply *)reply)->preview_digest;
	return st;
}

static int prepare_request(struct bench *b, struct bench_request *r)
{
	code_req *req = (code_req *)r->issue;
	bool use = req->kind == YINZHENG__V1__CODE_KIND__CODE_KIND_USE;
	enum err e;
	int st = 0;

	r->redeemed_by = use ? BENCH_PULL : BENCH_INSPECT;
	if (req->life_seconds == 0)
		req->life_seconds = LIFE_SECONDS;
	e = pack_issue(b, r); /* sets the time, which the preview asks for, too */
	if (e == ERR_OK && use && req->preview_digest.len == 0) {
		st = agree(b, req);
		if (st != 0)
			return st;
		e = pack_issue(b, r);
	}
	if (e == ERR_OK)
		e = use ? pack_pull(b, r) : pack_inspect(b, r);
	return e == ERR_OK ? 0 : online_fail(&b->as[BENCH_WALLET], e, NULL, b->o.codes);
}

static int read_requests(struct bench *b, const json_t *list)
{
	struct online *o = &b->as[BENCH_WALLET];
	struct err_note note = {0};
	enum err e;

	b->n_requests = json_array_size(list);
	if (b->n_requests == 0)
		return usage(b, "codes", "The file is a JSON list of IssueCodeRequests, and not empty.");
	b->requests = arena_array(arena_of(b), b->n_requests, sizeof(*b->requests));
	if (b->requests == NULL)
		return online_fail(o, ERR_BUDGET, NULL, b->o.codes);
	for (size_t i = 0; i < b->n_requests; i++) {
		e = pb_from_json(o->arena, &yinzheng__v1__issue_code_request__descriptor, json_array_get(list, i),
		                 &b->requests[i].issue, &note);
		if (e != ERR_OK)
			return online_fail(o, e, &note, b->o.codes);
	}
	return 0;
}

static bool has_request_for(const struct bench *b, enum bench_op op)
{
	for (size_t i = 0; i < b->n_requests; i++)
		if (b->requests[i].redeemed_by == op)
			return true;
	return false;
}

static int prepare_codes(struct bench *b)
{
	struct span text;
	json_error_t where;
	struct err_note note;
	json_t *list;
	int st;

	if (b->o.codes == NULL)
		return usage(b, "codes", "State --codes: the IssueCodeRequests of 'show', 'pull' and 'inspect', a JSON list.");
	st = online_file(&b->as[BENCH_WALLET], b->o.codes, CODES_FILE_MAX, &text);
	if (st != 0)
		return st;
	list = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &where);
	if (list == NULL) {
		err_note_set(&note, ERR_FORMAT, "codes", "not JSON: line %d, column %d", where.line, where.column);
		return online_fail(&b->as[BENCH_WALLET], ERR_FORMAT, &note, b->o.codes);
	}
	st = read_requests(b, list);
	json_decref(list);
	for (size_t i = 0; st == 0 && i < b->n_requests; i++)
		st = prepare_request(b, &b->requests[i]);
	if (st == 0 && mix_has(&b->mix, BENCH_PULL) && !has_request_for(b, BENCH_PULL))
		st = usage(b, "codes", "A 'pull' needs requests of kind use in the file.");
	if (st == 0 && mix_has(&b->mix, BENCH_INSPECT) && !has_request_for(b, BENCH_INSPECT))
		st = usage(b, "codes", "An 'inspect' needs requests of kind show in the file.");
	return st;
}

/* ---- each call once ------------------------------------------------------------------------- */

static void *take(void *arena, size_t n)
{
	return arena_alloc(arena, n);
}

static void give_back(void *arena, void *p)
{
}

/* The very bytes that the load will send, as a single call. */
static int check_call(struct bench *b, enum bench_op op, uint32_t request, const char *code, ProtobufCMessage **reply)
{
	struct online *o = &b->as[bench_method(op)->role];
	ProtobufCAllocator in_arena = {take, give_back, o->arena};
	struct span body = work_body(b, op, request);
	uint8_t *bytes = arena_alloc(o->arena, HEAD_MAX + body.len);
	ProtobufCMessage *m;
	size_t n;

	if (bytes == NULL)
		return online_fail(o, ERR_BUDGET, NULL, NULL);
	n = work_head(op, code, bytes);
	memcpy(bytes + n, body.ptr, body.len);
	m = protobuf_c_message_unpack(method_of(op)->input, &in_arena, n + body.len, bytes);
	if (m == NULL)
		return online_fail(o, ERR_BUDGET, NULL, NULL);
	return online_call(o, bench_method(op)->service, bench_method(op)->name, m, reply);
}

static int check_redeem(struct bench *b, enum bench_op op)
{
	uint32_t request = work_next_issue(b, op);
	ProtobufCMessage *reply;
	int st = check_call(b, BENCH_SHOW, request, NULL, &reply);

	return st != 0 ? st : check_call(b, op, request, ((Yinzheng__V1__IssueCodeReply *)reply)->code, &reply);
}

static int check_op(struct bench *b, enum bench_op op)
{
	ProtobufCMessage *reply;
	int st;

	if (op == BENCH_PULL || op == BENCH_INSPECT)
		return check_redeem(b, op);
	st = check_call(b, op, op == BENCH_SHOW ? work_next_issue(b, BENCH_OPS) : 0, NULL, &reply);
	if (st == 0 && op == BENCH_VERIFY && ((Yinzheng__V1__VerifyReply *)reply)->verdict != NULL)
		b->verify_indication = ((Yinzheng__V1__VerifyReply *)reply)->verdict->indication;
	return st;
}

int work_prepare(struct bench *b)
{
	int st = prepare_null(b);

	if (st == 0 && mix_has(&b->mix, BENCH_VERIFY))
		st = prepare_verify(b);
	if (st == 0 && (mix_has(&b->mix, BENCH_SHOW) || mix_has(&b->mix, BENCH_PULL) || mix_has(&b->mix, BENCH_INSPECT)))
		st = prepare_codes(b);
	for (int op = 0; st == 0 && op < BENCH_OPS; op++)
		if (mix_has(&b->mix, (enum bench_op)op))
			st = check_op(b, (enum bench_op)op);
	return st;
}
