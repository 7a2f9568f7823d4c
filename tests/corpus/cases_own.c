#include "tests/corpus/helpers.h"

void own_cases(void)
{
}
