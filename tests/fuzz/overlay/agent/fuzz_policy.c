/*
 * fuzz_policy.c - any text as a host's policy: what is taken allows nothing but names that interfaces can have
 */
#include "overlay/agent/policy.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy policy = { 0 };
	struct error error = { "" };

	if (policy_parse((const char *)data, size, "policy.json", &policy, &error) < 0) {
		assert(error_is_set(&error) && policy.own_underlay_count == 0);
		return 0;
	}
	assert(policy.own_underlay_count <= POLICY_NAMES_MAX);
	for (uint32_t i = 0; i < policy.own_underlay_count; i++)
		assert(attach_name_ok(policy.own_underlay[i]) &&
			policy_allows_own_underlay(&policy, policy.own_underlay[i]));
	return 0;
}
