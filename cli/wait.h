/*
 * wait.h - "all of it is up": polling the controller until agents have caught up and see each other, or will not by themselves
 *
 * Theory of operation.  A host that has been offline for a while at the first look is named and not waited for; one that left just
 * before, has just joined, or may still be looking for a restarted controller is.  Then it
 * waits for hosts to apply the change, and for paths while they may come up by themselves (all but those that are refused).  What a host
 * could not do, as a port that cannot be opened, is not waited for.  In the end everything that is not up is named.
 */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include "cli/client.h"

#include <stdint.h>

struct wait_change {
	const char *lab;      /* what a host has to say of other labs is not said */
	bool deleted;         /* it is gone: there are no paths and ports */
	const json_t *answer; /* the controller's, with "rev" and "hosts" */
	uint64_t timeout_ms;
};

/**
 * wait_change() - until all of a change is up
 * @out:	an object to which is added, where the hosts could be looked at: "paths" and "ports" as the API has them, and "errors", each with
 *		"host", what it is about, and "text"
 *
 * All that is not up is said on stderr, a line each.  Return: CLI_OK; CLI_FAILED where a host could not do something; CLI_TIMED_OUT where
 * a host or a path is not there yet; or CLI_UNREACHABLE
 */
enum cli_exit wait_change(struct client *client, const struct wait_change *change, json_t *out)
	__attribute__((warn_unused_result));

#endif /* CLI_WAIT_H */
