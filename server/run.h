/* The daemon at work. */
#ifndef YZ_SERVER_RUN_H
#define YZ_SERVER_RUN_H

#include "base/err.h"

/* Serve until SIGTERM or SIGINT, then stop in order; a second signal ends the process at once. Both signals must be
 * blocked before. */
enum err run_server(const char *config_path, struct err_note *note) MUST_CHECK;
/* All that run_server() opens, and TLS on a free port; nothing is served. */
enum err run_check(const char *config_path, struct err_note *note) MUST_CHECK;

#endif
