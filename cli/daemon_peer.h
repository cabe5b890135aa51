/*
 * daemon_peer.h - the daemon behind a local socket, and having it read its state folder again
 */
#ifndef CLI_DAEMON_PEER_H
#define CLI_DAEMON_PEER_H

#include <stdbool.h>

/**
 * daemon_peer_reload() - send SIGHUP to whoever answers at DIR/@name
 *
 * By the socket it is known whom it concerns, whatever started it and however many there are on the machine.
 *
 * Return: false where nobody is there, or it may not be told
 */
bool daemon_peer_reload(const char *state, const char *name) __attribute__((warn_unused_result));

#endif /* CLI_DAEMON_PEER_H */
