/*
 * test_datapath.c - what goes in by one agent's ports comes out of the other's; publications tell what could not be attached
 */
#include "tests/unit/overlay/datapath/datapath_fixture.h"

/* Until the second worker has its own flow: a change of lanes may reorder */
static void settle_lanes(struct pair *pair)
{
	const struct offload none = { 0 };
	struct side *side = &pair->side[0];
	struct offload offload;
	size_t len;

	for (int waited = 0; waited < WAIT_MS / 20; waited++) {
		len = make_udp(frame_in, 0, 999, 0, 10);
		inject(side, 1, &none, frame_in, len);
		assert_true(take_within(&pair->side[1], &offload, frame_out, &len, WAIT_MS));
		if (counter_read(&side->session->senders[1].datagrams) > 0 &&
			counter_read(&pair->side[1].session->rx[1].datagrams) > 1) /* the question, and a frame */
			return;
		usleep(20000);
	}
	fail_msg("the second worker's flow was never used");
}

static void frames_of_every_size_arrive_whole_and_in_order(enum aead_cipher cipher)
{
	const uint32_t count = 600;
	const struct offload none = { 0 };
	uint32_t expected[WORKERS] = { 0 };
	struct pair pair;

	open_pair(&pair, false, cipher, PORT_CAPS);
	settle_lanes(&pair);
	for (uint32_t n = 0, sent = 0; n < count;) {
		struct offload offload;
		struct frame_info info;
		size_t len;

		/* each queue's frames are a flow; a few at a time, so that no ring overflows */
		for (; sent < count && sent < n + 100; sent++) {
			size_t payload = sent % 3 == 0 ? 4 + random_u32() % 60 : 4 + random_u32() % 9170;

			len = make_udp(frame_in, 0, (uint16_t)(1000 + sent % WORKERS), sent, payload);
			inject(&pair.side[0], sent % WORKERS, &none, frame_in, len);
		}
		assert_true(take_within(&pair.side[1], &offload, frame_out, &len, WAIT_MS));
		settle(frame_out, len, &offload, &info);
		assert_true(offload.gso == OFFLOAD_GSO_NONE);
		uint32_t number = frame_get32(frame_out + 42), flow = frame_get16(frame_out + 34) - 1000U;

		assert_true(flow < WORKERS);
		assert_int_equal(number, expected[flow] * WORKERS + flow);
		expected[flow]++;
		for (size_t i = 4; i < len - 42; i++)
			assert_int_equal(frame_out[42 + i], pattern(number, i));
		n++;
	}
	for (enum drop drop = 0; drop < DROPS; drop++)
		assert_int_equal(dropped(&pair.side[1], drop), 0);
	close_pair(&pair);
}

static void frames_aes128(void **state)
{
	(void)state;
	frames_of_every_size_arrive_whole_and_in_order(AEAD_AES_128_GCM);
}

static void frames_aes256(void **state)
{
	(void)state;
	frames_of_every_size_arrive_whole_and_in_order(AEAD_AES_256_GCM);
}

static void frames_chacha20(void **state)
{
	(void)state;
	frames_of_every_size_arrive_whole_and_in_order(AEAD_CHACHA20_POLY1305);
}

/* Publish one port and nothing else */
static void publish_port(struct datapath *datapath, struct vport *port, struct attach_faults *faults)
{
	struct forwarding *forwarding = forwarding_new(datapath->forwarding->generation + 1, 0);

	forwarding->ports[port->slot] = port;
	forwarding_free(datapath_publish(datapath, forwarding, faults));
}

static void a_queue_that_nobody_reads_is_told_and_tried_again(void **state)
{
	struct vport port = { .slot = 7, .network = NETWORK };
	struct attach_faults faults;
	struct error error;
	struct side side;
	int fd, kept;

	(void)state;
	open_side(&side, PORT_CAPS);
	assert_int_equal(memory_port_open(WORKERS, PORT_CAPS, 16, &port.tap), 0);
	fd = tap_queue_fd(port.tap, 1);
	kept = dup(fd);
	close(fd);
	publish_port(&side.datapath, &port, &faults);
	assert_int_equal(faults.count, 1);
	assert_null(attach_fault_of(&faults, 0));
	assert_non_null(attach_fault_of(&faults, 7));
	assert_int_equal(attach_fault_of(&faults, 7)->worker, 1);
	assert_int_equal(attach_fault_of(&faults, 7)->err, -EBADF);
	attach_fault_tell(attach_fault_of(&faults, 7), &error);
	assert_non_null(strstr(error.text, "worker 1 "));
	assert_int_equal(dup2(kept, fd), fd);
	close(kept);
	publish_port(&side.datapath, &port, &faults);
	assert_int_equal(faults.count, 0);
	datapath_stop(&side.datapath);
	tap_port_close(port.tap);
	tap_port_close(side.port.tap);
	datapath_fini(&side.datapath);
}

/* All have come by since they were asked; the next question is one to them again */
static void wait_until_asked_again(struct datapath *datapath)
{
	for (int waited = 0; !datapath_is_alive(datapath); waited++) {
		assert_true(waited < WAIT_MS);
		usleep(1000);
	}
}

static void wait_until_answered(const struct datapath *datapath)
{
	for (uint32_t i = 0; i < datapath->workers_count; i++)
		while (__atomic_load_n(&datapath->workers[i]->pulse, __ATOMIC_RELAXED) != datapath->pulse)
			usleep(1000);
}

/* One that waits for a lock does not come by */
static void a_worker_that_hangs_is_missed(void **state)
{
	struct pair pair;
	struct datapath *datapath = &pair.side[0].datapath;

	(void)state;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	assert_true(datapath_is_alive(datapath)); /* nobody was asked yet */
	wait_until_asked_again(datapath);
	wait_until_answered(datapath);
	pthread_mutex_lock(&datapath->generation_lock);
	assert_true(datapath_is_alive(datapath));
	usleep(20000);
	assert_false(datapath_is_alive(datapath));
	pthread_mutex_unlock(&datapath->generation_lock);
	wait_until_asked_again(datapath);
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_aes128),
		cmocka_unit_test(frames_aes256),
		cmocka_unit_test(frames_chacha20),
		cmocka_unit_test(a_queue_that_nobody_reads_is_told_and_tried_again),
		cmocka_unit_test(a_worker_that_hangs_is_missed),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
