/*
 * fuzz_fragment.c - fragments in any order, some wrong, some late, against a naive reassembler
 */
#include "tests/unit/encap/fragment_scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = { data, size < 1200 ? size : 1200 };

	fragment_scenario(&script);
	return 0;
}
