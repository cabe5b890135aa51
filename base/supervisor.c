/*
 * supervisor.c - see supervisor.h
 */
#include "base/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3
#define LINES_BYTES 512U

/* Return: the length of @out, 0 where there is nobody to tell */
static socklen_t address_of(struct sockaddr_un *out)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len < 2 || len >= sizeof(out->sun_path) || (*path != '/' && *path != '@'))
		return 0;
	memcpy(out->sun_path, path, len);
	if (*path == '@')
		out->sun_path[0] = '\0'; /* an abstract name */
	else
		len++; /* the NUL belongs to a path */
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* @fd: goes along, unless it is -1 */
static bool tell(const char *lines, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec iov = { .iov_base = (void *)lines, .iov_len = strlen(lines) };
	struct sockaddr_un address;
	struct msghdr message = { .msg_name = &address, .msg_iov = &iov, .msg_iovlen = 1 };
	int to;
	bool told;

	message.msg_namelen = address_of(&address);
	to = message.msg_namelen ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	if (to < 0)
		return false;
	if (fd >= 0) {
		struct cmsghdr *cmsg = (struct cmsghdr *)control;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		*cmsg = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	told = sendmsg(to, &message, MSG_NOSIGNAL) >= 0;
	close(to);
	return told;
}

bool supervisor_is_there(void)
{
	struct sockaddr_un address;

	return address_of(&address) > 0;
}

bool supervisor_tell(const char *lines)
{
	return tell(lines, -1);
}

/* What was said before was heard once the service manager has closed its copy of a pipe's end.  Return: false: not in time */
static bool wait_until_heard(int patience_ms)
{
	struct pollfd heard = { .events = POLLIN };
	int ends[2], ready = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	heard.fd = ends[0];
	if (tell("BARRIER=1", ends[1])) {
		close(ends[1]);
		ready = poll(&heard, 1, patience_ms);
	} else {
		close(ends[1]);
	}
	close(ends[0]);
	return ready > 0;
}

bool supervisor_keep(const char *name, int fd, int patience_ms)
{
	char lines[LINES_BYTES];

	/* not watched (FDPOLL=0): it may look as if it were at its end while nobody uses it */
	snprintf(lines, sizeof(lines), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	return tell(lines, fd) && wait_until_heard(patience_ms);
}

static long number_of(const char *variable)
{
	const char *text = getenv(variable);
	char *end;
	long number;

	if (!text || *text < '0' || *text > '9')
		return 0;
	number = strtol(text, &end, 10);
	return *end ? 0 : number;
}

int supervisor_kept(const char *name)
{
	const char *names = getenv("LISTEN_FDNAMES");
	const long count = number_of("LISTEN_FDS");
	const size_t bytes = strlen(name);

	if (!names || number_of("LISTEN_PID") != (long)getpid())
		return -1;
	for (int fd = FIRST_FD; fd < FIRST_FD + count; fd++, names += *names == ':') {
		const size_t this = strcspn(names, ":");
		const bool wanted = this == bytes && strncmp(names, name, bytes) == 0;

		names += this;
		if (wanted && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
			return fd;
	}
	return -1;
}

bool supervisor_pass(const char *name, int fd)
{
	char pid[16];

	unsetenv("LISTEN_FDS");
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	if (fd < 0 || (fd == FIRST_FD ? fcntl(fd, F_SETFD, 0) : dup2(fd, FIRST_FD)) < 0)
		return false;
	return setenv("LISTEN_PID", pid, 1) == 0 && setenv("LISTEN_FDNAMES", name, 1) == 0 &&
		setenv("LISTEN_FDS", "1", 1) == 0;
}

void supervisor_forget(const char *name)
{
	char lines[LINES_BYTES];

	snprintf(lines, sizeof(lines), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	(void)tell(lines, -1);
}

uint32_t supervisor_watchdog_ms(void)
{
	const long pid = number_of("WATCHDOG_PID"), us = number_of("WATCHDOG_USEC");

	if (us < 1000 || us / 1000 > UINT32_MAX || (getenv("WATCHDOG_PID") && pid != (long)getpid()))
		return 0;
	return (uint32_t)(us / 1000);
}
