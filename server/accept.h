/*
 * The C core of gRPC 1.51 gives up its listener for good when accept4() fails for want of descriptors: who opens enough
 * connections, without any certificate, would make the daemon deaf until it is restarted. So the daemon has an
 * accept4() of its own, which libgrpc finds before libc's. It closes connections that would take the last descriptors
 * (the store, the health socket and files need some), and never answers EMFILE or ENFILE.
 */
#ifndef YZ_SERVER_ACCEPT_H
#define YZ_SERVER_ACCEPT_H

#include <stdint.h>

enum { ACCEPT_SPARE = 64, ACCEPT_FILES_MAX = 4096 };

/* Raises the soft limit of descriptors as far as the hard one allows, to at most ACCEPT_FILES_MAX; ACCEPT_SPARE of them
 * are kept from connections from now on. Once, before any thread. */
void accept_prepare(void);
/* How many connections were closed so far. */
uint64_t accept_shed(void);

#endif
