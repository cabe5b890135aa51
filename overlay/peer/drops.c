/*
 * drops.c - see drops.h
 */
#include "overlay/peer/drops.h"

/* clang-format off: it takes each list for the start of an expression */
static const char *const names[DROPS] = {
#define X(name, text) [DROP_##name] = (text),
	OVERLAY_DROPS(X)
#undef X
#define X(name, text) [DROP_FROM_GRE_##name] = (text),
		GRE_DROPS(X)
#undef X
#define X(name, text) [DROP_FROM_RECORD_##name] = (text),
			RECORD_DROPS(X)
#undef X
#define X(name, text) [DROP_FROM_REPLAY_##name] = (text),
				REPLAY_DROPS(X)
#undef X
#define X(name, text) [DROP_FROM_SEGMENT_##name] = (text),
					SEGMENT_DROPS(X)
#undef X
#define X(name, text) [DROP_FROM_COALESCE_##name] = (text),
						COALESCE_DROPS(X)
#undef X
#define X(name, text) [DROP_FROM_FRAGMENT_##name] = (text),
							FRAGMENT_DROPS(X)
#undef X
#define X(name, text) [DROP_FROM_SWITCH_##name] = (text),
								SWITCH_DROPS(X)
#undef X
#define X(name, text) [DROP_FROM_TAP_##name] = (text),
									TAP_DROPS(X)
#undef X
#define X(name, text) [DROP_FROM_HANDSHAKE_##name] = (text),
										HANDSHAKE_DROPS(X)
#undef X
};
/* clang-format on */

const char *drop_name(enum drop drop)
{
	return drop < DROPS ? names[drop] : "?";
}
