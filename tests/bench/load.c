/*
 * load.c - weft-load: UDP between two network namespaces, as fast as it is delivered, or one question at a time
 *
 *	weft-load rate --from NETNS --to NETNS --address ADDRESS --size 64|imix|BYTES [--trial-ms MS] [--pps RATE]
 *	weft-load rtt  --from NETNS --to NETNS --address ADDRESS [--trial-ms MS] [--interval-us US]
 *
 * ADDRESS is what NETNS --to has on the device under test.  Sizes are of UDP payloads.
 */
#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_BUFFER_BYTES (32 << 20)

/* IP packets of 92, 570 and 1400 bytes, 7:4:1, spread as evenly as they go */
static const uint16_t imix[] = { 64, 542, 64, 64, 542, 64, 1372, 64, 542, 64, 542, 64 };

uint64_t load_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* Return: a UDP socket that lives in the named namespace, or -1, said on stderr */
static int socket_in(const char *netns)
{
	const int bytes = SOCKET_BUFFER_BYTES;
	char path[128];
	int ns, fd = -1;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns >= 0 && setns(ns, CLONE_NEWNET) == 0)
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fprintf(stderr, "weft-load: %s: %s\n", path, strerror(errno));
	else if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		perror("weft-load: socket buffers");
	if (ns >= 0)
		close(ns);
	return fd;
}

static bool parse_size(const char *text, struct load *load)
{
	unsigned long bytes = strtoul(text, NULL, 10);

	if (strcmp(text, "imix") == 0) {
		memcpy(load->sizes, imix, sizeof(imix));
		load->sizes_count = sizeof(imix) / sizeof(imix[0]);
		return true;
	}
	load->sizes[0] = (uint16_t)bytes;
	load->sizes_count = 1;
	return bytes >= 16 && bytes <= LOAD_PAYLOAD_MAX_BYTES;
}

static int usage(void)
{
	fputs("usage: weft-load rate --from NETNS --to NETNS --address IP --size imix|BYTES [--trial-ms MS] [--pps RATE]\n"
	      "       weft-load rtt  --from NETNS --to NETNS --address IP [--trial-ms MS] [--interval-us US]\n",
		stderr);
	return 2;
}

static bool open_ends(struct load *load, const char *from, const char *to)
{
	load->to = socket_in(to);
	load->from = load->to < 0 ? -1 : socket_in(from);
	if (load->from < 0)
		return false;
	if (bind(load->to, (const struct sockaddr *)&load->address, sizeof(load->address)) == 0 &&
		connect(load->from, (const struct sockaddr *)&load->address, sizeof(load->address)) == 0)
		return true;
	perror("weft-load: address");
	return false;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ "address", required_argument, NULL, 'a' },
		{ "size", required_argument, NULL, 's' },
		{ "trial-ms", required_argument, NULL, 'm' },
		{ "pps", required_argument, NULL, 'p' },
		{ "interval-us", required_argument, NULL, 'i' },
		{ NULL, 0, NULL, 0 },
	};
	struct load load = {
		.address = { .sin_family = AF_INET, .sin_port = htons(LOAD_PORT) },
		.trial_ms = 300,
		.interval_us = 1000,
	};
	const char *from = NULL, *to = NULL;
	bool good = parse_size("64", &load), addressed = false;
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'f':
			from = optarg;
			break;
		case 't':
			to = optarg;
			break;
		case 'a':
			addressed = inet_pton(AF_INET, optarg, &load.address.sin_addr) == 1;
			break;
		case 's':
			good = parse_size(optarg, &load);
			break;
		case 'm':
			load.trial_ms = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'p':
			load.pps = strtod(optarg, NULL);
			break;
		case 'i':
			load.interval_us = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		default:
			return usage();
		}
	}
	if (!good || !addressed || !from || !to || optind + 1 != argc || !load.trial_ms || !load.interval_us)
		return usage();
	prctl(PR_SET_TIMERSLACK, 1UL); /* sleeps end when they were to end */
	if (!open_ends(&load, from, to))
		return 1;
	if (strcmp(argv[optind], "rate") == 0)
		return load_rate(&load);
	if (strcmp(argv[optind], "rtt") == 0)
		return load_rtt(&load);
	return usage();
}
