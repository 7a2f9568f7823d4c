#include "server/notify.h"

#include "base/clock.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

void notify_ready(void)
{
	sd_notify(0, "READY=1\nSTATUS=Serving.");
}

void notify_reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_monotonic_ms() * 1000);
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=Stopping.");
}

void notify_health(const char *fault)
{
	if (fault == NULL)
		sd_notify(0, "WATCHDOG=1\nSTATUS=Serving.");
	else
		sd_notifyf(0, "STATUS=Not serving: %s", fault);
}
