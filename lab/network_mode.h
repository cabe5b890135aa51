/*
 * network_mode.h - what kind of segment a network is, and which control protocols a switch lets through
 *
 * The words of a lab file and the values that a switch decides by, from one table each.
 */
#ifndef LAB_NETWORK_MODE_H
#define LAB_NETWORK_MODE_H

#include <stdbool.h>

/* name, word */
#define NETWORK_MODES(X)                                                                          \
	X(SWITCH, "switch") /* learns, knows VLANs, keeps 802.1Q's rule for reserved addresses */ \
	X(HUB, "hub")       /* floods every frame, learns nothing */                              \
	X(WIRE, "wire")     /* two ends, every frame passes to the other */

enum network_mode {
#define X(name, word) NETWORK_##name,
	NETWORK_MODES(X)
#undef X
		NETWORK_MODES_COUNT
};

/* Reserved addresses (IEEE 802.1Q 8.6.3, table 8-1) that a NETWORK_SWITCH passes all the same: name, word */
#define NETWORK_PASSES(X)                           \
	X(STP, "stp")     /* 01-80-C2-00-00-00 */   \
	X(PAUSE, "pause") /* -01 */                 \
	X(LACP, "lacp")   /* -02, slow protocols */ \
	X(LLDP, "lldp")   /* -0E */                 \
	X(OTHER, "other") /* -03 to -0D and -0F: 802.1X and so on */

enum network_pass_index {
#define X(name, word) NETWORK_PASS_INDEX_##name,
	NETWORK_PASSES(X)
#undef X
		NETWORK_PASSES_COUNT
};

/* As bits of a set */
enum network_pass {
#define X(name, word) NETWORK_PASS_##name = 1U << NETWORK_PASS_INDEX_##name,
	NETWORK_PASSES(X)
#undef X
};

/* By enum network_mode, and by enum network_pass_index */
extern const char *const network_mode_words[NETWORK_MODES_COUNT];
extern const char *const network_pass_words[NETWORK_PASSES_COUNT];

#endif /* LAB_NETWORK_MODE_H */
