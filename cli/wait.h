/*
 * wait.h - "applied everywhere": polling the controller until the agents have caught up
 */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include "cli/client.h"

/**
 * wait_applied() - until every host of a change has applied it
 * @lab:	that was changed; what a host has to say of other labs is not said here
 * @change:	the controller's answer to it, with "rev" and "hosts"
 *
 * Return: CLI_OK; CLI_FAILED where a host applied it with errors, said one by one; CLI_TIMED_OUT, after it has said who lacks it; or
 *	CLI_UNREACHABLE
 */
enum cli_exit wait_applied(struct client *client, const char *lab, const json_t *change, uint64_t timeout_ms)
	__attribute__((warn_unused_result));

#endif /* CLI_WAIT_H */
