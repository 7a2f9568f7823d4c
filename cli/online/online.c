#include "cli/online/online.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "crypto/rand.h"
#include "yinzheng/v1/common.pb-c.h"

enum {
	ARENA = 512 * 1024 * 1024,
	PEM_MAX = 256 * 1024,
	REQUEST_MAX = 8 * 1024 * 1024,
	WORD_MAX = 4096,
	CONFIG_MAX = 256 * 1024,
	ID_LEN = 16
};

int online_fail(const struct online *o, enum err e, const struct err_note *note, const char *subject)
{
	return term_error(o->json, e, note, subject);
}

/* ---- profile -------------------------------------------------------------------------------- */

struct profile_reader {
	struct online *o;
	const char *section; /* "profile NAME" */
	char *dir;           /* of the file, for relative paths */
	bool found, failed;
};

static const char *path_in(struct profile_reader *r, const char *value)
{
	return value[0] == '/' ? arena_strdup(r->o->arena, value) : arena_printf(r->o->arena, "%s/%s", r->dir, value);
}

/* Options win: only what is still open is taken from the profile. */
static int on_line(void *user, const char *section, const char *name, const char *value)
{
	struct profile_reader *r = user;
	struct online *o = r->o;
	const struct {
		const char *name;
		const char **to;
		bool path;
	} known[] = {
	    {"server", &o->server, false},
	    {"ca", &o->ca, true},
	    {"cert", &o->cert, true},
	    {"key", &o->key, true},
	    {"operator_id", &o->operator_id, false},
	    {"operator_name", &o->operator_name, false},
	    {"operator_terminal", &o->operator_terminal, false},
	};

	if (strcmp(section, r->section) != 0)
		return 1;
	r->found = true;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0) {
			if (*known[i].to == NULL)
				*known[i].to = known[i].path ? path_in(r, value) : arena_strdup(o->arena, value);
			return 1;
		}
	return 0;
}

static const char *config_path(struct online *o)
{
	const char *home = getenv("HOME"), *env = getenv("YINZHENG_CONFIG");

	if (o->config != NULL)
		return o->config;
	if (env != NULL)
		return env;
	return arena_printf(o->arena, "%s/.config/yinzheng/config.ini", home != NULL ? home : "");
}

/* "." for a name without a folder. */
static char *folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? arena_strndup(a, path, (size_t)(slash - path)) : arena_strdup(a, ".");
}

static int read_profile(struct online *o)
{
	const char *name = o->profile != NULL ? o->profile : getenv("YINZHENG_PROFILE");
	const char *path = config_path(o);
	struct profile_reader r = {.o = o};
	struct err_note note;
	struct span text;
	int line, st;

	r.section = arena_printf(o->arena, "profile %s", name != NULL ? name : "default");
	r.dir = folder_of(o->arena, path);
	if (r.section == NULL || r.dir == NULL)
		return online_fail(o, ERR_BUDGET, NULL, path);
	if (access(path, F_OK) != 0 && o->config == NULL && name == NULL)
		return 0; /* all by options */
	st = online_file(o, path, CONFIG_MAX, &text);
	if (st != 0)
		return st;
	line = ini_parse_string(arena_strndup(o->arena, text.ptr, text.len), on_line, &r);
	if (line > 0)
		err_note_set(&note, ERR_CONFIG_INVALID, "config", "line %d is not understood", line);
	else if (line < 0)
		err_note_set(&note, ERR_NO_MEMORY, "config", NULL);
	else if (!r.found && name != NULL)
		err_note_set(&note, ERR_CONFIG_INVALID, "profile", "there is no section [%.40s]", r.section);
	else
		return 0;
	return online_fail(o, note.code, &note, path);
}

/* ---- connection ----------------------------------------------------------------------------- */

int online_file(struct online *o, const char *path, size_t max, struct span *out)
{
	struct err_note note = {0};
	enum err e = file_read(o->arena, path, max, out, &note);

	return e == ERR_OK ? 0 : online_fail(o, e, &note, path);
}

static int need(const struct online *o, const char *value, const char *name)
{
	struct err_note note;

	if (value != NULL && value[0] != '\0')
		return 0;
	err_note_set(&note, ERR_USAGE, name, "State --%s, or a profile that has it (--profile, --config).", name);
	return online_fail(o, ERR_USAGE, &note, NULL);
}

static int connect_to(struct online *o)
{
	struct client_options *c = &o->connection;
	int st;
	enum err e;

	*c = (struct client_options){.server = o->server, .timeout_ms = o->timeout * 1000};
	if ((st = need(o, o->server, "server")) != 0 || (st = need(o, o->ca, "ca")) != 0 ||
	    (st = need(o, o->cert, "cert")) != 0 || (st = need(o, o->key, "key")) != 0 ||
	    (st = online_file(o, o->ca, PEM_MAX, &c->ca)) != 0 || (st = online_file(o, o->cert, PEM_MAX, &c->cert)) != 0 ||
	    (st = online_file(o, o->key, PEM_MAX, &c->key)) != 0)
		return st;
	e = client_open(c, &o->client);
	return e == ERR_OK ? 0 : online_fail(o, e, NULL, o->server);
}

int online_open(struct online *o)
{
	int st;

	o->arena = arena_new(ARENA);
	if (o->arena == NULL)
		return online_fail(o, ERR_NO_MEMORY, NULL, NULL);
	/* The library's own complaints would stand beside ours. */
	setenv("GRPC_VERBOSITY", "NONE", 0);
	st = read_profile(o);
	return st != 0 ? st : connect_to(o);
}

void online_close(struct online *o)
{
	client_close(o->client);
	o->client = NULL;
	arena_free(o->arena);
	o->arena = NULL;
}

int online_run(struct online *o, const struct opt_spec *spec, int argc, char **argv, struct opt_args *args)
{
	int st = opt_parse(spec, argc, argv, args);

	return st != OPT_GO ? st : (st = online_open(o)) != 0 ? st : OPT_GO;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static enum err fill_request_id(struct online *o, ProtobufCMessage *m)
{
	const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(m->descriptor, "request_id");
	ProtobufCBinaryData *id;
	struct rand r = rand_system();

	if (f == NULL)
		return ERR_OK;
	id = (void *)((uint8_t *)m + f->offset);
	if (id->len != 0)
		return ERR_OK;
	id->data = arena_alloc(o->arena, ID_LEN);
	if (id->data == NULL)
		return ERR_BUDGET;
	id->len = ID_LEN;
	return rand_fill(&r, id->data, id->len);
}

static char *field_text(struct online *o, const char *s)
{
	return arena_strdup(o->arena, s != NULL ? s : "");
}

static enum err fill_operator(struct online *o, ProtobufCMessage *m)
{
	const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(m->descriptor, "operator");
	Yinzheng__V1__Operator **at, *op;

	if (f == NULL || f->type != PROTOBUF_C_TYPE_MESSAGE)
		return ERR_OK;
	at = (void *)((uint8_t *)m + f->offset);
	if (*at != NULL || o->operator_id == NULL)
		return ERR_OK;
	op = arena_alloc(o->arena, sizeof(*op));
	if (op == NULL)
		return ERR_BUDGET;
	yinzheng__v1__operator__init(op);
	op->id = field_text(o, o->operator_id);
	op->name = field_text(o, o->operator_name);
	op->terminal = field_text(o, o->operator_terminal);
	*at = op;
	return op->id != NULL && op->name != NULL && op->terminal != NULL ? ERR_OK : ERR_BUDGET;
}

int online_call(struct online *o, const ProtobufCServiceDescriptor *service, const char *method,
                ProtobufCMessage *request, ProtobufCMessage **reply)
{
	struct refusal why;
	enum err e = fill_request_id(o, request);

	if (e == ERR_OK)
		e = fill_operator(o, request);
	if (e != ERR_OK)
		return online_fail(o, e, NULL, NULL);
	if (client_call(o->client, o->arena, service, method, request, reply, &why) == ERR_OK)
		return 0;
	term_refusal_hint(o->json, why.reason, why.field, why.help, NULL, why.retry_ms);
	return term_exit_reason(why.reason);
}

int online_show(const struct online *o, const ProtobufCMessage *reply)
{
	enum err e;

	if (!o->json)
		pb_print(reply, 0);
	e = o->json ? term_json(pb_to_json(reply)) : term_flush();
	return e == ERR_OK ? EXIT_OK : online_fail(o, e, NULL, NULL);
}

int online_do(struct online *o, const ProtobufCServiceDescriptor *service, const char *method,
              ProtobufCMessage *request)
{
	ProtobufCMessage *reply;
	int st = online_call(o, service, method, request, &reply);

	return st != 0 ? st : online_show(o, reply);
}

/* ---- input ---------------------------------------------------------------------------------- */

int online_request(struct online *o, const char *path, const ProtobufCMessageDescriptor *d, ProtobufCMessage **out)
{
	struct err_note note = {0};
	struct span text;
	json_error_t where;
	json_t *j;
	enum err e;
	int st = online_file(o, path, REQUEST_MAX, &text);

	if (st != 0)
		return st;
	j = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &where);
	if (j == NULL) {
		err_note_set(&note, ERR_FORMAT, NULL, "not JSON: line %d, column %d", where.line, where.column);
		return online_fail(o, ERR_FORMAT, &note, path);
	}
	e = pb_from_json(o->arena, d, j, out, &note);
	json_decref(j);
	return e == ERR_OK ? 0 : online_fail(o, e, &note, path);
}

const char *online_word(struct online *o, const char *arg)
{
	struct span in;
	const uint8_t *end;

	if (strcmp(arg, "-") != 0)
		return arg;
	if (online_file(o, "-", WORD_MAX, &in) != 0)
		return NULL;
	end = in.len != 0 ? memchr(in.ptr, '\n', in.len) : NULL;
	return arena_strndup(o->arena, in.ptr, end != NULL ? (size_t)(end - in.ptr) : in.len);
}
