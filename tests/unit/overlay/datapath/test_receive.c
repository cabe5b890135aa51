/*
 * test_receive.c - datagrams that were lost, changed, repeated or made up on their way
 */
#include <poll.h>

#include "tests/unit/overlay/datapath/datapath_fixture.h"

/* Take what waits at the relay, let @judge change it, and send it on to where it did not come from */
static int relay_all(struct pair *pair, int expect, bool (*judge)(int index, uint8_t *datagram, ssize_t len),
	int copies)
{
	int index = 0;

	for (;;) {
		struct pollfd ready = { .fd = pair->relay, .events = POLLIN };
		uint8_t datagram[2048];
		struct sockaddr_in from, to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
		socklen_t from_bytes = sizeof(from);
		ssize_t len;

		if (poll(&ready, 1, index < expect ? WAIT_MS : 50) <= 0)
			return index;
		len = recvfrom(pair->relay, datagram, sizeof(datagram), 0, (struct sockaddr *)&from, &from_bytes);
		assert_true(len > 0);
		to.sin_port = htons(ntohs(from.sin_port) == pair->side[0].endpoint.port ? pair->side[1].endpoint.port
											: pair->side[0].endpoint.port);
		if (judge(index++, datagram, len))
			for (int i = 0; i < copies; i++)
				assert_int_equal(sendto(pair->relay, datagram, (size_t)len, 0, (struct sockaddr *)&to,
							 sizeof(to)),
					len);
	}
}

static bool corrupt_the_fifth(int index, uint8_t *datagram, ssize_t len)
{
	if (index == 5)
		datagram[12 + (index * 97) % (len - 12)] ^= 0x10;
	return true;
}

static bool lose_the_fifth(int index, uint8_t *datagram, ssize_t len)
{
	(void)datagram;
	(void)len;
	return index != 5;
}

static bool pass(int index, uint8_t *datagram, ssize_t len)
{
	(void)index;
	(void)datagram;
	(void)len;
	return true;
}

/* One super-frame is a train; what is done to one datagram of it costs that datagram's bytes only */
static void one_datagram_of_a_train(bool (*judge)(int, uint8_t *, ssize_t))
{
	const size_t payload = 40000;
	uint8_t seen[40000] = { 0 };
	size_t got = 0, missing = 0;
	struct offload offload;
	struct frame_info info;
	struct pair pair;
	size_t len;
	int datagrams;

	open_pair(&pair, true, AEAD_AES_128_GCM, PORT_CAPS);
	len = make_tcp(frame_in, 0, 99, 0, payload, 1460, &offload);
	inject(&pair.side[0], 0, &offload, frame_in, len);
	datagrams = relay_all(&pair, 10, judge, 1);
	assert_in_range(datagrams, payload / DATAGRAM_BYTES, payload / (DATAGRAM_BYTES - 100) + 1);
	while (take_within(&pair.side[1], &offload, frame_out, &len, got < payload - 1500 ? WAIT_MS : 50)) {
		uint32_t seq;

		settle(frame_out, len, &offload, &info);
		seq = frame_get32(frame_out + 38);
		for (size_t i = 0; i < len - info.payload_offset; i++) {
			assert_int_equal(frame_out[info.payload_offset + i], pattern(99, seq + i));
			assert_int_equal(seen[seq + i]++, 0);
			got++;
		}
	}
	missing = payload - got;
	assert_in_range(missing, DATAGRAM_BYTES - 150, DATAGRAM_BYTES);
	close_pair(&pair);
}

static void a_lost_datagram_costs_itself_only(void **state)
{
	(void)state;
	one_datagram_of_a_train(lose_the_fifth);
}

static void a_corrupt_datagram_costs_itself_only(void **state)
{
	(void)state;
	one_datagram_of_a_train(corrupt_the_fifth);
}

static void replays_are_dropped_and_counted(void **state)
{
	const struct offload none = { 0 };
	struct offload offload;
	struct pair pair;
	size_t len;
	int datagrams = 0;

	(void)state;
	open_pair(&pair, true, AEAD_AES_128_GCM, PORT_CAPS);
	for (uint32_t n = 0; n < 50; n++) {
		len = make_udp(frame_in, 0, 1000, n, 1200);
		inject(&pair.side[0], 0, &none, frame_in, len);
		datagrams += relay_all(&pair, 1, pass, 3);
		assert_true(take_within(&pair.side[1], &offload, frame_out, &len, WAIT_MS));
		assert_int_equal(frame_get32(frame_out + 42), n);
	}
	wait_dropped(&pair.side[1], drop_replay(REPLAY_DROP_DUPLICATE), 2 * (uint64_t)datagrams);
	assert_false(take(&pair.side[1], &offload, frame_out, &len));
	close_pair(&pair);
}

static void random_datagrams_are_dropped_and_counted(void **state)
{
	struct pair pair;
	uint64_t sum = 0;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	const uint64_t count = 3000;
	struct offload offload;
	size_t len;

	(void)state;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	to.sin_port = htons(pair.side[1].endpoint.port);
	for (uint64_t i = 0; i < count; i++) {
		uint8_t datagram[200];
		size_t bytes = random_u32() % sizeof(datagram);

		random_fill(datagram, sizeof(datagram));
		if (i % 2) { /* plausible up to the tag: right header, live session */
			memcpy(datagram, "\x30\x00\x88\xb5", 4);
			frame_put32(datagram + 4, pair.side[1].session->index << 8 | (random_u32() % 4));
		} else if (bytes >= 4) {
			datagram[2] = 0; /* never the control thread's */
		}
		assert_int_equal(sendto(fd, datagram, bytes, 0, (struct sockaddr *)&to, sizeof(to)), bytes);
		if (i % 100 == 99)
			usleep(2000);
	}
	close(fd);
	for (int waited = 0; waited < WAIT_MS && sum < count; waited++, usleep(1000)) {
		sum = 0;
		for (enum drop drop = 0; drop < DROPS; drop++)
			sum += dropped(&pair.side[1], drop);
	}
	assert_int_equal(sum, count);
	assert_true(dropped(&pair.side[1], DROP_NOT_AUTHENTIC) > 0);
	assert_true(dropped(&pair.side[1], DROP_LANE_UNKNOWN) > 0);
	assert_true(dropped(&pair.side[1], drop_gre(GRE_DROP_SHORT)) > 0);
	assert_false(take(&pair.side[1], &offload, frame_out, &len));
	close_pair(&pair);
}

static void a_network_that_the_host_is_not_on(void **state)
{
	const struct offload none = { 0 };
	struct offload offload;
	struct pair pair;
	size_t len;

	(void)state;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	publish(&pair.side[0], NETWORK_SWITCH, NETWORK + 1); /* the sender's idea, not the receiver's */
	len = make_udp(frame_in, 0, 1000, 1, 100);
	inject(&pair.side[0], 0, &none, frame_in, len);
	wait_dropped(&pair.side[1], DROP_NETWORK_UNKNOWN, 1);
	assert_false(take(&pair.side[1], &offload, frame_out, &len));
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_datagram_costs_itself_only),
		cmocka_unit_test(a_corrupt_datagram_costs_itself_only),
		cmocka_unit_test(replays_are_dropped_and_counted),
		cmocka_unit_test(random_datagrams_are_dropped_and_counted),
		cmocka_unit_test(a_network_that_the_host_is_not_on),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
