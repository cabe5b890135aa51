/*
 * veth.h - "netns:NAMESPACE/INTERFACE": a veth pair, an end of which lies in a container's namespace; for tap/ only
 */
#ifndef TAP_VETH_H
#define TAP_VETH_H

#include "lab/attach.h"

/* Delete the pair that was made for @spec, if it is there */
void veth_leave(const struct attach *spec);

#endif /* TAP_VETH_H */
