#include "tests/corpus/helpers.h"

void signature_cases(void)
{
}
