/*
 * meter.h - captured packets in, counts out
 *
 * Neighbours: dissect.c (packet to UDP payload), split.c (payload to datagrams), lanes.c (where they
 * are counted); main.c feeds it, report.c prints it.  No clock and no libpcap: time is what the capture
 * says. Owned by the thread that captures; memory is bounded by lanes.h.
 */
#ifndef MEASURE_METER_H
#define MEASURE_METER_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "encap/gre.h"
#include "measure/dissect.h"
#include "measure/lanes.h"

enum meter_handshake {
	METER_HANDSHAKE_OTHER,
	METER_HANDSHAKE_INITIATION,
	METER_HANDSHAKE_RESPONSE,
	METER_HANDSHAKE_COOKIE,
	METER_HANDSHAKES
};

struct meter_counts {
	struct tally total; /* all directions, sessions and lanes */
	uint64_t packets;   /* captured ones that held weft's datagrams */
	uint64_t trains;    /* those of them that held more than one */
	uint64_t assumed;   /* datagrams counted behind the end of a cut-off train (split.h) */
	uint64_t other_port;
	uint64_t not_dissected[DISSECT_RESULTS]; /* by enum dissect_result */
	uint64_t not_weft[GRE_RESULTS];          /* by enum gre_result: on weft's port, but no header of weft */
};

struct meter {
	int link_type;
	uint16_t port;
	struct lanes *lanes;
	struct meter_counts counts;
	struct tally mark; /* counts.total at the beginning of the interval */
};

/**
 * meter_init() - nothing counted yet
 * @link_type:	one that dissect_knows()
 * @port:	UDP port of weft, at either end of a packet
 * @lanes_max:	entries of the table, LANES_MAX but in tests
 *
 * Return: 0 or -ENOMEM
 */
int meter_init(struct meter *meter, int link_type, uint16_t port, size_t lanes_max) __attribute__((warn_unused_result));
void meter_fini(struct meter *meter);

/**
 * meter_packet() - count one captured packet
 * @packet:	borrowed, @len_bytes of it were captured; any bytes are safe
 * @at:		when, by the capture's clock
 *
 * Return: how many datagrams of weft it held
 */
size_t meter_packet(struct meter *meter, const uint8_t *packet, size_t len_bytes, struct instant at);

/* The interval begins */
void meter_mark(struct meter *meter);

/* Names of the counters in struct meter_counts; NULL for the OK value, which no counter has */
const char *meter_dissect_name(enum dissect_result result);
const char *meter_gre_name(enum gre_result result);

/* Return: "initiation", "response", "cookie" or "other" */
const char *meter_handshake_name(uint8_t type);

#endif /* MEASURE_METER_H */
