/*
 * outputs.h - carries a verdict out: the one flood and the one way to each output
 */
#ifndef OVERLAY_DATAPATH_OUTPUTS_H
#define OVERLAY_DATAPATH_OUTPUTS_H

#include "packet/packet.h"
#include "switch/verdict.h"

struct worker;

/**
 * outputs_carry() - give a packet to all that the verdict names, and count its drop
 * @packet:	the caller's alone, parsed; it is changed, and its memory borrowed until the burst's end
 */
void outputs_carry(struct worker *worker, struct packet *packet, const struct verdict *verdict);

#endif /* OVERLAY_DATAPATH_OUTPUTS_H */
