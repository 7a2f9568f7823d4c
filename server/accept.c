#include "server/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As in <sys/socket.h>, which declares these with a union that ISO C does not know. */
struct sockaddr;
int accept4(int listener, struct sockaddr *addr, unsigned *len, int flags);
int getsockname(int fd, struct sockaddr *addr, unsigned *len);
int getpeername(int fd, struct sockaddr *addr, unsigned *len);

enum { EXEMPT_MAX = 4, NAME_MAX_LEN = 128, FAMILY_IPV4 = 2, FAMILY_IPV6 = 10 };

static atomic_int highest = INT_MAX; /* descriptors from here on are not for connections */
static atomic_uint_least64_t shed;
static atomic_int exempt[EXEMPT_MAX]; /* 0: free */

/* Room for so many descriptors, as far as the hard limit allows. */
static int files_max(int wanted)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return wanted;
	if (r.rlim_cur < (rlim_t)wanted) {
		r.rlim_cur = r.rlim_max < (rlim_t)wanted ? r.rlim_max : (rlim_t)wanted;
		if (setrlimit(RLIMIT_NOFILE, &r) != 0 && getrlimit(RLIMIT_NOFILE, &r) != 0)
			return wanted;
	}
	return r.rlim_cur < (rlim_t)wanted ? (int)r.rlim_cur : wanted;
}

unsigned accept_limit(unsigned connections)
{
	int base = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (base < 0)
		return 0;
	close(base);
	int files = files_max(base + (int)connections + ACCEPT_SPARE);
	/* Under a limit this low half must do. */
	int most = files > base + 2 * ACCEPT_SPARE ? files - ACCEPT_SPARE : base + (files - base) / 2;
	if (most > base + (int)connections)
		most = base + (int)connections;
	atomic_store(&highest, most);
	return (unsigned)(most - base);
}

void accept_exempt(int listener)
{
	for (int i = 0; i < EXEMPT_MAX; i++) {
		int none = 0;
		if (atomic_compare_exchange_strong(&exempt[i], &none, listener))
			return;
	}
}

static bool is_exempt(int listener)
{
	for (int i = 0; i < EXEMPT_MAX; i++)
		if (atomic_load(&exempt[i]) == listener)
			return true;
	return false;
}

uint64_t accept_shed(void)
{
	return atomic_load(&shed);
}

/* struct sockaddr_in and struct sockaddr_in6: family, then the port in network order. 0 when it is neither. */
static unsigned port_of(int fd, int (*name)(int, struct sockaddr *, unsigned *))
{
	uint8_t a[NAME_MAX_LEN] __attribute__((aligned(8))) = {0};
	unsigned len = sizeof(a);
	uint16_t family;

	if (name(fd, (struct sockaddr *)a, &len) != 0)
		return 0;
	memcpy(&family, a, sizeof(family));
	return family == FAMILY_IPV4 || family == FAMILY_IPV6 ? (unsigned)a[2] << 8 | a[3] : 0;
}

unsigned accept_open(int port)
{
	int end = atomic_load(&highest);
	unsigned n = 0;

	for (int fd = 3; port > 0 && end != INT_MAX && fd < end; fd++)
		n += port_of(fd, getsockname) == (unsigned)port && port_of(fd, getpeername) != 0;
	return n;
}

/* As accept4(2), but for EMFILE and ENFILE. */
int accept4(int listener, struct sockaddr *addr, unsigned *len, int flags)
{
	unsigned room = len != NULL ? *len : 0;

	for (;;) {
		long fd = syscall(SYS_accept4, listener, addr, len, flags);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			errno = EAGAIN; /* asked again at the next connection */
		if (fd < atomic_load(&highest) || is_exempt(listener))
			return (int)fd;
		close((int)fd);
		atomic_fetch_add(&shed, 1);
		if (len != NULL)
			*len = room;
	}
}
