/* One process at a time for a store that is a file: who serves it, or puts a copy in its place. */
#ifndef YZ_STORE_CLAIM_H
#define YZ_STORE_CLAIM_H

#include "store/backup.h"

/* For a store at this path, which need not be there. Symbolic links, relative paths and the like are followed, so that
 * each name of a store is the same one; a second hard link to its file is not found out. Two claims of one process
 * exclude each other, too; a child that is not another program shares its parent's.
 * ERR_STORE_SERVED at once when somebody has it (the note says who, where that is known); ERR_FILE_UNWRITABLE,
 * ERR_STORE_FULL when the file "…-server" beside the store can be neither opened nor made. */
enum err claim_file(const char *where, struct store_claim **out, struct err_note *note) MUST_CHECK;

#endif
