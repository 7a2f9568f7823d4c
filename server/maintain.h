/* What an operator does with the store from the command line: `yinzhengd backup`, `restore`, `check --store`,
 * `rotate-key`. All but restore run beside a serving daemon. */
#ifndef YZ_SERVER_MAINTAIN_H
#define YZ_SERVER_MAINTAIN_H

#include "base/err.h"

/* A copy of the store of one moment, in a new file. */
enum err maintain_backup(const char *config_path, const char *to, struct err_note *note) MUST_CHECK;
/* Such a copy becomes the store; refuses when there is one, or a server that serves it (ERR_STORE_SERVED). Open codes
 * are cancelled, and the audit log tells it. */
enum err maintain_restore(const char *config_path, const char *from, struct err_note *note) MUST_CHECK;
/* Every row of the store; ERR_STORE_CORRUPT when something is wrong, each finding in the log. */
enum err maintain_check(const char *config_path, struct err_note *note) MUST_CHECK;
/* A new master key: the store's keys are wrapped by it and its file is replaced. The one before opens the store until
 * maintain_rotate_finish(). Can be repeated after a stop in the middle. */
enum err maintain_rotate(const char *config_path, struct err_note *note) MUST_CHECK;
enum err maintain_rotate_finish(const char *config_path, struct err_note *note) MUST_CHECK;

#endif
