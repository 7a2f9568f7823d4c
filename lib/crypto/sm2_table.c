#include "crypto/sm2_table.h"

#include <pthread.h>

#include "crypto/sm2_core_ops.h"

void sm2_table_build(struct sm2_table *out, const struct sm2_affine *p)
{
	sm2_core_ops()->table_build(out, p);
}

/* Written once, before anybody has seen it. */
static struct sm2_table base_point;

static void build_base(void)
{
	sm2_table_build(&base_point, &sm2_g);
}

const struct sm2_table *sm2_table_base(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, build_base); /* fails for no valid control object */
	return &base_point;
}
