/* Whole files, bounded. */
#ifndef YZ_BASE_FILE_H
#define YZ_BASE_FILE_H

#include "base/arena.h"
#include "base/err.h"

/* The file's bytes in the arena. ERR_FILE_UNREADABLE (note says why), ERR_TOO_LARGE past max, ERR_BUDGET.
 * "-" is standard input. Only regular files, pipes and character devices. */
enum err file_read(struct arena *a, const char *path, size_t max, struct span *out, struct err_note *note) MUST_CHECK;
/* Write to a temporary name beside it, fsync, rename. mode as for open(2), e.g. 0600. */
enum err file_write(const char *path, struct span data, unsigned mode, struct err_note *note) MUST_CHECK;

#endif
