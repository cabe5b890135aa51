/*
 * udp.c - see udp.h
 */
#include "underlay/udp.h"

#include "base/error.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define GRE_PROTOCOL_AT 2U
#define GRE_LANE_AT 7U
#define PROTOCOL_HANDSHAKE 0x88B6U

/* Runs over the UDP payload; what is too short ends at worker 0, which counts and drops it */
static int steer(int fd, unsigned int workers)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, GRE_PROTOCOL_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROTOCOL_HANDSHAKE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, workers),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, GRE_LANE_AT),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) < 0 ? -errno : 0;
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* As large as we ask if we may (CAP_NET_ADMIN), else as large as the administrator allows */
static int grow(int fd, int force, int polite)
{
	int granted = 0;
	socklen_t len = sizeof(granted);

	if (set(fd, SOL_SOCKET, force, UDP_BUFFER_BYTES) < 0)
		(void)set(fd, SOL_SOCKET, polite, UDP_BUFFER_BYTES);
	getsockopt(fd, SOL_SOCKET, polite, &granted, &len);
	return granted;
}

/* The path's MTU is probed by us (pmtu.h): set DF, and let nothing that the kernel was told shrink our datagrams */
static void own_path_mtu(int fd, int family)
{
	(void)set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	if (family == AF_INET6)
		(void)set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
}

static int bind_any(int fd, int family, uint16_t port)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int err;

	if (family == AF_INET6)
		err = bind(fd, (const struct sockaddr *)&any6, sizeof(any6));
	else
		err = bind(fd, (const struct sockaddr *)&any4, sizeof(any4));
	return err < 0 ? -errno : 0;
}

static int open_one(struct udp_sockets *sockets, uint16_t port, unsigned int index)
{
	int fd = socket(sockets->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (sockets->family == AF_INET6)
		(void)set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	err = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (!err)
		err = bind_any(fd, sockets->family, port);
	if (err) {
		close(fd);
		return err;
	}
	own_path_mtu(fd, sockets->family);
	sockets->receive_buffer_bytes = grow(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	sockets->send_buffer_bytes = grow(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	sockets->gso = set(fd, IPPROTO_UDP, UDP_SEGMENT, 0) == 0;
	sockets->fd[index] = fd;
	return 0;
}

/* A socket that sends from a port of its own; what comes to it is thrown away by its filter */
static int open_own(struct udp_sockets *sockets, unsigned int index)
{
	struct sock_filter drop_all[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog program = { .len = 1, .filter = drop_all };
	int fd = socket(sockets->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (sockets->family == AF_INET6)
		(void)set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	err = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
	if (!err)
		err = bind_any(fd, sockets->family, 0);
	if (err) {
		close(fd);
		return err;
	}
	own_path_mtu(fd, sockets->family);
	(void)grow(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	sockets->own[index] = fd;
	return 0;
}

/* SO_REUSEPORT would let two agents share a port and steal each other's datagrams: find out before */
static int port_is_free(int family, uint16_t port)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = bind_any(fd, family, port);
	close(fd);
	return err;
}

int udp_open(struct udp_sockets *sockets, uint16_t port, unsigned int count, struct error *error)
{
	int err = 0, fd;

	*sockets = (struct udp_sockets){ .family = AF_INET6 };
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		sockets->family = AF_INET;
	else
		close(fd);
	err = port_is_free(sockets->family, port);
	for (unsigned int i = 0; !err && i < count; i++) {
		sockets->own[i] = -1;
		err = open_one(sockets, port, i);
		if (!err)
			sockets->count++;
		if (!err && i > 0 && i + 1 < count)
			err = open_own(sockets, i);
	}
	if (!err)
		err = steer(sockets->fd[0], count - 1);
	if (err) {
		error_set(error, "UDP port %u: %s%s", port, strerror(-err),
			err == -EADDRINUSE ? "; another agent runs here, or choose one with --listen-port" : "");
		udp_close(sockets);
		return err;
	}
	sockets->gro = true;
	for (unsigned int i = 0; i + 1 < count; i++)
		sockets->gro &= set(sockets->fd[i], IPPROTO_UDP, UDP_GRO, 1) == 0;
	return 0;
}

void udp_close(struct udp_sockets *sockets)
{
	for (unsigned int i = 0; i < sockets->count; i++) {
		close(sockets->fd[i]);
		if (sockets->own[i] >= 0)
			close(sockets->own[i]);
	}
	sockets->count = 0;
}

void udp_request_segments(struct msghdr *msg, union udp_control *control, uint16_t segment_bytes)
{
	struct cmsghdr *cmsg;

	msg->msg_control = control->bytes;
	msg->msg_controllen = CMSG_SPACE(sizeof(segment_bytes));
	cmsg = CMSG_FIRSTHDR(msg);
	cmsg->cmsg_level = IPPROTO_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(segment_bytes));
	memcpy(CMSG_DATA(cmsg), &segment_bytes, sizeof(segment_bytes));
}

size_t udp_received_segment(struct msghdr *msg, size_t message_bytes)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		int segment_bytes;

		if (cmsg->cmsg_level != IPPROTO_UDP || cmsg->cmsg_type != UDP_GRO)
			continue;
		memcpy(&segment_bytes, CMSG_DATA(cmsg), sizeof(segment_bytes));
		if (segment_bytes > 0 && (size_t)segment_bytes < message_bytes)
			return (size_t)segment_bytes;
	}
	return message_bytes;
}

/* Connecting a UDP socket sends nothing; it only asks the routing table.  Return: a descriptor or -1 */
static int routed_socket(const struct endpoint *to)
{
	int family = endpoint_is_v4(to) ? AF_INET : AF_INET6;
	struct sockaddr_storage sa;
	socklen_t sa_bytes = endpoint_to_sockaddr(to, family, &sa);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&sa, sa_bytes) == 0)
		return fd;
	close(fd);
	return -1;
}

uint32_t udp_route_mtu(const struct endpoint *to)
{
	bool v4 = endpoint_is_v4(to);
	int fd = routed_socket(to), mtu = 0;
	socklen_t len = sizeof(mtu);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu, &len) < 0)
		mtu = 0;
	close(fd);
	return mtu > 0 ? (uint32_t)mtu : 0;
}

/* Return: whether an interface has the address that @fd sends from; its name is in @request then */
static bool find_interface(int fd, struct ifreq *request)
{
	struct sockaddr_storage sa;
	socklen_t sa_bytes = sizeof(sa);
	struct endpoint own, other;
	struct ifaddrs *list, *at;

	if (getsockname(fd, (struct sockaddr *)&sa, &sa_bytes) < 0 ||
		!endpoint_from_sockaddr((const struct sockaddr *)&sa, sa_bytes, &own) || getifaddrs(&list) < 0)
		return false;
	for (at = list; at; at = at->ifa_next) {
		const socklen_t bytes = at->ifa_addr && at->ifa_addr->sa_family == AF_INET6
			? sizeof(struct sockaddr_in6)
			: sizeof(struct sockaddr_in);

		if (at->ifa_addr && endpoint_from_sockaddr(at->ifa_addr, bytes, &other) &&
			memcmp(own.ip, other.ip, sizeof(own.ip)) == 0)
			break;
	}
	if (at)
		snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", at->ifa_name);
	freeifaddrs(list);
	return at != NULL;
}

uint32_t udp_device_mtu(const struct endpoint *to)
{
	struct ifreq request = { 0 };
	int fd = routed_socket(to);
	uint32_t mtu = 0;

	if (fd < 0)
		return 0;
	if (find_interface(fd, &request) && ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0)
		mtu = (uint32_t)request.ifr_mtu;
	close(fd);
	return mtu;
}

int udp_send(const struct udp_sockets *sockets, int fd, const struct endpoint *to, const void *bytes, size_t len_bytes)
{
	struct sockaddr_storage sa;
	socklen_t sa_bytes = endpoint_to_sockaddr(to, sockets->family, &sa);

	if (sa_bytes == 0)
		return -EAFNOSUPPORT;
	return sendto(fd, bytes, len_bytes, 0, (const struct sockaddr *)&sa, sa_bytes) < 0 ? -errno : 0;
}
