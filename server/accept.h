/*
 * How many connections there may be. The C core of gRPC 1.51 knows no such limit, and gives up its listener for good
 * when accept4() fails for want of descriptors: who opens enough connections, without any certificate, would make the
 * daemon deaf until it is restarted. So the daemon has an accept4() of its own, which libgrpc finds before libc's. It
 * closes connections above the limit and never answers EMFILE or ENFILE.
 *
 * Descriptors are given out lowest first: one that is n above the lowest that was free at the start tells that about n
 * connections are open.
 */
#ifndef YZ_SERVER_ACCEPT_H
#define YZ_SERVER_ACCEPT_H

#include <stdbool.h>
#include <stdint.h>

enum { ACCEPT_SPARE = 64 }; /* descriptors kept from connections: for the store, sockets, files */

/* From now on so many connections beside what is open already; fewer when the hard limit of descriptors does not allow
 * them (the soft one is raised). Once, when the listeners are there. The limit that holds. */
unsigned accept_limit(unsigned connections);
/* Connections of this listener are never closed for their number (health socket, metrics); at most 4. */
void accept_exempt(int listener);
/* How many connections were closed so far. */
uint64_t accept_shed(void);
/* Connections open on this local port now; looks at every descriptor. */
unsigned accept_open(int port);

#endif
