#include "base/file.h"
#include "cli/online/online.h"
#include "yinzheng/v1/licence.pb-c.h"

#define SERVICE (&yinzheng__v1__licence_service__descriptor)

static int licence_issue(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	ProtobufCMessage *req;
	struct opt_args args;
	const struct opt opts[] = {ONLINE_OPTS(o), {0}};
	const struct opt_spec spec = {
	    "licence issue",
	    "FILE.json",
	    "Issues a licence. The file (- for standard input) holds an IssueRequest:\n"
	    "  {\"type_code\": …, \"number\": …, \"holders\": [{\"name\", \"code_type\", \"code\"}],\n"
	    "   \"fields\": [{\"name\", \"value\"}], \"valid_to\": \"YYYY-MM-DD\", \"area_code\": …}",
	    opts,
	    1,
	    1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		st = online_request(&o, args.arg[0], &yinzheng__v1__issue_request__descriptor, &req);
		if (st == 0)
			st = online_do(&o, SERVICE, "Issue", req);
	}
	online_close(&o);
	return st;
}

/* The calls that name one licence. An identifier may hold a personal number: "-" takes it from standard input. */
static int by_id(int argc, char **argv, const char *name, const char *about, const char *method)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__GetLicenceRequest req = YINZHENG__V1__GET_LICENCE_REQUEST__INIT;
	struct opt_args args;
	const struct opt opts[] = {ONLINE_OPTS(o), {0}};
	const struct opt_spec spec = {name, "ID|-", about, opts, 1, 1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		req.id = text_of(online_word(&o, args.arg[0]));
		st = online_do(&o, SERVICE, method, &req.base);
	}
	online_close(&o);
	return st;
}

static int licence_show(int argc, char **argv)
{
	return by_id(argc, argv, "licence show", "Shows one of the agency's own licences.\n", "Get");
}

static int licence_history(int argc, char **argv)
{
	return by_id(argc, argv, "licence history", "Shows every change of a licence's state.\n", "GetHistory");
}

static int write_file(struct online *o, const char *id, const char *out)
{
	Yinzheng__V1__GetLicenceRequest req = YINZHENG__V1__GET_LICENCE_REQUEST__INIT;
	struct err_note note = {0};
	ProtobufCMessage *reply;
	const ProtobufCBinaryData *file;
	int st;

	req.id = text_of(id);
	st = online_call(o, SERVICE, "GetFile", &req.base, &reply);
	if (st != 0)
		return st;
	file = &((const Yinzheng__V1__LicenceFile *)reply)->file;
	/* The file holds personal data: readable by its owner alone. */
	if (file_write(out, span_of(file->data, file->len), 0600, &note) != ERR_OK)
		return online_fail(o, ERR_FILE_UNWRITABLE, &note, out);
	return o->json ? online_show(o, reply) : (printf("%s: %zu bytes\n", out, file->len), 0);
}

static int licence_file(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	struct opt_args args;
	const char *out = NULL, *id;
	const struct opt opts[] = {
	    {"out", 'o', OPT_TEXT, "FILE.yzl", "where the licence file is written", &out, 0, 0, true},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {
	    "licence file", "ID|-", "Writes the sealed record, for: yinzheng verify --trust … FILE.yzl", opts, 1, 1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		id = online_word(&o, args.arg[0]);
		st = id != NULL ? write_file(&o, id, out) : EXIT_NO_INPUT;
	}
	online_close(&o);
	return st;
}

static int licence_list(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__ListLicencesRequest req = YINZHENG__V1__LIST_LICENCES_REQUEST__INIT;
	struct opt_args args;
	const char *type = "", *page = "";
	const struct opt opts[] = {
	    {"type", 0, OPT_TEXT, "CODE", "only of this licence type", &type, 0, 0, false},
	    {"page", 0, OPT_TEXT, "TOKEN", "go on where the last answer ended", &page, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"licence list", "", "Lists the agency's own licences, oldest first.", opts, 0, 0};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		req.type_code = text_of(type);
		req.page_token = text_of(page);
		st = online_do(&o, SERVICE, "List", &req.base);
	}
	online_close(&o);
	return st;
}

static int licence_status(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__ChangeStatusRequest req = YINZHENG__V1__CHANGE_STATUS_REQUEST__INIT;
	struct opt_args args;
	const char *reason = "", *effective = "";
	int state = 0, st;
	const struct opt opts[] = {
	    {"state", 0, OPT_ENUM, "valid|suspended|revoked|cancelled", "the new state", &state, 0, 0, true},
	    {"reason", 0, OPT_TEXT, "TEXT", "why", &reason, 0, 0, true},
	    {"effective", 0, OPT_TEXT, "TIME", "from when it holds (now)", &effective, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"licence status",
	                              "ID|-",
	                              "Suspends, restores, revokes or cancels a licence. Revoked and cancelled are final.",
	                              opts,
	                              1,
	                              1};

	st = online_run(&o, &spec, argc, argv, &args);
	if (st == OPT_GO) {
		req.id = text_of(online_word(&o, args.arg[0]));
		req.state = (Yinzheng__V1__LicenceState)(state + 1);
		req.reason = text_of(reason);
		req.effective = text_of(effective);
		st = online_do(&o, SERVICE, "ChangeStatus", &req.base);
	}
	online_close(&o);
	return st;
}

int cmd_licence(int argc, char **argv)
{
	static const struct subcommand table[] = {
	    {"issue", licence_issue},     {"show", licence_show}, {"list", licence_list}, {"status", licence_status},
	    {"history", licence_history}, {"file", licence_file}, {NULL, NULL},
	};

	return command_dispatch("licence", table, argc, argv);
}
