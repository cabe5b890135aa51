/*
 * fuzz_frame.c - any bytes as an Ethernet frame: nothing outside is read, and what is said holds together
 */
#include "packet/frame.h"

#include "packet/csum.h"
#include "tests/unit/encap/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_info info;

	if (!frame_parse(data, size, &info))
		return 0;
	MUST(info.l3_offset == info.l2_bytes && info.l2_bytes >= 14 && info.l2_bytes <= 22);
	MUST(info.end_offset >= info.l3_offset && info.end_offset <= size);
	MUST(info.tagged || info.tci == 0);
	MUST(info.l4_offset <= info.end_offset && info.payload_offset <= info.end_offset);
	MUST(info.l4_offset == 0 || (info.ip_version != 0 && info.l4_offset >= info.l3_offset + 20U));
	MUST(info.l4_offset != 0 || (info.l4_protocol == 0 && info.payload_offset == 0));
	MUST(info.payload_offset == 0 || (!info.ip_fragment && info.payload_offset >= info.l4_offset + 8U));
	if (info.payload_offset != 0 && !info.source_routed) {
		bool ok = model_checksum_ok(data, &info);

		if (info.l4_protocol == FRAME_PROTOCOL_TCP)
			MUST(csum_verify(data, &info) == ok);
	}
	return 0;
}
