/* Private to the room: what making and keeping seals share. */
#ifndef YZ_DESK_SEAL_H
#define YZ_DESK_SEAL_H

#include "desk/internal.h"

enum { SEAL_ID_MAX = 64 };

#endif
