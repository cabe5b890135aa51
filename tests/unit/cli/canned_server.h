/*
 * canned_server.h - a controller that says what the test wrote down, on a unix socket
 *
 * A child process answers one request after the other with the next of the answers, verbatim, and closes each connection.
 * What it was asked it writes into a memfd that both have.
 */
#ifndef TESTS_UNIT_CLI_CANNED_SERVER_H
#define TESTS_UNIT_CLI_CANNED_SERVER_H

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNED_ASKED_BYTES 16384U

struct canned_server {
	char folder[64];
	char path[108]; /* of the socket: DIR/controller.sock, where operator.c looks for it */
	pid_t pid;
	int asked_fd;
	char asked[CANNED_ASKED_BYTES];
};

static inline void canned_must(int result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(1);
}

/* Headers and as much as they say of a body.  Return: bytes in @room */
static inline size_t canned_read(int fd, char *room, size_t cap_bytes)
{
	size_t used = 0;

	while (used < cap_bytes - 1) {
		ssize_t got = read(fd, room + used, cap_bytes - 1 - used);
		const char *length, *end;

		if (got <= 0)
			break;
		used += (size_t)got;
		room[used] = '\0';
		end = strstr(room, "\r\n\r\n");
		length = strstr(room, "Content-Length: ");
		if (end && used >= (size_t)(end + 4 - room) + (length ? strtoul(length + 16, NULL, 10) : 0))
			break;
	}
	return used;
}

static inline void canned_serve(int listener, int asked_fd, const char *const *answers, size_t count)
{
	static char room[CANNED_ASKED_BYTES];

	for (size_t i = 0; i < count; i++) {
		int fd = accept(listener, NULL, NULL);
		size_t used = fd < 0 ? 0 : canned_read(fd, room, sizeof(room));

		if (write(asked_fd, room, used) < 0 || write(fd, answers[i], strlen(answers[i])) < 0)
			break;
		close(fd);
	}
	_exit(0);
}

/* @answers: each a whole HTTP response */
static inline void canned_begin(struct canned_server *server, const char *const *answers, size_t count)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(server->folder, sizeof(server->folder), "/tmp/weft-canned.XXXXXX");
	canned_must(mkdtemp(server->folder) ? 0 : -1, "mkdtemp");
	snprintf(server->path, sizeof(server->path), "%s/controller.sock", server->folder);
	memcpy(un.sun_path, server->path, sizeof(un.sun_path));
	canned_must(bind(listener, (struct sockaddr *)&un, sizeof(un)), "bind");
	canned_must(listen(listener, 8), "listen");
	server->asked_fd = memfd_create("asked", MFD_CLOEXEC);
	canned_must(server->asked_fd, "memfd_create");
	fflush(NULL);
	server->pid = fork();
	canned_must(server->pid, "fork");
	if (server->pid == 0)
		canned_serve(listener, server->asked_fd, answers, count);
	close(listener);
}

/* Return: all that it was asked */
static inline const char *canned_end(struct canned_server *server)
{
	ssize_t got;

	kill(server->pid, SIGKILL);
	canned_must(waitpid(server->pid, NULL, 0), "waitpid");
	got = pread(server->asked_fd, server->asked, sizeof(server->asked) - 1, 0);
	canned_must((int)got, "pread");
	server->asked[got] = '\0';
	close(server->asked_fd);
	unlink(server->path);
	rmdir(server->folder);
	return server->asked;
}

#define CANNED(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body

#endif /* TESTS_UNIT_CLI_CANNED_SERVER_H */
