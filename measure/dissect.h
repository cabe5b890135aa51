/*
 * dissect.h - from a captured packet to the UDP payload in it
 *
 * Link layers: Ethernet, Linux cooked (v1 and v2), raw IP; with up to DISSECT_TAGS_MAX VLAN tags where
 * the link has EtherTypes. Network layers: IPv4 with options, IPv6 with extension headers.  Knows
 * nothing of weft; meter.c asks split.c what the payload holds.  A pure parser: any bytes are safe,
 * nothing outside the captured ones is read.
 */
#ifndef MEASURE_DISSECT_H
#define MEASURE_DISSECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define DISSECT_TAGS_MAX 4U
#define DISSECT_EXTENSIONS_MAX 8U

/* name, counter as operators see it */
#define DISSECT_DROPS(X)           \
	X(TRUNCATED, "truncated")  \
	X(NOT_IP, "not-ip")        \
	X(IP, "ip-malformed")      \
	X(FRAGMENT, "ip-fragment") \
	X(NOT_UDP, "not-udp")      \
	X(UDP, "udp-malformed")

enum dissect_result {
	DISSECT_OK,
#define X(name, text) DISSECT_DROP_##name,
	DISSECT_DROPS(X)
#undef X
		DISSECT_RESULTS
};

struct dissected {
	struct endpoint src;
	struct endpoint dst;
	const uint8_t *payload; /* borrowed from the packet */
	size_t captured_bytes;  /* of the payload; less than payload_bytes where the capture cut it off */
	size_t payload_bytes;   /* as the UDP header says */
	size_t header_bytes;    /* IP and UDP headers */
};

/* Return: whether dissect() can read packets of this link type (libpcap's DLT_ number) */
bool dissect_knows(int link_type) __attribute__((warn_unused_result));

/**
 * dissect() - find the UDP payload
 * @link_type:	one that dissect_knows()
 * @packet:	borrowed; @len_bytes of it were captured
 * @out:	written only on DISSECT_OK
 *
 * A packet cut short by the capture is fine as long as its UDP header is there.
 *
 * Return: DISSECT_OK, or what the caller counts
 */
enum dissect_result dissect(int link_type, const uint8_t *packet, size_t len_bytes, struct dissected *out)
	__attribute__((warn_unused_result));

#endif /* MEASURE_DISSECT_H */
