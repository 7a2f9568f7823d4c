/*
 * SQLite writes its log in pieces of 24 and 4096 octets, two system calls for each page. Through this they go out
 * together: what is written on end is held until somebody reads, syncs, truncates or asks for the size, or 124 KiB are
 * full.
 *
 *  - Only for a connection with synchronous=FULL: it syncs the log with every commit before anybody else may know of
 *    what was written (the index is changed afterwards), so that nobody looks for octets that are still held.
 *  - A write that fails is told by the call that made it necessary, at the latest by the sync of the commit.
 */
#ifndef YZ_STORE_SQLITE_GATHER_H
#define YZ_STORE_SQLITE_GATHER_H

/* The name of the VFS, made at the first call over the one that is the default then; NULL (which opens with the
 * default) when it cannot be had. */
const char *sqlite_gather(void);

#endif
