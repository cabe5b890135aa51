/*
 * redirect.c - see redirect.h
 */
#include "tap/redirect.h"

#include "base/netlink.h"
#include "tap/kinds.h"
#include "tap/port_ops.h"
#include "tap/vnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TAP_MTU_BYTES 65521U /* the largest: the interface's own MTU is what counts */

struct redirect {
	struct tap_port port;
	struct tap_port *tap;
	int index;
	int promiscuous_fd;
	bool qdisc_ours;
};

static struct redirect *redirect_of(struct tap_port *port)
{
	return (struct redirect *)port;
}

/* ---- the probe ------------------------------------------------------------------------------------------------ */

/* Two datagrams in a super-frame, to a MAC address that nobody has.  Return: its length with the offload header */
static size_t probe_frame(uint8_t out[VNET_HEADER_BYTES + 64])
{
	static const uint8_t frame[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0, /* Ethernet */
		0x45, 0, 0, 36, 0, 0, 0x40, 0, 1, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1, 0, 9, 0, 9, 0, 16, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0 };
	const struct offload offload = {
		.partial = true,
		.gso = OFFLOAD_GSO_UDP,
		.gso_bytes = 4,
		.csum_start = 34,
		.csum_offset = 6,
	};

	vnet_encode(&offload, sizeof(frame), out);
	memcpy(out + VNET_HEADER_BYTES, frame, sizeof(frame));
	return VNET_HEADER_BYTES + sizeof(frame);
}

/* Return: 0: taken; -EINVAL: refused; anything else, such as a loopback device that is down, says nothing */
static int probe(void)
{
	const struct sockaddr_ll loopback = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)if_nametoindex("lo"),
	};
	uint8_t bytes[VNET_HEADER_BYTES + 64];
	const size_t length = probe_frame(bytes);
	const int one = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) < 0)
		err = -ENOPROTOOPT;
	else if (sendto(fd, bytes, length, 0, (const struct sockaddr *)&loopback, sizeof(loopback)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Tried until there is an answer, which is the kernel's and stays: each try ends in waiting for a grace period of the kernel's */
bool redirect_needed(void)
{
	static bool answered, needed; /* the control thread's */

	if (!answered) {
		const int err = probe();

		answered = err == 0 || err == -EINVAL;
		needed = err == -EINVAL;
	}
	return needed;
}

/* ---- the port ------------------------------------------------------------------------------------------------- */

void redirect_undo(const char *interface)
{
	struct netlink_link link;

	if (netlink_link_get(interface, &link) == 0)
		(void)!netlink_redirect_remove(link.index, REDIRECT_PRIORITY, false);
}

static void redirect_close(struct tap_port *port)
{
	struct redirect *redirect = redirect_of(port);

	if (redirect->tap && !port->kept)
		(void)!netlink_redirect_remove(redirect->index, REDIRECT_PRIORITY, redirect->qdisc_ours);
	tap_port_close(redirect->tap);
	if (redirect->promiscuous_fd >= 0)
		close(redirect->promiscuous_fd);
	free(redirect);
}

/* Of the interface and of our TAP, the worse */
static enum tap_health redirect_check(struct tap_port *port, const struct tap_view *view, struct error *error)
{
	struct redirect *redirect = redirect_of(port);
	const struct health_subject subject = { .spec = &port->spec, .name = port->name, .index = redirect->index };
	const enum tap_health health = health_of_interface(&subject, view, error);
	struct error of_tap;
	const enum tap_health tap = tap_port_check(redirect->tap, view, &of_tap);

	if (tap <= health)
		return health;
	*error = of_tap;
	return tap;
}

static int redirect_set_mtu(struct tap_port *port, uint32_t mtu_bytes)
{
	(void)port;
	(void)mtu_bytes;
	return 0;
}

static int redirect_shun(struct tap_port *port, uint16_t udp_port, const uint8_t (*own)[IP_BYTES], size_t own_count)
{
	return tap_port_shun(redirect_of(port)->tap, udp_port, own, own_count);
}

static uint64_t redirect_missed_pkts(struct tap_port *port)
{
	return tap_port_missed_pkts(redirect_of(port)->tap);
}

static uint64_t redirect_refused_pkts(struct tap_port *port)
{
	return tap_port_refused_pkts(redirect_of(port)->tap);
}

static enum tap_result redirect_rx(struct tap_port *port, unsigned int queue, struct packet_burst *burst,
	unsigned int max)
{
	return tap_rx_burst(redirect_of(port)->tap, queue, burst, max);
}

static unsigned int redirect_tx(struct tap_port *port, unsigned int queue, struct packet *const packets[],
	unsigned int count, enum tap_result *why)
{
	return tap_tx_burst(redirect_of(port)->tap, queue, packets, count, why);
}

static const struct tap_ops redirect_ops = {
	.of_descriptors = true,
	.close = redirect_close,
	.check = redirect_check,
	.set_mtu = redirect_set_mtu,
	.shun = redirect_shun,
	.missed_pkts = redirect_missed_pkts,
	.refused_pkts = redirect_refused_pkts,
	.rx = redirect_rx,
	.tx = redirect_tx,
};

/* The TAP is named for the interface's number, which no other port can have too */
static int open_tap(struct redirect *redirect, unsigned int queues, const struct tap_kept *kept, struct error *error)
{
	struct attach spec = { .kind = ATTACH_TAP, .mtu_bytes = TAP_MTU_BYTES };

	snprintf(spec.target, sizeof(spec.target), "wfp%d", redirect->index);
	return device_open(&spec, queues, kept, &redirect->tap, error);
}

/* Ends with its descriptor, however that ends */
static int be_promiscuous(struct redirect *redirect)
{
	const struct packet_mreq promiscuous = { .mr_ifindex = redirect->index, .mr_type = PACKET_MR_PROMISC };

	redirect->promiscuous_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* of no protocol: it hears nothing */
	if (redirect->promiscuous_fd < 0 ||
		setsockopt(redirect->promiscuous_fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
			sizeof(promiscuous)) < 0)
		return -errno;
	return 0;
}

static int lead(struct redirect *redirect, struct error *error)
{
	const char *name = redirect->port.name;
	struct netlink_link tap;
	bool ignored;
	int err = netlink_link_get(tap_port_name(redirect->tap), &tap);

	if (!err)
		err = be_promiscuous(redirect);
	if (!err)
		err = netlink_redirect_add(tap.index, redirect->index, REDIRECT_PRIORITY, &ignored);
	if (!err)
		err = netlink_redirect_add(redirect->index, tap.index, REDIRECT_PRIORITY, &redirect->qdisc_ours);
	if (err == -ENOENT || err == -EOPNOTSUPP)
		return error_fail(error, err,
			"cannot redirect what comes in on %s, which this kernel's packet sockets need: load its "
			"modules (modprobe -a sch_ingress cls_u32 act_mirred)",
			name);
	return err ? error_fail(error, err, "cannot redirect what comes in on %s: %s", name, strerror(-err)) : 0;
}

int redirect_open(const struct attach *spec, unsigned int queues, const struct tap_kept *kept, struct tap_port **out,
	struct error *error)
{
	struct netlink_link link;
	int err = netlink_link_get(spec->target, &link);
	struct redirect *redirect = err ? NULL : calloc(1, sizeof(*redirect));

	if (!redirect)
		return error_fail(error, err ? err : -ENOMEM, "cannot open %s: %s", spec->target,
			strerror(err ? -err : ENOMEM));
	redirect->port.ops = &redirect_ops;
	redirect->port.spec = *spec;
	redirect->port.queues = queues;
	redirect->port.reads = "through a TAP: this kernel's packet sockets have no word for UDP_SEGMENT";
	memcpy(redirect->port.name, link.name, ATTACH_NAME_BYTES);
	redirect->index = link.index;
	redirect->promiscuous_fd = -1;
	err = open_tap(redirect, queues, kept, error);
	if (!err)
		err = lead(redirect, error);
	if (err) {
		for (unsigned int q = 0; kept && redirect->tap && q < queues; q++)
			redirect->tap->fds[q] = -1; /* what was kept stays the caller's */
		redirect_close(&redirect->port);
		return err;
	}
	redirect->port.caps = tap_port_caps(redirect->tap);
	for (unsigned int q = 0; q < TAP_QUEUES_MAX; q++)
		redirect->port.fds[q] = q < queues ? tap_queue_fd(redirect->tap, q) : -1;
	*out = &redirect->port;
	return 0;
}
