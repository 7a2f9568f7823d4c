#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "cli/online/online.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "form/ses.h"
#include "yinzheng/v1/seal.pb-c.h"
#include "yinzheng/v1/verification.pb-c.h"

#define SERVICE (&yinzheng__v1__seal_service__descriptor)
enum { CERT_FILE_MAX = 256 * 1024, DATA_MAX = 1024 * 1024 * 1024, PICTURE_FILE_MAX = 2 * 1024 * 1024 };

/* The certificates of all files, as DER. */
static int read_certs(struct online *o, const struct opt_list *files, Yinzheng__V1__CreateSealRequest *req)
{
	ProtobufCBinaryData *list = arena_array(o->arena, SES_CERTS_MAX, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; list != NULL && i < files->count; i++) {
		struct cert **certs;
		struct span in, der;
		size_t n_certs;
		int st = online_file(o, files->item[i], CERT_FILE_MAX, &in);

		if (st != 0)
			return st;
		if (cert_parse_bundle(o->arena, in, &certs, &n_certs) != ERR_OK)
			return online_fail(o, ERR_CERT_UNREADABLE, NULL, files->item[i]);
		for (size_t k = 0; k < n_certs; k++) {
			der = arena_dup(o->arena, cert_der(certs[k]));
			if (n < SES_CERTS_MAX && der.ptr != NULL)
				list[n++] = (ProtobufCBinaryData){der.len, (uint8_t *)(uintptr_t)der.ptr};
			cert_free(certs[k]);
		}
	}
	req->n_certificates = n;
	req->certificates = list;
	return 0;
}

/* Writes the seal's DER to a file too, when one is named. */
static int seal_call(struct online *o, const char *method, ProtobufCMessage *req, const char *out)
{
	ProtobufCMessage *reply;
	struct err_note note = {0};
	const Yinzheng__V1__Seal *seal;
	int st = online_call(o, SERVICE, method, req, &reply);

	if (st != 0 || out == NULL)
		return st != 0 ? st : online_show(o, reply);
	seal = ((const Yinzheng__V1__SealReply *)reply)->seal;
	if (seal == NULL || file_write(out, span_of(seal->der.data, seal->der.len), 0644, &note) != ERR_OK)
		return online_fail(o, ERR_FILE_UNWRITABLE, &note, out);
	return online_show(o, reply);
}

static int create(struct online *o, Yinzheng__V1__CreateSealRequest *req, const struct opt_list *certs,
                  const char *picture, const char *out)
{
	struct span png = {0};
	int st = read_certs(o, certs, req);

	if (st == 0 && picture != NULL)
		st = online_file(o, picture, PICTURE_FILE_MAX, &png);
	if (st != 0)
		return st;
	req->picture_png = BYTES(png);
	return seal_call(o, "CreateSeal", &req->base, out);
}

static int seal_create(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__CreateSealRequest req = YINZHENG__V1__CREATE_SEAL_REQUEST__INIT;
	struct opt_list certs = {0};
	struct opt_args args;
	const char *picture = NULL, *out = NULL, *id = "", *name = "", *owner = "", *from = "", *to = "";
	const char *application = "", *approver = "";
	int type = 0, st;
	int64_t width = 0, height = 0;
	const struct opt opts[] = {
	    {"name", 0, OPT_TEXT, "NAME", "name of the seal", &name, 0, 0, true},
	    {"owner", 0, OPT_TEXT, "CODE", "owner's unified social credit code", &owner, 0, 0, true},
	    {"signer", 0, OPT_LIST, "FILE", "certificate of who may sign with it (again for more)", &certs, 0, 0, true},
	    {"valid-to", 0, OPT_TEXT, "TIME", "end of validity (RFC 3339 or YYYY-MM-DD)", &to, 0, 0, true},
	    {"valid-from", 0, OPT_TEXT, "TIME", "begin of validity (now)", &from, 0, 0, false},
	    {"application", 0, OPT_TEXT, "REF", "reference of the application", &application, 0, 0, true},
	    {"approver", 0, OPT_TEXT, "ID", "who approved it; not the operator", &approver, 0, 0, true},
	    {"type", 0, OPT_ENUM, "unit|personal", "kind of seal (unit)", &type, 0, 0, false},
	    {"picture", 0, OPT_TEXT, "FILE.png", "its picture; without one a sample is drawn", &picture, 0, 0, false},
	    {"width", 0, OPT_INT, "MM", "width of the picture", &width, 1, 200, false},
	    {"height", 0, OPT_INT, "MM", "height of the picture", &height, 1, 200, false},
	    {"id", 0, OPT_TEXT, "ID", "identifier; without one a new one is made", &id, 0, 0, false},
	    {"out", 'o', OPT_TEXT, "FILE.esl", "write the seal here too", &out, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"seal create", "", "Makes a seal, signed by the service's seal maker.", opts, 0, 0};

	st = online_run(&o, &spec, argc, argv, &args);
	if (st == OPT_GO) {
		req.id = text_of(id);
		req.name = text_of(name);
		req.owner_code = text_of(owner);
		req.type = type + 1;
		req.width_mm = (uint32_t)width;
		req.height_mm = (uint32_t)height;
		req.valid_start = text_of(from);
		req.valid_end = text_of(to);
		req.application = text_of(application);
		req.approver = text_of(approver);
		st = create(&o, &req, &certs, picture, out);
	}
	online_close(&o);
	return st;
}

static int seal_import(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__ImportSealRequest req = YINZHENG__V1__IMPORT_SEAL_REQUEST__INIT;
	struct opt_args args;
	struct span der;
	const char *owner = "", *application = "";
	const struct opt opts[] = {
	    {"owner", 0, OPT_TEXT, "CODE", "owner's unified social credit code", &owner, 0, 0, true},
	    {"application", 0, OPT_TEXT, "REF", "reference of the application", &application, 0, 0, true},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"seal import", "FILE.esl", "Imports a seal made elsewhere; it must verify.",
	                              opts,          1,          1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO)
		st = online_file(&o, args.arg[0], SES_MAX, &der);
	if (st == 0 && o.client != NULL) {
		req.der = BYTES(der);
		req.owner_code = text_of(owner);
		req.application = text_of(application);
		st = online_do(&o, SERVICE, "ImportSeal", &req.base);
	}
	online_close(&o);
	return st;
}

static int seal_list(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__ListSealsRequest req = YINZHENG__V1__LIST_SEALS_REQUEST__INIT;
	struct opt_args args;
	const char *owner = "", *page = "";
	const struct opt opts[] = {
	    {"owner", 0, OPT_TEXT, "CODE", "only of this organisation", &owner, 0, 0, false},
	    {"page", 0, OPT_TEXT, "TOKEN", "go on where the last answer ended", &page, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"seal list", "", "Lists the seals that the caller may see.", opts, 0, 0};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		req.owner_code = text_of(owner);
		req.page_token = text_of(page);
		st = online_do(&o, SERVICE, "ListSeals", &req.base);
	}
	online_close(&o);
	return st;
}

static int seal_show(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__GetSealRequest req = YINZHENG__V1__GET_SEAL_REQUEST__INIT;
	struct opt_args args;
	const char *out = NULL;
	const struct opt opts[] = {
	    {"out", 'o', OPT_TEXT, "FILE.esl", "write the seal here too", &out, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"seal show", "ID", "Shows one seal.", opts, 1, 1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		req.id = args.arg[0];
		st = seal_call(&o, "GetSeal", &req.base, out);
	}
	online_close(&o);
	return st;
}

static int seal_history(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__GetSealRequest req = YINZHENG__V1__GET_SEAL_REQUEST__INIT;
	struct opt_args args;
	const struct opt opts[] = {ONLINE_OPTS(o), {0}};
	const struct opt_spec spec = {"seal history", "ID", "Shows every change of a seal's state.", opts, 1, 1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		req.id = args.arg[0];
		st = online_do(&o, SERVICE, "GetSealHistory", &req.base);
	}
	online_close(&o);
	return st;
}

static int seal_status(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__ChangeSealStatusRequest req = YINZHENG__V1__CHANGE_SEAL_STATUS_REQUEST__INIT;
	struct opt_args args;
	const char *reason = "", *effective = "";
	int state = 0, st;
	const struct opt opts[] = {
	    {"state", 0, OPT_ENUM, "active|suspended|revoked", "the new state", &state, 0, 0, true},
	    {"reason", 0, OPT_TEXT, "TEXT", "why", &reason, 0, 0, true},
	    {"effective", 0, OPT_TEXT, "TIME", "from when it holds (now)", &effective, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"seal status", "ID", "Changes a seal's state; revoked is final.", opts, 1, 1};

	st = online_run(&o, &spec, argc, argv, &args);
	if (st == OPT_GO) {
		req.id = args.arg[0];
		req.state = (Yinzheng__V1__SealState)(state + 1);
		req.reason = text_of(reason);
		req.effective = text_of(effective);
		st = online_do(&o, SERVICE, "ChangeSealStatus", &req.base);
	}
	online_close(&o);
	return st;
}

static int sign_file(struct online *o, Yinzheng__V1__SignRequest *req, const char *file, const char *out)
{
	uint8_t *digest = arena_alloc(o->arena, SM3_LEN);
	struct err_note note = {0};
	const Yinzheng__V1__SignReply *r;
	ProtobufCMessage *reply;
	struct span data;
	int st = online_file(o, file, DATA_MAX, &data);

	if (st != 0)
		return st;
	if (digest == NULL || sm3(data, digest) != ERR_OK)
		return online_fail(o, ERR_CRYPTO, NULL, file);
	req->digest = (ProtobufCBinaryData){SM3_LEN, digest};
	st = online_call(o, SERVICE, "Sign", &req->base, &reply);
	if (st != 0)
		return st;
	r = (const Yinzheng__V1__SignReply *)reply;
	if (file_write(out, span_of(r->signature.data, r->signature.len), 0644, &note) != ERR_OK)
		return online_fail(o, ERR_FILE_UNWRITABLE, &note, out);
	return online_show(o, reply);
}

/* The file's name as a scope. propertyInfo is an IA5String: other characters are percent-encoded, as in a URI. */
static char *scope_of(struct online *o, const char *path)
{
	const char *base = strrchr(path, '/');
	struct buf b;

	buf_init(&b, o->arena);
	for (base = base != NULL ? base + 1 : path; *base != '\0'; base++) {
		unsigned char c = (unsigned char)*base;

		if (c > ' ' && c < 0x7f && c != '%')
			buf_byte(&b, c);
		else
			buf_printf(&b, "%%%02X", c);
	}
	return buf_text(&b);
}

static int seal_sign(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__SignRequest req = YINZHENG__V1__SIGN_REQUEST__INIT;
	struct opt_args args;
	const char *seal = "", *purpose = "", *scope = NULL, *out = NULL;
	const struct opt opts[] = {
	    {"seal", 0, OPT_TEXT, "ID", "the seal to sign with", &seal, 0, 0, true},
	    {"purpose", 0, OPT_TEXT, "TEXT", "what for; goes into the audit log", &purpose, 0, 0, true},
	    {"out", 'o', OPT_TEXT, "FILE.dat", "where the signature is written", &out, 0, 0, true},
	    {"scope", 0, OPT_TEXT, "TEXT", "protected scope (propertyInfo, ASCII); else the file's name", &scope, 0, 0,
	     false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"seal sign",
	                              "FILE",
	                              "Signs a file with a seal; only its SM3 digest goes to the server.\n"
	                              "Check the result with: yinzheng verify --data FILE --trust … FILE.dat",
	                              opts,
	                              1,
	                              1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		req.seal_id = text_of(seal);
		req.purpose = text_of(purpose);
		req.property_info = text_of(scope != NULL ? scope : scope_of(&o, args.arg[0]));
		st = sign_file(&o, &req, args.arg[0], out);
	}
	online_close(&o);
	return st;
}

struct verify_files {
	const char *document, *data, *receipt; /* data, receipt: NULL when not named */
};

static int verify_online(struct online *o, Yinzheng__V1__VerifyRequest *req, const struct verify_files *f)
{
	struct span document, data = {0};
	struct err_note note = {0};
	const Yinzheng__V1__VerifyReply *r;
	ProtobufCMessage *reply;
	int st = online_file(o, f->document, CLIENT_MESSAGE_MAX, &document);

	if (st == 0 && f->data != NULL)
		st = online_file(o, f->data, CLIENT_MESSAGE_MAX, &data);
	if (st != 0)
		return st;
	req->document = BYTES(document);
	req->data = BYTES(data);
	req->has_data = f->data != NULL;
	req->want_receipt = f->receipt != NULL;
	st = online_call(o, &yinzheng__v1__verification_service__descriptor, "Verify", &req->base, &reply);
	if (st != 0)
		return st;
	r = (const Yinzheng__V1__VerifyReply *)reply;
	if (f->receipt != NULL && file_write(f->receipt, span_of(r->receipt.data, r->receipt.len), 0644, &note) != ERR_OK)
		return online_fail(o, ERR_FILE_UNWRITABLE, &note, f->receipt);
	return online_show(o, reply);
}

static int seal_verify(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__VerifyRequest req = YINZHENG__V1__VERIFY_REQUEST__INIT;
	struct opt_args args;
	struct verify_files files = {0};
	const char *at = "", *policies[] = {"default", "strict", "archive"};
	int policy = 0, st;
	bool brief = false;
	const struct opt opts[] = {
	    {"data", 0, OPT_TEXT, "FILE", "the signed data of a bare signature", &files.data, 0, 0, false},
	    {"at", 0, OPT_TEXT, "TIME", "judge as of this time (now)", &at, 0, 0, false},
	    {"policy", 0, OPT_ENUM, "default|strict|archive", "the rules (default)", &policy, 0, 0, false},
	    {"receipt", 0, OPT_TEXT, "FILE.yzv", "write the signed verdict here", &files.receipt, 0, 0, false},
	    {"brief", 0, OPT_FLAG, NULL, "no report of what is TOTAL_PASSED, only its notices", &brief, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {
	    "seal verify",
	    "FILE",
	    "Has the server verify a document, seal, signature, licence file or receipt with its trust list.\n"
	    "`yinzheng verify` does the same without a server, and checks a signed verdict.",
	    opts,
	    1,
	    1};

	st = online_run(&o, &spec, argc, argv, &args);
	if (st == OPT_GO) {
		req.at = text_of(at);
		req.policy = text_of(policies[policy]);
		req.brief = brief;
		files.document = args.arg[0];
		st = verify_online(&o, &req, &files);
	}
	online_close(&o);
	return st;
}

int cmd_seal(int argc, char **argv)
{
	static const struct subcommand table[] = {
	    {"create", seal_create},
	    {"import", seal_import},
	    {"list", seal_list},
	    {"show", seal_show},
	    {"status", seal_status},
	    {"sign", seal_sign},
	    {"verify", seal_verify},
	    {"history", seal_history},
	    {"sign-document", seal_sign_document},
	    {NULL, NULL},
	};

	return command_dispatch("seal", table, argc, argv);
}
