/*
 * coalesce.c - see coalesce.h
 */
#include "packet/coalesce.h"

#include <assert.h>
#include <string.h>

#include "packet/csum.h"

#define FLAGS_NEVER_HELD (FRAME_TCP_SYN | FRAME_TCP_RST | FRAME_TCP_URG)
#define FLAGS_LAST (FRAME_TCP_FIN | FRAME_TCP_PSH)

/* A frame on its way through coalesce_add() */
struct arrival {
	struct packet *packet;
	uint8_t *frame; /* the packet's */
	const struct frame_info *info;
	uint32_t payload_bytes;
	uint16_t gso_bytes; /* 0 unless the payload is longer */
	bool partial;
};

void coalesce_init(struct coalescer *c, unsigned int caps, coalesce_emit *emit, void *ctx)
{
	c->emit = emit;
	c->ctx = ctx;
	c->caps = (caps & OFFLOAD_CAP_CSUM) ? caps : 0;
	c->held = 0;
	c->born = 0;
}

static unsigned int super_cap(const struct frame_info *info)
{
	if (info->l4_protocol == FRAME_PROTOCOL_UDP)
		return OFFLOAD_CAP_USO;
	return info->ip_version == 4 ? OFFLOAD_CAP_TSO4 : OFFLOAD_CAP_TSO6;
}

static uint8_t super_gso(const struct frame_info *info)
{
	if (info->l4_protocol == FRAME_PROTOCOL_UDP)
		return OFFLOAD_GSO_UDP;
	return info->ip_version == 4 ? OFFLOAD_GSO_TCP4 : OFFLOAD_GSO_TCP6;
}

static inline bool is_tcp(const struct frame_info *info)
{
	return info->l4_protocol == FRAME_PROTOCOL_TCP;
}

/* ---- leaving -------------------------------------------------------------------------------------------------- */

static struct offload super_offload(const uint8_t *frame, const struct frame_info *info, uint16_t gso_bytes)
{
	return (struct offload){
		.gso = super_gso(info),
		.gso_bytes = gso_bytes,
		.header_bytes = info->payload_offset,
		.ecn = is_tcp(info) && (frame[info->l4_offset + 13] & FRAME_TCP_CWR),
	};
}

static void emit_one(struct coalescer *c, struct packet *packet)
{
	c->emit(c->ctx, &packet, 1);
}

/* A frame larger than the guest's segments at a port that takes none such */
static enum coalesce_result emit_cut(struct coalescer *c, struct packet *packet)
{
	struct packet piece = *packet;

	piece.offload = (struct offload){
		.csum_start = packet->offload.csum_start,
		.csum_offset = packet->offload.csum_offset,
	};
	if (segment_begin_port(&c->segmenter, packet, !(c->caps & OFFLOAD_CAP_CSUM)) != SEGMENT_OK)
		return COALESCE_DROP_GSO;
	while (segment_next(&c->segmenter, &piece))
		emit_one(c, &piece);
	return COALESCE_OK;
}

static enum coalesce_result emit_alone(struct coalescer *c, const struct arrival *a)
{
	struct packet *packet = a->packet;

	packet->from_wire = false;
	packet->offload = (struct offload){ 0 };
	if (a->gso_bytes > 0)
		packet->offload = super_offload(a->frame, a->info, a->gso_bytes);
	if (a->partial && !csum_prepare(a->frame, a->info, &packet->offload))
		return COALESCE_DROP_PARTIAL;
	if (a->gso_bytes > 0 && !(c->caps & super_cap(a->info)))
		return emit_cut(c, packet);
	if (a->partial && !(c->caps & OFFLOAD_CAP_CSUM) && !csum_complete(a->frame, packet->bytes, &packet->offload))
		return COALESCE_DROP_PARTIAL;
	emit_one(c, packet);
	return COALESCE_OK;
}

/* Make the first frame's headers those of the whole row */
static void write_headers(struct coalesce_row *row, uint8_t *frame)
{
	struct frame_info *info = &row->info;
	uint8_t *ip = frame + info->l3_offset;

	info->end_offset = row->bytes;
	if (info->ip_version == 4) {
		frame_put16(ip + 2, (uint16_t)(row->bytes - info->l3_offset));
		csum_ipv4_header(frame, info);
	} else {
		frame_put16(ip + 4, (uint16_t)(row->bytes - info->l4_offset));
	}
	if (is_tcp(info))
		frame[info->l4_offset + 13] |= row->tcp_flags;
	else
		frame_put16(frame + info->l4_offset + 4, (uint16_t)(row->bytes - info->l4_offset));
}

/* The row's frames as one packet; the row is free, but what it holds stays until it is claimed again */
static void end_row(struct coalescer *c, unsigned int i, struct packet *out)
{
	struct coalesce_row *row = &c->rows[i];
	uint8_t *frame = row->iov[1].iov_base;

	c->held &= ~(1U << i);
	if (row->n > 1)
		write_headers(row, frame);
	packet_init(out, frame, row->bytes, 0);
	out->offload = (struct offload){ 0 };
	out->pieces = row->iov;
	out->pieces_count = row->n + 1;
	if (row->gso_bytes > 0)
		out->offload = super_offload(frame, &row->info, row->gso_bytes);
	else if (row->n > 1)
		out->offload = super_offload(frame, &row->info, (uint16_t)row->payload_bytes);
	if (!csum_prepare(frame, &row->info, &out->offload))
		assert(!"a held frame can be partial");
}

static void emit_row(struct coalescer *c, unsigned int i)
{
	struct packet packet;

	end_row(c, i, &packet);
	emit_one(c, &packet);
}

void coalesce_flush(struct coalescer *c)
{
	struct packet packets[COALESCE_FLOWS], *ended[COALESCE_FLOWS];
	unsigned int count = 0;

	for (; c->held; count++) {
		ended[count] = &packets[count];
		end_row(c, (unsigned int)__builtin_ctz(c->held), ended[count]);
	}
	if (count)
		c->emit(c->ctx, ended, count);
}

/* ---- flows ---------------------------------------------------------------------------------------------------- */

static inline bool same16(const uint8_t *a, const uint8_t *b)
{
	return a[0] == b[0] && a[1] == b[1];
}

/* Same tags, IP version and addresses */
static bool same_hosts(const struct coalesce_row *row, const uint8_t *frame, const struct frame_info *info)
{
	const uint8_t *first = row->iov[1].iov_base, *a = first + info->l3_offset, *b = frame + info->l3_offset;

	if (row->info.l3_offset != info->l3_offset || row->info.ip_version != info->ip_version ||
		memcmp(first + 2 * MAC_BYTES, frame + 2 * MAC_BYTES, info->l3_offset - 2 * MAC_BYTES) != 0)
		return false;
	if (info->ip_version == 4)
		return frame_word64(a + 12) == frame_word64(b + 12);
	return memcmp(a + 8, b + 8, 32) == 0;
}

static bool same_flow(const struct coalesce_row *row, const uint8_t *frame, const struct frame_info *info)
{
	const uint8_t *first = row->iov[1].iov_base;

	return row->info.l4_protocol == info->l4_protocol &&
		frame_word32(first + row->info.l4_offset) == frame_word32(frame + info->l4_offset) &&
		same_hosts(row, frame, info);
}

/* Return: the row of this frame's flow, or -1 */
static int find_row(const struct coalescer *c, const struct arrival *a, uint32_t hash)
{
	for (unsigned int left = c->held; left; left &= left - 1) {
		int i = __builtin_ctz(left);

		if (c->hash[i] == hash && same_flow(&c->rows[i], a->frame, a->info))
			return i;
	}
	return -1;
}

/* What has no ports to be told by: behind all that is on its way between the same two hosts */
static void emit_rows_between(struct coalescer *c, const struct arrival *a)
{
	for (unsigned int left = c->held; left; left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(left);

		if (same_hosts(&c->rows[i], a->frame, a->info))
			emit_row(c, i);
	}
}

/* ---- joining -------------------------------------------------------------------------------------------------- */

/* May the frame stand in a row at all? */
static bool can_be_held(const struct coalescer *c, const struct arrival *a)
{
	const struct frame_info *info = a->info;
	const uint8_t *ip = a->frame + info->l3_offset;
	uint32_t ip_bytes = a->packet->bytes - info->l3_offset;

	if (!a->partial || info->ip_options || a->payload_bytes == 0 || ip_bytes > COALESCE_MAX_IP_BYTES ||
		!(c->caps & super_cap(info)))
		return false;
	if (info->ip_version == 4) {
		if (frame_get16(ip + 2) != ip_bytes || !csum_ipv4_header_ok(a->frame, info))
			return false;
	} else if (frame_get16(ip + 4) != ip_bytes - FRAME_IPV6_BYTES) {
		return false;
	}
	return !is_tcp(info) || (a->frame[info->l4_offset + 13] & (FLAGS_NEVER_HELD | FRAME_TCP_ACK)) == FRAME_TCP_ACK;
}

/* RFC 6864: an id means something only without DF; a NIC's GRO still wants to see a pattern */
static bool ipv4_id_goes_on(const struct coalesce_row *row, const uint8_t *first, const uint8_t *ip)
{
	uint16_t id = frame_get16(ip + 4);
	bool dont_fragment = ip[6] & 0x40;

	if (row->n == 1 && dont_fragment && id == frame_get16(first + 4))
		return true;
	return id == row->next_ip_id;
}

static bool same_ip(const struct coalesce_row *row, const uint8_t *first, const uint8_t *ip)
{
	if (row->info.ip_version == 4)
		return same16(first, ip) && same16(first + 6, ip + 6) && first[8] == ip[8] &&
			ipv4_id_goes_on(row, first, ip);
	return frame_word32(first) == frame_word32(ip) && same16(first + 6, ip + 6);
}

static bool same_tcp(const struct coalesce_row *row, const uint8_t *first, const uint8_t *tcp)
{
	size_t header_bytes = (size_t)(row->info.payload_offset - row->info.l4_offset);

	/* seq, ack, data offset, flags, window, urgent pointer, options; CWR may only be the first's */
	return frame_get32(tcp + 4) == row->next_seq && frame_word32(first + 8) == frame_word32(tcp + 8) &&
		first[12] == tcp[12] && !(tcp[13] & FRAME_TCP_CWR) &&
		((first[13] ^ tcp[13]) & ~(FLAGS_LAST | FRAME_TCP_CWR)) == 0 && same16(first + 14, tcp + 14) &&
		same16(first + 18, tcp + 18) &&
		memcmp(first + FRAME_TCP_BYTES, tcp + FRAME_TCP_BYTES, header_bytes - FRAME_TCP_BYTES) == 0;
}

/* Two frames larger than the guest's segments must agree on those, and one that is not must be a last one */
static bool same_gso(const struct coalesce_row *row, const struct arrival *a)
{
	if (row->gso_bytes == a->gso_bytes)
		return true;
	return row->gso_bytes > 0 && a->gso_bytes == 0 && a->payload_bytes <= row->gso_bytes;
}

static bool can_join(const struct coalesce_row *row, const struct arrival *a)
{
	const struct frame_info *info = a->info;
	const uint8_t *first = row->iov[1].iov_base;

	return row->info.l4_offset == info->l4_offset && row->info.payload_offset == info->payload_offset &&
		a->payload_bytes <= row->payload_bytes && row->n < COALESCE_MAX_SEGMENTS &&
		row->bytes + a->payload_bytes - info->l3_offset <= COALESCE_MAX_IP_BYTES && same_gso(row, a) &&
		memcmp(first, a->frame, 2 * MAC_BYTES) == 0 &&
		same_ip(row, first + info->l3_offset, a->frame + info->l3_offset) &&
		(!is_tcp(info) || same_tcp(row, first + info->l4_offset, a->frame + info->l4_offset));
}

/* Return: true where the row ends with this frame */
static bool join(struct coalesce_row *row, const struct arrival *a)
{
	const struct frame_info *info = a->info;
	uint8_t flags = is_tcp(info) ? a->frame[info->l4_offset + 13] & FLAGS_LAST : 0;

	if (row->n == 1 && info->ip_version == 4)
		row->fixed_ip_id = frame_get16(a->frame + info->l3_offset + 4) != row->next_ip_id;
	if (row->fixed_ip_id)
		row->next_ip_id = frame_get16(a->frame + info->l3_offset + 4);
	else
		row->next_ip_id++;
	row->iov[++row->n] = (struct iovec){
		.iov_base = a->frame + info->payload_offset,
		.iov_len = a->payload_bytes,
	};
	row->bytes += a->payload_bytes;
	row->next_seq += a->payload_bytes;
	row->tcp_flags |= flags;
	return flags || a->payload_bytes < row->payload_bytes || row->n == COALESCE_MAX_SEGMENTS;
}

/* A free row, the oldest where there is none */
static unsigned int claim_row(struct coalescer *c)
{
	unsigned int oldest = 0;

	if (c->held != (1U << COALESCE_FLOWS) - 1)
		return (unsigned int)__builtin_ctz(~c->held);
	for (unsigned int i = 1; i < COALESCE_FLOWS; i++) {
		if ((int32_t)(c->rows[i].born - c->rows[oldest].born) < 0)
			oldest = i;
	}
	emit_row(c, oldest);
	return oldest;
}

static void hold(struct coalescer *c, const struct arrival *a, uint32_t hash)
{
	unsigned int i = claim_row(c);
	struct coalesce_row *row = &c->rows[i];
	const struct frame_info *info = a->info;

	row->info = *info;
	row->bytes = a->packet->bytes;
	row->payload_bytes = a->payload_bytes;
	row->born = c->born++;
	row->gso_bytes = a->gso_bytes;
	row->tcp_flags = 0;
	row->next_seq = is_tcp(info) ? frame_get32(a->frame + info->l4_offset + 4) + a->payload_bytes : 0;
	row->next_ip_id = (uint16_t)(frame_get16(a->frame + info->l3_offset + 4) + 1);
	row->fixed_ip_id = false;
	row->n = 1;
	row->iov[1] = (struct iovec){ .iov_base = a->frame, .iov_len = a->packet->bytes };
	c->hash[i] = hash;
	c->held |= 1U << i;
}

/*
 * Are P and G where they may be?  Takes back a G that says nothing, and with P the padding behind the packet, which
 * whoever finishes the checksum would sum up too.
 */
static enum coalesce_result check(struct arrival *a)
{
	const struct frame_info *info = a->info;

	if (a->partial && !csum_can_be_partial(info))
		return COALESCE_DROP_PARTIAL;
	if (a->partial)
		a->packet->bytes = info->end_offset;
	if (a->gso_bytes == 0)
		return COALESCE_OK;
	if (!a->partial || !is_tcp(info) || a->gso_bytes < SEGMENT_MIN_MSS ||
		(a->frame[info->l4_offset + 13] & FLAGS_NEVER_HELD))
		return COALESCE_DROP_GSO;
	if (a->payload_bytes <= a->gso_bytes)
		a->gso_bytes = 0;
	return COALESCE_OK;
}

enum coalesce_result coalesce_add(struct coalescer *c, struct packet *packet)
{
	const struct frame_info *info = &packet->info;
	struct arrival a = {
		.packet = packet,
		.frame = packet->frame,
		.info = info,
		.payload_bytes = info->payload_offset ? info->end_offset - info->payload_offset : 0,
		.gso_bytes = packet->offload.gso_bytes,
		.partial = packet->offload.partial,
	};
	enum coalesce_result result = check(&a);
	uint32_t hash;
	bool holdable;
	int i;

	if (result != COALESCE_OK)
		return result;
	if (info->payload_offset == 0) {
		if (info->ip_version != 0 && c->held)
			emit_rows_between(c, &a);
		return emit_alone(c, &a);
	}

	holdable = can_be_held(c, &a);
	hash = packet_flow_hash(
		packet); /* a short cut before same_flow(): guests that aim at it gain nothing among eight rows */
	i = find_row(c, &a, hash);
	if (i >= 0 && holdable && can_join(&c->rows[i], &a)) {
		if (join(&c->rows[i], &a))
			emit_row(c, (unsigned int)i);
		return COALESCE_OK;
	}
	if (i >= 0)
		emit_row(c, (unsigned int)i);
	if (!holdable || (is_tcp(info) && (a.frame[info->l4_offset + 13] & FLAGS_LAST)))
		return emit_alone(c, &a);
	hold(c, &a, hash);
	return COALESCE_OK;
}
