/*
 * attacker.c - a host of the fabric that turned bad, or wants to be one: for the end-to-end tests
 *
 * usage: attacker --state DIR --peer HOST --bind ADDR[:PORT] [--endpoint ADDR[:PORT]] [--count N]
 *	[--rate PER_SECOND] [--network ID] [--seed N] ATTACK...
 *
 * Runs in the namespace of a host whose weftd is stopped, with that host's state folder.  Runs the
 * attacks in the order given, each through a new session where it needs one, N (100,000) datagrams each
 * at a given rate (20,000/s), and prints what it sent as one JSON object: {"ATTACK": {"sent", "failed",
 * "received", "received_bytes", ...}, ...}.  Whether the peer held is the test's affair, by the peer's
 * drop counters.  Exit status: 0, 1 where an attack could not begin, 2 usage.
 *
 * Attacks, and under what the peer should count them:
 *	good		 frames on a network that both are on: none; shows that the rest is not dropped for want of a session
 *	foreign		 frames on network --network, or on one that does not exist: network-unknown, not-member
 *	replay		 256 of its own datagrams, again and again: replay-duplicate
 *	replay-old	 the same after the window has moved on: replay-old
 *	truncated	 sealed datagrams cut at random: gre-short, not-authentic
 *	tampered	 sealed datagrams with one bit flipped: gre-*, session-unknown, lane-*, not-authentic, replay-old
 *	random		 random bytes of random length: gre-*
 *	garbage		 random bytes behind a header of the live session: not-authentic
 *	bodies		 random records, properly sealed: record-*, frame-short, network-unknown, fragment-*, probe-*
 *	initiations	 handshakes of random bytes: handshake-mac
 *	initiations-mac1 the same with the right mac1: handshake-not-authentic, handshake-cookie
 *	initiations-old	 one good initiation, replayed: handshake-replay, handshake-cookie
 *	stranger	 ten handshakes with a key that the topology does not have: handshake-stranger, no answer
 *	wrong-psk	 ten with the right key and without the fabric's secret: answered, and worth nothing
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/random.h"
#include "encap/record.h"
#include "tests/e2e/attacker/tunnel.h"

#define REPLAYED 256U
#define REPLAY_WINDOW 2048U
#define FRAME_BYTES 60U
#define NO_SUCH_NETWORK 0xfffffeU
#define GARBAGE_BYTES_MAX 1400U

struct attack {
	struct tunnel tunnel;
	uint32_t foreign; /* network id */
	uint64_t count;
	uint64_t rate;
	uint64_t random;
	bool reported;         /* an attack's counts are in the output */
	struct cookie_jar jar; /* without cookies */
	uint8_t replayed[REPLAYED][TUNNEL_DATAGRAM_BYTES];
	size_t replayed_bytes[REPLAYED];
};

struct result {
	uint64_t sent;
	uint64_t failed;
};

/* splitmix64 (Steele, Lea, Flood, 2014) */
static uint64_t random_next(struct attack *attack)
{
	uint64_t z = attack->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static void random_bytes(struct attack *attack, uint8_t *out, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		out[i] = (uint8_t)(random_next(attack) >> 56);
}

/* ---- what is sent: each writes one datagram and returns its length -------------------------------------------- */

/* A broadcast, so that every VM of the network would see it; without a network a keepalive */
static size_t seal_frame(struct attack *attack, uint64_t i, uint32_t network, uint8_t *out)
{
	const struct record record = { .type = RECORD_FRAME, .network = network };
	uint8_t plain[RECORD_MAX_HEADER_BYTES + FRAME_BYTES] = { 0 };
	size_t header_bytes, len_bytes = 0;

	if (network != TUNNEL_NO_NETWORK) {
		header_bytes = record_encode(&record, plain);
		memset(plain + header_bytes, 0xff, 6);
		memcpy(plain + header_bytes + 6, "\x02\x00\x00\x00\x66\x66\x88\xb7", 8);
		snprintf((char *)plain + header_bytes + 14, FRAME_BYTES - 14, "attack %llu", (unsigned long long)i);
		len_bytes = header_bytes + FRAME_BYTES;
	}
	return tunnel_seal(&attack->tunnel, (uint8_t)(i % TUNNEL_LANES), plain, len_bytes, out);
}

static size_t forge_good(struct attack *attack, uint64_t i, uint8_t *out)
{
	return seal_frame(attack, i, attack->tunnel.network, out);
}

static size_t forge_foreign(struct attack *attack, uint64_t i, uint8_t *out)
{
	return seal_frame(attack, i, attack->foreign, out);
}

static size_t forge_replay(struct attack *attack, uint64_t i, uint8_t *out)
{
	memcpy(out, attack->replayed[i % REPLAYED], attack->replayed_bytes[i % REPLAYED]);
	return attack->replayed_bytes[i % REPLAYED];
}

static size_t forge_truncated(struct attack *attack, uint64_t i, uint8_t *out)
{
	return random_next(attack) % forge_good(attack, i, out);
}

static size_t forge_tampered(struct attack *attack, uint64_t i, uint8_t *out)
{
	size_t len_bytes = forge_good(attack, i, out), bit = random_next(attack) % (len_bytes * 8);

	out[bit / 8] ^= (uint8_t)(1U << bit % 8);
	return len_bytes;
}

static size_t forge_random(struct attack *attack, uint64_t i, uint8_t *out)
{
	size_t len_bytes = random_next(attack) % GARBAGE_BYTES_MAX;

	(void)i;
	random_bytes(attack, out, len_bytes);
	return len_bytes;
}

static size_t forge_garbage(struct attack *attack, uint64_t i, uint8_t *out)
{
	const struct gre header = {
		.protocol = GRE_PROTOCOL_SEALED,
		.session = attack->tunnel.keys.remote_index,
		.lane = (uint8_t)(i % TUNNEL_LANES),
		.counter = (uint32_t)(random_next(attack) >> 33), /* below the limit of 2^31 */
	};
	size_t len_bytes = random_next(attack) % GARBAGE_BYTES_MAX;

	gre_encode(&header, out);
	random_bytes(attack, out + GRE_HEADER_BYTES, len_bytes);
	return GRE_HEADER_BYTES + len_bytes;
}

static size_t forge_bodies(struct attack *attack, uint64_t i, uint8_t *out)
{
	uint8_t plain[GARBAGE_BYTES_MAX];
	size_t len_bytes = random_next(attack) % sizeof(plain);

	random_bytes(attack, plain, len_bytes);
	if (len_bytes >= RECORD_HEADER_BYTES && i % 2 && attack->tunnel.network != TUNNEL_NO_NETWORK) {
		plain[1] = (uint8_t)(attack->tunnel.network >> 16); /* past the first check */
		plain[2] = (uint8_t)(attack->tunnel.network >> 8);
		plain[3] = (uint8_t)attack->tunnel.network;
		if (plain[0] >> 4 == RECORD_FRAME) /* which would be good frames, whatever is in them */
			plain[0] = (uint8_t)(RECORD_FRAGMENT << 4 | (plain[0] & 0xf));
	}
	return tunnel_seal(&attack->tunnel, (uint8_t)(i % TUNNEL_LANES), plain, len_bytes, out);
}

static size_t forge_initiation(struct attack *attack, uint64_t i, uint8_t *out)
{
	size_t len_bytes = attack->tunnel.initiation_bytes;

	(void)i;
	memcpy(out, attack->tunnel.initiation, GRE_HEADER_BYTES + 1); /* up to the type */
	random_bytes(attack, out + GRE_HEADER_BYTES + 1, len_bytes - GRE_HEADER_BYTES - 1);
	return len_bytes;
}

static size_t forge_initiation_mac1(struct attack *attack, uint64_t i, uint8_t *out)
{
	size_t len_bytes = forge_initiation(attack, i, out);

	if (!cookie_close(&attack->jar, out + GRE_HEADER_BYTES, len_bytes - GRE_HEADER_BYTES - COOKIE_MACS_BYTES,
		    instant_now()))
		exit(EXIT_FAILURE);
	return len_bytes;
}

static size_t forge_initiation_old(struct attack *attack, uint64_t i, uint8_t *out)
{
	(void)i;
	memcpy(out, attack->tunnel.initiation, attack->tunnel.initiation_bytes);
	return attack->tunnel.initiation_bytes;
}

/* ---- how it is sent ------------------------------------------------------------------------------------------ */

typedef size_t forge_fn(struct attack *attack, uint64_t i, uint8_t *out);

static void send_many(struct attack *attack, forge_fn *forge, uint64_t count, struct result *result)
{
	const struct timespec nap = { .tv_nsec = 500000 };
	struct instant start = instant_now();
	uint8_t datagram[TUNNEL_DATAGRAM_BYTES];

	for (uint64_t i = 0; i < count;) {
		uint64_t due = (instant_now().ns - start.ns) * attack->rate / 1000000000ULL + 1;

		for (; i < count && i < due; i++) {
			size_t len_bytes = forge(attack, i, datagram);

			if (tunnel_send(&attack->tunnel, datagram, len_bytes))
				result->sent++;
			else
				result->failed++;
		}
		tunnel_drain(&attack->tunnel);
		nanosleep(&nap, NULL);
	}
}

/* Datagrams that the peer takes, kept to be sent again */
static void record_good(struct attack *attack, bool leave_window)
{
	struct result ignored = { 0 };

	for (uint64_t i = 0; i < REPLAYED; i++) {
		attack->replayed_bytes[i] = forge_good(attack, i, attack->replayed[i]);
		if (!tunnel_send(&attack->tunnel, attack->replayed[i], attack->replayed_bytes[i]))
			attack->replayed_bytes[i] = 0;
	}
	if (leave_window)
		send_many(attack, forge_good, (uint64_t)TUNNEL_LANES * (REPLAY_WINDOW + REPLAYED), &ignored);
}

enum session_need { SESSION_NONE, SESSION_NEW, SESSION_RECORDED, SESSION_RECORDED_OLD };

static const struct {
	const char *name;
	forge_fn *forge; /* NULL: no datagrams but handshakes */
	enum session_need need;
} attacks[] = {
	{ "good", forge_good, SESSION_NEW },
	{ "foreign", forge_foreign, SESSION_NEW },
	{ "replay", forge_replay, SESSION_RECORDED },
	{ "replay-old", forge_replay, SESSION_RECORDED_OLD },
	{ "truncated", forge_truncated, SESSION_NEW },
	{ "tampered", forge_tampered, SESSION_NEW },
	{ "random", forge_random, SESSION_NONE },
	{ "garbage", forge_garbage, SESSION_NEW },
	{ "bodies", forge_bodies, SESSION_NEW },
	{ "initiations", forge_initiation, SESSION_NEW },
	{ "initiations-mac1", forge_initiation_mac1, SESSION_NEW },
	{ "initiations-old", forge_initiation_old, SESSION_NEW },
	{ "stranger", NULL, SESSION_NONE },
	{ "wrong-psk", NULL, SESSION_NONE },
};

#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))
#define FORGED_HANDSHAKES 10U

/* Return: false where the peer gave no session to attack through */
static bool prepare(struct attack *attack, enum session_need need)
{
	unsigned int answers;

	if (need == SESSION_NONE)
		return true;
	if (!tunnel_handshake(&attack->tunnel, &attack->tunnel.self, 20, &answers)) {
		fputs("attacker: no session: the peer does not answer, or refuses this host\n", stderr);
		return false;
	}
	if (need != SESSION_NEW)
		record_good(attack, need == SESSION_RECORDED_OLD);
	return true;
}

static void forge_handshakes(struct attack *attack, bool stranger)
{
	struct handshake_self self = attack->tunnel.self;
	unsigned int sessions = 0, answered = 0, answers;

	if (stranger && !x25519_generate(&self.static_key))
		exit(EXIT_FAILURE);
	if (!stranger)
		random_fill(&self.psk, sizeof(self.psk));
	for (unsigned int i = 0; i < FORGED_HANDSHAKES; i++) {
		sessions += tunnel_handshake(&attack->tunnel, &self, 1, &answers);
		answered += answers;
	}
	printf("{\"sent\":%u,\"answered\":%u,\"sessions\":%u,", FORGED_HANDSHAKES, answered, sessions);
}

static bool run(struct attack *attack, size_t which)
{
	struct result result = { 0 };

	if (!prepare(attack, attacks[which].need))
		return false;
	tunnel_drain(&attack->tunnel);
	attack->tunnel.received = attack->tunnel.received_bytes = 0;
	printf("%s\"%s\":", attack->reported ? "," : "", attacks[which].name);
	attack->reported = true;
	if (attacks[which].forge) {
		send_many(attack, attacks[which].forge, attack->count, &result);
		printf("{\"sent\":%llu,\"failed\":%llu,", (unsigned long long)result.sent,
			(unsigned long long)result.failed);
	} else {
		forge_handshakes(attack, strcmp(attacks[which].name, "stranger") == 0);
	}
	printf("\"received\":%llu,\"received_bytes\":%llu}", (unsigned long long)attack->tunnel.received,
		(unsigned long long)attack->tunnel.received_bytes);
	return true;
}

static bool attack_by_name(const char *name, size_t *out)
{
	for (*out = 0; *out < ATTACKS; (*out)++)
		if (strcmp(attacks[*out].name, name) == 0)
			return true;
	fprintf(stderr, "attacker: no attack is called %s; there are:", name);
	for (size_t i = 0; i < ATTACKS; i++)
		fprintf(stderr, " %s", attacks[i].name);
	fputc('\n', stderr);
	return false;
}

static uint64_t number(const char *option, const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (*end || value == 0) {
		fprintf(stderr, "attacker: --%s %s: give a number above 0\n", option, text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "state", required_argument, NULL, 's' },
		{ "peer", required_argument, NULL, 'p' },
		{ "endpoint", required_argument, NULL, 'e' },
		{ "bind", required_argument, NULL, 'b' },
		{ "count", required_argument, NULL, 'c' },
		{ "rate", required_argument, NULL, 'r' },
		{ "network", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	static struct attack attack = { .foreign = NO_SUCH_NETWORK, .count = 100000, .rate = 20000, .random = 1 };
	const char *state = NULL, *peer = NULL, *endpoint = NULL, *bind_to = NULL;
	bool all = true;
	size_t which;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			state = optarg;
		else if (option == 'p')
			peer = optarg;
		else if (option == 'e')
			endpoint = optarg;
		else if (option == 'b')
			bind_to = optarg;
		else if (option == 'c')
			attack.count = number("count", optarg);
		else if (option == 'r')
			attack.rate = number("rate", optarg);
		else if (option == 'n')
			attack.foreign = (uint32_t)number("network", optarg) & RECORD_NETWORK_MAX;
		else if (option == 'x')
			attack.random = number("seed", optarg);
		else
			return 2;
	}
	if (!state || !peer || !bind_to || optind == argc) {
		fputs("usage: attacker --state DIR --peer HOST --bind ADDR[:PORT] [--endpoint ADDR[:PORT]] [--count N]\n"
		      "\t[--rate PER_SECOND] [--network ID] [--seed N] ATTACK...\n",
			stderr);
		return 2;
	}
	for (int i = optind; i < argc; i++)
		if (!attack_by_name(argv[i], &which))
			return 2;
	tunnel_open(&attack.tunnel, state, peer, endpoint, bind_to);
	if (!cookie_jar_init(&attack.jar, &attack.tunnel.peer_key))
		return EXIT_FAILURE;
	putchar('{');
	for (int i = optind; i < argc && all; i++)
		all = attack_by_name(argv[i], &which) && run(&attack, which);
	puts("}");
	tunnel_close(&attack.tunnel);
	return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
