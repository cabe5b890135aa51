/*
 * handover.h - the open ports of a weftd that stops, for the one that is started next
 *
 * Theory of operation.  A packet socket takes the kernel 30 ms to close and a TAP more, and a TAP that goes takes its bridge's
 * memory with it: a host of 500 ports would be away for seconds.  So who is restarted gives what it has open into a bag, and
 * the bag to the service manager, or to a keeper (keeper.h), which gives it to the next one:
 *
 *	stop	workers end -> handover_give(): bag -> service manager (base/supervisor.h, FDSTORE) -> exit
 *	start	handover_take(): bag <- service manager -> handover_unpack() -> a port that is opened takes what it wants (tap/kept.h)
 *		-> what nobody wanted after a while is closed beside the control thread
 *
 * The bag is one end of a socket pair in whose queue the descriptors lie, a message for each port with what it was opened for.
 * So it is one descriptor to the service manager, however many are in it, and an unread bag is closed as a whole.  What was
 * in the ports' queues meanwhile goes on where that was short, and is thrown away and counted as missed where not.
 *
 * Threads: the control thread.
 */
#ifndef OVERLAY_AGENT_HANDOVER_H
#define OVERLAY_AGENT_HANDOVER_H

#include "base/clock.h"
#include "lab/limits.h"
#include "tap/kept.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HANDOVER_PORTS_MAX PORTS_MAX
#define HANDOVER_STALE_MS 1000U /* older frames are of no use to their receivers */
#define HANDOVER_MESSAGE_BYTES 512U

struct handover {
	struct tap_kept kept[HANDOVER_PORTS_MAX];
	uint32_t count;
};

/* ---- the bag ----------------------------------------------------------------------------------------------- */

/*
 * Return: the end to be read, with @count ports in it that stopped at @now; -1 where there is no room for all.  @witness: out,
 * the other end, which hangs up once nobody has the bag any more.  Both are the caller's
 */
int handover_pack(const struct tap_kept kept[], uint32_t count, struct instant now, int *witness);

/* Everything in @bag, which the caller closes, into @out; what is not understood is closed */
void handover_unpack(int bag, struct instant now, struct handover *out);

/* One message's text.  Return: 0, or -EINVAL: not one of a port */
int handover_port_encode(const struct tap_kept *kept, char out[HANDOVER_MESSAGE_BYTES])
	__attribute__((warn_unused_result));
int handover_port_decode(const char *text, size_t len_bytes, struct tap_kept *out) __attribute__((warn_unused_result));

/* One bag from @to's other end to it.  Both ends are sockets that keep messages apart.  Return: whether it went, or came */
bool handover_send(int to, int bag) __attribute__((warn_unused_result));
bool handover_receive(int from, int *bag) __attribute__((warn_unused_result));

/* ---- with the service manager ------------------------------------------------------------------------------ */

/* Return: whether there is a service manager, and it keeps @bag, which is consumed, for the next weftd.  @witness: handover_pack()'s */
bool handover_give(int bag, int witness) __attribute__((warn_unused_result));

/* Return: the bag that it has kept, the caller's; -1: none */
int handover_take(void);

/* Leave @bag, which goes with it, to the weftd that this one becomes by exec; -1: there is none */
void handover_pass(int bag);

/* Return: what was kept for @spec, borrowed until handover_remove(); NULL: nothing.  @handover may be NULL */
const struct tap_kept *handover_find(const struct handover *handover, const struct attach *spec);

/* @kept is somebody else's from now on */
void handover_remove(struct handover *handover, const struct tap_kept *kept);

#endif /* OVERLAY_AGENT_HANDOVER_H */
