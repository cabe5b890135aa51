/*
 * udp.c - see udp.h
 */
#include "underlay/udp.h"

#include "base/error.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
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
#define BUFFER_BYTES (8 * 1024 * 1024) /* asked for, each way */
#define SEND_MAX 32U                   /* messages in one system call */
/* Buffers start at different offsets within their pages, so that they do not fight for the same cache sets */
#define STRIDE_BYTES (UNDERLAY_MESSAGE_BYTES + 1024U + 64U)

/* Room for the control messages that one train needs, sending or receiving */
union control {
	struct cmsghdr align;
	char bytes[128];
};

/* What a worker receives into: laid out once, since each message that is asked for would take its time to set up */
struct inbox {
	struct mmsghdr messages[UNDERLAY_RECEIVE_MAX];
	struct iovec iov[UNDERLAY_RECEIVE_MAX];
	union control control[UNDERLAY_RECEIVE_MAX];
	struct sockaddr_storage from[UNDERLAY_RECEIVE_MAX];
	uint8_t local_ip[UNDERLAY_RECEIVE_MAX][IP_BYTES];
	uint8_t memory[UNDERLAY_RECEIVE_MAX * STRIDE_BYTES];
};

struct udp {
	struct underlay underlay;
	int fd[UNDERLAY_WORKERS_MAX + 1]; /* workers' first, the control thread's last */
	int own[UNDERLAY_WORKERS_MAX];    /* workers' own flows; -1 for the first */
	struct inbox *inboxes[UNDERLAY_WORKERS_MAX];
};

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

	if (set(fd, SOL_SOCKET, force, BUFFER_BYTES) < 0)
		(void)set(fd, SOL_SOCKET, polite, BUFFER_BYTES);
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

/* Sockets are bound to no address: each message says to which of ours it came */
static void tell_local(int fd, int family)
{
	if (family == AF_INET6) /* of IPv4, too */
		(void)set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	else
		(void)set(fd, IPPROTO_IP, IP_PKTINFO, 1);
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

static int open_socket(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && family == AF_INET6)
		(void)set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	return fd < 0 ? -errno : fd;
}

static int open_shared(struct udp *udp, uint16_t port, uint32_t index)
{
	struct underlay *underlay = &udp->underlay;
	int fd = open_socket(underlay->family), err;

	if (fd < 0)
		return fd;
	udp->fd[index] = fd;
	err = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (!err)
		err = bind_any(fd, underlay->family, port);
	if (err)
		return err;
	own_path_mtu(fd, underlay->family);
	tell_local(fd, underlay->family);
	underlay->receive_buffer_bytes = grow(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	underlay->send_buffer_bytes = grow(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	return 0;
}

/* A socket that sends from a port of its own; what comes to it is thrown away by its filter */
static int open_own(struct udp *udp, uint32_t worker)
{
	struct sock_filter drop_all[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog program = { .len = 1, .filter = drop_all };
	int fd = open_socket(udp->underlay.family);

	if (fd < 0)
		return fd;
	udp->own[worker] = fd;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	own_path_mtu(fd, udp->underlay.family);
	(void)grow(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	return bind_any(fd, udp->underlay.family, 0);
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

static struct inbox *inbox_new(void)
{
	struct inbox *inbox = malloc(sizeof(*inbox));

	if (!inbox)
		return NULL;
	for (uint32_t i = 0; i < UNDERLAY_RECEIVE_MAX; i++) {
		inbox->iov[i] = (struct iovec){
			.iov_base = inbox->memory + (size_t)i * STRIDE_BYTES,
			.iov_len = UNDERLAY_MESSAGE_BYTES,
		};
		inbox->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &inbox->from[i],
			.msg_iov = &inbox->iov[i],
			.msg_iovlen = 1,
			.msg_control = inbox->control[i].bytes,
		};
	}
	return inbox;
}

static int open_worker(struct udp *udp, uint16_t port, uint32_t worker)
{
	int err = open_shared(udp, port, worker);

	if (!err && worker > 0)
		err = open_own(udp, worker);
	if (err)
		return err;
	udp->underlay.takes_trains[worker] = set(udp->fd[worker], IPPROTO_UDP, UDP_SEGMENT, 0) == 0;
	udp->inboxes[worker] = inbox_new();
	return udp->inboxes[worker] ? 0 : -ENOMEM;
}

/* Sockets get the number that the program steers by in the order in which they are bound */
static int open_all(struct udp *udp, uint16_t port, uint32_t workers)
{
	int err = port_is_free(udp->underlay.family, port);

	for (uint32_t i = 0; !err && i < workers; i++)
		err = open_worker(udp, port, i);
	if (!err)
		err = open_shared(udp, port, workers);
	if (!err)
		err = steer(udp->fd[0], workers);
	if (err)
		return err;
	udp->underlay.gives_trains = true;
	for (uint32_t i = 0; i < workers; i++)
		udp->underlay.gives_trains &= set(udp->fd[i], IPPROTO_UDP, UDP_GRO, 1) == 0;
	return 0;
}

static int family_of_machine(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return AF_INET;
	close(fd);
	return AF_INET6;
}

static void udp_close(struct underlay *underlay)
{
	struct udp *udp = (struct udp *)underlay;

	for (uint32_t i = 0; i <= underlay->workers; i++)
		if (udp->fd[i] >= 0)
			close(udp->fd[i]);
	for (uint32_t i = 0; i < underlay->workers; i++) {
		if (udp->own[i] >= 0)
			close(udp->own[i]);
		free(udp->inboxes[i]);
	}
	free(udp);
}

/* ---- receiving --------------------------------------------------------------------------------------------- */

static uint32_t queue_index(const struct underlay *underlay, uint32_t worker)
{
	return worker == UNDERLAY_CONTROL ? underlay->workers : worker;
}

static int udp_descriptor(const struct underlay *underlay, uint32_t worker)
{
	return ((const struct udp *)underlay)->fd[queue_index(underlay, worker)];
}

/* Return: whether @cmsg tells to which address of ours a message came, @out then */
static bool read_local(const struct cmsghdr *cmsg, uint8_t out[IP_BYTES])
{
	static const uint8_t v4_mapped[IP_BYTES] = { [10] = 0xff, [11] = 0xff };

	if (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO) {
		memcpy(out, CMSG_DATA(cmsg) + offsetof(struct in6_pktinfo, ipi6_addr), IP_BYTES);
		return true;
	}
	if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
		memcpy(out, v4_mapped, IP_BYTES);
		memcpy(out + 12, CMSG_DATA(cmsg) + offsetof(struct in_pktinfo, ipi_spec_dst), 4);
		return true;
	}
	return false;
}

/* The size of the datagrams that a message holds, where UDP_GRO says so, and to which address of ours it came */
static void read_control(struct msghdr *msg, uint8_t local_ip[IP_BYTES], struct underlay_message *message)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		int segment_bytes;

		if (read_local(cmsg, local_ip))
			message->local_ip = local_ip;
		if (cmsg->cmsg_level != IPPROTO_UDP || cmsg->cmsg_type != UDP_GRO)
			continue;
		memcpy(&segment_bytes, CMSG_DATA(cmsg), sizeof(segment_bytes));
		if (segment_bytes > 0 && (uint32_t)segment_bytes < message->len_bytes)
			message->segment_bytes = (uint32_t)segment_bytes;
	}
}

static uint32_t udp_receive(struct underlay *underlay, uint32_t worker, struct underlay_message *messages, uint32_t max)
{
	struct udp *udp = (struct udp *)underlay;
	struct inbox *inbox = udp->inboxes[worker];
	int received;

	for (uint32_t i = 0; i < max; i++) { /* what the kernel wrote over */
		inbox->messages[i].msg_hdr.msg_namelen = sizeof(inbox->from[i]);
		inbox->messages[i].msg_hdr.msg_controllen = sizeof(inbox->control[i]);
	}
	received = recvmmsg(udp->fd[worker], inbox->messages, max, MSG_DONTWAIT, NULL);
	for (int i = 0; i < received; i++) {
		struct msghdr *msg = &inbox->messages[i].msg_hdr;
		const uint32_t bytes = inbox->messages[i].msg_len;

		messages[i] = (struct underlay_message){
			.bytes = msg->msg_iov->iov_base,
			.len_bytes = bytes,
			.segment_bytes = bytes,
			.cut = msg->msg_flags & MSG_TRUNC,
			.from = msg->msg_name,
			.from_bytes = msg->msg_namelen,
		};
		read_control(msg, inbox->local_ip[i], &messages[i]);
	}
	return received > 0 ? (uint32_t)received : 0;
}

static int udp_control_receive(struct underlay *underlay, uint8_t *bytes, size_t cap_bytes, struct endpoint *from)
{
	struct sockaddr_storage sa;
	struct iovec iov = { .iov_base = bytes, .iov_len = cap_bytes };
	union control control;
	struct msghdr msg = {
		.msg_name = &sa,
		.msg_namelen = sizeof(sa),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(udp_descriptor(underlay, UNDERLAY_CONTROL), &msg, MSG_DONTWAIT);

	if (len < 0)
		return -errno;
	if (!endpoint_from_sockaddr((const struct sockaddr *)&sa, msg.msg_namelen, from))
		return -EAFNOSUPPORT;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		(void)read_local(cmsg, from->local_ip);
	return (int)len;
}

/* ---- sending ----------------------------------------------------------------------------------------------- */

/* One more control message behind those of @msg, which point into a union control */
static void add_control(struct msghdr *msg, int level, int type, const void *data, size_t bytes)
{
	struct cmsghdr *cmsg = (struct cmsghdr *)(void *)((char *)msg->msg_control + msg->msg_controllen);

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(bytes);
	memcpy(CMSG_DATA(cmsg), data, bytes);
	msg->msg_controllen += CMSG_SPACE(bytes);
}

static bool is_any(const uint8_t *local_ip)
{
	static const uint8_t any[IP_BYTES];

	return !local_ip || memcmp(local_ip, any, sizeof(any)) == 0;
}

/* Have @msg leave from an address of ours; the interface is the route's to choose */
static void leave_from(struct msghdr *msg, int family, const uint8_t *local_ip)
{
	struct in6_pktinfo info6 = { .ipi6_ifindex = 0 };
	struct in_pktinfo info4 = { .ipi_ifindex = 0 };

	if (is_any(local_ip))
		return;
	if (family == AF_INET6) {
		memcpy(&info6.ipi6_addr, local_ip, IP_BYTES);
		add_control(msg, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
	} else {
		memcpy(&info4.ipi_spec_dst, local_ip + 12, 4);
		add_control(msg, IPPROTO_IP, IP_PKTINFO, &info4, sizeof(info4));
	}
}

/*
 * May it be for the address that it was to leave from, which we have no more?  Kernels differ.  Until the control thread has heard
 * of that, the kernel chooses another, and the peer follows
 */
static bool no_such_source(int err, const uint8_t *local_ip)
{
	return (err == EINVAL || err == ENETUNREACH || err == EADDRNOTAVAIL) && !is_any(local_ip);
}

/* One datagram from one of our addresses.  Return: 0 or -errno */
static int send_from(int fd, int family, const uint8_t *local_ip, struct iovec iov, const struct sockaddr *to,
	socklen_t to_bytes)
{
	union control control;
	struct msghdr msg = {
		.msg_name = (void *)to,
		.msg_namelen = to_bytes,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
	};

	leave_from(&msg, family, local_ip);
	if (sendmsg(fd, &msg, 0) >= 0)
		return 0;
	if (!no_such_source(errno, local_ip))
		return -errno;
	return sendto(fd, iov.iov_base, iov.iov_len, 0, to, to_bytes) < 0 ? -errno : 0;
}

static int flow_socket(const struct udp *udp, uint32_t worker, bool own_flow)
{
	return own_flow ? udp->own[worker] : udp->fd[worker];
}

static void count_refused(struct underlay_train *train, uint32_t datagrams, int err)
{
	if (err == EMSGSIZE)
		train->too_big += datagrams;
	else if (err == EAGAIN || err == ENOBUFS)
		train->full += datagrams;
	else
		train->failed += datagrams;
}

static void send_run(struct underlay *underlay, uint32_t worker, struct underlay_train *trains, uint32_t count);

static void send_singly(int fd, int family, struct underlay_train *train)
{
	for (uint32_t at = 0; at < train->len_bytes; at += train->segment_bytes) {
		const uint32_t left = train->len_bytes - at;
		const struct iovec iov = {
			.iov_base = (void *)(train->bytes + at),
			.iov_len = left < train->segment_bytes ? left : train->segment_bytes,
		};
		const int err = send_from(fd, family, train->local_ip, iov, train->to, train->to_bytes);

		if (err)
			count_refused(train, 1, -err);
	}
}

/*
 * The kernel did not take this one.  EIO: the device cannot do trains (no checksum offload), so one datagram a message from now
 * on.  EINVAL: its datagrams are over the device's MTU, which each alone will be told by name (EMSGSIZE), or it was to leave
 * from an address that is gone, as others say by other names.
 */
static void refused(struct underlay *underlay, uint32_t worker, int fd, struct underlay_train *train, int err)
{
	const bool is_train = train->len_bytes > train->segment_bytes;

	if (is_train && err == EIO)
		__atomic_store_n(&underlay->takes_trains[worker], false, __ATOMIC_RELAXED);
	if (err == EINVAL || (is_train && err == EIO)) {
		send_singly(fd, underlay->family, train);
	} else if (no_such_source(err, train->local_ip)) {
		train->local_ip = NULL;
		send_run(underlay, worker, train, 1);
	} else {
		count_refused(train, (train->len_bytes + train->segment_bytes - 1) / train->segment_bytes, err);
	}
}

/* Trains of one flow, at most SEND_MAX */
static void send_run(struct underlay *underlay, uint32_t worker, struct underlay_train *trains, uint32_t count)
{
	struct mmsghdr messages[SEND_MAX];
	struct iovec iov[SEND_MAX];
	union control control[SEND_MAX];
	const int fd = flow_socket((struct udp *)underlay, worker, trains->own_flow);

	for (uint32_t i = 0; i < count; i++) {
		const uint16_t segment_bytes = (uint16_t)trains[i].segment_bytes;

		iov[i] = (struct iovec){ .iov_base = (void *)trains[i].bytes, .iov_len = trains[i].len_bytes };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = (void *)trains[i].to,
			.msg_namelen = trains[i].to_bytes,
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
			.msg_control = control[i].bytes,
		};
		leave_from(&messages[i].msg_hdr, underlay->family, trains[i].local_ip);
		if (trains[i].len_bytes > trains[i].segment_bytes)
			add_control(&messages[i].msg_hdr, IPPROTO_UDP, UDP_SEGMENT, &segment_bytes,
				sizeof(segment_bytes));
	}
	for (uint32_t at = 0; at < count;) {
		int sent = sendmmsg(fd, messages + at, count - at, 0);

		if (sent > 0)
			at += (uint32_t)sent;
		else if (errno != EINTR) {
			refused(underlay, worker, fd, &trains[at], errno);
			at++;
		}
	}
}

/* Return: how many, from the first on, leave in one system call */
static uint32_t run_of(const struct underlay_train *trains, uint32_t count)
{
	uint32_t run = 1;

	while (run < count && run < SEND_MAX && trains[run].own_flow == trains[0].own_flow)
		run++;
	return run;
}

static void udp_send(struct underlay *underlay, uint32_t worker, struct underlay_train *trains, uint32_t count)
{
	for (uint32_t at = 0, run; at < count; at += run) {
		run = run_of(trains + at, count - at);
		send_run(underlay, worker, trains + at, run);
	}
}

static int udp_control_send(struct underlay *underlay, const struct endpoint *to, const uint8_t *bytes,
	size_t len_bytes)
{
	struct sockaddr_storage sa;
	socklen_t sa_bytes = endpoint_to_sockaddr(to, underlay->family, &sa);
	const struct iovec iov = { .iov_base = (void *)bytes, .iov_len = len_bytes };

	if (sa_bytes == 0)
		return -EAFNOSUPPORT;
	return send_from(udp_descriptor(underlay, UNDERLAY_CONTROL), underlay->family, to->local_ip, iov,
		(const struct sockaddr *)&sa, sa_bytes);
}

/* ---- opening ----------------------------------------------------------------------------------------------- */

/* The kernel counts for each socket, in 32 bits: right for as long as those do not run over */
static uint64_t udp_missed_pkts(const struct underlay *underlay)
{
	uint64_t missed = 0;

	for (uint32_t i = 0; i <= underlay->workers; i++) {
		uint32_t info[SK_MEMINFO_VARS] = { 0 };
		socklen_t len = sizeof(info);

		if (getsockopt(udp_descriptor(underlay, i < underlay->workers ? i : UNDERLAY_CONTROL), SOL_SOCKET,
			    SO_MEMINFO, info, &len) == 0)
			missed += info[SK_MEMINFO_DROPS];
	}
	return missed;
}

static const struct underlay_ops udp_ops = {
	.descriptor = udp_descriptor,
	.receive = udp_receive,
	.send = udp_send,
	.control_receive = udp_control_receive,
	.control_send = udp_control_send,
	.missed_pkts = udp_missed_pkts,
	.close = udp_close,
};

int udp_open(uint16_t port, uint32_t workers, struct underlay **out, struct error *error)
{
	struct udp *udp = calloc(1, sizeof(*udp));
	int err;

	if (!udp) {
		error_set(error, "UDP port %u: out of memory", port);
		return -ENOMEM;
	}
	udp->underlay = (struct underlay){
		.ops = &udp_ops,
		.workers = workers,
		.port = port,
		.family = family_of_machine(),
		.wanted_buffer_bytes = BUFFER_BYTES,
	};
	memset(udp->fd, -1, sizeof(udp->fd));
	memset(udp->own, -1, sizeof(udp->own));
	err = open_all(udp, port, workers);
	if (err) {
		error_set(error, "UDP port %u: %s%s", port, strerror(-err),
			err == -EADDRINUSE ? "; another agent runs here, or choose one with --listen-port" : "");
		udp_close(&udp->underlay);
		return err;
	}
	*out = &udp->underlay;
	return 0;
}
