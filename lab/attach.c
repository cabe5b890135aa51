/*
 * attach.c - see attach.h
 */
#include "lab/attach.h"

#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_MTU_BYTES 1500U

static const struct {
	const char *prefix;
	enum attach_kind kind;
} kinds[] = {
	{ "bridge:", ATTACH_BRIDGE },
	{ "tap:", ATTACH_TAP },
	{ "packet:", ATTACH_PACKET },
};

bool attach_name_ok(const char *name)
{
	/* "all" and "default" mean something else under /proc/sys/net, "." and ".." anywhere */
	static const char *const special[] = { "", ".", "..", "all", "default" };

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (strcmp(name, special[i]) == 0)
			return false;
	if (strlen(name) >= ATTACH_NAME_BYTES)
		return false;
	for (const char *at = name; *at; at++)
		if (*at <= ' ' || *at >= 0x7f || strchr("/:%", *at))
			return false;
	return true;
}

int attach_parse(const char *text, struct attach *out, struct error *error)
{
	struct attach spec = { .mtu_bytes = DEFAULT_MTU_BYTES };
	const char *name;

	if (strcmp(text, "memory") == 0) {
		spec.kind = ATTACH_MEMORY;
		*out = spec;
		return 0;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
			continue;
		name = text + strlen(kinds[i].prefix);
		if (!attach_name_ok(name)) {
			error_set(error,
				"\"%.60s\": the device's name must be 1 to 15 characters without space, '/', ':' or '%%'",
				text);
			return -EINVAL;
		}
		spec.kind = kinds[i].kind;
		memcpy(spec.target, name, strlen(name));
		*out = spec;
		return 0;
	}
	error_set(error, "\"%.60s\" is no attachment: write bridge:NAME, tap:NAME or packet:INTERFACE", text);
	return -EINVAL;
}
