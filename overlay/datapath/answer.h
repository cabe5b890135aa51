/*
 * answer.h - what weft itself says to whoever sent a packet
 */
#ifndef OVERLAY_DATAPATH_ANSWER_H
#define OVERLAY_DATAPATH_ANSWER_H

#include "packet/packet.h"

#include <stdint.h>

struct worker;

/**
 * answer_too_big() - what a router would say to the guest whose packet does not fit, at a bounded rate
 * @packet:	from a local port; borrowed
 * @mtu_bytes:	what would fit, as one IP packet
 */
void answer_too_big(struct worker *worker, const struct packet *packet, uint32_t mtu_bytes);

#endif /* OVERLAY_DATAPATH_ANSWER_H */
