/* seal sign-document: a seal into an OFD file. */
#include <string.h>

#include "base/file.h"
#include "cli/online/online.h"
#include "desk/uses.h"
#include "yinzheng/v1/seal.pb-c.h"

#define SERVICE (&yinzheng__v1__seal_service__descriptor)

/* "1:120.5,200": page, and the upper left corner in millimetres. */
static bool read_stamp(const char *s, Yinzheng__V1__Stamp *out)
{
	uint64_t page = 0;
	int64_t x, y;

	for (; *s >= '0' && *s <= '9' && page < OFD_PAGES_MAX; s++)
		page = page * 10 + (uint64_t)(*s - '0');
	if (page == 0 || *s++ != ':' || !ofd_length(&s, &x) || *s++ != ',' || !ofd_length(&s, &y) || *s != '\0' || x < 0 ||
	    y < 0)
		return false;
	yinzheng__v1__stamp__init(out);
	out->page = (uint32_t)page;
	out->x = (uint32_t)x;
	out->y = (uint32_t)y;
	return true;
}

static int usage(const struct online *o, const char *field, const char *text)
{
	struct err_note note;

	err_note_set(&note, ERR_USAGE, field, "%s", text);
	return online_fail(o, ERR_USAGE, &note, NULL);
}

static int read_stamps(struct online *o, const struct opt_list *texts, Yinzheng__V1__SignDocumentRequest *req)
{
	Yinzheng__V1__Stamp **list = arena_array(o->arena, texts->count, sizeof(*list));

	for (size_t i = 0; list != NULL && i < texts->count; i++) {
		list[i] = arena_alloc(o->arena, sizeof(**list));
		if (list[i] == NULL)
			return online_fail(o, ERR_BUDGET, NULL, NULL);
		if (!read_stamp(texts->item[i], list[i]))
			return usage(o, "stamp", "A stamp is PAGE:X,Y, with millimetres from the page's upper left corner.");
	}
	if (list == NULL)
		return online_fail(o, ERR_BUDGET, NULL, NULL);
	req->n_stamps = texts->count;
	req->stamps = list;
	return 0;
}

/* side: -1 none, else as listed in the option. */
static int read_riding(struct online *o, int side, const char *centre, Yinzheng__V1__RidingSeal *riding,
                       Yinzheng__V1__SignDocumentRequest *req)
{
	int64_t um = 0;

	if (centre != NULL && (side < 0 || !ofd_length(&centre, &um) || *centre != '\0' || um <= 0))
		return usage(o, "centre", "--centre is a length in millimetres, beside --riding.");
	if (side < 0)
		return 0;
	riding->side =
	    side == 0 ? YINZHENG__V1__RIDING_SIDE__RIDING_SIDE_RIGHT : YINZHENG__V1__RIDING_SIDE__RIDING_SIDE_LEFT;
	riding->centre = (uint32_t)um;
	req->riding = riding;
	return 0;
}

static int sign(struct online *o, Yinzheng__V1__SignDocumentRequest *req, const char *file, const char *out)
{
	Yinzheng__V1__SignDocumentReply *r;
	struct err_note note = {0};
	ProtobufCMessage *reply;
	struct span document;
	int st = online_file(o, file, DESK_DOCUMENT_MAX, &document);

	if (st != 0)
		return st;
	req->document = BYTES(document);
	st = online_call(o, SERVICE, "SignDocument", &req->base, &reply);
	if (st != 0)
		return st;
	r = (Yinzheng__V1__SignDocumentReply *)reply;
	if (file_write(out, span_of(r->document.data, r->document.len), 0644, &note) != ERR_OK)
		return online_fail(o, ERR_FILE_UNWRITABLE, &note, out);
	r->document = (ProtobufCBinaryData){0}; /* it is in the file */
	return online_show(o, reply);
}

int seal_sign_document(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__SignDocumentRequest req = YINZHENG__V1__SIGN_DOCUMENT_REQUEST__INIT;
	Yinzheng__V1__RidingSeal riding = YINZHENG__V1__RIDING_SEAL__INIT;
	struct opt_list stamps = {0};
	struct opt_args args;
	const char *seal = "", *purpose = "", *out = NULL, *centre = NULL;
	int64_t index = 0;
	int side = -1, st;
	bool lock = false;
	const struct opt opts[] = {
	    {"seal", 0, OPT_TEXT, "ID", "the seal to sign with", &seal, 0, 0, true},
	    {"purpose", 0, OPT_TEXT, "TEXT", "what for; goes into the audit log", &purpose, 0, 0, true},
	    {"out", 'o', OPT_TEXT, "FILE.ofd", "where the sealed document is written", &out, 0, 0, true},
	    {"stamp", 0, OPT_LIST, "PAGE:X,Y", "a stamp, its upper left corner in mm (again for more)", &stamps, 0, 0,
	     false},
	    {"riding", 0, OPT_ENUM, "right|left", "one seal over this edge of all pages", &side, 0, 0, false},
	    {"centre", 0, OPT_TEXT, "MM", "height of the riding seal's middle (middle of the page)", &centre, 0, 0, false},
	    {"lock", 0, OPT_FLAG, NULL, "nobody can sign the document after this", &lock, 0, 0, false},
	    {"document", 0, OPT_INT, "N", "which document of the package, from 0 (0)", &index, 0, OFD_DOCUMENTS_MAX - 1,
	     false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"seal sign-document",
	                              "FILE.ofd",
	                              "Puts a seal's signature into an OFD file; earlier signatures stay valid.\n"
	                              "Check the result with: yinzheng verify --trust … FILE.ofd",
	                              opts,
	                              1,
	                              1};

	st = online_run(&o, &spec, argc, argv, &args);
	if (st == OPT_GO)
		st = read_stamps(&o, &stamps, &req);
	if (st == 0 && o.client != NULL)
		st = read_riding(&o, side, centre, &riding, &req);
	if (st == 0 && o.client != NULL) {
		req.seal_id = text_of(seal);
		req.purpose = text_of(purpose);
		req.lock = lock;
		req.document_index = (uint32_t)index;
		st = sign(&o, &req, args.arg[0], out);
	}
	online_close(&o);
	return st;
}
