/*
 * What every online command shares: the options and the profile that say which server, as whom; filling in request_id
 * and operator; making the call; saying the refusal.
 *
 * Personal data and show-codes are never taken from the command line (others can read it): requests that hold them
 * come as a JSON file or on standard input, codes on standard input or as a picture.
 */
#ifndef YZ_CLI_ONLINE_H
#define YZ_CLI_ONLINE_H

#include "cli/commands.h"
#include "cli/online/client.h"
#include "cli/online/pbjson.h"
#include "cli/opt.h"
#include "cli/term.h"

struct online {
	const char *server, *ca, *cert, *key, *profile, *config; /* options; NULL: from the profile */
	int64_t timeout;                                         /* seconds */
	bool json;
	const char *operator_id, *operator_name, *operator_terminal;
	struct arena *arena;
	struct client_options connection; /* what the client was opened with */
	struct client *client;
};

#define ONLINE_INIT                                                                                                    \
	{                                                                                                                  \
		.timeout = 20                                                                                                  \
	}
#define ONLINE_OPTS(o)                                                                                                 \
	{"server", 0, OPT_TEXT, "HOST:PORT", "the server", &(o).server, 0, 0, false},                                      \
	    {"ca", 0, OPT_TEXT, "FILE", "certificate authority of the server (PEM)", &(o).ca, 0, 0, false},                \
	    {"cert", 0, OPT_TEXT, "FILE", "own certificate (PEM)", &(o).cert, 0, 0, false},                                \
	    {"key", 0, OPT_TEXT, "FILE", "own private key (PEM)", &(o).key, 0, 0, false},                                  \
	    {"profile", 0, OPT_TEXT, "NAME", "section [profile NAME] of the configuration", &(o).profile, 0, 0, false},    \
	    {"config", 0, OPT_TEXT, "FILE", "configuration (~/.config/yinzheng/config.ini)", &(o).config, 0, 0, false},    \
	    {"timeout", 0, OPT_INT, "SECONDS", "of one call (20)", &(o).timeout, 1, 3600, false},                          \
	{                                                                                                                  \
		"json", 0, OPT_FLAG, NULL, "one JSON object per line", &(o).json, 0, 0, false                                  \
	}

/* Reads the profile and opens the connection; prints what is wrong. 0, or the exit status. online_close() in any case.
 */
int online_open(struct online *o);
void online_close(struct online *o);

/* Makes the call: an empty request_id is filled with 16 random bytes, an absent operator from the profile. On refusal
 * prints it and returns the exit status; 0 and *reply otherwise. */
int online_call(struct online *o, const ProtobufCServiceDescriptor *service, const char *method,
                ProtobufCMessage *request, ProtobufCMessage **reply);
/* Prints the reply: JSON, or "name: value" lines. Returns the exit status. */
int online_show(const struct online *o, const ProtobufCMessage *reply);
/* online_call() then online_show(). */
int online_do(struct online *o, const ProtobufCServiceDescriptor *service, const char *method,
              ProtobufCMessage *request);

/* A whole file ("-": standard input) into the arena; prints what is wrong. */
int online_file(struct online *o, const char *path, size_t max, struct span *out);
/* A request from a JSON file. */
int online_request(struct online *o, const char *path, const ProtobufCMessageDescriptor *d, ProtobufCMessage **out);
/* One line from standard input when arg is "-", else arg; NULL after printing what is wrong. */
const char *online_word(struct online *o, const char *arg);
/* Prints a refusal of our own; returns the exit status. */
int online_fail(const struct online *o, enum err e, const struct err_note *note, const char *subject);

/* Parses the options and connects: OPT_GO, or the exit status (after --help, a usage error or a failure, printed). */
int online_run(struct online *o, const struct opt_spec *spec, int argc, char **argv, struct opt_args *args);

/* Option texts become message texts, which protobuf-c holds as char * but never writes to. */
static inline char *text_of(const char *s)
{
	return (char *)(uintptr_t)(s != NULL ? s : "");
}
#define BYTES(s) ((ProtobufCBinaryData){(s).len, (uint8_t *)(uintptr_t)(s).ptr})

/* The commands. */
int seal_sign_document(int argc, char **argv);
int cmd_seal(int argc, char **argv);
int cmd_catalog(int argc, char **argv);
int cmd_licence(int argc, char **argv);
int cmd_code(int argc, char **argv);
int cmd_pull(int argc, char **argv);
int cmd_receipt(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_audit(int argc, char **argv);
int cmd_principal(int argc, char **argv);
int cmd_health(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_status(int argc, char **argv);

#endif
