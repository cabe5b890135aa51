/*
 * path.h - where datagrams for a peer go and how large they may be
 *
 * Immutable; replaced as a whole by the control thread (roaming, path MTU) and read by the workers under RCU.
 */
#ifndef UNDERLAY_PATH_H
#define UNDERLAY_PATH_H

#include "base/addr.h"

#include <stdint.h>
#include <sys/socket.h>

struct path {
	struct endpoint endpoint;   /* with the address of ours that the peer knows us by, once it has spoken to one */
	struct sockaddr_storage sa; /* the same, for sendmsg() */
	socklen_t sa_bytes;
	uint32_t datagram_bytes; /* largest UDP payload */
};

#endif /* UNDERLAY_PATH_H */
