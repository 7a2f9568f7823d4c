#include "server/service.h"

struct app *service_app(struct service *s)
{
	pthread_mutex_lock(&s->lock);
	struct app *app = s->app;
	app_ref(app);
	pthread_mutex_unlock(&s->lock);
	return app;
}

void service_change_app(struct service *s, struct app *app)
{
	pthread_mutex_lock(&s->lock);
	struct app *old = s->app;
	s->app = app;
	pthread_mutex_unlock(&s->lock);
	app_unref(old);
}
