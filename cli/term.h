/* What the commands say, to people and to programs, and how they end. */
#ifndef YZ_CLI_TERM_H
#define YZ_CLI_TERM_H

#include <jansson.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"

/* Exit statuses (sysexits.h, and those of `verify`). */
enum {
	EXIT_OK = 0,
	EXIT_VERIFY_FAILED = 1,
	EXIT_VERIFY_INDETERMINATE = 2,
	EXIT_VERIFY_UNSIGNED = 3,
	EXIT_USAGE = 64,
	EXIT_DATA = 65,
	EXIT_NO_INPUT = 66,
	EXIT_NO_SERVER = 69,
	EXIT_INTERNAL = 70,
	EXIT_NO_OUTPUT = 73,
	EXIT_TRY_LATER = 75,
	EXIT_REFUSED = 77
};

/* The one place where a reason becomes an exit status. */
int term_exit(enum err e);
/* The same for a refusal whose reason is only known by name, as a server sends it; EXIT_REFUSED for unknown names. */
int term_exit_reason(const char *reason);

bool term_is_tty(FILE *f);
/* A terminal that takes colours: NO_COLOR is not set and TERM is not "dumb". */
bool term_colour(FILE *f);

/* Columns that UTF-8 text takes: East Asian wide characters 2, combining marks 0. */
size_t term_width(const char *s);
/* Text of unknown origin made fit for a terminal: control characters, bidirectional overrides and bytes that are not
 * UTF-8 become \xNN, byte by byte. Never NULL. */
const char *term_safe(struct arena *a, struct span s);

/* One compact line on stdout, at once; takes the reference. ERR_NO_MEMORY when line is NULL, ERR_FILE_UNWRITABLE. */
enum err term_json(json_t *line) MUST_CHECK;
/* Flush stdout and say whether all was written: ERR_FILE_UNWRITABLE, e.g. on a full disk or a closed pipe. */
enum err term_flush(void) MUST_CHECK;

/* A refusal: people get "yinzheng: CODE: sentence" on stderr, programs {"error":{"reason","field","help"}} on stdout.
 * Returns term_exit(e). note may be NULL or empty. subject: the file or argument it is about, or NULL. */
int term_error(bool json, enum err e, const struct err_note *note, const char *subject);
/* {"reason","field","help"} as it stands behind "error"; field may be NULL or "", which gives null. NULL: no memory. */
json_t *term_error_json(const char *reason, const char *field, const char *help);
/* The same from its parts, for reasons that a server names. field may be NULL or "". */
void term_refusal(bool json, const char *reason, const char *field, const char *help, const char *subject);
/* The same with the server's word when to come back ("Try again in 0.3 s."; "retry_after_ms"); 0: none. */
void term_refusal_hint(bool json, const char *reason, const char *field, const char *help, const char *subject,
                       unsigned retry_ms);

#endif
