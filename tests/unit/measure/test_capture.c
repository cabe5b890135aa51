/*
 * test_capture.c - capture files that the test writes itself: pcap and pcapng, whole, cut off and wrong
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <pcap/dlt.h>

#include "base/error.h"
#include "measure/capture.h"
#include "measure/meter.h"
#include "packets.h"

enum { PACKETS = 5 };

static char path[] = "/tmp/weft-test-capture.XXXXXX";
static struct packet packet;

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd) != 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const void *bytes, size_t len_bytes)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len_bytes, file), len_bytes);
	assert_int_equal(fclose(file), 0);
}

/* Big-endian, with microseconds or nanoseconds; any machine has to read it */
static size_t build_pcap(uint8_t *out, size_t cap_bytes, bool nanoseconds, uint32_t link_type)
{
	struct wr w = wr_init(out, cap_bytes);

	wr_u32(&w, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
	wr_u16(&w, 2);
	wr_u16(&w, 4);
	wr_u64(&w, 0);
	wr_u32(&w, 65535);
	wr_u32(&w, link_type);
	for (uint32_t i = 0; i < PACKETS; i++) {
		packet_train(&packet, 9, 0, i * 10, 10, 100, 100);
		wr_u32(&w, 1700000000 + i);
		wr_u32(&w, nanoseconds ? 123456789 : 123456);
		wr_u32(&w, (uint32_t)packet.len_bytes);
		wr_u32(&w, (uint32_t)packet.len_bytes);
		wr_bytes(&w, packet.bytes, packet.len_bytes);
	}
	assert_true(wr_ok(&w));
	return w.used_bytes;
}

static size_t build_pcapng(uint8_t *out, size_t cap_bytes)
{
	struct wr w = wr_init(out, cap_bytes);

	wr_u32(&w, 0x0a0d0d0a);
	wr_u32(&w, 28);
	wr_u32(&w, 0x1a2b3c4d);
	wr_u32(&w, 0x00010000);
	wr_u64(&w, UINT64_MAX);
	wr_u32(&w, 28);
	wr_u32(&w, 1); /* interface: Ethernet, microseconds */
	wr_u32(&w, 20);
	wr_u32(&w, 0x00010000);
	wr_u32(&w, 65535);
	wr_u32(&w, 20);
	for (uint32_t i = 0; i < PACKETS; i++) {
		uint64_t at_us = (1700000000ULL + i) * 1000000 + 123456;
		uint32_t padding, block;

		packet_train(&packet, 9, 0, i * 10, 10, 100, 100);
		padding = (4 - packet.len_bytes % 4) % 4;
		block = (uint32_t)packet.len_bytes + padding + 32;
		wr_u32(&w, 6);
		wr_u32(&w, block);
		wr_u32(&w, 0);
		wr_u64(&w, at_us);
		wr_u32(&w, (uint32_t)packet.len_bytes);
		wr_u32(&w, (uint32_t)packet.len_bytes);
		wr_bytes(&w, packet.bytes, packet.len_bytes);
		packet_zeros(&w, padding);
		wr_u32(&w, block);
	}
	assert_true(wr_ok(&w));
	return w.used_bytes;
}

struct seen {
	struct meter meter;
	struct instant first;
	unsigned int packets;
};

static bool note(void *context, const uint8_t *bytes, size_t len_bytes, struct instant at)
{
	struct seen *seen = context;

	if (!seen->packets++)
		seen->first = at;
	(void)meter_packet(&seen->meter, bytes, len_bytes, at);
	return true;
}

/* Return: whether the file was readable to its end; what was seen until then is in @seen, which the caller ends */
static bool read_all(struct seen *seen)
{
	struct error error = { "" };
	struct capture *capture = capture_open_file(path, &error);
	int count;

	memset(seen, 0, sizeof(*seen));
	if (!capture) {
		assert_non_null(strstr(error.text, path));
		return false;
	}
	assert_int_equal(meter_init(&seen->meter, capture_link_type(capture), 4754, 16), 0);
	while ((count = capture_read(capture, 2, note, seen, &error)) > 0)
		;
	assert_false(capture_stats_now(capture).known);
	assert_int_equal(count < 0, error.text[0] != '\0');
	capture_close(capture);
	return count == 0;
}

static uint8_t file[PACKETS * 1200];

static void reads_pcap_and_pcapng(void **state)
{
	struct seen seen;

	(void)state;
	for (unsigned int kind = 0; kind < 3; kind++) {
		size_t len = kind == 2 ? build_pcapng(file, sizeof(file)) : build_pcap(file, sizeof(file), kind, 1);

		write_file(file, len);
		assert_true(read_all(&seen));
		assert_int_equal(seen.packets, PACKETS);
		assert_int_equal(seen.meter.counts.total.datagrams, PACKETS * 10);
		assert_int_equal(seen.meter.counts.total.sequence.lost, 0);
		assert_int_equal(seen.first.ns, 1700000000000000000ULL + (kind == 1 ? 123456789 : 123456000));
		meter_fini(&seen.meter);
	}
}

static void cut_off_at_every_length(void **state)
{
	struct seen seen;

	(void)state;
	for (unsigned int kind = 0; kind < 2; kind++) {
		size_t len = kind ? build_pcapng(file, sizeof(file)) : build_pcap(file, sizeof(file), true, 1);
		unsigned int whole = 0;

		for (size_t cut = 0; cut < len; cut++) {
			write_file(file, cut);
			whole += read_all(&seen);
			assert_true(seen.packets < PACKETS);
			if (seen.meter.lanes)
				meter_fini(&seen.meter);
		}
		/* readable are those cut between two packets, before the first included; pcapng has one more place */
		assert_true(whole <= PACKETS + 1);
	}
}

static void says_what_is_wrong(void **state)
{
	struct capture_settings settings = { .port = 4754, .snaplen_bytes = 65600, .buffer_mib = 1 };
	struct error error;

	(void)state;
	write_file("this is no capture file, it is prose", 36);
	assert_null(capture_open_file(path, &error));
	assert_non_null(strstr(error.text, path));
	assert_non_null(strstr(error.text, "pcap"));

	write_file(file, build_pcap(file, sizeof(file), false, 105)); /* IEEE 802.11 */
	assert_null(capture_open_file(path, &error));
	assert_non_null(strstr(error.text, "802"));
	assert_non_null(strstr(error.text, "Ethernet"));

	assert_null(capture_open_file("/nonexistent/weft.pcap", &error));
	assert_non_null(strstr(error.text, "/nonexistent/weft.pcap"));

	assert_null(capture_open_live("no-such-weft0", &settings, &error));
	assert_non_null(strstr(error.text, "no-such-weft0"));
	assert_true(strstr(error.text, "there are: ") || strstr(error.text, "CAP_NET_RAW"));
	capture_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_pcap_and_pcapng),
		cmocka_unit_test(cut_off_at_every_length),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
