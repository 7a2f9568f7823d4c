#include "crypto/sm3_many.h"

#include "crypto/cpu.h"

enum { FEW = 2 }; /* below this many messages one after the other is as quick, with every path that was measured */

/* What a message still has to give: blocks straight from its parts, else from its context's buffer. */
struct feed {
	struct sm3_ctx *ctx;
	const struct span *parts;
	size_t n, off; /* parts left; octets of the first one that were given */
	bool ends;     /* padding follows the last part */
	size_t slot;   /* where its digest goes */
	size_t blocks; /* that wait at the lane's at[] */
};

/* The messages of one call: spans, or messages; spans are the next pieces of streams when there are streams. */
struct work {
	const struct span *spans;
	const struct sm3_message *messages;
	struct sm3_ctx *const *streams;
	size_t n, next;
	uint8_t (*out)[SM3_LEN];
};

struct engine {
	struct sm3_lanes s;
	struct feed lane[SM3_LANES_MAX];
	struct sm3_ctx own[SM3_LANES_MAX]; /* of messages that begin and end within the call */
	size_t width, active;              /* lanes 0 .. active - 1 have blocks to compress */
	unsigned paths;
};

/* ---- one message as runs of blocks ---- */

static void take_part(struct feed *f, size_t len)
{
	f->ctx->total += len;
	f->off += len;
	if (f->off == f->parts->len) {
		f->parts++;
		f->n--;
		f->off = 0;
	}
}

/* Octets of the part into the buffer, until it holds a block or the part is over. */
static void gather(struct feed *f)
{
	struct sm3_ctx *c = f->ctx;
	struct span s = span_sub(*f->parts, f->off, SM3_BLOCK - c->held);

	if (s.len != 0)
		memcpy(c->buf + c->held, s.ptr, s.len);
	c->held += (uint32_t)s.len;
	take_part(f, s.len);
}

/* How many blocks are next, and where; 0 when there are no more. They stay there until the next call. */
static size_t next_run(struct feed *f, const uint8_t **at)
{
	struct sm3_ctx *c = f->ctx;

	while (f->n != 0) {
		size_t there = (f->parts->len - f->off) / SM3_BLOCK;

		if (c->held == 0 && there != 0) {
			*at = f->parts->ptr + f->off;
			take_part(f, there * SM3_BLOCK);
			return there;
		}
		gather(f);
		if (c->held == SM3_BLOCK) {
			*at = c->buf;
			c->held = 0;
			return 1;
		}
	}
	if (!f->ends)
		return 0;
	f->ends = false;
	*at = c->buf;
	return sm3_pad(c);
}

/* ---- the messages of a call ---- */

static bool next_message(struct work *w, struct sm3_ctx *own, struct feed *f)
{
	size_t i = w->next;

	if (i == w->n)
		return false;
	w->next++;
	*f = (struct feed){.ctx = own, .slot = i, .ends = w->streams == NULL, .n = 1};
	if (w->spans != NULL)
		f->parts = &w->spans[i];
	else
		f->parts = w->messages[i].parts, f->n = w->messages[i].n;
	if (w->streams != NULL)
		f->ctx = w->streams[i];
	else
		sm3_start(own);
	return true;
}

static void finish(struct work *w, const struct feed *f)
{
	if (w->out != NULL)
		sm3_put(f->ctx->h, w->out[f->slot]);
}

static void one_by_one(struct work *w, struct feed *f)
{
	const uint8_t *at;

	for (size_t n; (n = next_run(f, &at)) != 0;)
		sm3_blocks(f->ctx->h, at, n);
	finish(w, f);
}

/* ---- lanes ---- */

static void put_state(struct engine *e, size_t l)
{
	for (size_t i = 0; i < SM3_WORDS; i++)
		e->s.h[i][l] = e->lane[l].ctx->h[i];
}

static void get_state(const struct engine *e, size_t l)
{
	for (size_t i = 0; i < SM3_WORDS; i++)
		e->lane[l].ctx->h[i] = e->s.h[i][l];
}

/* A message of which at least one block is to be compressed comes into lane l, or none is left. */
static bool begin(struct engine *e, struct work *w, size_t l, struct sm3_ctx *own)
{
	struct feed *f = &e->lane[l];

	while (next_message(w, own, f)) {
		f->blocks = next_run(f, &e->s.at[l]);
		if (f->blocks != 0) {
			put_state(e, l);
			return true;
		}
	}
	return false;
}

/* The own context of a lane wanders with its message when lanes close ranks; so the lane that ends hands on its own. */
static void refill(struct engine *e, struct work *w, size_t l)
{
	struct feed *f = &e->lane[l];
	struct sm3_ctx *own = f->ctx;

	f->blocks = next_run(f, &e->s.at[l]);
	if (f->blocks != 0)
		return;
	get_state(e, l);
	finish(w, f);
	if (begin(e, w, l, own))
		return;
	e->active--;
	if (l == e->active)
		return;
	e->lane[l] = e->lane[e->active];
	e->s.at[l] = e->s.at[e->active];
	for (size_t i = 0; i < SM3_WORDS; i++)
		e->s.h[i][l] = e->s.h[i][e->active];
}

static void compress(struct engine *e, size_t blocks)
{
	/* Lanes without work do somebody else's, and nobody looks at the result. */
	for (size_t l = e->active; l < e->width; l++)
		e->s.at[l] = e->s.at[0];
#if defined(__x86_64__)
	if ((e->paths & CPU_AVX512) != 0 && e->active > 8)
		sm3_lanes16_avx512(&e->s, blocks);
	else if ((e->paths & CPU_AVX512) != 0)
		sm3_lanes8_avx512(&e->s, blocks);
	else if ((e->paths & CPU_AVX2) != 0)
		sm3_lanes8_avx2(&e->s, blocks);
	else
#endif
		sm3_lanes4(&e->s, blocks);
}

static void step(struct engine *e, struct work *w)
{
	size_t blocks = e->lane[0].blocks;

	for (size_t l = 1; l < e->active; l++)
		blocks = e->lane[l].blocks < blocks ? e->lane[l].blocks : blocks;
	compress(e, blocks);
	for (size_t l = e->active; l-- > 0;) {
		e->lane[l].blocks -= blocks;
		if (e->lane[l].blocks == 0)
			refill(e, w, l);
	}
}

static void side_by_side(struct work *w)
{
	struct engine e;

	e.paths = cpu_paths();
	e.width = (e.paths & CPU_AVX512) != 0 ? 16 : (e.paths & CPU_AVX2) != 0 ? 8 : 4;
	for (e.active = 0; e.active < e.width && begin(&e, w, e.active, &e.own[e.active]);)
		e.active++;
	while (e.active >= FEW)
		step(&e, w);
	for (size_t l = 0; l < e.active; l++) {
		get_state(&e, l);
		sm3_blocks(e.lane[l].ctx->h, e.s.at[l], e.lane[l].blocks);
		one_by_one(w, &e.lane[l]);
	}
}

static void run(struct work *w)
{
	struct sm3_ctx own;
	struct feed f;

	if (w->n >= FEW)
		side_by_side(w);
	else if (next_message(w, &own, &f))
		one_by_one(w, &f);
}

void sm3_many(const struct span *in, size_t n, uint8_t (*out)[SM3_LEN])
{
	run(&(struct work){.spans = in, .n = n, .out = out});
}

void sm3_many_parts(const struct sm3_message *in, size_t n, uint8_t (*out)[SM3_LEN])
{
	run(&(struct work){.messages = in, .n = n, .out = out});
}

void sm3_add_many(struct sm3_ctx *const *c, const struct span *piece, size_t n)
{
	run(&(struct work){.spans = piece, .streams = c, .n = n});
}
