/*
 * route.h - what the kernel's routes say about the way to an endpoint
 */
#ifndef UNDERLAY_ROUTE_H
#define UNDERLAY_ROUTE_H

#include "base/addr.h"

#include <stdint.h>

/* Return: the MTU of the route to @to, less where ICMP, true or forged, says so; 0 where there is no route */
uint32_t route_mtu(const struct endpoint *to);

/* Return: the MTU of the interface that leads to @to, whatever ICMP says; 0 where it cannot be told */
uint32_t route_device_mtu(const struct endpoint *to);

#endif /* UNDERLAY_ROUTE_H */
