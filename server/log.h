/* Log lines in logfmt on stderr: ts=… level=… event=… key=value …. Never personal data, tokens, or contents of
 * requests. Values are cleaned and quoted here, so that no text from outside can start a line of its own. */
#ifndef YZ_SERVER_LOG_H
#define YZ_SERVER_LOG_H

#include "base/err.h"
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_field {
	const char *key;   /* NULL ends the list */
	const char *value; /* NULL: `number` */
	int64_t number;
};

/* Once, at start; LOG_INFO before. */
void log_set_level(enum log_level level);
enum log_level log_level(void);
void log_write(enum log_level level, const char *event, const struct log_field *fields);
#define log_event(level, event, ...) log_write((level), (event), (const struct log_field[]){__VA_ARGS__, {0}})
#define LOG_TEXT(k, v)                                                                                                 \
	{                                                                                                                  \
		(k), (v), 0                                                                                                    \
	}
#define LOG_INT(k, v)                                                                                                  \
	{                                                                                                                  \
		(k), NULL, (int64_t)(v)                                                                                        \
	}
/* An error of ours with its reason, field and sentence. */
void log_error(enum log_level level, const char *event, enum err e, const struct err_note *note);

#endif
