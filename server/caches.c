#include "server/caches.h"

#include "server/peers.h"

size_t caches_read(struct service *s, struct cache_figures *out)
{
	static const struct {
		const char *name;
		enum memo_kind kind;
	} kinds[] = {{"seal", MEMO_SEAL}, {"chain", MEMO_CHAIN}, {"licence", MEMO_LICENCE}, {"certificate", MEMO_CERT}};
	struct desk_cache_figures f;
	struct store_figures st;
	struct peers_figures p;
	size_t n = 0;

	desk_caches_figures(s->caches, &f);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		out[n++] = (struct cache_figures){kinds[i].name, f.memo.hits[kinds[i].kind], f.memo.misses[kinds[i].kind]};
	out[n++] = (struct cache_figures){"read_seal", f.seals.hits, f.seals.misses};
	out[n++] = (struct cache_figures){"signer_table", f.tables.hits, f.tables.misses};
	out[n++] = (struct cache_figures){"read_before", f.kept.hits, f.kept.misses};
	out[n++] = (struct cache_figures){"judged_licence", f.licences.hits, f.licences.misses};
	out[n++] = (struct cache_figures){"issued_code", f.codes.hits, f.codes.misses};
	store_figures(s->store, &st);
	out[n++] = (struct cache_figures){"identifier", st.identifiers.hits, st.identifiers.misses};
	peers_figures(s->peers, &p);
	out[n++] = (struct cache_figures){"peers", p.hits, p.misses};
	return n;
}

size_t cache_rooms_read(struct service *s, struct cache_room *out)
{
	struct desk_cache_figures f;
	struct store_figures st;
	struct peers_figures p;
	size_t n = 0;

	desk_caches_figures(s->caches, &f);
	store_figures(s->store, &st);
	peers_figures(s->peers, &p);
	out[n++] = (struct cache_room){"memo", f.memo.bytes, f.memo.limit};
	out[n++] = (struct cache_room){"read_seal", f.seals.bytes, f.seals.limit};
	out[n++] = (struct cache_room){"signer_table", f.tables.bytes, f.tables.limit};
	out[n++] = (struct cache_room){"read_before", f.kept.bytes, f.kept.limit};
	out[n++] = (struct cache_room){"judged_licence", f.licences.bytes, f.licences.limit};
	out[n++] = (struct cache_room){"issued_code", f.codes.bytes, f.codes.limit};
	out[n++] = (struct cache_room){"identifier", st.identifiers.bytes, st.identifiers.limit};
	out[n++] = (struct cache_room){"peers", p.bytes, 0};
	return n;
}
