/*
 * burst.h - the frame around a worker's work on one event
 */
#ifndef OVERLAY_DATAPATH_BURST_H
#define OVERLAY_DATAPATH_BURST_H

struct worker;

/* The clock, the forwarding to work with, and an RCU reader's section */
void burst_begin(struct worker *worker);

/* Everything that has gathered leaves: memory that was lent for the burst may be used again */
void burst_end(struct worker *worker);

#endif /* OVERLAY_DATAPATH_BURST_H */
