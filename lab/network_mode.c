/*
 * network_mode.c - see network_mode.h
 */
#include "lab/network_mode.h"

const char *const network_mode_words[NETWORK_MODES_COUNT] = {
#define X(name, word) word,
	NETWORK_MODES(X)
#undef X
};

const char *const network_pass_words[NETWORK_PASSES_COUNT] = {
#define X(name, word) word,
	NETWORK_PASSES(X)
#undef X
};
