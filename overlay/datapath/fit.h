/*
 * fit.h - a packet is made to fit the path to a peer: whole, cut or in fragments
 *
 * A TCP super-frame is cut in place and each piece sealed from where it lies: the payload is touched once, by the cipher.
 */
#ifndef OVERLAY_DATAPATH_FIT_H
#define OVERLAY_DATAPATH_FIT_H

#include "packet/packet.h"

struct peer;
struct worker;

/**
 * fit_to_peer() - as records into the peer's datagrams
 * @packet:	from a local port, in trunk form, the caller's alone; afterwards it may be given to another peer
 */
void fit_to_peer(struct worker *worker, struct peer *peer, struct packet *packet);

#endif /* OVERLAY_DATAPATH_FIT_H */
