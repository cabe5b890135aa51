/*
 * keeper.c - see keeper.h
 */
#include "overlay/agent/keeper.h"

#include "base/clock.h"
#include "base/log.h"
#include "overlay/agent/closer.h"
#include "overlay/agent/config.h"
#include "overlay/agent/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET "ports.sock"
#define BAG_FD 3 /* as keeper_start() hands them over */
#define LISTENER_FD 4
#define ANSWER_MS 2000
#define CLOSE_PATIENCE_MS 10000U

static bool address_of(const char *state, struct sockaddr_un *out)
{
	char path[PATH_MAX];

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!config_path(state, SOCKET, path) || strlen(path) >= sizeof(out->sun_path))
		return false;
	strcpy(out->sun_path, path);
	return true;
}

/* ---- beginning --------------------------------------------------------------------------------------------- */

/* Return: a socket that others may come to, -1 */
static int listen_at(const struct sockaddr_un *address)
{
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (listener < 0)
		return -1;
	(void)unlink(address->sun_path); /* of one that was killed */
	if (bind(listener, (const struct sockaddr *)address, sizeof(*address)) == 0 && listen(listener, 1) == 0)
		return listener;
	close(listener);
	return -1;
}

/* Both get numbers out of each other's way first */
static int spawn(const char *state, int bag, int listener, uint32_t seconds)
{
	char text[16];
	char *const argv[] = { (char *)"weftd", (char *)"--keeper", text, (char *)"--state", (char *)state, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid;
	int err;

	snprintf(text, sizeof(text), "%u", seconds);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&actions, bag, BAG_FD);
	posix_spawn_file_actions_adddup2(&actions, listener, LISTENER_FD);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
	err = posix_spawn(&pid, "/proc/self/exe", &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return -err;
}

bool keeper_start(const char *state, int bag, uint32_t seconds)
{
	struct sockaddr_un address;
	int high_bag = fcntl(bag, F_DUPFD_CLOEXEC, LISTENER_FD + 1), listener = -1, high_listener = -1;
	int err = -EINVAL;

	if (address_of(state, &address))
		listener = listen_at(&address);
	if (listener >= 0)
		high_listener = fcntl(listener, F_DUPFD_CLOEXEC, LISTENER_FD + 1);
	if (high_bag >= 0 && high_listener >= 0)
		err = spawn(state, high_bag, high_listener, seconds);
	if (err && listener >= 0)
		unlink(address.sun_path);
	if (high_bag >= 0)
		close(high_bag);
	if (high_listener >= 0)
		close(high_listener);
	if (listener >= 0)
		close(listener);
	return err == 0;
}

/* ---- handing on -------------------------------------------------------------------------------------------- */

int keeper_take(const char *state)
{
	const struct timeval patience = { .tv_sec = ANSWER_MS / 1000 };
	struct sockaddr_un address;
	int to, bag = -1;

	to = address_of(state, &address) ? socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0) : -1;
	if (to < 0)
		return -1;
	(void)!setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(to, (const struct sockaddr *)&address, sizeof(address)) == 0 && handover_receive(to, &bag) &&
		send(to, "", 1, MSG_NOSIGNAL) != 1)
		log_warning("the keeper of the ports has gone");
	close(to);
	return bag;
}

/* Return: whether who has come has the bag now */
static bool give(int bag)
{
	const struct timeval patience = { .tv_sec = ANSWER_MS / 1000 };
	int to = accept4(LISTENER_FD, NULL, NULL, SOCK_CLOEXEC);
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t bytes = sizeof(who);
	bool given = false;
	char taken;

	if (to < 0)
		return false;
	(void)!setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (getsockopt(to, SOL_SOCKET, SO_PEERCRED, &who, &bytes) == 0 && who.uid == geteuid())
		given = handover_send(to, bag) && recv(to, &taken, 1, 0) == 1;
	close(to);
	return given;
}

/* ---- the end ----------------------------------------------------------------------------------------------- */

static void close_ports(int bag)
{
	struct handover *handover = malloc(sizeof(*handover));
	struct closer *closer = closer_new();

	if (!handover || !closer)
		return; /* the kernel does, when the process ends */
	handover_unpack(bag, instant_now(), handover);
	log_info("%u ports that no weftd came for are closed", handover->count);
	for (uint32_t i = 0; i < handover->count; i++) {
		struct tap_port *port = tap_kept_port(&handover->kept[i]);

		if (port)
			(void)closer_close(closer, port, NULL);
	}
	(void)closer_free(closer, CLOSE_PATIENCE_MS);
	free(handover);
}

/* Return: readable at a signal that ends */
static int watch_signals(void)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	return signalfd(-1, &ends, SFD_CLOEXEC);
}

int keeper_run(const char *state, uint32_t seconds)
{
	const struct instant until = instant_add_ms(instant_now(), seconds * 1000ULL);
	struct pollfd events[] = { { .fd = LISTENER_FD, .events = POLLIN }, { .events = POLLIN } };
	struct sockaddr_un address;
	bool given = false;

	if (fcntl(BAG_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(LISTENER_FD, F_SETFD, FD_CLOEXEC) < 0 ||
		!address_of(state, &address)) {
		fprintf(stderr, "weftd: --keeper is for weftd itself\n");
		return 2;
	}
	events[1].fd = watch_signals();
	while (!given) {
		const struct instant now = instant_now();

		if (instant_reached(now, until) ||
			(poll(events, 2, (int)instant_since_ms(until, now) + 1) > 0 && events[1].revents))
			break;
		if (events[0].revents)
			given = give(BAG_FD);
	}
	unlink(address.sun_path);
	if (!given)
		close_ports(BAG_FD);
	return 0;
}
