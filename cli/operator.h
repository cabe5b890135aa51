/*
 * operator.h - the way to the controller for an operator: its local socket, or the credentials in operator.json
 */
#ifndef CLI_OPERATOR_H
#define CLI_OPERATOR_H

#include "base/server_address.h"
#include "cli/client.h"

struct operator
{
	char *credentials; /* what operator.json held, wiped at the end; NULL over the socket */
	json_t *json;
	char address[SERVER_ADDRESS_TEXT_BYTES];
	char path[4096]; /* of the socket or of operator.json */
	char remedy[4096];
	struct client *client;
};

/**
 * operator_open() - DIR/controller.sock where it is there, else DIR/operator.json, else that of the user
 *
 * Without --state, ~/.config/weft/operator.json is the last place that is looked at.  Nothing is sent yet.
 *
 * Return: CLI_OK, or CLI_UNREACHABLE after it has said why; operator_close() @out in both cases
 */
enum cli_exit operator_open(const struct invocation *in, struct operator* out) __attribute__((warn_unused_result));

void operator_close(struct operator* operator);

#endif /* CLI_OPERATOR_H */
