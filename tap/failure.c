/*
 * failure.c - see failure.h
 */
#include "tap/failure.h"

#include <errno.h>

enum tap_result tap_write_failure(int error_number)
{
	switch (error_number) {
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return TAP_DROP_FULL;
	case EIO: /* what a TAP says while it is down */
	case ENETDOWN:
	case ENXIO:
	case ENODEV:
	case EBADFD:
		return TAP_DROP_DOWN;
	case EMSGSIZE:
		return TAP_DROP_OVERSIZE;
	case EINVAL:
		return TAP_DROP_REFUSED;
	default:
		return TAP_DROP_ERROR;
	}
}
