/*
 * micro_encap.c - what a frame costs between the port and the cipher: parsing, headers, bundles, cutting, joining, fragments
 *
 * The data is a TCP super-frame of a guest at MTU 1500 (44 segments of 1448 bytes) on a path of 1500, small frames that
 * travel as a bundle, and a frame of 9014 bytes that has to be fragmented.
 */
#include "packet/frame.h"
#include "packet/coalesce.h"
#include "packet/csum.h"
#include "encap/fragment.h"
#include "encap/gre.h"
#include "encap/record.h"
#include "packet/segment.h"
#include "encap/train.h"
#include "tests/bench/micro.h"

#include <stdint.h>
#include <string.h>

#define HEADER_BYTES (FRAME_ETHERNET_BYTES + FRAME_IPV4_BYTES + FRAME_TCP_BYTES + 12U) /* with timestamps */
#define GUEST_MSS 1448U
#define SEGMENTS 44U
#define FRAME_BYTES (HEADER_BYTES + SEGMENTS * GUEST_MSS)
#define PATH_FRAME_BYTES 1440U /* of a frame record's body on a path of 1500 */
#define SMALL_BYTES 106U       /* 64 bytes of UDP */
#define BUNDLE 12U
#define LONG_BYTES 9014U
#define HEADROOM_BYTES 64U

struct cases {
	uint8_t room[HEADROOM_BYTES + FRAME_BYTES];
	uint8_t *frame;
	struct frame_info info;
	struct offload offload;
	struct segmenter segmenter;
	uint8_t segments[SEGMENTS][2048];
	size_t segment_bytes[SEGMENTS];
	struct frame_info segment_info[SEGMENTS];
	uint8_t heads[SEGMENTS][HEADER_BYTES];
	struct coalescer coalescer;
	size_t emitted_bytes;
	uint8_t train[TRAIN_BYTES_MAX];
	uint8_t fragments_of[HEADROOM_BYTES + LONG_BYTES];
	uint8_t reassembly_room[4 * FRAGMENT_MAX_FRAME_BYTES];
	struct reassembler reassembler;
	uint32_t id;
	uint8_t gre[GRE_HEADER_BYTES];
};

/* Ethernet, IPv4 and TCP with 12 bytes of options, checksum partial */
static void make_frame(struct cases *c)
{
	static const uint8_t options[12] = { 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1 };
	uint8_t *ip, *tcp;
	uint16_t sum;

	c->frame = c->room + HEADROOM_BYTES;
	memset(c->frame, 0xa5, FRAME_BYTES);
	memcpy(c->frame, "\x52\x54\0\0\0\x0b\x52\x54\0\0\0\x0a\x08\0", FRAME_ETHERNET_BYTES);
	ip = c->frame + FRAME_ETHERNET_BYTES;
	memcpy(ip, "\x45\0\0\0\x12\x34\x40\0\x40\x06\0\0\x0a\x63\0\1\x0a\x63\0\2", FRAME_IPV4_BYTES);
	frame_put16(ip + 2, (uint16_t)(FRAME_BYTES - FRAME_ETHERNET_BYTES));
	tcp = ip + FRAME_IPV4_BYTES;
	memcpy(tcp, "\x9c\x40\x14\x51\0\0\0\1\0\0\0\1\x80\x10\x02\0\0\0\0\0", FRAME_TCP_BYTES);
	memcpy(tcp + FRAME_TCP_BYTES, options, sizeof(options));
	micro_must(frame_parse(c->frame, FRAME_BYTES, &c->info), "frame_parse");
	csum_ipv4_header(c->frame, &c->info);
	sum = csum_fold(csum_pseudo(c->frame, &c->info, FRAME_BYTES - c->info.l4_offset));
	memcpy(tcp + 16, &sum, sizeof(sum));
	c->offload = (struct offload){
		.partial = true,
		.gso = OFFLOAD_GSO_TCP4,
		.gso_bytes = GUEST_MSS,
		.header_bytes = HEADER_BYTES,
		.csum_start = c->info.l4_offset,
		.csum_offset = 16,
	};
}

static void parse(void *ctx)
{
	struct cases *c = ctx;
	struct frame_info info;

	for (unsigned int i = 0; i < SEGMENTS; i++)
		micro_must(frame_parse(c->segments[i], c->segment_bytes[i], &info), "frame_parse");
}

static void gre(void *ctx)
{
	struct cases *c = ctx;

	for (uint32_t i = 0; i < SEGMENTS; i++) {
		struct gre header = { .protocol = GRE_PROTOCOL_SEALED, .session = 0x123456, .lane = 1, .counter = i };

		gre_encode(&header, c->gre);
		micro_must(gre_decode(c->gre, sizeof(c->gre), &header) == GRE_OK && header.counter == i, "gre");
	}
}

static struct packet super_frame(const struct cases *c)
{
	return (struct packet){ .frame = (uint8_t *)(uintptr_t)c->frame,
		.bytes = FRAME_BYTES,
		.info = c->info,
		.offload = c->offload };
}

static unsigned int cut(struct cases *c, size_t max_bytes)
{
	struct packet whole = super_frame(c), piece = { 0 };
	unsigned int count = 0;

	micro_must(segment_begin(&c->segmenter, &whole, max_bytes) == SEGMENT_OK, "to cut");
	while (segment_next(&c->segmenter, &piece))
		count++;
	return count;
}

static void cut_for_path(void *ctx)
{
	(void)cut(ctx, PATH_FRAME_BYTES);
}

static void cut_for_port(void *ctx)
{
	struct cases *c = ctx;
	struct packet whole = super_frame(c), segment = { 0 };

	micro_must(segment_begin_port(&c->segmenter, &whole, true) == SEGMENT_OK, "to cut");
	while (segment_next(&c->segmenter, &segment))
		;
}

/* The segments, each in a buffer of its own as they come off the wire */
static void make_segments(struct cases *c)
{
	struct packet whole = super_frame(c), segment = { 0 };
	unsigned int i = 0;

	micro_must(segment_begin(&c->segmenter, &whole, HEADER_BYTES + GUEST_MSS) == SEGMENT_OK, "to cut");
	for (; segment_next(&c->segmenter, &segment); i++) {
		micro_must(i < SEGMENTS && segment.bytes <= sizeof(c->segments[i]), "room for segments");
		memcpy(c->segments[i], segment.frame, segment.bytes);
		memcpy(c->heads[i], segment.frame, HEADER_BYTES);
		c->segment_bytes[i] = segment.bytes;
		micro_must(frame_parse(c->segments[i], segment.bytes, &c->segment_info[i]), "frame_parse");
	}
	micro_must(i == SEGMENTS, "44 segments");
}

static void emitted(void *ctx, struct packet *const packets[], unsigned int count)
{
	struct cases *c = ctx;

	micro_must(count == 1 && packets[0]->pieces_count == (int)SEGMENTS + 1 &&
			packets[0]->offload.gso == OFFLOAD_GSO_TCP4,
		"one super-frame");
	c->emitted_bytes += packets[0]->bytes;
}

static void join(void *ctx)
{
	struct cases *c = ctx;

	for (unsigned int i = 0; i < SEGMENTS; i++) {
		struct packet packet;

		memcpy(c->segments[i], c->heads[i], HEADER_BYTES); /* as they were before the last joining */
		packet_init(&packet, c->segments[i], c->segment_bytes[i], 0);
		packet.from_wire = true;
		packet.info = c->segment_info[i];
		packet.offload = (struct offload){ .partial = true };
		micro_must(coalesce_add(&c->coalescer, &packet) == COALESCE_OK, "coalesce_add");
	}
	coalesce_flush(&c->coalescer);
}

/* Small frames into one datagram, copied, and out again */
static void bundle(void *ctx)
{
	struct cases *c = ctx;
	struct train train;
	struct record_reader reader;
	struct record record = {
		.type = RECORD_FRAME,
		.flags = RECORD_FLAG_LENGTH,
		.network = 17,
		.body_bytes = SMALL_BYTES,
	};
	uint8_t *datagram;
	uint32_t plain_bytes;
	unsigned int read = 0;

	train_begin(&train, c->train, 1472, TRAIN_DATAGRAMS_MAX);
	for (unsigned int i = 0; i < BUNDLE; i++) {
		size_t header_bytes = record_header_bytes(record.flags);
		uint8_t *at = train_record(&train, (uint32_t)(header_bytes + SMALL_BYTES));

		micro_must(at, "train_record");
		(void)record_encode(&record, at);
		memcpy(at + header_bytes, c->frame, SMALL_BYTES);
	}
	datagram = train_open(&train, &plain_bytes);
	micro_must(datagram, "train_open");
	reader = record_reader_init(datagram + TRAIN_HEADER_BYTES, plain_bytes);
	while (record_next(&reader, &record) == RECORD_OK)
		read++;
	micro_must(read == BUNDLE, "all records");
	train_close(&train);
}

static unsigned int fragments(struct cases *c, bool reassemble)
{
	const struct instant now = { 1000000000 };
	struct fragmenter fragmenter;
	struct reassembled whole;
	enum fragment_result result = FRAGMENT_HELD;
	unsigned int count = 0;
	uint8_t *body;
	size_t body_bytes;

	micro_must(fragment_begin(&fragmenter, c->fragments_of + HEADROOM_BYTES, LONG_BYTES, c->id++,
			   PATH_FRAME_BYTES) == FRAGMENT_OK,
		"fragment_begin");
	for (; fragment_next(&fragmenter, &body, &body_bytes); count++)
		if (reassemble)
			result = reassembly_add(&c->reassembler, 1, 17, false, body, body_bytes, now, &whole);
	micro_must(!reassemble || (result == FRAGMENT_OK && whole.bytes == LONG_BYTES), "to reassemble");
	return count;
}

static void fragment(void *ctx)
{
	(void)fragments(ctx, false);
}

static void fragment_and_reassemble(void *ctx)
{
	(void)fragments(ctx, true);
}

static void checksum(void *ctx)
{
	struct cases *c = ctx;

	for (unsigned int i = 0; i < SEGMENTS; i++) {
		struct offload offload = c->offload;

		micro_must(csum_complete(c->segments[i], c->segment_bytes[i], &offload), "csum_complete");
	}
}

int main(int argc, char **argv)
{
	static struct cases c;
	struct micro micro;
	unsigned int pieces;

	make_frame(&c);
	make_segments(&c);
	coalesce_init(&c.coalescer, OFFLOAD_CAP_CSUM | OFFLOAD_CAP_TSO4, emitted, &c);
	reassembly_init(&c.reassembler, c.reassembly_room, 4);

	micro_begin(&micro, "encap, per frame, segment or fragment", argc, argv);
	micro_case(&micro, "parse a TCP frame", SEGMENTS, 0, parse, &c);
	micro_case(&micro, "GRE header, write and read", SEGMENTS, 0, gre, &c);
	micro_case(&micro, "106-byte record, bundle of 12, in and out", BUNDLE, SMALL_BYTES, bundle, &c);
	pieces = cut(&c, PATH_FRAME_BYTES);
	micro_case(&micro, "cut a super-frame to the path", pieces, FRAME_BYTES / pieces, cut_for_path, &c);
	micro_case(&micro, "cut it to the guest's MSS with checksums", SEGMENTS, FRAME_BYTES / SEGMENTS, cut_for_port,
		&c);
	micro_case(&micro, "join 44 segments", SEGMENTS, GUEST_MSS, join, &c);
	pieces = fragments(&c, false);
	micro_case(&micro, "fragment 9014 bytes", pieces, LONG_BYTES / pieces, fragment, &c);
	micro_case(&micro, "... and reassemble them", pieces, LONG_BYTES / pieces, fragment_and_reassemble, &c);
	micro_case(&micro, "complete a checksum over 1514 bytes", SEGMENTS, GUEST_MSS, checksum, &c);
	return micro_end(&micro);
}
