/*
 * VerificationService/VerifyStream: many documents on one stream. A stream has at most STREAM_WINDOW documents, or
 * STREAM_BYTES of them, at work or waiting to be sent; only then the next one is read, so that neither a fast sender
 * nor a slow reader makes the service grow. Each document is judged as Verify would; a worker takes a share of those
 * that wait, and verifies what is signed in small ones together (verify/ahead.h). Answers go out as they get ready.
 * What is wrong with one document is said in its answer and the stream goes on; a message that is no request, and a
 * principal who may no longer call, end the stream.
 */
#ifndef YZ_SERVER_VERIFY_STREAM_H
#define YZ_SERVER_VERIFY_STREAM_H

#include "server/rpc.h"

enum {
	STREAMS_MAX = 16, /* open at once; more are ERR_OVERLOADED */
	STREAM_WINDOW = 16,
	STREAM_BYTES = 16 * 1024 * 1024,
	STREAM_SMALL = 256 * 1024, /* larger documents are judged alone */
	STREAM_ID_MAX = 64
};

struct verify_streams;

enum err verify_streams_new(struct verify_streams **out) MUST_CHECK;
/* After the last call and the last job. Accepts NULL. */
void verify_streams_free(struct verify_streams *s);
extern const struct rpc_handler verify_stream_handler;

#endif
