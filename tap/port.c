/*
 * port.c - see port.h: hands every call on to the port's kind
 */
#include "tap/port.h"

#include "tap/kinds.h"
#include "tap/port_ops.h"

#include <assert.h>

int tap_port_open(const struct attach *spec, unsigned int queues, struct tap_port **out, struct error *error)
{
	assert(queues >= 1 && queues <= TAP_QUEUES_MAX);
	return kind_open(spec, queues, NULL, out, error);
}

void tap_port_leaves(struct tap_port *port)
{
	port->leaves = true;
}

void tap_port_close(struct tap_port *port)
{
	if (port)
		port->ops->close(port);
}

const char *tap_port_name(const struct tap_port *port)
{
	return port->name;
}

const struct attach *tap_port_spec(const struct tap_port *port)
{
	return &port->spec;
}

unsigned int tap_port_caps(const struct tap_port *port)
{
	return port->caps;
}

const char *tap_port_reads(const struct tap_port *port)
{
	return port->reads;
}

unsigned int tap_port_queues(const struct tap_port *port)
{
	return port->queues;
}

enum tap_health tap_port_check(struct tap_port *port, const struct tap_view *view, struct error *error)
{
	return port->ops->check(port, view, error);
}

bool tap_port_elsewhere(const struct tap_port *port)
{
	return port->elsewhere;
}

bool tap_port_want(struct tap_port *port, const struct attach *spec)
{
	const bool differs = !mac_equal(&port->spec.mac, &spec->mac) || port->spec.passes != spec->passes ||
		!vlan_policy_equal(&port->spec.vlan, &spec->vlan);

	port->spec.passes = spec->passes;
	port->spec.vlan = spec->vlan;
	port->spec.mac = spec->mac;
	return differs;
}

int tap_port_set_mtu(struct tap_port *port, uint32_t mtu_bytes)
{
	return port->ops->set_mtu(port, mtu_bytes);
}

int tap_port_shun(struct tap_port *port, uint16_t udp_port, const uint8_t (*own)[IP_BYTES], size_t own_count)
{
	return port->ops->shun ? port->ops->shun(port, udp_port, own, own_count) : 0;
}

uint64_t tap_port_missed_pkts(struct tap_port *port)
{
	return port->ops->missed_pkts(port) + port->discarded_pkts;
}

uint64_t tap_port_refused_pkts(struct tap_port *port)
{
	return port->ops->refused_pkts ? port->ops->refused_pkts(port) : 0;
}

int tap_queue_fd(const struct tap_port *port, unsigned int queue)
{
	assert(queue < port->queues);
	return port->fds[queue];
}

enum tap_result tap_rx_burst(struct tap_port *port, unsigned int queue, struct packet_burst *burst, unsigned int max)
{
	assert(queue < port->queues && max >= 1 && max <= PACKET_BURST_MAX);
	return port->ops->rx(port, queue, burst, max);
}

unsigned int tap_tx_burst(struct tap_port *port, unsigned int queue, struct packet *const packets[], unsigned int count,
	enum tap_result *why)
{
	assert(queue < port->queues);
	return port->ops->tx(port, queue, packets, count, why);
}
