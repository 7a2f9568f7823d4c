/* Request messages: the first byte chooses the method's row, the rest goes the way of a received request up to the
 * desk, within a small budget; also the reflection's requests. */
#include "server/dispatch.h"
#include "server/reflect.h"

enum { FUZZ_BUDGET = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct desk_call call = {.arena = arena_new(FUZZ_BUDGET)};
	struct span response;

	if (call.arena != NULL && size != 0) {
		const struct method *m = &methods[data[0] % methods_count];
		struct span request = span_of(data + 1, size - 1);
		enum err e =
		    m->use != NULL ? dispatch_decode(m, &call, request) : reflect_answer(call.arena, request, &response);
		if (e == ERR_OK && m->use != NULL && call.req == NULL)
			__builtin_trap(); /* a decoded request is never absent */
	}
	arena_free(call.arena);
	return 0;
}
