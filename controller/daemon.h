/*
 * daemon.h - weft-controller at work: store, model, API and sockets on one event loop
 */
#ifndef CONTROLLER_DAEMON_H
#define CONTROLLER_DAEMON_H

/**
 * daemon_run() - run the controller whose state is in @dir, until SIGTERM or SIGINT
 *
 * What goes wrong is logged.  Takes over these two signals while it runs.
 *
 * Return: 0 when it was ended by a signal, -errno where it could not start
 */
int daemon_run(const char *dir) __attribute__((warn_unused_result));

#endif /* CONTROLLER_DAEMON_H */
