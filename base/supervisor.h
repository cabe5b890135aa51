/*
 * supervisor.h - the service manager that started this program: what it is told, and what it keeps
 *
 * Both protocols are systemd's (sd_notify(3), sd_listen_fds(3)) and need no library of its: a datagram to $NOTIFY_SOCKET, and
 * descriptors from 3 on that $LISTEN_FDS counts.  Without a service manager every call does nothing and says so.  Threads: one,
 * the program's first.
 */
#ifndef BASE_SUPERVISOR_H
#define BASE_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

/* Return: whether there is a service manager that wants to be told */
bool supervisor_is_there(void);

/* Lines such as "READY=1\nSTATUS=12 ports up".  Return: false where nobody heard it */
bool supervisor_tell(const char *lines);

/**
 * supervisor_keep() - give @fd for the program that is started next; it waits until that is so
 * @name:	1 to 255 printable characters, no ':'
 * @patience_ms: for the service manager
 *
 * The descriptor stays the caller's too.  A service manager that has no room for it says nothing: a socket sees its copy closed.
 *
 * Return: false where nobody took it in time
 */
bool supervisor_keep(const char *name, int fd, int patience_ms) __attribute__((warn_unused_result));

/* Return: the first descriptor that was kept under @name, the caller's, closed by exec; -1 where there is none */
int supervisor_kept(const char *name);

/**
 * supervisor_pass() - leave @fd under @name to the program that this one becomes by exec, in the service manager's place
 * @fd:	-1: nothing; what the service manager passed to us is not passed on either
 *
 * Return: whether it will find it
 */
bool supervisor_pass(const char *name, int fd);

/* The service manager lets go of what it keeps under @name */
void supervisor_forget(const char *name);

/* Return: how often the service manager wants to hear "WATCHDOG=1", in milliseconds, or it kills; 0: it does not */
uint32_t supervisor_watchdog_ms(void);

#endif /* BASE_SUPERVISOR_H */
