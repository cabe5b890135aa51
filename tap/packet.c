/*
 * packet.c - an existing interface, by AF_PACKET
 *
 * We are what is at the far end of the host's wire: frames that arrive on the interface are read, frames that we write
 * leave by it, and what the host itself sends on it is not seen.  The interface should have no addresses, or
 * the host answers beside us.  Its MTU, state and addresses are left as they are; promiscuous mode ends with the port.
 *
 * With several queues the sockets form a fanout group by flow hash, so that a flow keeps its order.  The kernel cuts
 * off the outer VLAN tag and hands it over beside the frame; it is put back.  Super-frames come as GRO or the sender's device made
 * them, whatever those can do (packet/settle.h).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/netlink.h"
#include "tap/failure.h"
#include "tap/kinds.h"
#include "tap/own_filter.h"
#include "tap/port_ops.h"
#include "tap/redirect.h"
#include "tap/vnet.h"

#define BUFFER_BYTES (4 << 20)
#define MACS_BYTES 12U
#define TAG_BYTES 4U

struct interface {
	struct tap_port port;
	int index;
	uint64_t missed_pkts;
};

static struct interface *interface_of(struct tap_port *port)
{
	return (struct interface *)port;
}

/* Nothing may arrive while the sockets are set up: before they are one group, each would get its copy */
static int filter_all(int fd)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	const struct sock_fprog program = { .len = 1, .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

/* Not PACKET_IGNORE_OUTGOING, which a fanout group does not heed */
static int filter_outgoing(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

static int set_option(int fd, int option, const void *value, socklen_t len_bytes)
{
	return setsockopt(fd, SOL_PACKET, option, value, len_bytes) < 0 ? -errno : 0;
}

static int open_socket(int index, int *fd)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = index,
	};
	const struct packet_mreq promiscuous = { .mr_ifindex = index, .mr_type = PACKET_MR_PROMISC };
	const int one = 1, buffer_bytes = BUFFER_BYTES;
	int err;

	*fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return -errno;
	err = filter_all(*fd);
	if (!err)
		err = set_option(*fd, PACKET_VNET_HDR, &one, sizeof(one));
	if (!err)
		err = set_option(*fd, PACKET_AUXDATA, &one, sizeof(one));
	if (!err)
		err = set_option(*fd, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous));
	if (!err && bind(*fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		err = -errno;
	/* larger buffers help in bursts, and it works without */
	(void)!setsockopt(*fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof(buffer_bytes));
	(void)!setsockopt(*fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer_bytes, sizeof(buffer_bytes));
	return err;
}

/* The first socket founds a group under a number that the kernel chooses, the others join it */
static int join_group(const struct tap_port *port)
{
	int group = (PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
	socklen_t len_bytes = sizeof(group);
	int err;

	err = set_option(port->fds[0], PACKET_FANOUT, &group, sizeof(group));
	if (!err && getsockopt(port->fds[0], SOL_PACKET, PACKET_FANOUT, &group, &len_bytes) < 0)
		err = -errno;
	group = (group & 0xffff) | PACKET_FANOUT_HASH << 16;
	for (unsigned int q = 1; q < port->queues && !err; q++)
		err = set_option(port->fds[q], PACKET_FANOUT, &group, sizeof(group));
	return err;
}

static int open_queues(struct interface *interface)
{
	struct tap_port *port = &interface->port;
	int err = 0;

	for (unsigned int q = 0; q < port->queues && !err; q++)
		err = open_socket(interface->index, &port->fds[q]);
	if (!err && port->queues > 1)
		err = join_group(port);
	for (unsigned int q = 0; q < port->queues && !err; q++)
		err = filter_outgoing(port->fds[q]);
	return err;
}

/* Whether @fd is a socket as open_socket() leaves it; the group that it is in, 0 for none, goes to @group */
static bool is_socket_on(int fd, int index, int *group)
{
	struct sockaddr_ll address = { 0 };
	int header = 0, type = 0;
	socklen_t address_bytes = sizeof(address), header_bytes = sizeof(header), type_bytes = sizeof(type),
		  group_bytes = sizeof(*group);

	return getsockname(fd, (struct sockaddr *)&address, &address_bytes) == 0 && address.sll_family == AF_PACKET &&
		address.sll_ifindex == index && address.sll_protocol == htons(ETH_P_ALL) &&
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_bytes) == 0 && type == SOCK_RAW &&
		getsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &header, &header_bytes) == 0 && header &&
		getsockopt(fd, SOL_PACKET, PACKET_FANOUT, group, &group_bytes) == 0;
}

/* On an error what was kept stays the caller's */
static int adopt(struct interface *interface, const struct tap_kept *kept, struct error *error)
{
	struct tap_port *port = &interface->port;
	int first = 0, group = 0;

	for (unsigned int q = 0; q < port->queues; q++) {
		if (!is_socket_on(kept->fds[q], interface->index, &group) || (port->queues > 1 && !group) ||
			(q > 0 && group != first) || filter_outgoing(kept->fds[q]) < 0)
			return error_fail(error, -ENODEV, "what was kept is no group of sockets on %s", port->name);
		first = group;
	}
	memcpy(port->fds, kept->fds, sizeof(port->fds));
	return 0;
}

static int packet_shun(struct tap_port *port, uint16_t udp_port, const uint8_t (*own)[IP_BYTES], size_t own_count)
{
	struct sock_filter code[OWN_FILTER_CODE_MAX];
	const struct sock_fprog program = {
		.filter = code,
		.len = own_filter_make(true, udp_port, own, own_count, code),
	};
	int err = 0;

	for (unsigned int q = 0; q < port->queues && !err; q++)
		if (setsockopt(port->fds[q], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
			err = -errno;
	return err;
}

static void packet_close(struct tap_port *port)
{
	for (unsigned int q = 0; q < port->queues; q++)
		if (port->fds[q] >= 0)
			close(port->fds[q]);
	free(interface_of(port));
}

static enum tap_health packet_check(struct tap_port *port, const struct tap_view *view, struct error *error)
{
	const struct health_subject subject = {
		.spec = &port->spec,
		.name = port->name,
		.index = interface_of(port)->index,
	};

	return health_of_interface(&subject, view, error);
}

static int packet_set_mtu(struct tap_port *port, uint32_t mtu_bytes)
{
	(void)port;
	(void)mtu_bytes;
	return 0;
}

static uint64_t packet_missed_pkts(struct tap_port *port)
{
	struct interface *interface = interface_of(port);

	for (unsigned int q = 0; q < port->queues; q++) {
		struct tpacket_stats stats = { 0 };
		socklen_t len_bytes = sizeof(stats);

		/* reading them sets them back to zero */
		if (getsockopt(port->fds[q], SOL_PACKET, PACKET_STATISTICS, &stats, &len_bytes) == 0)
			interface->missed_pkts += stats.tp_drops;
	}
	return interface->missed_pkts;
}

/* Return: whether the kernel had cut off a tag, then with its four bytes in @tag */
static bool read_tag(struct msghdr *message, uint8_t tag[TAG_BYTES])
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at)) {
		struct tpacket_auxdata aux;
		uint16_t tpid;

		if (at->cmsg_level != SOL_PACKET || at->cmsg_type != PACKET_AUXDATA ||
			at->cmsg_len < CMSG_LEN(sizeof(aux)))
			continue;
		memcpy(&aux, CMSG_DATA(at), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
			return false;
		tpid = aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : ETH_P_8021Q;
		tag[0] = (uint8_t)(tpid >> 8);
		tag[1] = (uint8_t)tpid;
		tag[2] = (uint8_t)(aux.tp_vlan_tci >> 8);
		tag[3] = (uint8_t)aux.tp_vlan_tci;
		return true;
	}
	return false;
}

/* Return: false where the offsets would no longer fit their fields */
static bool insert_tag(const uint8_t tag[TAG_BYTES], struct packet *packet)
{
	uint8_t *at = packet->frame + MACS_BYTES;

	if (packet->offload.csum_start > UINT16_MAX - TAG_BYTES)
		return false;
	packet->frame -= TAG_BYTES;
	memmove(packet->frame, packet->frame + TAG_BYTES, MACS_BYTES);
	memcpy(at - TAG_BYTES, tag, TAG_BYTES);
	packet->bytes += TAG_BYTES;
	if (packet->offload.partial)
		packet->offload.csum_start += TAG_BYTES;
	return true;
}

static enum tap_result read_failure(int error_number)
{
	switch (error_number) {
	case EAGAIN:
	case EINTR:
	case ENETDOWN: /* told once, when the interface goes down; it may come up again */
		return TAP_EMPTY;
	case EINVAL: /* the kernel could not put the frame's offloads into its header, and dropped it */
		return TAP_DROP_HEADER;
	default:
		return TAP_DROP_ERROR;
	}
}

static enum tap_result packet_read(struct tap_port *port, unsigned int queue, struct packet *packet, size_t cap_bytes)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	uint8_t header[VNET_HEADER_BYTES], tag[TAG_BYTES];
	struct iovec iov[2] = {
		{ .iov_base = header, .iov_len = sizeof(header) },
		{ .iov_base = packet->frame, .iov_len = cap_bytes },
	};
	struct msghdr message = {
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(port->fds[queue], &message, 0);

	if (got < 0)
		return read_failure(errno);
	if (message.msg_flags & MSG_TRUNC)
		return TAP_DROP_TRUNCATED;
	if ((size_t)got < sizeof(header) + ETH_HLEN)
		return TAP_DROP_SHORT;
	packet->bytes = (uint32_t)got - VNET_HEADER_BYTES;
	if (!vnet_decode(header, packet->bytes, &packet->offload))
		return TAP_DROP_HEADER;
	if (read_tag(&message, tag) && !insert_tag(tag, packet))
		return TAP_DROP_HEADER;
	return TAP_OK;
}

static enum tap_result packet_write(struct tap_port *port, unsigned int queue, struct packet *packet)
{
	uint8_t header[VNET_HEADER_BYTES];
	struct iovec one[2], *iov;
	int count = tap_pieces(packet, one, (struct iovec){ header, sizeof(header) }, &iov);

	vnet_encode(&packet->offload, packet->bytes, header);
	return writev(port->fds[queue], iov, count) < 0 ? tap_write_failure(errno) : TAP_OK;
}

static enum tap_result packet_rx(struct tap_port *port, unsigned int queue, struct packet_burst *burst,
	unsigned int max)
{
	return tap_rx_each(port, queue, burst, max, packet_read);
}

static unsigned int packet_tx(struct tap_port *port, unsigned int queue, struct packet *const packets[],
	unsigned int count, enum tap_result *why)
{
	return tap_tx_each(port, queue, packets, count, why, packet_write);
}

static const struct tap_ops packet_ops = {
	.of_descriptors = true,
	.close = packet_close,
	.check = packet_check,
	.set_mtu = packet_set_mtu,
	.shun = packet_shun,
	.missed_pkts = packet_missed_pkts,
	.rx = packet_rx,
	.tx = packet_tx,
};

static int explain(const char *name, int err, struct error *error)
{
	if (err == -EPERM)
		return error_fail(error, err, "may not open %s: weftd needs CAP_NET_RAW and CAP_NET_ADMIN", name);
	return error_fail(error, err, "cannot open %s for packets: %s", name, strerror(-err));
}

int packet_open(const struct attach *spec, unsigned int queues, const struct tap_kept *kept, struct tap_port **out,
	struct error *error)
{
	struct interface *interface;
	struct netlink_link link;
	int err = netlink_link_get(spec->target, &link);

	if (err == -ENODEV)
		return error_fail(error, err, "there is no interface %s on this host", spec->target);
	if (!err && redirect_needed())
		return redirect_open(spec, queues, kept, out, error);
	interface = err ? NULL : calloc(1, sizeof(*interface));
	if (!interface)
		return explain(spec->target, err ? err : -ENOMEM, error);
	interface->port.ops = &packet_ops;
	interface->port.spec = *spec;
	interface->port.queues = queues;
	/* without USO: a kernel that does not know it on AF_PACKET would only refuse the frames later */
	interface->port.caps = OFFLOAD_CAP_CSUM | OFFLOAD_CAP_TSO4 | OFFLOAD_CAP_TSO6;
	interface->index = link.index;
	memcpy(interface->port.name, link.name, ATTACH_NAME_BYTES);
	for (unsigned int q = 0; q < TAP_QUEUES_MAX; q++)
		interface->port.fds[q] = -1;
	err = kept ? adopt(interface, kept, error) : open_queues(interface);
	if (err) {
		packet_close(&interface->port);
		return kept ? err : explain(spec->target, err, error);
	}
	*out = &interface->port;
	return 0;
}
