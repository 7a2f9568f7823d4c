#include "crypto/sm2_batch.h"

#include "crypto/sm2_cache.h"
#include "crypto/sm2_key.h"
#include "crypto/sm2_tree.h"
#include "crypto/sm3_many.h"

#include <stdlib.h>

_Static_assert((int)SM2_BATCH_BLOCK == (int)SM2_TREE_JOBS, "a block of jobs is a block of sums");

/* What is worked out of one job that is not yet answered. */
struct open_job {
	struct sm2_job *job;
	const struct sm2_table *table; /* NULL: none */
	bool taken;                    /* from the cache */
	struct sm2_value value;
	uint8_t e[SM2_DIGEST];
};

struct block {
	struct sm2_means by;
	const struct sm2_tree *tree;
	size_t n, n_sums;
	struct open_job open[SM2_BATCH_BLOCK];
	struct sm2_sum sums[SM2_BATCH_BLOCK];
	struct open_job *summed[SM2_BATCH_BLOCK]; /* whose sums they are */
	struct sm2_lanes lanes;                   /* of signers without a table */
	struct open_job *laned[SM2_LANES];
	struct sm3_message messages[SM2_BATCH_BLOCK];
	struct span parts[SM2_BATCH_BLOCK][2]; /* of the messages */
	struct open_job *hashed[SM2_BATCH_BLOCK];
	uint8_t digests[SM2_BATCH_BLOCK][SM3_LEN];
	_Alignas(SM2_TREE_ALIGN) uint8_t room[]; /* the tree's */
};

static enum err verdict(bool good)
{
	return good ? ERR_OK : ERR_SIGNATURE_BAD;
}

/* ---- values and digests ---------------------------------------------------------------------- */

static void open_jobs(struct block *b, struct sm2_job *jobs, size_t n)
{
	b->n = 0;
	for (size_t i = 0; i < n; i++) {
		struct open_job *o = &b->open[b->n];

		*o = (struct open_job){.job = &jobs[i]};
		jobs[i].verdict = verdict(sm2_value_read(jobs[i].sig, &o->value) == ERR_OK);
		if (jobs[i].verdict == ERR_OK)
			b->n++;
	}
}

/* Z of other identities than the default one is not at hand: such messages are hashed alone. */
static void digest_alone(struct open_job *o)
{
	o->job->verdict = sm2_digest(o->job->key, o->job->id, o->job->msg, o->e);
}

static void make_digests(struct block *b)
{
	size_t m = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct open_job *o = &b->open[i];
		const struct sm2_job *job = o->job;

		if (job->digest != NULL) {
			memcpy(o->e, job->digest, SM2_DIGEST);
		} else if (!span_eq(job->id, sm2_default_id())) {
			digest_alone(o);
		} else {
			b->parts[m][0] = span_of(sm2_key_z(job->key), SM3_LEN);
			b->parts[m][1] = job->msg;
			b->messages[m] = (struct sm3_message){b->parts[m], 2};
			b->hashed[m++] = o;
		}
	}
	sm3_many_parts(b->messages, m, b->digests);
	for (size_t i = 0; i < m; i++)
		memcpy(b->hashed[i]->e, b->digests[i], SM2_DIGEST);
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static void verify_alone(struct open_job *o)
{
	const struct sm2_affine *key = sm2_key_at(o->job->key);

	if (o->table != NULL)
		o->job->verdict = verdict(sm2_core_verify_known(o->table, o->e, o->value.r, o->value.s));
	else
		o->job->verdict = verdict(sm2_core_verify_unknown(key, o->e, o->value.r, o->value.s));
}

/* How many jobs have a table. */
static size_t find_tables(struct block *b)
{
	size_t with = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct open_job *o = &b->open[i];

		if (o->job->verdict != ERR_OK)
			continue;
		o->table = sm2_key_table(o->job->key);
		if (o->table == NULL && b->by.tables != NULL) {
			o->table = sm2_cache_take(b->by.tables, sm2_key_at(o->job->key));
			o->taken = o->table != NULL;
		}
		with += o->table != NULL;
	}
	return with;
}

static void give_tables(struct block *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->open[i].taken)
			sm2_cache_give(b->open[i].table);
}

static void add_sum(struct block *b, struct open_job *o)
{
	struct sm2_sum *s = &b->sums[b->n_sums];

	s->key = o->table;
	o->job->verdict = verdict(sm2_core_claim(&s->claim, o->e, o->value.r, o->value.s));
	if (o->job->verdict == ERR_OK)
		b->summed[b->n_sums++] = o;
}

static bool is_claimed(const struct sm2_sum *s)
{
	for (unsigned i = 0; i < s->claim.candidates; i++)
		if (sm2_fe_equal_mask(&s->x, &s->claim.x[i]) != 0)
			return true;
	return false;
}

static void judge_sums(struct block *b)
{
	if (b->n_sums != 0)
		b->tree->sum(b->sums, b->n_sums, b->room);
	for (size_t i = 0; i < b->n_sums; i++) {
		const struct sm2_sum *s = &b->sums[i];
		bool good = s->irregular ? sm2_core_verify_claim(s->key, &s->claim) : is_claimed(s);

		b->summed[i]->job->verdict = verdict(good);
	}
}

/* What waits for the lanes is judged; where it is too little, alone. */
static void judge_lanes(struct block *b)
{
	struct sm2_lanes *l = &b->lanes;

	if (l->n >= SM2_LANES_LEAST)
		sm2_core_verify_lanes(l);
	else
		l->open = (1U << l->n) - 1;
	for (size_t i = 0; i < l->n; i++) {
		if ((l->open >> i & 1) != 0)
			verify_alone(b->laned[i]);
		else
			b->laned[i]->job->verdict = verdict((l->good >> i & 1) != 0);
	}
	l->n = 0;
}

static void add_lane(struct block *b, struct open_job *o)
{
	struct sm2_lanes *l = &b->lanes;

	l->key[l->n] = sm2_key_at(o->job->key);
	o->job->verdict = verdict(sm2_core_claim(&l->claim[l->n], o->e, o->value.r, o->value.s));
	if (o->job->verdict != ERR_OK)
		return;
	b->laned[l->n++] = o;
	if (l->n == SM2_LANES)
		judge_lanes(b);
}

static void run_block(struct block *b, struct sm2_job *jobs, size_t n)
{
	bool together, lanes = sm2_core_has_lanes();

	open_jobs(b, jobs, n);
	make_digests(b);
	together = find_tables(b) >= b->tree->least;
	b->n_sums = 0;
	b->lanes.n = 0;
	for (size_t i = 0; i < b->n; i++) {
		struct open_job *o = &b->open[i];

		if (o->job->verdict != ERR_OK)
			continue;
		if (together && o->table != NULL)
			add_sum(b, o);
		else if (lanes && o->table == NULL)
			add_lane(b, o);
		else
			verify_alone(o);
	}
	judge_sums(b);
	judge_lanes(b);
	give_tables(b);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static enum err verify_one(struct sm2_means by, const struct sm2_job *job)
{
	if (job->digest != NULL)
		return sm2_verify_digest_by(by, job->key, job->digest, job->sig);
	return sm2_verify_by(by, job->key, job->id, job->msg, job->sig);
}

static struct block *block_new(struct sm2_means by, size_t n)
{
	const struct sm2_tree *tree = sm2_tree_best();
	size_t size = sizeof(struct block) + tree->room(n < SM2_BATCH_BLOCK ? n : SM2_BATCH_BLOCK);
	struct block *b = aligned_alloc(SM2_TREE_ALIGN, (size + SM2_TREE_ALIGN - 1) / SM2_TREE_ALIGN * SM2_TREE_ALIGN);

	if (b != NULL) {
		b->by = by;
		b->tree = tree;
	}
	return b;
}

void sm2_verify_batch(struct sm2_means by, struct sm2_job *jobs, size_t n)
{
	struct block *b = by.backend == SM2_OWN && n > 1 ? block_new(by, n) : NULL;

	for (size_t i = 0; b == NULL && i < n; i++)
		jobs[i].verdict = verify_one(by, &jobs[i]);
	for (size_t i = 0; b != NULL && i < n; i += SM2_BATCH_BLOCK)
		run_block(b, jobs + i, n - i < SM2_BATCH_BLOCK ? n - i : SM2_BATCH_BLOCK);
	free(b);
}

/* ---- answers for later ------------------------------------------------------------------------ */

static bool is_job(const struct sm2_job *j, const struct sm2_key *k, struct span id, struct span msg)
{
	return j->digest == NULL && span_eq(sm2_key_point(j->key), sm2_key_point(k)) && span_eq(j->id, id) &&
	       span_eq(j->msg, msg);
}

bool sm2_ahead_knows(const struct sm2_ahead *a, const struct sm2_key *k, struct span id, struct span msg,
                     struct span sig, enum err *out)
{
	for (size_t i = 0; a != NULL && i < a->n; i++) {
		const struct sm2_job *j = &a->jobs[i];

		if (span_eq(j->sig, sig) && is_job(j, k, id, msg)) {
			*out = j->verdict;
			return true;
		}
	}
	return false;
}
