/*
 * pins.h - declared MACs in the switch's table: only what differs from before is touched
 *
 * A declared MAC stays where it is while documents come and go that declare it alike: nobody else can claim it in between, and
 * its frames never flood.  It stays declared while its port is broken, too.
 */
#ifndef OVERLAY_AGENT_PINS_H
#define OVERLAY_AGENT_PINS_H

#include "switch/fdb.h"

#include <stdint.h>

struct pin {
	struct fdb_key key;
	struct fdb_location location;
};

struct pins {
	struct pin *items; /* as they stand in the table, sorted by key */
	uint32_t count;
};

struct pins_change {
	uint32_t added, moved, removed;
	uint32_t refused; /* the table has no room for them; tried again with the next change */
};

/**
 * pins_set() - have @wanted pinned in @fdb and nothing else
 * @wanted:	from malloc(); the module's from now on.  Of several with one key, the local port's stands
 */
struct pins_change pins_set(struct pins *pins, struct fdb *fdb, struct pin *wanted, uint32_t count);

/* Frees the list.  The table keeps what is pinned */
void pins_fini(struct pins *pins);

#endif /* OVERLAY_AGENT_PINS_H */
