/*
 * capture.h - libpcap, live or from a file, with errors that say what to do
 *
 * Neighbours: main.c, which drives it.  It hands packets on and does not look into them.  A live
 * capture takes UDP of one port only (a filter in the kernel, which knows of up to two VLAN tags) and
 * needs CAP_NET_RAW for its opening, not later.
 */
#ifndef MEASURE_CAPTURE_H
#define MEASURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

/* Whole packets by default: only the header at each segment tells which lane a train's datagrams belong to (split.h) */
#define CAPTURE_SNAPLEN_DEFAULT 65600U
#define CAPTURE_SNAPLEN_MIN 128U
#define CAPTURE_BUFFER_MIB_DEFAULT 32U

struct capture_settings {
	uint16_t port;
	uint32_t snaplen_bytes;
	uint32_t buffer_mib;
	bool promiscuous;
};

struct capture_stats {
	bool known; /* false for a file */
	uint64_t received;
	uint64_t dropped; /* by the kernel, for want of room: its loss, not the network's */
	uint64_t interface_dropped;
};

/* @packet is borrowed for the call.  Return: false to be given no more */
typedef bool capture_packet_fn(void *context, const uint8_t *packet, size_t len_bytes, struct instant at);

struct capture;

/**
 * capture_open_live() - begin to capture on an interface, without blocking
 * @error:	says what is wrong and what to do, where the result is NULL
 */
struct capture *capture_open_live(const char *interface, const struct capture_settings *settings, struct error *error)
	__attribute__((warn_unused_result));

/* The same for a pcap or pcapng file; "-" is the standard input */
struct capture *capture_open_file(const char *path, struct error *error) __attribute__((warn_unused_result));

void capture_close(struct capture *capture);

/* Return: libpcap's DLT_ number, one that dissect_knows() */
int capture_link_type(const struct capture *capture);

/* Return: what to poll for reading, for a live capture */
int capture_fd(const struct capture *capture);

/**
 * capture_read() - hand on what is there
 * @max:	packets at most
 *
 * Return: how many were read; 0 means none now, or the end of a file; -1 after an error, told in @error
 */
int capture_read(struct capture *capture, int max, capture_packet_fn *packet, void *context, struct error *error)
	__attribute__((warn_unused_result));

struct capture_stats capture_stats_now(struct capture *capture);

#endif /* MEASURE_CAPTURE_H */
