/*
 * fuzz_vnet.c - any offload header before any frame: what is accepted lies within the frame and survives the way back
 *
 * Input: the header's ten bytes, then two that give the frame's length, most significant first.
 */
#include "tap/vnet.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

static void require(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
	uint8_t header[VNET_HEADER_BYTES];
	struct offload offload, again;
	size_t frame_bytes;

	if (len_bytes < VNET_HEADER_BYTES + 2)
		return 0;
	memset(&again, 0, sizeof(again));
	memset(&offload, 0, sizeof(offload));
	frame_bytes = (size_t)bytes[VNET_HEADER_BYTES] << 8 | bytes[VNET_HEADER_BYTES + 1];
	if (!vnet_decode(bytes, frame_bytes, &offload))
		return 0;
	if (offload.partial)
		require(offload.csum_start >= 14 && offload.csum_start + offload.csum_offset + 2U <= frame_bytes);
	require(offload.gso == OFFLOAD_GSO_NONE ? offload.gso_bytes == 0 : offload.gso_bytes > 0 && offload.partial);
	vnet_encode(&offload, frame_bytes, header);
	require(vnet_decode(header, frame_bytes, &again));
	require(memcmp(&offload, &again, sizeof(offload)) == 0);
	return 0;
}
