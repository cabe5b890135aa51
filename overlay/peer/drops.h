/*
 * drops.h - one number and one name for every way in which weftd loses or refuses something
 *
 * Each module names its own drops (an X-macro list in its header), base/drop_list.h those that are no module's; here they become
 * one array of counters a thread, and one table of names for operators.  What each means is said by cli/drop_help.h.
 */
#ifndef OVERLAY_PEER_DROPS_H
#define OVERLAY_PEER_DROPS_H

#include "base/counter.h"
#include "base/drop_list.h"
#include "crypto/handshake.h"
#include "crypto/replay.h"
#include "encap/fragment.h"
#include "encap/gre.h"
#include "encap/record.h"
#include "packet/coalesce.h"
#include "packet/segment.h"
#include "switch/fdb.h"
#include "switch/forward.h"
#include "tap/port.h"

#define DROP_ONE_MORE(name, text, why) +1
#define DROP_COUNT(list) (0 list(DROP_ONE_MORE))

/* Weftd's own by name; a module's by drop_MODULE(), from the number that follows the last one of the module before */
enum drop {
#define X(name, text, why) DROP_##name,
	OVERLAY_DROPS(X)
#undef X
#define M(module, MODULE) \
	DROP_FIRST_##MODULE, DROP_LAST_##MODULE = DROP_FIRST_##MODULE + DROP_COUNT(MODULE##_DROPS) - 1,
		DROP_MODULES(M)
#undef M
			DROPS
};

/* drop_gre(GRE_DROP_SHORT) and so on: a module's result that is a drop, as one of ours.  Drops are the last of its results */
#define M(module, MODULE)                                                                           \
	static inline enum drop drop_##module(enum module##_result result)                          \
	{                                                                                           \
		return (enum drop)(DROP_LAST_##MODULE + 1 - ((int)MODULE##_RESULTS - (int)result)); \
	}
DROP_MODULES(M)
#undef M

/* Return: the name for operators */
const char *drop_name(enum drop drop);

struct drops {
	struct counter count[DROPS];
};

/* The owning thread only */
static inline void drops_count(struct drops *drops, enum drop drop, uint64_t n)
{
	counter_add(&drops->count[drop], n);
}

#endif /* OVERLAY_PEER_DROPS_H */
