/*
 * limits.h - the figures that a lab, its documents and everything that serves it agree on, each written here only
 */
#ifndef LAB_LIMITS_H
#define LAB_LIMITS_H

/* Names of labs, networks, ports, wires and hosts: [a-z0-9]([a-z0-9-]*[a-z0-9])? */
#define LAB_NAME_MAX 63U
#define LAB_NAME_BYTES (LAB_NAME_MAX + 1U)

/* A guest's frame without its Ethernet header and tags; 576 is what every IPv4 host takes (RFC 791) */
#define LAB_MTU_MIN 576
#define LAB_MTU_MAX 9216
#define LAB_MTU_DEFAULT 1500

#define LAB_IPS_MAX 64U /* that one port declares */

#define NETWORK_ID_MAX 0xffffffU /* 24 bits on the wire */
#define PORT_ID_MAX 0xffffffU    /* the same, so that the name of a port's TAP stays short */

/* What one agent serves */
#define NETWORKS_MAX 1024U
#define PORTS_MAX 512U
#define PEERS_MAX 16384U
#define PEER_ENDPOINTS_MAX 8U
#define REMOTE_PORTS_MAX 65536U /* ports of other hosts that it is told of */

#define UDP_PORT_DEFAULT 4754U        /* GRE-in-UDP (RFC 8086): agents among themselves */
#define CONTROLLER_PORT_DEFAULT 4753U /* the controller's API */

#endif /* LAB_LIMITS_H */
