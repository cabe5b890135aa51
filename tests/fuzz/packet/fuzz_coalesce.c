/*
 * fuzz_coalesce.c - bursts of well-behaved and other frames, joined and cut again, against the naive model
 */
#include "tests/unit/packet/coalesce_scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = { data, size < 600 ? size : 600 };

	coalesce_scenario(&script);
	return 0;
}
