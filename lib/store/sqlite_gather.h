/*
 * SQLite writes its log in pieces of 24 and 4096 octets, two system calls for each page. Through this they go out
 * together: what is written on end is held until somebody reads, syncs, truncates or asks for the size, or 124 KiB are
 * full.
 *
 *  - Only for a connection with synchronous=FULL and cache_spill=OFF. Then the log is written by COMMIT alone, which
 *    syncs it before the index tells anybody of what was added, and before the lock for writing is given back: nobody
 *    looks for octets that are still held. Without the second, frames of a transaction that was rolled back would go
 *    out later, over what another process has committed there meanwhile.
 *  - A write that fails is told by the call that made it necessary, at the latest by the sync of the commit.
 */
#ifndef YZ_STORE_SQLITE_GATHER_H
#define YZ_STORE_SQLITE_GATHER_H

/* The name of the VFS, made at the first call over the one that is the default then; NULL (which opens with the
 * default) when it cannot be had. */
const char *sqlite_gather(void);

#endif
