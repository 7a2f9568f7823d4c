#include "server/accept.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As in <sys/socket.h>, which declares it with a union that ISO C does not know. */
struct sockaddr;
int accept4(int listener, struct sockaddr *addr, unsigned *len, int flags);

static atomic_int highest = INT_MAX; /* descriptors from here on are not for connections */
static atomic_uint_least64_t shed;

void accept_prepare(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == RLIM_INFINITY)
		return;
	if (r.rlim_cur < ACCEPT_FILES_MAX) {
		r.rlim_cur = r.rlim_max < ACCEPT_FILES_MAX ? r.rlim_max : ACCEPT_FILES_MAX;
		if (setrlimit(RLIMIT_NOFILE, &r) != 0 && getrlimit(RLIMIT_NOFILE, &r) != 0)
			return;
	}
	if (r.rlim_cur > INT_MAX)
		return;
	/* Under a limit this low half must do. */
	atomic_store(&highest, (int)(r.rlim_cur > 2 * ACCEPT_SPARE ? r.rlim_cur - ACCEPT_SPARE : r.rlim_cur / 2));
}

uint64_t accept_shed(void)
{
	return atomic_load(&shed);
}

/* As accept4(2), but for EMFILE and ENFILE. */
int accept4(int listener, struct sockaddr *addr, unsigned *len, int flags)
{
	unsigned room = len != NULL ? *len : 0;

	for (;;) {
		long fd = syscall(SYS_accept4, listener, addr, len, flags);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			errno = EAGAIN; /* asked again at the next connection */
		if (fd < atomic_load(&highest))
			return (int)fd;
		close((int)fd);
		atomic_fetch_add(&shed, 1);
		if (len != NULL)
			*len = room;
	}
}
