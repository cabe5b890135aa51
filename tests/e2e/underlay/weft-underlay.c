/*
 * weft-underlay.c - a bad wire: forwards frames between two interfaces, losing, doubling and reordering some
 *
 *	host A  up0 ---- a [weft-underlay] b ---- ul  (a bridge, or host B)
 *
 * For the end-to-end tests, in namespaces, between the ends of veth pairs; the interfaces it is given
 * must not be in a bridge.  It stands in for netem, which is not everywhere.  Every frame has the same
 * chances, ARP's too, in both directions, out of a seeded generator: the same frames in the same order
 * meet the same fate.  The interfaces' offloads pass through (PACKET_VNET_HDR), so checksums that a
 * veth left partial stay valid; but a train that was not cut yet is one frame and is lost as one.  Who
 * wants loss per datagram switches the hosts' offloads off first: ethtool -K up0 tso off gso off gro
 * off tx-udp-segmentation off.  It does not carry VLAN tags.
 *
 * On SIGTERM or SIGINT it prints its counts as one JSON object and ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_BYTES (65536U + 64U + sizeof(struct virtio_net_hdr))
#define HELD_MAX 32U       /* frames per direction; when all places are taken a frame goes on in order */
#define HELD_BEHIND_MAX 8U /* how many frames may overtake one */
#define HELD_LONGEST_MS 10U
#define FRAMES_PER_TURN 64U
#define SOCKET_BUFFER_BYTES (16 << 20)

struct held {
	size_t len_bytes;    /* 0: free */
	unsigned int behind; /* frames that still overtake it */
	uint64_t until_ms;
	uint8_t bytes[FRAME_BYTES];
};

/* One way through: what comes in at @in leaves at @out */
struct way {
	int in;
	int out;
	struct held held[HELD_MAX];
	uint64_t received, trains, lost, duplicated, reordered, forwarded, refused;
};

struct chances { /* of 2^32 */
	uint64_t loss;
	uint64_t duplicate;
	uint64_t reorder;
};

static volatile sig_atomic_t ended;
static uint64_t random_state;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

/* splitmix64 (Steele, Lea, Flood, 2014) */
static uint64_t random_next(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static bool strikes(uint64_t chance)
{
	return random_next() >> 32 < chance;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int open_interface(const char *name)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, size = SOCKET_BUFFER_BYTES;
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	struct packet_mreq promiscuous = { .mr_ifindex = address.sll_ifindex, .mr_type = PACKET_MR_PROMISC };

	if (fd < 0 || address.sll_ifindex == 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) != 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)) != 0 ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		fprintf(stderr, "weft-underlay: %s: %s\n", name, strerror(errno));
		exit(EXIT_FAILURE);
	}
	return fd;
}

static void emit(struct way *way, const uint8_t *frame, size_t len_bytes)
{
	if (send(way->out, frame, len_bytes, 0) == (ssize_t)len_bytes)
		way->forwarded++;
	else
		way->refused++;
}

static void release(struct way *way, bool one_passed, uint64_t at_ms)
{
	for (struct held *held = way->held; held < way->held + HELD_MAX; held++) {
		if (held->len_bytes == 0)
			continue;
		if (one_passed)
			held->behind--;
		if (held->behind == 0 || at_ms >= held->until_ms) {
			emit(way, held->bytes, held->len_bytes);
			held->len_bytes = 0;
		}
	}
}

static bool hold(struct way *way, const uint8_t *frame, size_t len_bytes, uint64_t at_ms)
{
	for (struct held *held = way->held; held < way->held + HELD_MAX; held++) {
		if (held->len_bytes)
			continue;
		memcpy(held->bytes, frame, len_bytes);
		held->len_bytes = len_bytes;
		held->behind = 1 + (unsigned int)(random_next() % HELD_BEHIND_MAX);
		held->until_ms = at_ms + HELD_LONGEST_MS;
		return true;
	}
	return false;
}

static void pass(struct way *way, const struct chances *chances, const uint8_t *frame, size_t len_bytes, uint64_t at_ms)
{
	const struct virtio_net_hdr *offload = (const void *)frame;

	way->received++;
	way->trains += offload->gso_type != VIRTIO_NET_HDR_GSO_NONE;
	if (strikes(chances->loss)) {
		way->lost++;
		return;
	}
	if (strikes(chances->duplicate)) {
		way->duplicated++;
		emit(way, frame, len_bytes);
	}
	if (strikes(chances->reorder) && hold(way, frame, len_bytes, at_ms)) {
		way->reordered++;
		return;
	}
	emit(way, frame, len_bytes);
	release(way, true, at_ms);
}

static void turn(struct way *way, const struct chances *chances, uint64_t at_ms)
{
	static uint8_t frame[FRAME_BYTES] __attribute__((aligned(8)));

	for (unsigned int i = 0; i < FRAMES_PER_TURN; i++) {
		ssize_t got = recv(way->in, frame, sizeof(frame), MSG_TRUNC);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got < (ssize_t)(sizeof(struct virtio_net_hdr) + ETH_HLEN) || (size_t)got > sizeof(frame))
			way->refused++; /* an interface that went down too: EIO or ENETDOWN, until it is up */
		else
			pass(way, chances, frame, (size_t)got, at_ms);
	}
}

static void report(const char *name, const struct way *way, const char *behind)
{
	struct tpacket_stats stats = { 0 };
	socklen_t len = sizeof(stats);

	(void)getsockopt(way->in, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
	printf("\"%s\":{\"received\":%llu,\"trains\":%llu,\"lost\":%llu,\"duplicated\":%llu,\"reordered\":%llu,"
	       "\"forwarded\":%llu,\"refused\":%llu,\"overrun\":%u}%s",
		name, (unsigned long long)way->received, (unsigned long long)way->trains, (unsigned long long)way->lost,
		(unsigned long long)way->duplicated, (unsigned long long)way->reordered,
		(unsigned long long)way->forwarded, (unsigned long long)way->refused, stats.tp_drops, behind);
}

static uint64_t chance_of(const char *option, const char *percent)
{
	char *end;
	double value = strtod(percent, &end);

	if (end == percent || *end || !(value >= 0 && value <= 100)) {
		fprintf(stderr, "weft-underlay: --%s %s: give a percentage\n", option, percent);
		exit(2);
	}
	return (uint64_t)(value / 100 * 4294967296.0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "loss", required_argument, NULL, 'l' },
		{ "duplicate", required_argument, NULL, 'd' },
		{ "reorder", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	static struct way ways[2];
	struct chances chances = { 0 };
	struct sigaction action = { .sa_handler = on_signal };
	struct pollfd polled[2];
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'l')
			chances.loss = chance_of("loss", optarg);
		else if (option == 'd')
			chances.duplicate = chance_of("duplicate", optarg);
		else if (option == 'r')
			chances.reorder = chance_of("reorder", optarg);
		else if (option == 's')
			random_state = strtoull(optarg, NULL, 0);
		else
			return 2;
	}
	if (argc - optind != 2) {
		fputs("usage: weft-underlay [--loss PERCENT] [--duplicate PERCENT] [--reorder PERCENT] [--seed N] IF IF\n",
			stderr);
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	for (unsigned int i = 0; i < 2; i++) {
		ways[i].in = ways[1 - i].out = open_interface(argv[optind + (int)i]);
		polled[i] = (struct pollfd){ .fd = ways[i].in, .events = POLLIN };
	}
	while (!ended) {
		uint64_t at_ms;

		(void)poll(polled, 2, HELD_LONGEST_MS / 2);
		at_ms = now_ms();
		for (unsigned int i = 0; i < 2; i++) {
			turn(&ways[i], &chances, at_ms);
			release(&ways[i], false, at_ms);
		}
	}
	putchar('{');
	report("a", &ways[0], ",");
	report("b", &ways[1], "}\n");
	return 0;
}
