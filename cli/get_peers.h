/*
 * get_peers.h - `weft get peers HOST`: all peers of one host in full, which its agent is asked for
 */
#ifndef CLI_GET_PEERS_H
#define CLI_GET_PEERS_H

#include "cli/invocation.h"

/* Ask @host, by way of the controller, and show what it says */
enum cli_exit get_peers_of(const struct invocation *in, const char *host) __attribute__((warn_unused_result));

#endif /* CLI_GET_PEERS_H */
