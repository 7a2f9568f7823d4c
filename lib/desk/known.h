/*
 * Licences of the local store that were judged a moment ago: one that is shown is read and judged for the wallet's
 * preview, again for the code, again for the window that takes its data. What is kept is what a row said, the report on
 * it, and the record, opened; not its bytes.
 *
 *  - Only what was found genuine is kept, for the desk whose trust judged it, and it stands in for judging anew exactly
 *    as long as that would say the same (verify_licence_until()). State and validity are judged with every use.
 *  - It stands for one version of one row. Whoever has just read the row compares its version. Whoever has not may use
 *    what is known only while the store's epochs say that nothing was changed, else the version is asked for first; and
 *    every use asks for it again in its commit (judged_same()), so what is known never outlives a change of state.
 *  - What is kept is at most PERSONAL_KEPT_MS old, in bounded memory, and wiped when it goes: these are personal data.
 *
 * A row that was damaged or tampered with under its unchanged version, past the store's back, is told when it is read
 * again, at the latest after that time; until then what is handed out is what was proved genuine. "yinzhengd check"
 * reads every row itself.
 */
#ifndef YZ_DESK_KNOWN_H
#define YZ_DESK_KNOWN_H

#include "desk/flow.h"

struct known_licence {
	struct licence_row row; /* without record and signature */
	uint64_t seal_version;
	enum seal_state seal_then;
	const struct report *report; /* TOTAL_PASSED; its licence is the record */
	int64_t until;               /* from report->judged_at up to here judging anew would say the same */
	_Atomic uint64_t epoch;      /* known_epoch() where the row was last seen to be this one */
};

/* Of what is read in this transaction. */
uint64_t known_epoch(const struct desk_call *call, const struct store_tx *tx);
/* NULL: not known, or not at this time. Valid as long as the call's arena. */
const struct known_licence *known_find(struct desk_call *call, const char *id, int64_t now);
/* Nothing can have changed since the row was last seen, as far as this process can know. */
bool known_is_current(const struct known_licence *k, uint64_t epoch);
/* The row was seen to be this one under `epoch`. */
void known_seen(const struct known_licence *k, uint64_t epoch);
/* f was judged: r passed, the record is that of the row, nothing speaks against its seal. Losing it is no error. */
void known_keep(struct desk_call *call, const struct fetched *f, const struct report *r);

/* A holder's rows at the local store, all of them, newest first. They are kept under known_epoch(), like what kept.h
 * keeps: another server's change of state is known within a second. Only for what asks for the versions again in its
 * commit, and after their number was compared, since new licences change no epoch; or where only chosen ones matter. */
struct known_rows {
	size_t n;
	struct licence_row *rows; /* without record and signature */
};
const struct known_rows *known_rows_find(struct desk_call *call, const struct holder_key *h, uint64_t epoch);
/* `rows` were read under `epoch`; no row is not kept: anybody can ask for holders who have none. Losing them is no
 * error. */
void known_rows_keep(struct desk_call *call, const struct holder_key *h, uint64_t epoch, const struct known_rows *rows);

#endif
