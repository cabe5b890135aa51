/*
 * wait.h - "applied everywhere": polling the controller until the agents have caught up
 */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include "cli/client.h"

/**
 * wait_applied() - until every host of a change has applied it
 * @change:	the controller's answer to it, with "rev" and "hosts"
 *
 * Return: CLI_OK; CLI_FAILED where a host applied it with errors; CLI_TIMED_OUT, after it has said who lacks it; or
 *	CLI_UNREACHABLE
 */
enum cli_exit wait_applied(struct client *client, const json_t *change, uint64_t timeout_ms)
	__attribute__((warn_unused_result));

#endif /* CLI_WAIT_H */
