/*
 * privileges.c - see privileges.h
 */
#include "overlay/agent/privileges.h"

#include <cap-ng.h>

bool privileges_reduce(struct error *error)
{
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN)) {
		error_set(error, "making network devices needs CAP_NET_ADMIN: run weftd as root");
		return false;
	}
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, CAP_NET_ADMIN, CAP_NET_RAW,
		    CAP_NET_BIND_SERVICE, -1) == 0 &&
		capng_apply(CAPNG_SELECT_CAPS) == 0)
		return true;
	error_set(error, "the kernel does not let weftd give up privileges");
	return false;
}
