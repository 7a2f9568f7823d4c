/*
 * What may be known of a secret. `make ct` runs signing under valgrind with key and nonce marked as undefined, so that
 * every branch and every index that hangs on them is found; ct_public() says where such a value ends its life as a
 * secret. In every other build it is nothing at all.
 */
#ifndef YZ_CRYPTO_CT_H
#define YZ_CRYPTO_CT_H

#ifdef YZ_CT_CHECK
#include <valgrind/memcheck.h>
#define ct_public(at, len) ((void)VALGRIND_MAKE_MEM_DEFINED((at), (len)))
#else
#define ct_public(at, len) ((void)(at), (void)(len))
#endif

#endif
