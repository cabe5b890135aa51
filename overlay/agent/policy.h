/*
 * policy.h - what the owner of this host allows, whatever the controller says
 *
 * A small file of the host's owner, DIR/policy.json in the state folder, read by weftd only, when it starts and on SIGHUP:
 *
 *	{"own_underlay": ["eth0", "br0"]}
 *
 * own_underlay	interfaces and bridges that a port may be attached to although the other hosts or the controller are reached by them
 *
 * No file is an empty one: nothing beyond the default is allowed.  It fails closed: a file that cannot be read, that others than root
 * and weftd's user may write, or that says anything that is not understood keeps every port closed, with the reason.
 */
#ifndef OVERLAY_AGENT_POLICY_H
#define OVERLAY_AGENT_POLICY_H

#include "base/error.h"
#include "lab/attach.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_FILE "policy.json"
#define POLICY_BYTES_MAX 65536U
#define POLICY_NAMES_MAX 64U

struct policy {
	uint32_t own_underlay_count;
	char own_underlay[POLICY_NAMES_MAX][ATTACH_NAME_BYTES];
};

/**
 * policy_parse() - a file's text
 * @text:	any bytes
 * @where:	the file's name, for @error
 * @out:	written only on success
 *
 * Return: 0 or -EINVAL with @error
 */
int policy_parse(const char *text, size_t text_bytes, const char *where, struct policy *out, struct error *error)
	__attribute__((warn_unused_result));

/* Read the one in @state.  Return: 0, also where there is none; -errno with @error */
int policy_load(const char *state, struct policy *out, struct error *error) __attribute__((warn_unused_result));

/* Whether a port may take @name although the underlay goes by it */
bool policy_allows_own_underlay(const struct policy *policy, const char *name);

#endif /* OVERLAY_AGENT_POLICY_H */
