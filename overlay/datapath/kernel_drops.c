/*
 * kernel_drops.c - see kernel_drops.h
 */
#include "overlay/datapath/kernel_drops.h"

static void count_up(uint64_t now, uint64_t *seen, uint64_t *sum)
{
	if (now > *seen) {
		*sum += now - *seen;
		*seen = now;
	}
}

static void look_at(struct kernel_drops *drops, struct kernel_drops_seen *seen, struct tap_port *tap)
{
	if (seen->tap != tap)
		*seen = (struct kernel_drops_seen){ .tap = tap };
	count_up(tap_port_missed_pkts(tap), &seen->missed_pkts, &drops->port_missed);
	count_up(tap_port_refused_pkts(tap), &seen->refused_pkts, &drops->port_kernel);
}

void kernel_drops_look(struct kernel_drops *drops, const struct datapath *datapath, struct instant now)
{
	const struct forwarding *forwarding = datapath->forwarding;
	uint32_t left = KERNEL_DROPS_PORTS;

	if (drops->looked.ns && instant_since_ms(now, drops->looked) < KERNEL_DROPS_MS)
		return;
	drops->looked = now;
	for (uint32_t i = 0; forwarding && i < PORTS_MAX && left > 0; i++) {
		uint32_t slot = drops->next;
		struct vport *port = forwarding->ports[slot];

		drops->next = (slot + 1) % PORTS_MAX;
		if (!port || !port->tap)
			continue;
		look_at(drops, &drops->seen[slot], port->tap);
		left--;
	}
	drops->udp_missed = underlay_missed_pkts(datapath->underlay);
}

void kernel_drops_close(struct kernel_drops *drops, struct tap_port *tap)
{
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++) {
		if (drops->seen[slot].tap != tap)
			continue;
		look_at(drops, &drops->seen[slot], tap);
		drops->seen[slot].tap = NULL; /* the next one may have the same address */
		return;
	}
}

void kernel_drops_add(const struct kernel_drops *drops, struct stats *out)
{
	out->drops[DROP_PORT_MISSED] += drops->port_missed;
	out->drops[DROP_PORT_KERNEL] += drops->port_kernel;
	out->drops[DROP_UDP_MISSED] += drops->udp_missed;
}
