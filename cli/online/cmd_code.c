#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/online/online.h"
#include "picture/png.h"
#include "picture/qr_draw.h"
#include "yinzheng/v1/showcode.pb-c.h"

#define SERVICE (&yinzheng__v1__show_code_service__descriptor)

typedef Yinzheng__V1__ListHolderLicencesReply preview_reply;
typedef Yinzheng__V1__IssueCodeRequest code_req;

enum { MODULE_PX = 10 };

static int preview_call(struct online *o, const code_req *req, ProtobufCMessage **reply)
{
	Yinzheng__V1__ListHolderLicencesRequest ask = YINZHENG__V1__LIST_HOLDER_LICENCES_REQUEST__INIT;

	ask.holder = req->holder;
	ask.presenter = req->presenter;
	ask.item_code = req->item_code;
	return online_call(o, SERVICE, "ListHolderLicences", &ask.base, reply);
}

static void print_preview(const struct online *o, const preview_reply *p)
{
	printf("%s\n", term_safe(o->arena, span_str(p->item_name)));
	for (size_t i = 0; i < p->n_preview; i++) {
		const Yinzheng__V1__PreviewMaterial *m = p->preview[i];

		printf("  %s %s (%s)%s\n", m->licence_id[0] != '\0' ? "•" : "–", term_safe(o->arena, span_str(m->name)),
		       term_safe(o->arena, span_str(m->purpose)), m->licence_id[0] != '\0' ? "" : ": no licence");
		for (size_t k = 0; k < m->n_fields; k++)
			printf("      %s: %s\n", term_safe(o->arena, span_str(m->fields[k]->name)),
			       term_safe(o->arena, span_str(m->fields[k]->value)));
	}
}

/* The citizen must have seen what leaves: asks on the terminal unless --yes says that somebody did. */
static int agree(struct online *o, code_req *req, bool yes)
{
	ProtobufCMessage *reply;
	const preview_reply *p;
	struct err_note note;
	char answer[8] = "";
	int st = preview_call(o, req, &reply);

	if (st != 0)
		return st;
	p = (const preview_reply *)reply;
	if (!o->json)
		print_preview(o, p);
	if (!yes) {
		if (!isatty(STDIN_FILENO)) {
			err_note_set(&note, ERR_USAGE, "yes", "State --yes when the citizen has agreed to the preview.");
			return online_fail(o, ERR_USAGE, &note, NULL);
		}
		printf("Let this out? [y/N] ");
		fflush(stdout);
		if (fgets(answer, sizeof(answer), stdin) == NULL || (answer[0] != 'y' && answer[0] != 'Y'))
			return EXIT_REFUSED;
	}
	req->preview_digest = p->preview_digest;
	return 0;
}

static bool ends_with(const char *s, const char *end)
{
	size_t ls = strlen(s), le = strlen(end);

	return ls >= le && strcmp(s + ls - le, end) == 0;
}

static enum err draw(struct online *o, const char *code, const char *out, struct err_note *note)
{
	struct span bytes;
	struct qr qr;
	char *text;
	enum err e = qr_encode(o->arena, span_str(code), QR_Q, &qr, note);

	if (e == ERR_OK && out != NULL) {
		e = ends_with(out, ".svg") ? qr_svg(o->arena, &qr, &bytes) : qr_png(o->arena, &qr, MODULE_PX, &bytes);
		return e == ERR_OK ? file_write(out, bytes, 0600, note) : e;
	}
	if (e == ERR_OK && !o->json) {
		e = qr_terminal(o->arena, &qr, term_colour(stdout), &text);
		if (e == ERR_OK)
			fputs(text, stdout);
	}
	return e;
}

static int issue(struct online *o, const char *path, const char *out, bool yes)
{
	struct err_note note = {0};
	ProtobufCMessage *req, *reply;
	const Yinzheng__V1__IssueCodeReply *r;
	enum err e;
	int st = online_request(o, path, &yinzheng__v1__issue_code_request__descriptor, &req);

	if (st == 0 && ((code_req *)req)->kind == YINZHENG__V1__CODE_KIND__CODE_KIND_USE &&
	    ((code_req *)req)->preview_digest.len == 0)
		st = agree(o, (code_req *)req, yes);
	if (st == 0)
		st = online_call(o, SERVICE, "IssueCode", req, &reply);
	if (st != 0)
		return st;
	r = (const Yinzheng__V1__IssueCodeReply *)reply;
	e = draw(o, r->code, out, &note);
	if (e != ERR_OK)
		return online_fail(o, e, &note, out);
	if (o->json)
		return online_show(o, reply);
	printf("%s\nvalid until %s%s%s\n", r->code, r->expires, out != NULL ? ", drawn to " : "", out != NULL ? out : "");
	return 0;
}

static int code_issue(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	struct opt_args args;
	const char *out = NULL;
	bool yes = false;
	const struct opt opts[] = {
	    {"out", 'o', OPT_TEXT, "FILE.png|FILE.svg", "draw the QR into a file instead of the terminal", &out, 0, 0,
	     false},
	    {"yes", 'y', OPT_FLAG, NULL, "the citizen has agreed to the preview", &yes, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {
	    "code issue",
	    "FILE.json",
	    "Makes a show-code. The file (- for standard input) holds an IssueCodeRequest:\n"
	    "  {\"kind\": \"show\"|\"use\", \"holder\": {…}, \"presenter\": {…}, \"audience\": {\"kind\": \"windows\"},\n"
	    "   \"purpose\": …, \"item_code\": … | \"show\": [{\"licence_id\", \"fields\"}], \"life_seconds\": 60}\n"
	    "For a use code the preview is fetched and shown first; the citizen agrees to exactly that.",
	    opts,
	    1,
	    1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO)
		st = issue(&o, args.arg[0], out, yes);
	online_close(&o);
	return st;
}

/* The calls that send a request file as it is. */
static int from_file(int argc, char **argv, const struct opt_spec *what, const char *method,
                     const ProtobufCMessageDescriptor *d)
{
	struct online o = ONLINE_INIT;
	struct opt_args args;
	ProtobufCMessage *req;
	const struct opt opts[] = {ONLINE_OPTS(o), {0}};
	struct opt_spec spec = *what;
	int st;

	spec.opts = opts;
	st = online_run(&o, &spec, argc, argv, &args);
	if (st == OPT_GO) {
		st = online_request(&o, args.arg[0], d, &req);
		if (st == 0)
			st = online_do(&o, SERVICE, method, req);
	}
	online_close(&o);
	return st;
}

static int code_preview(int argc, char **argv)
{
	static const struct opt_spec spec = {
	    "code preview",
	    "FILE.json",
	    "Lists a holder's licences; with an item also exactly what a use code for it would let out.\n"
	    "The file (- for standard input): {\"holder\": {…}, \"presenter\": {…}, \"item_code\": …}",
	    NULL,
	    1,
	    1};

	return from_file(argc, argv, &spec, "ListHolderLicences", &yinzheng__v1__list_holder_licences_request__descriptor);
}

static int code_cancel(int argc, char **argv)
{
	static const struct opt_spec spec = {
	    "code cancel",
	    "FILE.json",
	    "Withdraws a code. The file (- for standard input): {\"holder\": {…}, \"presenter\": {…}, \"code\": …}",
	    NULL,
	    1,
	    1};

	return from_file(argc, argv, &spec, "CancelCode", &yinzheng__v1__cancel_code_request__descriptor);
}

int cmd_code(int argc, char **argv)
{
	static const struct subcommand table[] = {
	    {"preview", code_preview}, {"issue", code_issue}, {"cancel", code_cancel}, {NULL, NULL}};

	return command_dispatch("code", table, argc, argv);
}
