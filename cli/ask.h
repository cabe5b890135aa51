/*
 * ask.h - questions to a weftd: this host's by its local socket, another's by the controller
 *
 * Both answer the same ones (overlay/agent/questions.h).
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "cli/client.h"
#include "cli/operator.h"

/* Whether a weftd has its socket in the state folder */
bool ask_is_here(const struct invocation *in);

/* Whether a controller is known: one to be asked for the whole fabric, or for a host by its name */
bool ask_knows_controller(const struct invocation *in);

/**
 * ask_here() - ask this host's weftd
 * @args:	consumed; NULL for none
 * @out:	of CLI_OK: a good answer; answer_fini() it in any case
 *
 * Return: CLI_OK, or another after it has said why
 */
enum cli_exit ask_here(const struct invocation *in, const char *question, json_t *args, struct answer *out)
	__attribute__((warn_unused_result));

/* The same, of @host's weftd, by the controller */
enum cli_exit ask_host(struct operator* operator, const char * host, const char *question, json_t *args,
	struct answer *out) __attribute__((warn_unused_result));

#endif /* CLI_ASK_H */
