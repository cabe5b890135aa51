/*
 * test_dissect.c - every link and network layer, whole and cut off at every byte
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <pcap/dlt.h>

#include "measure/dissect.h"
#include "packets.h"

enum { PAYLOAD_BYTES = 100 };

struct layout {
	int link_type;
	unsigned int tags;
	bool v6;
	size_t more_bytes;    /* IPv4 options, or any number for IPv6 extension headers */
	size_t headers_bytes; /* everything in front of the payload */
};

static const struct layout layouts[] = {
	{ DLT_EN10MB, 0, false, 0, 42 },
	{ DLT_EN10MB, 0, true, 0, 62 },
	{ DLT_EN10MB, 1, false, 0, 46 },
	{ DLT_EN10MB, 2, true, 0, 70 },
	{ DLT_EN10MB, 4, false, 40, 98 },
	{ DLT_LINUX_SLL, 0, false, 0, 44 },
	{ DLT_LINUX_SLL, 1, true, 24, 92 },
	{ DLT_LINUX_SLL2, 0, false, 8, 56 },
	{ DLT_LINUX_SLL2, 0, true, 0, 68 },
	{ DLT_RAW, 0, false, 0, 28 },
	{ DLT_RAW, 0, true, 24, 72 },
	{ DLT_IPV4, 0, false, 4, 32 },
	{ DLT_IPV6, 0, true, 0, 48 },
};

static void build(const struct layout *layout, struct packet *packet)
{
	uint16_t ethertype = layout->v6 ? 0x86dd : 0x0800;
	uint8_t payload[PAYLOAD_BYTES];
	struct wr w = wr_init(packet->bytes, sizeof(packet->bytes));

	memset(payload, 'w', sizeof(payload));
	if (layout->link_type == DLT_EN10MB) {
		put_ethernet(&w, layout->tags, ethertype);
	} else if (layout->link_type == DLT_LINUX_SLL) {
		packet_zeros(&w, 14);
		if (layout->tags) {
			wr_u16(&w, 0x8100);
			wr_u16(&w, 7);
		}
		wr_u16(&w, ethertype);
	} else if (layout->link_type == DLT_LINUX_SLL2) {
		wr_u16(&w, ethertype);
		packet_zeros(&w, 18);
	}
	if (layout->v6)
		put_ipv6(&w, 1, 2, layout->more_bytes > 0, payload, sizeof(payload));
	else
		put_ipv4(&w, 1, 2, layout->more_bytes, payload, sizeof(payload));
	packet->len_bytes = w.used_bytes;
}

/* From a copy of exactly that length, so that the sanitizer sees a read behind it */
static enum dissect_result dissect_copy(const struct layout *layout, const struct packet *packet, size_t len_bytes,
	struct dissected *out)
{
	uint8_t *copy = malloc(len_bytes ? len_bytes : 1);
	enum dissect_result result;

	assert_non_null(copy);
	memcpy(copy, packet->bytes, len_bytes);
	result = dissect(layout->link_type, copy, len_bytes, out);
	if (result == DISSECT_OK)
		assert_ptr_equal(out->payload, copy + layout->headers_bytes);
	free(copy);
	return result;
}

static void finds_the_payload(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		const struct layout *layout = &layouts[i];
		static struct packet packet;
		struct dissected out;
		char text[ENDPOINT_TEXT_BYTES];

		build(layout, &packet);
		assert_true(dissect_knows(layout->link_type));
		assert_int_equal(packet.len_bytes, layout->headers_bytes + PAYLOAD_BYTES);
		for (size_t len = 0; len < layout->headers_bytes; len++)
			assert_int_equal(dissect_copy(layout, &packet, len, &out), DISSECT_DROP_TRUNCATED);
		for (size_t len = layout->headers_bytes; len <= packet.len_bytes; len++) {
			assert_int_equal(dissect_copy(layout, &packet, len, &out), DISSECT_OK);
			assert_int_equal(out.captured_bytes, len - layout->headers_bytes);
			assert_int_equal(out.payload_bytes, PAYLOAD_BYTES);
		}
		endpoint_format(&out.src, text);
		assert_string_equal(text, layout->v6 ? "[2001:db8::1]:4754" : "192.0.2.1:4754");
		endpoint_format(&out.dst, text);
		assert_string_equal(text, layout->v6 ? "[2001:db8::2]:4754" : "192.0.2.2:4754");
		assert_int_equal(out.header_bytes, layout->v6 ? 48 + layout->more_bytes : 28 + layout->more_bytes);
	}
}

/* Short frames are padded by Ethernet: the padding is no payload */
static void leaves_padding_alone(void **state)
{
	static struct packet packet;
	struct dissected out;

	(void)state;
	build(&layouts[0], &packet);
	memset(packet.bytes + packet.len_bytes, 0, 20);
	assert_int_equal(dissect(DLT_EN10MB, packet.bytes, packet.len_bytes + 20, &out), DISSECT_OK);
	assert_int_equal(out.payload_bytes, PAYLOAD_BYTES);
	assert_int_equal(out.captured_bytes, PAYLOAD_BYTES);
}

static enum dissect_result with_byte(const struct layout *layout, size_t at, uint8_t value)
{
	static struct packet packet;
	struct dissected out;

	build(layout, &packet);
	packet.bytes[at] = value;
	return dissect(layout->link_type, packet.bytes, packet.len_bytes, &out);
}

static void names_what_it_passes_over(void **state)
{
	const struct layout *v4 = &layouts[0], *v6 = &layouts[1];

	(void)state;
	assert_int_equal(with_byte(v4, 13, 0x06), DISSECT_DROP_NOT_IP);   /* ARP */
	assert_int_equal(with_byte(v4, 14, 0x65), DISSECT_DROP_NOT_IP);   /* version and EtherType disagree */
	assert_int_equal(with_byte(v4, 14, 0x44), DISSECT_DROP_IP);       /* a header of 16 bytes */
	assert_int_equal(with_byte(v4, 17, 0x10), DISSECT_DROP_IP);       /* a total below the header */
	assert_int_equal(with_byte(v4, 20, 0x20), DISSECT_DROP_FRAGMENT); /* more fragments */
	assert_int_equal(with_byte(v4, 21, 0x01), DISSECT_DROP_FRAGMENT); /* an offset */
	assert_int_equal(with_byte(v4, 23, 6), DISSECT_DROP_NOT_UDP);
	assert_int_equal(with_byte(v4, 39, 7), DISSECT_DROP_UDP);    /* shorter than its header */
	assert_int_equal(with_byte(v4, 38, 0x40), DISSECT_DROP_UDP); /* longer than IP says */
	assert_int_equal(with_byte(v6, 20, 44), DISSECT_DROP_FRAGMENT);
	assert_int_equal(with_byte(v6, 20, 58), DISSECT_DROP_NOT_UDP);
	assert_int_equal(with_byte(v6, 20, 59), DISSECT_DROP_NOT_UDP);
	assert_int_equal(with_byte(&layouts[10], 41, 200), DISSECT_DROP_TRUNCATED); /* an extension of 1608 bytes */
	assert_false(dissect_knows(DLT_IEEE802_11));
}

static void does_not_walk_extensions_for_ever(void **state)
{
	uint8_t packet[40 + 20 * 8] = { 0x60, 0, 0, 0, 0, 160, 60, 64 };
	struct dissected out;

	(void)state;
	for (size_t at = 40; at < sizeof(packet); at += 8)
		packet[at] = 60;
	assert_int_equal(dissect(DLT_RAW, packet, sizeof(packet), &out), DISSECT_DROP_NOT_UDP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_payload),
		cmocka_unit_test(leaves_padding_alone),
		cmocka_unit_test(names_what_it_passes_over),
		cmocka_unit_test(does_not_walk_extensions_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
