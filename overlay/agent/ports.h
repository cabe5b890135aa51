/*
 * ports.h - this host's ports, as its document wants them and as they are
 *
 * A table: by the controller's number, and by slot, which is what networks and the MAC table call a port.  It opens and
 * closes nothing: core.h has the states that a port goes through, and apply.c drives them.  Ports that are not open are in a
 * list of their own, so that looking after them costs nothing for those that are.
 *
 * A slot is held by its port, and by each device of it that workers may still use or that is being closed; it is another
 * port's once nobody holds it.  Limit: PORTS_MAX slots.  Memory grows with the ports that there are.
 */
#ifndef OVERLAY_AGENT_PORTS_H
#define OVERLAY_AGENT_PORTS_H

#include "base/clock.h"
#include "base/error.h"
#include "base/timers.h"
#include "lab/lab_port.h"
#include "overlay/datapath/forwarding.h"
#include "switch/fdb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * name, word: what a port is, in the words of `weft status`
 *
 * WAITING, for what leaves and has its device.  ERROR, it could not be opened, or was lost.  STARTING, open, and not yet in force.
 * UP, DOWN and LIMITED as tap/health.h has them.  All but UP, STARTING and WAITING have an error.
 */
#define PORT_STATES(X)          \
	X(WAITING, "waiting")   \
	X(ERROR, "error")       \
	X(STARTING, "starting") \
	X(UP, "up")             \
	X(LIMITED, "limited")   \
	X(DOWN, "down")

enum port_state {
#define X(name, word) PORT_##name,
	PORT_STATES(X)
#undef X
		PORT_STATES_COUNT
};

struct port {
	struct lab_port wanted; /* without its addresses, which are the document's */
	uint32_t mtu_bytes;     /* of its network */
	uint32_t slot;
	uint64_t seen;          /* the caller's: which document wanted it last */
	struct vport *open;     /* what workers have of it; NULL: it is idle */
	enum tap_health health; /* while it is open: what it can do now */
	struct error error;     /* why it is idle or not as it should be; "": waits, or is well */
	struct instant error_since;
	struct fdb_key declared;       /* speaks behind it and is declared elsewhere, */
	struct instant declared_until; /* as far as is known; 0: nothing does */
	uint32_t failures;             /* in a row */
	struct timer retry;            /* the caller's */
	struct port *next_of_bucket;
	struct port *idle_before, *idle_after; /* in the list of those that are not open */
};

struct ports {
	struct port **buckets; /* by id; a power of two of them */
	uint32_t buckets_count;
	uint32_t count;
	struct port *idle;
	struct port **slots; /* NULL where a slot has no port */
	uint32_t *holders;   /* of each slot */
	uint32_t slots_count;
	uint32_t free_hint; /* no slot below is free */
};

/* All zeros is an empty table */
void ports_fini(struct ports *ports);

static inline struct port *port_of_timer(struct timer *timer)
{
	return (struct port *)((char *)timer - offsetof(struct port, retry));
}

/* @in_force: what the workers forward by, NULL: nothing yet.  Nobody else judges what a port is */
enum port_state port_state(const struct port *port, const struct forwarding *in_force);
const char *port_state_name(enum port_state state);

/* Return: NULL where there is none */
struct port *ports_lookup(const struct ports *ports, uint32_t id);
struct port *ports_at(const struct ports *ports, uint32_t slot);

/* A port that is idle, with a copy of @wanted, whose id is new.  Return: NULL with PORTS_MAX slots in use, or without memory */
struct port *ports_add(struct ports *ports, const struct lab_port *wanted, uint32_t mtu_bytes);

/* Take over what is wanted of @port now: the same port as before, in the same network */
void ports_want(struct port *port, const struct lab_port *wanted);

/* @port is idle, and freed */
void ports_remove(struct ports *ports, struct port *port);

/* @port is open as @open from now on, which holds its slot until ports_release() */
void ports_opened(struct ports *ports, struct port *port, struct vport *open);

/* Return: what @port was open as, the caller's; the port is idle */
struct vport *ports_idle(struct ports *ports, struct port *port);

/* What held @slot is gone.  Return: whether nobody holds it any more */
bool ports_release(struct ports *ports, uint32_t slot);

#endif /* OVERLAY_AGENT_PORTS_H */
