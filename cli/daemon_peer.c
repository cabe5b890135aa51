/*
 * daemon_peer.c - see daemon_peer.h
 */
#include "cli/daemon_peer.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

bool daemon_peer_reload(const char *state, const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct ucred peer = { .pid = 0 };
	socklen_t len_bytes = sizeof(peer);
	bool told = false;
	int fd;

	if (snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", state, name) >= (int)sizeof(at.sun_path))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	/* a pid of 0 is one that is not seen from here: another container's */
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len_bytes) == 0 && peer.pid > 0)
		told = kill(peer.pid, SIGHUP) == 0;
	close(fd);
	return told;
}
