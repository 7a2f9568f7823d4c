/* What windows and inspectors do: pull, inspect, fetch a receipt again. */
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/online/online.h"
#include "picture/qr_scan.h"
#include "yinzheng/v1/inspection.pb-c.h"
#include "yinzheng/v1/window.pb-c.h"

enum { IMAGE_MAX = 64 * 1024 * 1024 };

/* The scanned code: a picture, or a line on standard input. Never an argument, which others could read. */
static int read_code(struct online *o, const char *image, char **code)
{
	struct err_note note = {0};
	struct span bytes, text;
	const char *word;
	enum err e;
	int st;

	if (image == NULL) {
		word = online_word(o, "-");
		*code = text_of(word);
		return word != NULL ? 0 : EXIT_NO_INPUT;
	}
	st = online_file(o, image, IMAGE_MAX, &bytes);
	if (st != 0)
		return st;
	e = qr_scan_one(o->arena, bytes, &text, &note);
	if (e != ERR_OK)
		return online_fail(o, e, &note, image);
	if (!text_is_clean(text, 4096))
		return online_fail(o, ERR_CODE_MALFORMED, NULL, image);
	*code = arena_strndup(o->arena, text.ptr, text.len);
	return *code != NULL ? 0 : online_fail(o, ERR_BUDGET, NULL, image);
}

static int save_receipt(const struct online *o, const ProtobufCBinaryData *receipt, const char *out)
{
	struct err_note note = {0};

	if (out == NULL)
		return 0;
	if (file_write(out, span_of(receipt->data, receipt->len), 0644, &note) != ERR_OK)
		return online_fail(o, ERR_FILE_UNWRITABLE, &note, out);
	if (!o->json)
		printf("receipt written to %s\n", out);
	return 0;
}

static const char *safe(const struct online *o, const char *s)
{
	return term_safe(o->arena, span_str(s));
}

/* "FULFILLED" of MATERIAL_STATUS_FULFILLED, "SUSPENDED" of LICENCE_STATE_SUSPENDED. */
static const char *tail(const ProtobufCEnumDescriptor *d, int value, size_t prefix)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(d, value);

	return v != NULL && strlen(v->name) > prefix ? v->name + prefix : "";
}

static const char *state_text(int state)
{
	return state == 0 ? "" : tail(&yinzheng__v1__licence_state__descriptor, state, strlen("LICENCE_STATE_"));
}

static void print_material(const struct online *o, const Yinzheng__V1__PulledMaterial *m)
{
	bool ok = m->status == YINZHENG__V1__MATERIAL_STATUS__MATERIAL_STATUS_FULFILLED;

	printf("  %s %s [%s]  %s%s%s%s%s\n", ok ? "✓" : "✗", safe(o, m->name), safe(o, m->type_name),
	       tail(&yinzheng__v1__material_status__descriptor, (int)m->status, strlen("MATERIAL_STATUS_")),
	       m->state != 0 ? ", " : "", state_text((int)m->state), m->verdict != NULL ? ", " : "",
	       m->verdict != NULL ? safe(o, m->verdict->indication) : "");
	for (size_t i = 0; i < m->n_fields; i++)
		printf("      %s: %s\n", safe(o, m->fields[i]->name), safe(o, m->fields[i]->value));
	if (m->why[0] != '\0')
		printf("      %s\n", safe(o, m->why));
}

static int show_pull(struct online *o, const ProtobufCMessage *reply, const char *out)
{
	const Yinzheng__V1__PullReply *r = (const Yinzheng__V1__PullReply *)reply;

	if (o->json) {
		int st = online_show(o, reply);

		return st != 0 ? st : save_receipt(o, &r->receipt, out);
	}
	printf("%s  %s%s\n", safe(o, r->holder_name), r->complete ? "complete" : "NOT complete",
	       r->replayed ? "  (the same answer as before)" : "");
	for (size_t i = 0; i < r->n_materials; i++)
		print_material(o, r->materials[i]);
	printf("receipt %s, %s\n", safe(o, r->receipt_id), safe(o, r->time));
	return save_receipt(o, &r->receipt, out);
}

static int pull(struct online *o, Yinzheng__V1__PullRequest *req, const char *image, const char *out)
{
	ProtobufCMessage *reply;
	int st = read_code(o, image, &req->code);

	if (st == 0)
		st = online_call(o, &yinzheng__v1__window_service__descriptor, "Pull", &req->base, &reply);
	return st != 0 ? st : show_pull(o, reply, out);
}

/* 32 hex digits; lets a caller ask again for an answer that was lost. */
static int set_request_id(struct online *o, const char *hex, ProtobufCBinaryData *id)
{
	struct err_note note;
	uint8_t *bytes;

	if (hex == NULL)
		return 0;
	bytes = arena_alloc(o->arena, 16);
	if (bytes != NULL && hex_decode(span_str(hex), bytes, 16) == ERR_OK) {
		*id = (ProtobufCBinaryData){16, bytes};
		return 0;
	}
	err_note_set(&note, ERR_USAGE, "request-id", "State 32 hex digits.");
	return online_fail(o, ERR_USAGE, &note, NULL);
}

int cmd_pull(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__PullRequest req = YINZHENG__V1__PULL_REQUEST__INIT;
	struct opt_args args;
	const char *image = NULL, *item = "", *case_number = "", *purpose = "", *out = NULL, *id = NULL;
	bool brief = false;
	const struct opt opts[] = {
	    {"qr", 0, OPT_TEXT, "IMAGE", "picture of the code; without it the code is read from standard input", &image, 0,
	     0, false},
	    {"item", 0, OPT_TEXT, "CODE", "the service item", &item, 0, 0, true},
	    {"case", 0, OPT_TEXT, "NUMBER", "the case that the use belongs to", &case_number, 0, 0, true},
	    {"purpose", 0, OPT_TEXT, "TEXT", "what for", &purpose, 0, 0, true},
	    {"receipt", 0, OPT_TEXT, "FILE.yzr", "write the signed receipt here", &out, 0, 0, false},
	    {"request-id", 0, OPT_TEXT, "HEX", "16 bytes; the same one gets the same answer again", &id, 0, 0, false},
	    {"brief", 0, OPT_FLAG, NULL, "verdicts that are TOTAL_PASSED without the checks that are a plain PASS", &brief,
	     0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"pull",
	                              "",
	                              "Redeems a use code: what the item needs, each with its verdict, and a receipt.\n"
	                              "Check the receipt with: yinzheng verify --trust … FILE.yzr",
	                              opts,
	                              0,
	                              0};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		req.brief = brief;
		req.item_code = text_of(item);
		req.case_number = text_of(case_number);
		req.purpose = text_of(purpose);
		st = set_request_id(&o, id, &req.request_id);
		if (st == 0)
			st = pull(&o, &req, image, out);
	}
	online_close(&o);
	return st;
}

int cmd_receipt(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__GetReceiptRequest req = YINZHENG__V1__GET_RECEIPT_REQUEST__INIT;
	struct opt_args args;
	ProtobufCMessage *reply;
	const char *out = NULL;
	const struct opt opts[] = {
	    {"out", 'o', OPT_TEXT, "FILE.yzr", "where the receipt is written", &out, 0, 0, true},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"receipt", "ID", "Fetches a receipt of one's own again, newly signed.", opts, 1, 1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		req.receipt_id = args.arg[0];
		st = online_call(&o, &yinzheng__v1__window_service__descriptor, "GetReceipt", &req.base, &reply);
		if (st == 0)
			st = save_receipt(&o, &((const Yinzheng__V1__GetReceiptReply *)reply)->receipt, out);
	}
	online_close(&o);
	return st;
}

static void print_inspected(const struct online *o, const Yinzheng__V1__InspectedLicence *l)
{
	printf("  %s %s  %s since %s, %s\n", l->usable ? "✓" : "✗", safe(o, l->type_name), state_text((int)l->state),
	       safe(o, l->state_since), l->verdict != NULL ? safe(o, l->verdict->indication) : "not verified");
	printf("      issued by %s, valid %s … %s\n", safe(o, l->issuer_name), safe(o, l->valid_from),
	       l->valid_to[0] != '\0' ? safe(o, l->valid_to) : "without end");
	for (size_t i = 0; i < l->n_face; i++)
		printf("      %s: %s\n", safe(o, l->face[i]->name), safe(o, l->face[i]->value));
	if (l->why[0] != '\0')
		printf("      %s\n", safe(o, l->why));
	printf("      data of %s from %s\n", safe(o, l->source_time), safe(o, l->source));
}

static int inspect(struct online *o, Yinzheng__V1__InspectRequest *req, const char *out)
{
	ProtobufCMessage *reply;
	const Yinzheng__V1__InspectReply *r;
	int st = online_call(o, &yinzheng__v1__inspection_service__descriptor, "Inspect", &req->base, &reply);

	if (st != 0)
		return st;
	r = (const Yinzheng__V1__InspectReply *)reply;
	if (o->json) {
		st = online_show(o, reply);
		return st != 0 ? st : save_receipt(o, &r->receipt, out);
	}
	printf("%s  shown by: %s\n", safe(o, r->holder_name),
	       r->presenter_capacity[0] != '\0' ? safe(o, r->presenter_capacity) : "nobody (statutory)");
	for (size_t i = 0; i < r->n_licences; i++)
		print_inspected(o, r->licences[i]);
	printf("receipt %s, %s\n", safe(o, r->receipt_id), safe(o, r->time));
	return save_receipt(o, &r->receipt, out);
}

int cmd_inspect(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__InspectRequest req = YINZHENG__V1__INSPECT_REQUEST__INIT;
	struct opt_args args;
	const char *image = NULL, *licence = NULL, *basis = "", *purpose = "", *place = "", *out = NULL;
	bool brief = false;
	const struct opt opts[] = {
	    {"qr", 0, OPT_TEXT, "IMAGE", "picture of the code; without it the code is read from standard input", &image, 0,
	     0, false},
	    {"licence", 0, OPT_TEXT, "ID|-", "a licence by identifier, as a statutory use", &licence, 0, 0, false},
	    {"basis", 0, OPT_TEXT, "TEXT", "statutory use: the legal basis", &basis, 0, 0, false},
	    {"purpose", 0, OPT_TEXT, "TEXT", "what for", &purpose, 0, 0, true},
	    {"place", 0, OPT_TEXT, "TEXT", "where", &place, 0, 0, false},
	    {"brief", 0, OPT_FLAG, NULL, "verdicts that are TOTAL_PASSED without the checks that are a plain PASS", &brief,
	     0, 0, false},
	    {"receipt", 0, OPT_TEXT, "FILE.yzr", "write the signed receipt here", &out, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"inspect", "", "Checks what a citizen shows, or a licence by its identifier.",
	                              opts,      0,  0};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		req.brief = brief;
		req.basis = text_of(basis);
		req.purpose = text_of(purpose);
		req.place = text_of(place);
		if (licence != NULL)
			req.licence_id = text_of(online_word(&o, licence));
		st = licence != NULL ? 0 : read_code(&o, image, &req.code);
		if (st == 0)
			st = inspect(&o, &req, out);
	}
	online_close(&o);
	return st;
}
