/* What systemd is told (sd_notify(3)); nothing happens when it did not start us. */
#ifndef YZ_SERVER_NOTIFY_H
#define YZ_SERVER_NOTIFY_H

#include <stdbool.h>

/* Calls are answered. */
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
/* Still alive: said each time that the health check was made and found nothing (`fault` NULL); a daemon that cannot
 * serve is not kept alive, but said why in its status line. */
void notify_health(const char *fault);

#endif
