/*
 * load.h - the parts of weft-load, the bench's own generator and meter of UDP
 *
 * load.c reads the command line and opens a socket in each of the two hosts' network namespaces; load_rate.c searches
 * the rate that is delivered, load_rtt.c measures round trips.  One process has both ends, so that what was sent and
 * what arrived are two counters in one memory, and nothing but the load itself crosses the network.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define LOAD_PORT 7007U
#define LOAD_PAYLOAD_MAX_BYTES 9000U
#define LOAD_SIZES_MAX 12U

struct load {
	int from; /* connected to @to's address */
	int to;   /* bound, in the other namespace */
	struct sockaddr_in address;
	unsigned int trial_ms;    /* of a trial; rtt: of the whole */
	double pps;               /* rate: only this one, no search; 0: search */
	unsigned int interval_us; /* rtt: between two questions */
	unsigned int sizes_count; /* rate: payloads, sent in this order again and again */
	uint16_t sizes[LOAD_SIZES_MAX];
};

uint64_t load_now_ns(void);

/* Both print one JSON object.  Return: 0, or 1 where nothing could be measured */
int load_rate(const struct load *load);
int load_rtt(const struct load *load);

#endif /* BENCH_LOAD_H */
