/* INI files through libinih, bounded, with the line at fault: `[section]`, `key = value`, comments with ; and #. */
#ifndef YZ_BASE_INI_H
#define YZ_BASE_INI_H

#include "base/err.h"
#include "base/span.h"

enum { INI_LINE_MAX = 190 };

struct ini_line {
	const char *section, *key, *value; /* value: clean text without outer blanks, may be "" */
	int number;                        /* from 1 */
};

/* One line. What it returns other than ERR_OK ends the reading. A note without text gets the place alone. */
typedef enum err ini_taker(void *arg, const struct ini_line *line, struct err_note *note);

/* Reads text line by line. `path` names the file in notes: every note reads "path:line: what is wrong".
 * ERR_CONFIG_INVALID for lines that are too long, hold a NUL or control characters, or are no INI; else the taker's. */
enum err ini_read(const char *path, struct span text, ini_taker *take, void *arg, struct err_note *note) MUST_CHECK;

#endif
