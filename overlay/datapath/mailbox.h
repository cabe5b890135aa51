/*
 * mailbox.h - a bounded queue of small messages from one thread to one other
 *
 * How a worker tells the control thread what it saw (overlay/peer/overlay.h has the meanings).  One producer, one consumer,
 * no locks; a full mailbox refuses, and every message is one that its sender repeats while the cause lasts.
 */
#ifndef OVERLAY_DATAPATH_MAILBOX_H
#define OVERLAY_DATAPATH_MAILBOX_H

#include "base/addr.h"

#include <stdbool.h>
#include <stdint.h>

#define MAILBOX_SLOTS 256U /* a power of two */

enum mail_kind {
	MAIL_CONFIRMED,    /* first datagram on a session that we answered: session */
	MAIL_ROAMED,       /* newest datagram came from, or to, elsewhere: session, from */
	MAIL_WANT_SESSION, /* frames for a peer without a session: peer */
	MAIL_STIRRED,      /* a peer that was quiet is sent to, or heard: peer */
	MAIL_GOODBYE,      /* the peer stops, and says so in it: session */
	MAIL_REKEY,        /* a lane's counter nears its limit: session */
	MAIL_PROBE_ACK,    /* session, token, bytes */
	MAIL_TOO_BIG,      /* the kernel refused a datagram's size: peer, bytes */
	MAIL_DECLARED,     /* a MAC that is declared elsewhere speaks behind a port: port, network, vlan, mac */
	MAIL_PORT_GONE,    /* a port's device was deleted, in whatever namespace it was: port */
};

struct mail {
	uint32_t kind;    /* enum mail_kind */
	uint32_t session; /* our index */
	uint32_t peer;    /* slot */
	uint32_t port;    /* slot */
	uint32_t network;
	uint16_t vlan;
	struct mac mac;
	uint32_t bytes;
	uint64_t token;
	struct endpoint from;
};

struct mailbox {
	struct mail slots[MAILBOX_SLOTS];
	uint32_t head __attribute__((aligned(64))); /* next to write; the producer's */
	uint32_t tail __attribute__((aligned(64))); /* next to read; the consumer's */
};

/* Return: false where it is full */
static inline bool mailbox_put(struct mailbox *box, const struct mail *mail)
{
	uint32_t head = __atomic_load_n(&box->head, __ATOMIC_RELAXED);

	if (head - __atomic_load_n(&box->tail, __ATOMIC_ACQUIRE) >= MAILBOX_SLOTS)
		return false;
	box->slots[head % MAILBOX_SLOTS] = *mail;
	__atomic_store_n(&box->head, head + 1, __ATOMIC_RELEASE);
	return true;
}

/* The same, and wake the consumer by its eventfd */
bool mailbox_post(struct mailbox *box, int wake_fd, const struct mail *mail);

/* Return: false where it is empty */
static inline bool mailbox_take(struct mailbox *box, struct mail *out)
{
	uint32_t tail = __atomic_load_n(&box->tail, __ATOMIC_RELAXED);

	if (tail == __atomic_load_n(&box->head, __ATOMIC_ACQUIRE))
		return false;
	*out = box->slots[tail % MAILBOX_SLOTS];
	__atomic_store_n(&box->tail, tail + 1, __ATOMIC_RELEASE);
	return true;
}

#endif /* OVERLAY_DATAPATH_MAILBOX_H */
