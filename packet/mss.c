/*
 * mss.c - see mss.h
 */
#include "packet/mss.h"

#define TCP_FLAGS_AT 13U
#define TCP_CHECKSUM_AT 16U
#define OPTION_END 0U
#define OPTION_NOP 1U
#define OPTION_MSS 2U
#define OPTION_MSS_BYTES 4U

/* Return: the offset of the MSS option's value, 0 where there is none or the options cannot be read */
static size_t find_mss(const uint8_t *frame, const struct frame_info *info)
{
	size_t at = info->l4_offset + (size_t)FRAME_TCP_BYTES, end = info->payload_offset;

	while (at < end && frame[at] != OPTION_END) {
		size_t option_bytes;

		if (frame[at] == OPTION_NOP) {
			at++;
			continue;
		}
		option_bytes = at + 1 < end ? frame[at + 1] : 0;
		if (option_bytes < 2 || option_bytes > end - at)
			return 0;
		if (frame[at] == OPTION_MSS)
			return option_bytes == OPTION_MSS_BYTES ? at + 2 : 0;
		at += option_bytes;
	}
	return 0;
}

/* RFC 1624, equation 3, for a 16-bit field that may start at an odd offset of the TCP header */
static void mend_checksum(uint8_t *checksum, bool odd, uint16_t before, uint16_t after)
{
	uint32_t sum = (uint16_t)~frame_get16(checksum);

	if (odd) {
		before = __builtin_bswap16(before);
		after = __builtin_bswap16(after);
	}
	sum += (uint16_t)~before;
	sum += after;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	frame_put16(checksum, (uint16_t)~sum);
}

bool mss_clamp(uint8_t *frame, const struct frame_info *info, bool partial, size_t max_frame_bytes)
{
	size_t headers = info->l4_offset + (size_t)FRAME_TCP_BYTES, at, fits;
	uint16_t mss;

	if (info->l4_protocol != FRAME_PROTOCOL_TCP || !info->payload_offset ||
		!(frame[info->l4_offset + TCP_FLAGS_AT] & FRAME_TCP_SYN))
		return false;
	at = find_mss(frame, info);
	fits = max_frame_bytes > headers + MSS_MIN_BYTES ? max_frame_bytes - headers : MSS_MIN_BYTES;
	if (at == 0 || frame_get16(frame + at) <= fits)
		return false;
	mss = frame_get16(frame + at);
	frame_put16(frame + at, (uint16_t)fits);
	if (!partial)
		mend_checksum(frame + info->l4_offset + TCP_CHECKSUM_AT, (at - info->l4_offset) % 2, mss,
			(uint16_t)fits);
	return true;
}
