/*
 * kinds.c - see kinds.h
 */
#include "tap/kinds.h"

#include <errno.h>

int kind_open(const struct attach *spec, unsigned int queues, const struct tap_kept *kept, struct tap_port **out,
	struct error *error)
{
	static int (*const open_by_kind[ATTACH_KINDS_COUNT])(const struct attach *, unsigned int,
		const struct tap_kept *, struct tap_port **, struct error *) = {
#define X(name, prefix, target, file) [ATTACH_##name] = file##_open,
		ATTACH_KINDS(X)
#undef X
	};

	if ((unsigned int)spec->kind >= ATTACH_KINDS_COUNT)
		return error_fail(error, -EINVAL, "no such kind of attachment");
	return open_by_kind[spec->kind](spec, queues, kept, out, error);
}
