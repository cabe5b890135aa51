/*
 * udp.h - weftd's UDP sockets: one port, one socket a thread, steered by the GRE header
 *
 * All sockets of an agent share its port (SO_REUSEPORT).  A classic BPF program reads the GRE header and gives
 * handshakes to the control thread's socket and sealed datagrams of lane L to worker L % workers, so that a
 * lane's replay window has one owner, and so that a flood of handshakes never reaches a worker.  This port's flow
 * carries handshakes and lane 0.  Every worker but the first also has a socket that only sends, from a port of its own: its
 * lane is a flow of its own, which network cards and kernels keep apart from the others (RSS; GRO joins within a flow).
 *
 * Neighbours: worker.c and control.c, which own the sockets.  Knows nothing of what is inside a datagram.
 */
#ifndef UNDERLAY_UDP_H
#define UNDERLAY_UDP_H

#include "base/addr.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define UDP_PORT_DEFAULT 4754U
#define UDP_SOCKETS_MAX 16U
#define UDP_BUFFER_BYTES (8 * 1024 * 1024) /* asked for, each way */

struct udp_sockets {
	int fd[UDP_SOCKETS_MAX];  /* workers' first, the control thread's last */
	int own[UDP_SOCKETS_MAX]; /* workers' own flows; -1 for the first worker and the control thread */
	unsigned int count;
	int family;               /* AF_INET6: dual stack.  AF_INET where the machine has no IPv6 */
	bool gso;                 /* UDP_SEGMENT is there */
	bool gro;                 /* UDP_GRO is there */
	int receive_buffer_bytes; /* what the kernel granted */
	int send_buffer_bytes;
};

/**
 * udp_open() - bind @count sockets to @port and steer between them
 * @error:	a line for the operator, on failure
 *
 * Return: 0 or -errno
 */
int udp_open(struct udp_sockets *sockets, uint16_t port, unsigned int count, struct error *error)
	__attribute__((warn_unused_result));

void udp_close(struct udp_sockets *sockets);

/* Room for the control messages that one datagram train needs, sending or receiving */
union udp_control {
	struct cmsghdr align;
	char bytes[128];
};

/* Ask in @msg for @segment_bytes a datagram (UDP_SEGMENT) */
void udp_request_segments(struct msghdr *msg, union udp_control *control, uint16_t segment_bytes);

/* Return: the size of the datagrams that a received message holds: UDP_GRO's, or @message_bytes for a single one */
size_t udp_received_segment(struct msghdr *msg, size_t message_bytes);

/* Return: the MTU of the route to @to, less where ICMP, true or forged, says so; 0 where there is no route */
uint32_t udp_route_mtu(const struct endpoint *to);

/* Return: the MTU of the interface that leads to @to, whatever ICMP says; 0 where it cannot be told */
uint32_t udp_device_mtu(const struct endpoint *to);

/* One datagram from the calling thread's socket.  Return: 0 or -errno */
int udp_send(const struct udp_sockets *sockets, int fd, const struct endpoint *to, const void *bytes, size_t len_bytes)
	__attribute__((warn_unused_result));

#endif /* UNDERLAY_UDP_H */
