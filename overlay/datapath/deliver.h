/*
 * deliver.h - frames on their way into a port
 */
#ifndef OVERLAY_DATAPATH_DELIVER_H
#define OVERLAY_DATAPATH_DELIVER_H

#include "overlay/datapath/worker.h"

struct delivery {
	const struct network *network;
	const struct network_port *in; /* NULL: came from a peer */
	uint8_t *frame;                /* VLAN_TAG_BYTES in front of it may be overwritten */
	size_t frame_bytes;
	const struct frame_info *info;
	uint16_t vlan;
	bool flooded; /* a port that does not carry its VLAN is passed over, not a drop */
};

/* Change the tag in place, as an egress action says.  Return: the frame's new start; VLAN_TAG_BYTES before it must be free */
uint8_t *deliver_edit_tag(uint8_t *frame, size_t *bytes, enum vlan_action action, uint16_t vlan);

/* One frame off the wire to @to, joined with others of its flow; leaves at deliver_flush() at the latest */
void deliver_joined(struct worker *worker, const struct network_port *to, const struct delivery *delivery, bool partial,
	uint16_t gso_bytes);

/* The same for a frame whose memory others need too: copied, and gone at once */
void deliver_copy(struct worker *worker, const struct network_port *to, const struct delivery *delivery, bool partial,
	uint16_t gso_bytes);

/* One frame of a local port to @to, with what it leaves undone */
void deliver_local(struct worker *worker, const struct network_port *to, const struct delivery *delivery,
	const struct offload *offload);

/* Write out what is held for all ports: before the buffers are used again */
void deliver_flush(struct worker *worker);

/* The coalescers' way out; a coalesce_emit */
void deliver_emit(void *worker_port, const struct iovec *iov, int n, size_t bytes, const struct offload *offload);

#endif /* OVERLAY_DATAPATH_DELIVER_H */
