/* Signals of the daemon: a thread of its own waits for them, so that they count from the very first moment on. */
#ifndef YZ_SERVER_SIGNALS_H
#define YZ_SERVER_SIGNALS_H

#include "base/err.h"
#include <stdbool.h>

struct signals;

enum signal_wish { WISH_RELOAD, WISH_STOP };

/* SIGTERM, SIGINT and SIGHUP must be blocked before, in all threads. A second SIGTERM or SIGINT ends the process at
 * once (exit status 70), whatever the others do. The thread runs until the process ends. */
enum err signals_start(struct signals **out) MUST_CHECK;
/* Wait for the next wish; SIGTERM and SIGINT are WISH_STOP, which then stands for ever. */
enum signal_wish signals_wait(struct signals *s);
/* Was the end wished for? */
bool signals_stopping(struct signals *s);

#endif
