/*
 * Time stamp tokens: RFC 3161 and GB/T 20520, a SignedData around a TSTInfo. Read as far as verification needs it.
 * NOT checked here: imprint, value, certificate; accuracy, ordering and nonce are left aside; the name of the
 * authority in the TSTInfo is not compared with its certificate.
 */
#ifndef YZ_FORM_TIMESTAMP_H
#define YZ_FORM_TIMESTAMP_H

#include "form/signed_data.h"

struct time_stamp {
	struct signed_data sd; /* exactly one signer, content a TSTInfo */
	const char *policy;    /* dotted */
	const char *imprint_alg;
	struct span imprint;
	struct span serial; /* octets of the INTEGER */
	int64_t time;       /* genTime; parts of a second down to milliseconds */
};

/* A token, or (deviation TS_WHOLE_RESPONSE) the TimeStampResp around one. Critical extensions of the TSTInfo are
 * refused with ERR_VERSION_UNSUPPORTED: none is known here. */
enum err time_stamp_parse(struct arena *a, struct span in, struct deviations *dev, struct time_stamp *out,
                          struct err_note *note) MUST_CHECK;

#endif
