/*
 * test_receive.c - datagrams that were lost, changed, repeated or made up on their way
 */
#include <poll.h>

#include "tests/unit/overlay/datapath/datapath_fixture.h"

#include "encap/notify.h"
#include "encap/probe.h"
#include "encap/record.h"

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

/* Return: whether @worker's next mail of the peer's life is @kind */
static bool mailed(struct side *side, uint32_t kind)
{
	struct mail mail;

	for (int waited = 0; waited < WAIT_MS; waited++, usleep(1000))
		for (uint32_t id = 0; id < WORKERS; id++)
			while (mailbox_take(&side->datapath.workers[id]->mailbox, &mail))
				if (mail.kind == kind)
					return true;
	return false;
}

/* One record as the control thread seals it: the last sender, lane 0 */
static void send_sealed(struct pair *pair, uint8_t type, const uint8_t *body, size_t body_bytes)
{
	struct session *session = pair->side[0].session;
	const struct record record = { .type = type };
	uint8_t datagram[128], *plain = datagram + GRE_HEADER_BYTES;
	size_t plain_bytes = record_encode(&record, plain) + body_bytes;

	memcpy(plain + plain_bytes - body_bytes, body, body_bytes);
	assert_int_equal(session_seal(session, WORKERS, 0, datagram, plain, plain_bytes), SEAL_OK);
	assert_int_equal(underlay_control_send(pair->side[0].datapath.underlay, &pair->side[1].endpoint, datagram,
				 plain_bytes + TRAIN_OVERHEAD_BYTES),
		0);
}

static void a_goodbye_is_told_and_frames_for_who_said_it_are_dropped_by_name(void **state)
{
	static const uint8_t goodbye[] = { NOTIFY_GOODBYE, NOTIFY_STOPS }, shorter[] = { NOTIFY_GOODBYE },
			     another[] = { 99 }, probe[PROBE_BODY_BYTES] = { 0 };
	const struct offload none = { 0 };
	struct pair pair;
	size_t len;

	(void)state;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	send_sealed(&pair, RECORD_NOTIFY, goodbye, sizeof(goodbye));
	assert_true(mailed(&pair.side[1], MAIL_GOODBYE));
	/* what the control thread does then */
	pair.side[1].peer->said_goodbye = true;
	__atomic_store_n(&pair.side[1].peer->quiet, true, __ATOMIC_RELAXED);
	rcu_publish(&pair.side[1].peer->sending, NULL);
	rcu_wait();
	len = make_udp(frame_in, 1, 1000, 1, 100);
	inject(&pair.side[1], 0, &none, frame_in, len);
	wait_dropped(&pair.side[1], DROP_PEER_GOODBYE, 1);
	assert_true(mailed(&pair.side[1], MAIL_WANT_SESSION));
	send_sealed(&pair, RECORD_NOTIFY, goodbye, sizeof(goodbye)); /* once more is no sign of life */
	assert_true(mailed(&pair.side[1], MAIL_GOODBYE));
	assert_true(pair.side[1].peer->quiet);
	send_sealed(&pair, RECORD_PROBE, probe, sizeof(probe));
	assert_true(mailed(&pair.side[1], MAIL_STIRRED));
	assert_int_equal(dropped(&pair.side[1], DROP_NOTIFY_MALFORMED), 0);
	send_sealed(&pair, RECORD_NOTIFY, shorter, sizeof(shorter));
	wait_dropped(&pair.side[1], DROP_NOTIFY_MALFORMED, 1);
	send_sealed(&pair, RECORD_NOTIFY, another, sizeof(another));
	wait_dropped(&pair.side[1], drop_record(RECORD_DROP_UNKNOWN), 1);
	for (int i = 0; i < 20; i++)
		send_sealed(&pair, RECORD_NOTIFY, goodbye, sizeof(goodbye));
	wait_dropped(&pair.side[1], DROP_NOTIFY_RATE, 22 - 10);
	close_pair(&pair);
}

static void frames_that_come_stir_and_are_noted(void **state)
{
	const struct offload none = { 0 };
	struct session_totals totals = { 0 };
	struct offload offload;
	struct pair pair;
	size_t len;

	(void)state;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	__atomic_store_n(&pair.side[1].peer->quiet, true, __ATOMIC_RELAXED);
	len = make_udp(frame_in, 0, 1000, 1, 100);
	inject(&pair.side[0], 0, &none, frame_in, len);
	assert_true(take_within(&pair.side[1], &offload, frame_out, &len, WAIT_MS));
	assert_true(mailed(&pair.side[1], MAIL_STIRRED));
	session_totals_add(&totals, pair.side[1].session);
	assert_true(totals.carried_ns != 0 && totals.carried_ns == totals.rx_last_ns);
	totals = (struct session_totals){ 0 };
	for (int waited = 0; waited < WAIT_MS && !totals.carried_ns; waited++, usleep(1000))
		session_totals_add(&totals, pair.side[0].session);
	assert_int_not_equal(totals.carried_ns, 0); /* and what leaves is noted, too */
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
		cmocka_unit_test(a_goodbye_is_told_and_frames_for_who_said_it_are_dropped_by_name),
		cmocka_unit_test(frames_that_come_stir_and_are_noted),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
