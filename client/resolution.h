/*
 * resolution.h - a name's addresses, looked up as getaddrinfo(3) does, without the loop waiting for it
 *
 * The C library reads /etc/resolv.conf, /etc/hosts and /etc/nsswitch.conf anew where they have changed, and asks whom they name; so
 * a look-up needs nothing that was made earlier.  It takes as long as name servers take, which may be a minute: hence a
 * thread for each, which nobody waits for.  One that was cancelled ends by itself and frees what it had.
 *
 * Bounds: RESOLUTIONS_MAX at once in the process, those that were cancelled included; another is told that it is one too many.
 */
#ifndef CLIENT_RESOLUTION_H
#define CLIENT_RESOLUTION_H

#include <event2/event.h>
#include <netdb.h>
#include <stdint.h>

#define RESOLUTIONS_MAX 16U

struct resolution;

/* @failure: "" where there is an answer, or why not, in words.  The resolution is gone after this returns */
typedef void resolution_fn(void *ctx, const struct addrinfo *found, const char *failure);

/**
 * resolution_begin() - look @host up for TCP
 * @host:	borrowed
 * @on_done:	from the loop, unless it is cancelled before
 *
 * Return: NULL with *@failure where it cannot even begin
 */
struct resolution *resolution_begin(struct event_base *base, const char *host, uint16_t port, resolution_fn *on_done,
	void *ctx, const char **failure) __attribute__((warn_unused_result));

/* Never waits.  NULL is fine */
void resolution_cancel(struct resolution *resolution);

#endif /* CLIENT_RESOLUTION_H */
