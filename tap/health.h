/*
 * health.h - what a port can do now, judged by what the kernel says of its device and of the bridge around that
 *
 * Theory of operation.  Pure: one moment's view in, a verdict and its reason out.  Names decide: a port belongs to whatever has
 * the name that its lab gives, so where that is another device now, or the device has another name, the port is lost, and
 * opening it again ends in the right device or says what is missing.  What is lost is found first, then what carries nothing,
 * then what carries not all that the network needs; the first that is found is told.
 *
 * Where nothing is known (a kernel that does not tell it), nothing is wrong.
 */
#ifndef TAP_HEALTH_H
#define TAP_HEALTH_H

#include "base/error.h"
#include "lab/attach.h"
#include "tap/view.h"

#include <stdbool.h>

/*
 * name, in a word
 *
 * UP, carries frames.  LIMITED, carries them, but not all that its network needs.  DOWN, is open, and carries nothing until
 * something is mended.  LOST, is not any more what its spec says: close it and open it again.
 */
#define TAP_HEALTHS(X)        \
	X(UP, "up")           \
	X(LIMITED, "limited") \
	X(DOWN, "down")       \
	X(LOST, "lost")

enum tap_health {
#define X(name, word) TAP_##name,
	TAP_HEALTHS(X)
#undef X
		TAP_HEALTHS_COUNT
};

/* A port as it was opened, and what its descriptors say of it */
struct health_subject {
	const struct attach *spec;
	const char *name; /* of its device, when it was opened */
	int index;        /* of that */
	const char *
		name_now; /* as its descriptor knows it, in whatever namespace it is; NULL: it was deleted.  TAPs only */
	bool takes_frames; /* the descriptor does: the device is up, in whatever namespace it is.  TAPs only */
};

/* Return: whether the TAP is not in the namespace that @view is of: nobody tells us what becomes of it */
bool health_tap_elsewhere(const struct health_subject *subject, const struct tap_view *view);

/* Of a TAP, in the bridge of its spec or alone.  Return: other than TAP_UP with @error, what to do included */
enum tap_health health_of_tap(const struct health_subject *subject, const struct tap_view *view, struct error *error);

/* Of an interface that was there before */
enum tap_health health_of_interface(const struct health_subject *subject, const struct tap_view *view,
	struct error *error);

/*
 * Reserved addresses, as bits by their last byte, that a bridge has to forward for enum network_pass bits @passes.  Pause frames are not
 * among them, which no bridge forwards, nor STP's, unless the bridge does that itself
 */
uint16_t health_group_forward(unsigned int passes, const struct netlink_bridge *bridge);

/* Those that a bridge's own mask may have; the others are set for each of its ports */
#define HEALTH_GROUP_FORWARD_BRIDGE 0xfff8U

/**
 * health_bridge_mtu() - the MTU that a TAP needs in the bridge @bridge, so that the bridge keeps the one that it has without us
 * @network_bytes: the least that will do
 * @alone_bytes: the bridge's own, before we came: where it has no other ports
 *
 * A bridge takes the smallest of its ports', and ours, known by their alias, are not to be the smallest.
 */
uint32_t health_bridge_mtu(const struct tap_view *view, int bridge, uint32_t network_bytes, uint32_t alone_bytes);

#endif /* TAP_HEALTH_H */
