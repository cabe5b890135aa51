/*
 * attach.c - see attach.h
 */
#include "lab/attach.h"

#include "base/error.h"
#include "base/netns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_MTU_BYTES 1500U

static const struct {
	const char *prefix;
	const char *target;
} kinds[ATTACH_KINDS_COUNT] = {
#define X(name, text, what, file) [ATTACH_##name] = { text, what },
	ATTACH_KINDS(X)
#undef X
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

size_t attach_prefixes(const char *out[ATTACH_KINDS_COUNT])
{
	size_t count = 0;

	for (int kind = 0; kind < ATTACH_KINDS_COUNT; kind++)
		if (kinds[kind].target[0])
			out[count++] = kinds[kind].prefix;
	return count;
}

const char *attach_forms(char out[ATTACH_FORMS_BYTES])
{
	const char *separator = "";
	size_t used = 0, left = 0;

	for (int kind = 0; kind < ATTACH_KINDS_COUNT; kind++)
		left += kinds[kind].target[0] != '\0';
	for (int kind = 0; kind < ATTACH_KINDS_COUNT && used < ATTACH_FORMS_BYTES; kind++) {
		if (!kinds[kind].target[0])
			continue;
		used += (size_t)snprintf(out + used, ATTACH_FORMS_BYTES - used, "%s%s:%s", separator,
			kinds[kind].prefix, kinds[kind].target);
		separator = --left > 1 ? ", " : " or ";
	}
	return out;
}

/* Return: what follows the prefix in @text; NULL where it is not of that kind */
static const char *target_of(const char *text, int kind)
{
	size_t bytes = strlen(kinds[kind].prefix);

	if (strncmp(text, kinds[kind].prefix, bytes) != 0)
		return NULL;
	if (!kinds[kind].target[0])
		return text[bytes] ? NULL : text + bytes;
	return text[bytes] == ':' ? text + bytes + 1 : NULL;
}

/* NAMESPACE/INTERFACE */
static bool in_namespace_ok(const char *target)
{
	const char *slash = strchr(target, '/');
	char space[NETNS_NAME_BYTES];

	if (!slash || (size_t)(slash - target) >= sizeof(space))
		return false;
	memcpy(space, target, (size_t)(slash - target));
	space[slash - target] = '\0';
	return netns_name_ok(space) && attach_name_ok(slash + 1);
}

/* Return: 0, or -EINVAL where @target, which follows @kind's prefix in @text, cannot be one */
static int check_target(enum attach_kind kind, const char *target, const char *text, struct error *error)
{
	if (!kinds[kind].target[0])
		return 0;
	if (kind == ATTACH_NETNS && !in_namespace_ok(target))
		return error_fail(error, -EINVAL,
			"\"%.60s\": write netns:NAMESPACE/INTERFACE, a namespace's name of 1 to 91 and an interface's of 1 to "
			"15 characters without space, ':' or '%%'",
			text);
	if (kind != ATTACH_NETNS && !attach_name_ok(target))
		return error_fail(error, -EINVAL,
			"\"%.60s\": the device's name must be 1 to 15 characters without space, '/', ':' or '%%'",
			text);
	return 0;
}

int attach_parse(const char *text, struct attach *out, struct error *error)
{
	struct attach spec = { .mtu_bytes = DEFAULT_MTU_BYTES };
	char forms[ATTACH_FORMS_BYTES];

	for (int kind = 0; kind < ATTACH_KINDS_COUNT; kind++) {
		const char *name = target_of(text, kind);

		if (!name)
			continue;
		if (check_target((enum attach_kind)kind, name, text, error) < 0)
			return -EINVAL;
		spec.kind = (enum attach_kind)kind;
		memcpy(spec.target, name, strlen(name));
		*out = spec;
		return 0;
	}
	return error_fail(error, -EINVAL, "\"%.60s\" is no attachment: write %s", text, attach_forms(forms));
}

char *attach_format(const struct attach *spec, char out[ATTACH_TEXT_BYTES])
{
	snprintf(out, ATTACH_TEXT_BYTES, "%s%s%s", kinds[spec->kind].prefix, kinds[spec->kind].target[0] ? ":" : "",
		spec->target);
	return out;
}
