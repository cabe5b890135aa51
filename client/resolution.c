/*
 * resolution.c - see resolution.h
 *
 * Owners: `struct lookup` is the thread's and the loop's; under its lock they agree on who comes last and frees it.
 */
#include "client/resolution.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct lookup {
	pthread_mutex_t lock;
	bool done, abandoned; /* under the lock */
	int wake_fd;          /* written once done; the loop's to close, the thread's where it was abandoned */
	int failed;           /* of getaddrinfo(); read after done */
	int failed_errno;     /* where that is EAI_SYSTEM */
	struct addrinfo *found;
	char port[8];
	char host[];
};

struct resolution {
	struct lookup *lookup;
	struct event *event;
	resolution_fn *on_done;
	void *ctx;
};

static atomic_uint running;

static void lookup_free(struct lookup *lookup)
{
	if (lookup->found)
		freeaddrinfo(lookup->found);
	if (lookup->wake_fd >= 0)
		close(lookup->wake_fd);
	pthread_mutex_destroy(&lookup->lock);
	free(lookup);
}

static void *look_up(void *arg)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct lookup *lookup = arg;
	bool abandoned;

	lookup->failed = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->found);
	lookup->failed_errno = errno;
	pthread_mutex_lock(&lookup->lock);
	abandoned = lookup->abandoned;
	lookup->done = true;
	if (!abandoned)
		(void)eventfd_write(lookup->wake_fd, 1);
	pthread_mutex_unlock(&lookup->lock);
	if (abandoned)
		lookup_free(lookup);
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static void resolution_free(struct resolution *resolution)
{
	if (resolution->event)
		event_free(resolution->event);
	if (resolution->lookup)
		lookup_free(resolution->lookup);
	free(resolution);
}

static const char *words(const struct lookup *lookup)
{
	switch (lookup->failed) {
	case 0:
		return "";
	case EAI_NONAME:
	case EAI_NODATA:
		return "there is no such name";
	case EAI_AGAIN:
		return "no name server answers (/etc/resolv.conf)";
	case EAI_SYSTEM:
		return strerror(lookup->failed_errno);
	default:
		return gai_strerror(lookup->failed);
	}
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct resolution *resolution = arg;
	struct lookup *lookup = resolution->lookup;

	(void)fd;
	(void)what;
	/* the thread lets go of the lock after it woke us */
	pthread_mutex_lock(&lookup->lock);
	pthread_mutex_unlock(&lookup->lock);
	resolution->on_done(resolution->ctx, lookup->found, words(lookup));
	resolution_free(resolution);
}

/* Signals are the loop's.  Return: 0 or an errno */
static int start_thread(struct lookup *lookup)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	pthread_t thread;
	int err;

	sigfillset(&all);
	if (pthread_attr_init(&attributes) != 0)
		return ENOMEM;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, &attributes, look_up, lookup);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return err;
}

static struct lookup *lookup_new(const char *host, uint16_t port)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup) + strlen(host) + 1);

	if (!lookup)
		return NULL;
	strcpy(lookup->host, host);
	snprintf(lookup->port, sizeof(lookup->port), "%u", port);
	pthread_mutex_init(&lookup->lock, NULL);
	lookup->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return lookup;
}

struct resolution *resolution_begin(struct event_base *base, const char *host, uint16_t port, resolution_fn *on_done,
	void *ctx, const char **failure)
{
	struct resolution *resolution = calloc(1, sizeof(*resolution));
	struct lookup *lookup = resolution ? lookup_new(host, port) : NULL;

	*failure = "out of memory or descriptors";
	if (!lookup || lookup->wake_fd < 0)
		goto failed;
	resolution->on_done = on_done;
	resolution->ctx = ctx;
	resolution->event = event_new(base, lookup->wake_fd, EV_READ, on_wake, resolution);
	if (!resolution->event || event_add(resolution->event, NULL) < 0)
		goto failed;
	if (atomic_fetch_add(&running, 1) >= RESOLUTIONS_MAX) {
		*failure = "name servers have not answered what was asked before (/etc/resolv.conf)";
		goto uncount;
	}
	if (start_thread(lookup) != 0)
		goto uncount;
	resolution->lookup = lookup;
	return resolution;
uncount:
	atomic_fetch_sub(&running, 1);
failed:
	if (resolution)
		resolution_free(resolution);
	if (lookup)
		lookup_free(lookup);
	return NULL;
}

void resolution_cancel(struct resolution *resolution)
{
	struct lookup *lookup = resolution ? resolution->lookup : NULL;
	bool done;

	if (!resolution)
		return;
	event_free(resolution->event);
	resolution->event = NULL;
	pthread_mutex_lock(&lookup->lock);
	done = lookup->done;
	lookup->abandoned = true;
	pthread_mutex_unlock(&lookup->lock);
	if (!done)
		resolution->lookup = NULL;
	resolution_free(resolution);
}
