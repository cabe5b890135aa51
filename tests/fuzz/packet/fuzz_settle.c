/*
 * fuzz_settle.c - guests' tunnels of every shape against a naive oracle, and any bytes with an offload that lies
 */
#include "tests/unit/packet/settle_scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = { data, size };

	if (script_u8(&script) & 1)
		settle_scenario(&script);
	else
		settle_scenario_raw(&script);
	return 0;
}
