/* The whole operations over MULX, ADCX and ADOX. */
#define SM2_FE_ADX   1
#define SM2_CORE_OPS sm2_core_adx
#include "crypto/sm2_field_inline.h"

#if SM2_HAS_ADX
#include "crypto/sm2_core_body.h"
#endif
