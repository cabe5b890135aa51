/*
 * device.c - our own TAP device, alone or in a bridge
 *
 * One descriptor for each queue, each with the kernel's offload header in front of every frame.  The device is not
 * persistent: it goes with its last descriptor.  Neighbours: bridge.c (the bridge), vnet.c (the header).
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/netlink.h"
#include "tap/bridge.h"
#include "tap/failure.h"
#include "tap/kinds.h"
#include "tap/own_filter.h"
#include "tap/port_vlans.h"
#include "tap/port_ops.h"
#include "tap/vnet.h"

#ifndef TUN_F_USO4 /* Linux 6.2 */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/*
 * Frames that wait for a worker which is not scheduled: some milliseconds of small frames at full rate.  The kernel's
 * 500 overflow in one such pause; many more would only be delay.
 */
#define TX_QUEUE_PKTS 1000U

#define MTU_MAX_BYTES 65521U /* of a TAP; a bridge's may be 14 more */

struct device {
	struct tap_port port;
	int index;
	bool ours; /* made by us, and not there before */
	bool bridged;
	uint32_t bridge_mtu_bytes; /* the bridge's before we came, or when it was taken over; 0 where it is weft's */
	uint64_t missed_before, refused_before; /* what the kernel had dropped on it when it was opened */
	uint64_t missed_pkts, refused_pkts;     /* since, as it could be seen last */
};

static struct device *device_of(struct tap_port *port)
{
	return (struct device *)port;
}

static int attach_queue(const char *name, bool exclusive, int *fd)
{
	struct ifreq request = { 0 };

	memcpy(request.ifr_name, name, strlen(name));
	request.ifr_flags =
		(short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE | (exclusive ? IFF_TUN_EXCL : 0));
	*fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return *fd < 0 || ioctl(*fd, TUNSETIFF, &request) < 0 ? -errno : 0;
}

static int explain_attach(const char *name, int err, struct error *error)
{
	switch (err) {
	case -EPERM:
	case -EACCES:
		return error_fail(error, err,
			"may not make the TAP device %s: weftd needs CAP_NET_ADMIN and /dev/net/tun", name);
	case -ENOENT:
	case -ENXIO:
		return error_fail(error, err,
			"this machine has no /dev/net/tun: load the kernel's module (modprobe tun)");
	case -EBUSY:
		return error_fail(error, err,
			"a program has the TAP %s open: where that is a VMM, attach its other side, packet:%s; else, "
			"is another weftd running?",
			name, name);
	case -EINVAL:
		return error_fail(error, err,
			"%s is there already, and no TAP with several queues: where a VMM is to open it, attach "
			"packet:%s; else remove it, or make it with 'ip tuntap add %s mode tap multi_queue vnet_hdr'",
			name, name, name);
	default:
		return error_fail(error, err, "cannot open the TAP device %s: %s", name, strerror(-err));
	}
}

/* What the kernel may leave to us on frames that we read, best first; what it takes on writes is the same */
static unsigned int set_offloads(int fd)
{
	static const struct {
		unsigned int asked, caps;
	} choices[] = {
		{ TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6,
			OFFLOAD_CAP_CSUM | OFFLOAD_CAP_TSO4 | OFFLOAD_CAP_TSO6 | OFFLOAD_CAP_USO },
		{ TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
			OFFLOAD_CAP_CSUM | OFFLOAD_CAP_TSO4 | OFFLOAD_CAP_TSO6 },
		{ TUN_F_CSUM, OFFLOAD_CAP_CSUM },
	};

	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
		if (ioctl(fd, TUNSETOFFLOAD, choices[i].asked) == 0)
			return choices[i].caps;
	return 0;
}

/* Whether @fd is a queue of our TAP @name; whether that is there without us goes to @persists */
static bool is_queue_of(int fd, const char *name, bool *persists)
{
	const unsigned int wanted = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;
	struct ifreq request = { 0 };

	if (ioctl(fd, TUNGETIFF, &request) < 0)
		return false;
	*persists = request.ifr_flags & IFF_PERSIST;
	return ((unsigned int)request.ifr_flags & wanted) == wanted &&
		strncmp(request.ifr_name, name, sizeof(request.ifr_name)) == 0;
}

static int adopt(struct device *device, const struct tap_kept *kept, struct error *error)
{
	struct tap_port *port = &device->port;
	bool persists = false;

	for (unsigned int q = 0; q < port->queues; q++)
		if (!is_queue_of(kept->fds[q], port->name, &persists))
			return error_fail(error, -ENODEV, "what was kept is no queue of %s", port->name);
	memcpy(port->fds, kept->fds, sizeof(port->fds));
	device->ours = !persists;
	return 0;
}

/* What was kept is not closed: it stays with the caller where the port cannot be opened */
static void disown(struct device *device)
{
	for (unsigned int q = 0; q < TAP_QUEUES_MAX; q++)
		device->port.fds[q] = -1;
}

static void close_queues(struct tap_port *port)
{
	for (unsigned int q = 0; q < port->queues; q++)
		if (port->fds[q] >= 0)
			close(port->fds[q]);
}

/* A TAP under that name may be there: then it must wait for a program, as one that 'ip tuntap add' made does */
static int look_for_existing(struct device *device, struct error *error)
{
	const char *name = device->port.name;
	struct netlink_link link;
	int err = netlink_link_get(name, &link);

	device->ours = err == -ENODEV;
	if (err && err != -ENODEV)
		return error_fail(error, err, "cannot look up the device %s: %s", name, strerror(-err));
	if (!err && strcmp(link.kind, "tun") != 0)
		return error_fail(error, -EINVAL,
			"%s is there already and is no TAP: choose another name, or attach as packet:%s", name, name);
	if (!err && device->bridged)
		return error_fail(error, -EBUSY, "the device %s is there already and in use: is another weftd running?",
			name);
	if (!err && (link.tun_queues > 0 || link.running)) /* a TAP has a carrier while it is open */
		return explain_attach(name, -EBUSY, error);
	return 0;
}

static int attach(struct device *device, struct error *error)
{
	struct tap_port *port = &device->port;
	int err = 0;

	for (unsigned int q = 0; q < port->queues && !err; q++)
		err = attach_queue(port->name, device->ours && q == 0, &port->fds[q]);
	return err ? explain_attach(port->name, err, error) : 0;
}

static int agree_on_offloads(struct device *device, struct error *error)
{
	const int header_bytes = VNET_HEADER_BYTES;
	struct tap_port *port = &device->port;

	if (ioctl(port->fds[0], TUNSETVNETHDRSZ, &header_bytes) < 0)
		return error_fail(error, -errno, "the kernel refuses offload headers on %s: %s", port->name,
			strerror(errno));
	port->caps = set_offloads(port->fds[0]);
	return 0;
}

/* The host itself has nothing to say on a device that leads into a lab */
static void silence(const struct device *device)
{
	char path[sizeof("/proc/sys/net/ipv6/conf//disable_ipv6") + ATTACH_NAME_BYTES];
	int fd;

	/* either is enough, and both fail where the kernel has no IPv6 */
	(void)!netlink_link_set_quiet(device->index);
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", device->port.name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!write(fd, "1", 1);
		close(fd);
	}
}

/* A bridge without an address of its own takes the lowest of its ports': never ours, so that joining changes nothing */
static int set_high_mac(const struct netlink_link *link)
{
	struct mac mac = link->mac;

	if (mac.bytes[0] == 0xfe)
		return 0;
	mac.bytes[0] = 0xfe;
	return netlink_link_set_mac(link->index, &mac);
}

/* The MTU for a network's, so that the bridge keeps its own */
static uint32_t with_bridge(const struct device *device, uint32_t mtu_bytes)
{
	const uint32_t bridge = device->bridge_mtu_bytes < MTU_MAX_BYTES ? device->bridge_mtu_bytes : MTU_MAX_BYTES;

	return mtu_bytes > bridge ? mtu_bytes : bridge;
}

/* What is so already is not asked for again: 500 devices that were kept would wait for the network lock.  @link: out */
static int configure(struct device *device, bool kept, struct netlink_link *link, struct error *error)
{
	const char *name = device->port.name, *alias = device->port.spec.alias;
	uint32_t mtu_bytes = device->port.spec.mtu_bytes;
	int err;

	err = netlink_link_get(name, link);
	if (err == -ENODEV && kept && !device->bridged)
		return 0; /* kept, and in another namespace by now, where it is configured */
	if (err)
		return error_fail(error, err, "cannot look up the device %s: %s", name, strerror(-err));
	device->index = link->index;
	device->missed_before = link->tx_dropped_pkts;
	device->refused_before = link->rx_dropped_pkts;
	if (device->ours && !kept) {
		silence(device);
		err = netlink_link_set_tx_queue(link->index, TX_QUEUE_PKTS);
		if (!err && alias[0])
			err = netlink_link_set_alias(link->index, alias);
	}
	if (!err && device->bridged)
		err = set_high_mac(link);
	if (err)
		return error_fail(error, err, "cannot set up the device %s: %s", name, strerror(-err));
	mtu_bytes = with_bridge(device, mtu_bytes); /* or the bridge would take ours */
	if (kept && device->bridged && link->mtu_bytes > mtu_bytes)
		return 0; /* as the bridge's other ports have it; otherwise the first check finds it */
	if (link->mtu_bytes != mtu_bytes)
		err = netlink_link_set_mtu(link->index, mtu_bytes);
	if (err)
		return error_fail(error, err, "cannot set the MTU of %s to %u: %s", name, mtu_bytes, strerror(-err));
	return 0;
}

static int join_and_raise(struct device *device, int bridge, const struct netlink_link *link, struct error *error)
{
	const char *name = device->port.name;
	int err = 0;

	if (device->bridged && link->master != bridge)
		err = netlink_link_set_master(device->index, bridge);
	if (err)
		return error_fail(error, err, "cannot put %s into the bridge %s: %s", name, device->port.spec.target,
			strerror(-err));
	if (device->index && !link->up)
		err = netlink_link_set_up(device->index, true);
	if (err)
		return error_fail(error, err, "cannot bring %s up: %s", name, strerror(-err));
	return 0;
}

static void device_close(struct tap_port *port)
{
	struct device *device = device_of(port);

	close_queues(port);
	if (device->bridged && !port->kept)
		bridge_leave(port->spec.target);
	free(device);
}

/* The device as the kernel has it now: by number and by name, since it may have left for another namespace */
static int look_up(struct device *device, struct netlink_link *link)
{
	struct ifreq request = { 0 };
	int err;

	if (ioctl(device->port.fds[0], TUNGETIFF, &request) < 0)
		return -ENODEV;
	err = netlink_link_get_by_index(device->index, link);
	if (err)
		return err;
	return strcmp(link->name, request.ifr_name) == 0 ? 0 : -ENODEV;
}

/* A TAP takes frames while it is up, in whatever namespace it is */
static bool takes_frames(int fd)
{
	struct pollfd writable = { .fd = fd, .events = POLLOUT };

	return poll(&writable, 1, 0) == 1 && (writable.revents & POLLOUT);
}

/* Our TAP and its bridge, as they were seen */
struct place {
	const struct tap_view *view;
	const struct netlink_link *own, *bridge;
};

/* A tool may have changed it, or the MTU of the bridge's other ports */
static int keep_mtu(struct device *device, const struct place *place)
{
	uint32_t wanted = health_bridge_mtu(place->view, place->bridge->index, device->port.spec.mtu_bytes,
		device->bridge_mtu_bytes);

	if (wanted > MTU_MAX_BYTES)
		wanted = MTU_MAX_BYTES;
	return place->own->mtu_bytes == wanted ? 0 : netlink_link_set_mtu(place->own->index, wanted);
}

/* By our own port, and through a bridge that is weft's */
static int keep_groups(struct device *device, const struct place *place)
{
	const struct netlink_bridge *bridge = &place->bridge->bridge;
	const uint16_t needed = health_group_forward(device->port.spec.passes, bridge);
	const uint16_t for_all = needed & HEALTH_GROUP_FORWARD_BRIDGE;
	int err = 0;

	if (needed & (uint16_t)~place->own->bridge_port.group_forward_mask)
		err = netlink_bridge_port_set_groups(place->own->index, needed);
	if (!err && for_all & (uint16_t)~bridge->group_forward_mask && strcmp(place->bridge->alias, BRIDGE_MARK) == 0)
		err = netlink_bridge_set_groups(place->bridge->index, bridge->group_forward_mask | for_all);
	return err;
}

static int keep_vlans(struct device *device, const struct place *place)
{
	static const struct bridge_vlans none;
	const struct bridge_vlans *have = bridge_vlans_of(&place->view->vlans, place->own->index);
	struct bridge_vlans wanted;

	if (!place->bridge->bridge.vlan_filtering)
		return 0;
	port_vlans_wanted(&device->port.spec.vlan, place->bridge->bridge.default_pvid, &wanted);
	if (!have)
		have = &none;
	return bridge_vlans_equal(have, &wanted) ? 0 : bridge_vlans_change(place->own->index, have, &wanted);
}

/* What comes of a change is told by netlink, and judged then.  Return: @health, or that the kernel refuses one */
static enum tap_health keep(struct device *device, const struct tap_view *view, enum tap_health health,
	struct error *error)
{
	struct place place = { .view = view, .own = netlink_links_at(&view->links, device->index) };
	const char *name = device->port.name;
	int err;

	place.bridge = place.own ? netlink_links_at(&view->links, place.own->master) : NULL;
	if (!place.bridge)
		return health;
	err = keep_mtu(device, &place);
	if (err && health == TAP_UP)
		return (enum tap_health)error_fail(error, TAP_LIMITED, "cannot set the MTU of %s: %s", name,
			strerror(-err));
	err = keep_vlans(device, &place);
	if (err && health == TAP_UP)
		return (enum tap_health)error_fail(error, TAP_LIMITED,
			"the bridge %s filters by VLAN, and does not give %s its VLANs: %s", place.bridge->name, name,
			strerror(-err));
	err = keep_groups(device, &place);
	if (err && health == TAP_UP)
		return (enum tap_health)error_fail(error, TAP_LIMITED,
			"the bridge %s does not forward reserved addresses from %s: %s", place.bridge->name, name,
			strerror(-err));
	return health;
}

static enum tap_health device_check(struct tap_port *port, const struct tap_view *view, struct error *error)
{
	struct device *device = device_of(port);
	struct ifreq request = { 0 };
	const bool there = ioctl(port->fds[0], TUNGETIFF, &request) == 0;
	const struct health_subject subject = {
		.spec = &port->spec,
		.name = port->name,
		.index = device->index,
		.name_now = there ? request.ifr_name : NULL,
		.takes_frames = there && takes_frames(port->fds[0]),
	};
	const enum tap_health health = health_of_tap(&subject, view, error);

	port->elsewhere = health_tap_elsewhere(&subject, view);
	if (health == TAP_LOST || port->elsewhere || !device->bridged)
		return health;
	return keep(device, view, health, error);
}

static int device_set_mtu(struct tap_port *port, uint32_t mtu_bytes)
{
	struct device *device = device_of(port);
	struct netlink_link link;
	int err = look_up(device, &link);

	port->spec.mtu_bytes = mtu_bytes;
	if (err)
		return err;
	/* what the bridge's other ports need, the next check finds */
	return netlink_link_set_mtu(link.index, with_bridge(device, mtu_bytes));
}

/* The kernel counts from the device's point of view: what we read is sent by it */
static void count_dropped(struct device *device)
{
	struct netlink_link link;

	if (look_up(device, &link) < 0)
		return; /* in another namespace by now */
	device->missed_pkts = link.tx_dropped_pkts - device->missed_before;
	device->refused_pkts = link.rx_dropped_pkts - device->refused_before;
}

static int device_shun(struct tap_port *port, uint16_t udp_port, const uint8_t (*own)[IP_BYTES], size_t own_count)
{
	struct sock_filter code[OWN_FILTER_CODE_MAX];
	const struct sock_fprog program = {
		.filter = code,
		.len = own_filter_make(false, udp_port, own, own_count, code),
	};

	return ioctl(port->fds[0], TUNATTACHFILTER, &program) < 0 ? -errno : 0; /* of all queues */
}

static uint64_t device_missed_pkts(struct tap_port *port)
{
	count_dropped(device_of(port));
	return device_of(port)->missed_pkts;
}

static uint64_t device_refused_pkts(struct tap_port *port)
{
	count_dropped(device_of(port));
	return device_of(port)->refused_pkts;
}

static enum tap_result device_read(struct tap_port *port, unsigned int queue, struct packet *packet, size_t cap_bytes)
{
	uint8_t *header = packet->frame - VNET_HEADER_BYTES; /* one run: readv() costs a sixth more for a small frame */
	ssize_t got = read(port->fds[queue], header, VNET_HEADER_BYTES + cap_bytes);

	if (got < 0) {
		switch (errno) {
		case EAGAIN:
		case EINTR:
			return TAP_EMPTY;
		case EBADFD:
		case ENODEV:
			return TAP_GONE;
		case EINVAL: /* the kernel could not put the frame's offloads into its header, and dropped it */
			return TAP_DROP_HEADER;
		default:
			return TAP_DROP_ERROR;
		}
	}
	if ((size_t)got < VNET_HEADER_BYTES + 14)
		return TAP_DROP_SHORT;
	packet->bytes = (uint32_t)got - VNET_HEADER_BYTES;
	if (packet->bytes >= cap_bytes)
		return TAP_DROP_TRUNCATED;
	return vnet_decode(header, packet->bytes, &packet->offload) ? TAP_OK : TAP_DROP_HEADER;
}

static enum tap_result device_write(struct tap_port *port, unsigned int queue, struct packet *packet)
{
	uint8_t header[VNET_HEADER_BYTES];
	struct iovec one[2], *iov;
	int count = tap_pieces(packet, one, (struct iovec){ header, sizeof(header) }, &iov);

	vnet_encode(&packet->offload, packet->bytes, header);
	return writev(port->fds[queue], iov, count) < 0 ? tap_write_failure(errno) : TAP_OK;
}

static enum tap_result device_rx(struct tap_port *port, unsigned int queue, struct packet_burst *burst,
	unsigned int max)
{
	return tap_rx_each(port, queue, burst, max, device_read);
}

static unsigned int device_tx(struct tap_port *port, unsigned int queue, struct packet *const packets[],
	unsigned int count, enum tap_result *why)
{
	return tap_tx_each(port, queue, packets, count, why, device_write);
}

static const struct tap_ops device_ops = {
	.of_descriptors = true,
	.close = device_close,
	.check = device_check,
	.set_mtu = device_set_mtu,
	.shun = device_shun,
	.missed_pkts = device_missed_pkts,
	.refused_pkts = device_refused_pkts,
	.rx = device_rx,
	.tx = device_tx,
};

static struct device *device_alloc(const struct attach *spec, unsigned int queues)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->port.ops = &device_ops;
	device->port.spec = *spec;
	device->port.queues = queues;
	device->bridged = spec->kind == ATTACH_BRIDGE;
	memcpy(device->port.name, device->bridged ? spec->device : spec->target, ATTACH_NAME_BYTES);
	for (unsigned int q = 0; q < TAP_QUEUES_MAX; q++)
		device->port.fds[q] = -1;
	return device;
}

int device_open(const struct attach *spec, unsigned int queues, const struct tap_kept *kept, struct tap_port **out,
	struct error *error)
{
	struct device *device = device_alloc(spec, queues);
	struct netlink_link link = { 0 };
	struct bridge bridge = { 0 };
	int err;

	if (!device)
		return error_fail(error, -ENOMEM, "out of memory");
	assert(attach_name_ok(device->port.name));
	err = kept ? adopt(device, kept, error) : look_for_existing(device, error);
	if (!err && device->bridged)
		err = bridge_need(spec->target, spec->create, &bridge, error);
	device->bridge_mtu_bytes = bridge.mtu_bytes;
	if (!err && !kept)
		err = attach(device, error);
	if (!err)
		err = agree_on_offloads(device, error);
	if (!err)
		err = configure(device, kept != NULL, &link, error);
	if (!err)
		err = join_and_raise(device, bridge.index, &link, error);
	if (err) {
		if (kept)
			disown(device);
		device_close(&device->port);
		return err;
	}
	*out = &device->port;
	return 0;
}
