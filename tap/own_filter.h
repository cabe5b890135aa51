/*
 * own_filter.h - a socket filter that holds back this host's own datagrams of the fabric; for tap/ only
 *
 * A port on the interface that the datagrams themselves leave by would carry them again, and those again.  Matched are UDP from or to
 * one of this host's own addresses with the fabric's port on the same side, so that a guest's own weft, on the same port
 * and other addresses, passes.  Classic BPF (socket(7), SO_ATTACH_FILTER; TUNATTACHFILTER), run by the kernel for each frame.
 */
#ifndef TAP_OWN_FILTER_H
#define TAP_OWN_FILTER_H

#include "base/addr.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OWN_FILTER_ADDRESSES_MAX 64U
#define OWN_FILTER_CODE_MAX (64U + OWN_FILTER_ADDRESSES_MAX * 20U)

/**
 * own_filter_make() - the program
 * @incoming:	hold back also all that the host itself sends (AF_PACKET's PACKET_OUTGOING)
 * @own:	as struct endpoint has them; those behind OWN_FILTER_ADDRESSES_MAX are not looked for
 * @out:	room for OWN_FILTER_CODE_MAX
 *
 * Return: its instructions
 */
uint16_t own_filter_make(bool incoming, uint16_t udp_port, const uint8_t (*own)[IP_BYTES], size_t own_count,
	struct sock_filter *out);

#endif /* TAP_OWN_FILTER_H */
