/*
 * tag.h - a packet gains, loses or changes its outer VLAN tag
 *
 * In place, by moving the two addresses.  Which of it is to be done is decided in switch/ (vlan.h).  IEEE 802.1Q clause 9.
 */
#ifndef PACKET_TAG_H
#define PACKET_TAG_H

#include "packet/packet.h"

#include <stdbool.h>
#include <stdint.h>

/* The caller has the packet alone, and it has been parsed; all three keep `info` and `offload` true */

/* Put a tag for @vlan in front.  Return: false without headroom, or where the frame would have more tags than are understood */
bool packet_tag_push(struct packet *packet, uint16_t vlan) __attribute__((warn_unused_result));

/* Take the outer tag away.  Return: false where there is none, or nothing that is a frame is left */
bool packet_tag_pop(struct packet *packet) __attribute__((warn_unused_result));

/* Write @vlan into the outer tag, which keeps its priority.  Return: false where there is none */
bool packet_tag_set(struct packet *packet, uint16_t vlan) __attribute__((warn_unused_result));

#endif /* PACKET_TAG_H */
