/*
 * probe.h - the body of probe and probe-ack records: round trip time and path MTU
 *
 * Layout: encap/PROTOCOL.md section 8.  A pure codec; when to probe and what follows is overlay/'s.
 */
#ifndef ENCAP_PROBE_H
#define ENCAP_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_BODY_BYTES 11U

enum probe_flag {
	PROBE_FLAG_MTU = 0x01,  /* padded on purpose: the answer tells that this size passes */
	PROBE_FLAG_FLOW = 0x02, /* sent in a flow of the lane's own: the answer tells that the flow passes */
};

struct probe {
	uint8_t flags;           /* enum probe_flag */
	uint64_t token;          /* the asking side's, opaque to the other */
	uint16_t datagram_bytes; /* UDP payload: as sent in a probe, as received in an ack */
};

void probe_encode(const struct probe *probe, uint8_t out[PROBE_BODY_BYTES]);

/* Return: false where @body is too short; what stands behind PROBE_BODY_BYTES is padding and not looked at */
bool probe_decode(const uint8_t *body, size_t len_bytes, struct probe *out) __attribute__((warn_unused_result));

#endif /* ENCAP_PROBE_H */
