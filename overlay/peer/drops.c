/*
 * drops.c - see drops.h
 */
#include "overlay/peer/drops.h"

#define TEXT(name, text, why) text,

static const char *const names[DROPS] = {
#define X(name, text, why) [DROP_##name] = (text),
	OVERLAY_DROPS(X)
#undef X
#define M(module, MODULE) [DROP_FIRST_##MODULE] = MODULE##_DROPS(TEXT)
		DROP_MODULES(M)
#undef M
};

const char *drop_name(enum drop drop)
{
	return drop < DROPS ? names[drop] : "?";
}
