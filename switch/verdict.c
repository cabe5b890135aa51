/*
 * verdict.c - see verdict.h
 */
#include "switch/verdict.h"

const char *switch_result_name(enum switch_result result)
{
	switch (result) {
	case SWITCH_OK:
		return "ok";
#define X(name, text)            \
	case SWITCH_DROP_##name: \
		return text;
		SWITCH_DROPS(X)
#undef X
	case SWITCH_RESULTS:
		break;
	}
	return "?";
}
