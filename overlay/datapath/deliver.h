/*
 * deliver.h - packets on their way into a port: the one egress
 */
#ifndef OVERLAY_DATAPATH_DELIVER_H
#define OVERLAY_DATAPATH_DELIVER_H

#include "packet/coalesce.h"
#include "packet/packet.h"
#include "switch/network.h"

struct worker;

/**
 * deliver_alone() - a packet to @to, and to nobody after it
 * @packet:	changed in place; one off the wire is joined with others of its flow and leaves at deliver_flush() at the
 *		latest, until when its memory is borrowed
 * @action:	what becomes of its tag; not VLAN_DENY
 */
void deliver_alone(struct worker *worker, const struct network_port *to, struct packet *packet,
	enum vlan_action action);

/* The same for one that others want too: what has to be changed or kept is a copy */
void deliver_shared(struct worker *worker, const struct network_port *to, struct packet *packet,
	enum vlan_action action);

/**
 * deliver_keep() - copy what is in memory that does not last until the burst's end
 *
 * Return: the copy, to be given to deliver_kept()
 */
struct packet *deliver_keep(struct worker *worker, const struct packet *packet);

/* The copy has been given out, and lasts until deliver_flush() */
void deliver_kept(struct worker *worker, struct packet *copy);

/* Write out what is held for all ports: before the memory is used again */
void deliver_flush(struct worker *worker);

/* The coalescers' way out, with a struct worker_port as context */
coalesce_emit deliver_emit;

#endif /* OVERLAY_DATAPATH_DELIVER_H */
