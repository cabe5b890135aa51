/*
 * fuzz_segment.c - super-frames of every shape, and any bytes with an offload that lies, against the naive model
 */
#include "tests/unit/packet/segment_scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = { data, size };

	if (script_u8(&script) & 1)
		segment_scenario(&script);
	else
		segment_scenario_raw(&script);
	return 0;
}
