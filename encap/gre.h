/*
 * gre.h - the 12 clear bytes in front of every sealed datagram
 *
 * Layout: encap/PROTOCOL.md section 2.  A pure codec: no keys, no clock, no I/O.  What it yields is
 * untrusted until the datagram opens with these bytes as its associated data.
 */
#ifndef ENCAP_GRE_H
#define ENCAP_GRE_H

#include <stddef.h>
#include <stdint.h>

#define GRE_HEADER_BYTES 12U
#define GRE_SESSION_MAX 0xffffffU

enum gre_protocol {
	GRE_PROTOCOL_SEALED = 0x88b5,    /* IEEE 802 local experimental 1 */
	GRE_PROTOCOL_HANDSHAKE = 0x88b6, /* IEEE 802 local experimental 2 */
};

/* name, counter as operators see it, what it means and what to do (weft help drop) */
#define GRE_DROPS(X)                                                                                          \
	X(SHORT, "gre-short",                                                                                 \
		"A UDP datagram shorter than weft's header. A few come from scans of the port; if it keeps "  \
		"growing, see which address sends them (tcpdump -n udp port 4754) and block it.")             \
	X(FLAGS, "gre-flags",                                                                                 \
		"A UDP datagram whose first bytes are not weft's header. A few come from scans of the port; " \
		"if it keeps growing, see which address sends them (tcpdump -n udp port 4754) and block it.") \
	X(PROTOCOL, "gre-protocol",                                                                           \
		"A UDP datagram of a kind that this queue does not take. A few come from scans of the port; " \
		"if it keeps growing, see which address sends them (tcpdump -n udp port 4754) and block it.")

enum gre_result {
	GRE_OK,
#define X(name, text, why) GRE_DROP_##name,
	GRE_DROPS(X)
#undef X
		GRE_RESULTS
};

struct gre {
	uint16_t protocol; /* enum gre_protocol */
	uint32_t session;  /* receiver's index, 24 bits */
	uint8_t lane;
	uint32_t counter;
};

/**
 * gre_decode() - read the header of one datagram
 * @bytes:	borrowed
 * @len_bytes:	length of @bytes; any value is safe
 * @out:	written only on GRE_OK
 *
 * Return: GRE_OK, or the drop that the caller counts
 */
enum gre_result gre_decode(const uint8_t *bytes, size_t len_bytes, struct gre *out) __attribute__((warn_unused_result));

/* Write the header of one datagram; @gre->session is at most GRE_SESSION_MAX */
void gre_encode(const struct gre *gre, uint8_t out[GRE_HEADER_BYTES]);

#endif /* ENCAP_GRE_H */
