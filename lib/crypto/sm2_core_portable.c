/* The whole operations in plain C, for every machine. */
#define SM2_FE_ADX   0
#define SM2_CORE_OPS sm2_core_portable
#include "crypto/sm2_core_body.h"
