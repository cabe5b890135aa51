/*
 * run.h - one measurement from beginning to end: time, intervals, when to stop
 *
 * Neighbours: main.c makes one out of its arguments and pumps packets into it; meter.c counts, report.c
 * prints. Knows no libpcap and reads no clock: all times are those of the packets, or what
 * run_advance() is told, so that a file and a live capture are cut into intervals in the same way.
 *
 * Theory of operation: the run starts with the first time that it is told.  An interval ends when a
 * time past its end comes in.  Intervals follow each other without gaps on a live capture; in a file
 * those in which nothing was captured are passed over, whatever their number.  Packets that come late,
 * or whose clock was set back, count in the interval that is open.  What is left of the last interval
 * is in the summary only.
 */
#ifndef MEASURE_RUN_H
#define MEASURE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "measure/capture.h"
#include "measure/meter.h"

struct run_settings {
	uint64_t interval_ns;
	uint64_t duration_ns; /* 0: no end */
	uint64_t count;       /* datagrams; 0: no end */
	bool json;
	bool quiet_intervals; /* report those without datagrams as well */
};

struct run {
	struct run_settings settings;
	struct meter *meter; /* borrowed */
	FILE *out;           /* borrowed */
	struct capture_stats capture;
	struct instant start; /* 0: nothing yet */
	struct instant from;  /* of the open interval */
	struct instant last;  /* the latest time that was told */
	struct instant end;   /* packets from here on do not count; 0: none */
	uint64_t datagrams;
	bool done;
};

void run_init(struct run *run, const struct run_settings *settings, struct meter *meter, FILE *out);

/* It is now @now: report the interval that has ended, if one has; done once the duration is over */
void run_advance(struct run *run, struct instant now);

/* One packet.  Return: false once the run is done; this packet may not have counted then */
bool run_packet(struct run *run, const uint8_t *packet, size_t len_bytes, struct instant at);

/* Packets from @at on do not count any more; the run is done once it advances to there */
void run_end_at(struct run *run, struct instant at);

void run_summary(const struct run *run);

#endif /* MEASURE_RUN_H */
