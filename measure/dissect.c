/*
 * dissect.c - see dissect.h
 */
#include "measure/dissect.h"

#include <netinet/in.h>
#include <pcap/dlt.h>

#include "base/cursor.h"

#define ETHERTYPE_IPV4 0x0800U
#define ETHERTYPE_IPV6 0x86ddU
#define IPV4_HEADER_BYTES 20U
#define UDP_HEADER_BYTES 8U

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool is_tag(uint16_t ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

bool dissect_knows(int link_type)
{
	switch (link_type) {
	case DLT_EN10MB:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return true;
	default:
		return false;
	}
}

/* Return: the EtherType in front of the network layer, 0 where the link says none (raw IP) */
static uint16_t read_link(struct rd *r, int link_type)
{
	uint16_t ethertype = 0;

	switch (link_type) {
	case DLT_EN10MB:
		rd_bytes(r, 12);
		ethertype = rd_u16(r);
		break;
	case DLT_LINUX_SLL:
		rd_bytes(r, 14);
		ethertype = rd_u16(r);
		break;
	case DLT_LINUX_SLL2:
		ethertype = rd_u16(r);
		rd_bytes(r, 18);
		break;
	}
	for (unsigned int tags = 0; is_tag(ethertype) && tags < DISSECT_TAGS_MAX; tags++) {
		rd_bytes(r, 2);
		ethertype = rd_u16(r);
	}
	return ethertype;
}

static enum dissect_result read_ipv4(struct rd *r, struct dissected *out, size_t *rest_bytes)
{
	size_t header_bytes = (rd_u8(r) & 0xfU) * 4U, total_bytes;
	uint16_t fragment;
	uint8_t protocol;

	rd_bytes(r, 1);
	total_bytes = rd_u16(r);
	rd_bytes(r, 2);
	fragment = rd_u16(r);
	rd_bytes(r, 1);
	protocol = rd_u8(r);
	rd_bytes(r, 2);
	memcpy(out->src.ip, v4_mapped, sizeof(v4_mapped));
	memcpy(out->dst.ip, v4_mapped, sizeof(v4_mapped));
	rd_copy(r, out->src.ip + 12, 4);
	rd_copy(r, out->dst.ip + 12, 4);
	if (!rd_ok(r))
		return DISSECT_DROP_TRUNCATED;
	if (header_bytes < IPV4_HEADER_BYTES || total_bytes < header_bytes)
		return DISSECT_DROP_IP;
	if (fragment & 0x3fff) /* more fragments, or an offset: weft sends neither */
		return DISSECT_DROP_FRAGMENT;
	if (protocol != IPPROTO_UDP)
		return DISSECT_DROP_NOT_UDP;
	if (!rd_bytes(r, header_bytes - IPV4_HEADER_BYTES))
		return DISSECT_DROP_TRUNCATED;
	out->header_bytes = header_bytes;
	*rest_bytes = total_bytes - header_bytes;
	return DISSECT_OK;
}

/* RFC 8200 section 4: walk the extension headers that may stand before UDP */
static enum dissect_result read_extensions(struct rd *r, uint8_t next, struct dissected *out, size_t *rest_bytes)
{
	for (unsigned int i = 0; i < DISSECT_EXTENSIONS_MAX && next != IPPROTO_UDP; i++) {
		size_t extension_bytes;

		if (next == IPPROTO_FRAGMENT)
			return DISSECT_DROP_FRAGMENT;
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS)
			return DISSECT_DROP_NOT_UDP;
		next = rd_u8(r);
		extension_bytes = (rd_u8(r) + 1U) * 8U;
		rd_bytes(r, extension_bytes - 2);
		if (!rd_ok(r))
			return DISSECT_DROP_TRUNCATED;
		if (extension_bytes > *rest_bytes)
			return DISSECT_DROP_IP;
		*rest_bytes -= extension_bytes;
		out->header_bytes += extension_bytes;
	}
	return next == IPPROTO_UDP ? DISSECT_OK : DISSECT_DROP_NOT_UDP;
}

static enum dissect_result read_ipv6(struct rd *r, struct dissected *out, size_t *rest_bytes)
{
	uint8_t next;

	rd_bytes(r, 4);
	*rest_bytes = rd_u16(r);
	next = rd_u8(r);
	rd_bytes(r, 1);
	rd_copy(r, out->src.ip, 16);
	rd_copy(r, out->dst.ip, 16);
	if (!rd_ok(r))
		return DISSECT_DROP_TRUNCATED;
	out->header_bytes = 40;
	return read_extensions(r, next, out, rest_bytes);
}

static enum dissect_result read_udp(struct rd *r, size_t rest_bytes, struct dissected *out)
{
	size_t udp_bytes;

	out->src.port = rd_u16(r);
	out->dst.port = rd_u16(r);
	udp_bytes = rd_u16(r);
	rd_bytes(r, 2);
	if (!rd_ok(r))
		return DISSECT_DROP_TRUNCATED;
	if (udp_bytes < UDP_HEADER_BYTES || udp_bytes > rest_bytes)
		return DISSECT_DROP_UDP;
	out->header_bytes += UDP_HEADER_BYTES;
	out->payload = r->at;
	out->payload_bytes = udp_bytes - UDP_HEADER_BYTES;
	out->captured_bytes = r->left_bytes < out->payload_bytes ? r->left_bytes : out->payload_bytes;
	return DISSECT_OK;
}

enum dissect_result dissect(int link_type, const uint8_t *packet, size_t len_bytes, struct dissected *out)
{
	struct rd r = rd_init(packet, len_bytes);
	uint16_t ethertype = read_link(&r, link_type);
	struct dissected found = { 0 };
	enum dissect_result result;
	size_t rest_bytes = 0;
	uint8_t version;

	if (!rd_ok(&r) || r.left_bytes == 0)
		return DISSECT_DROP_TRUNCATED;
	version = r.at[0] >> 4;
	if (version == 4 && (ethertype == ETHERTYPE_IPV4 || ethertype == 0))
		result = read_ipv4(&r, &found, &rest_bytes);
	else if (version == 6 && (ethertype == ETHERTYPE_IPV6 || ethertype == 0))
		result = read_ipv6(&r, &found, &rest_bytes);
	else
		return DISSECT_DROP_NOT_IP;
	if (result == DISSECT_OK)
		result = read_udp(&r, rest_bytes, &found);
	if (result == DISSECT_OK)
		*out = found;
	return result;
}
