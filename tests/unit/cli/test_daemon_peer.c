/*
 * test_daemon_peer.c - SIGHUP reaches who listens at the socket, and nobody else
 */
#include "cli/daemon_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_hup(int signal_number)
{
	(void)signal_number;
	_exit(7);
}

/* Binds in the parent, so that it is there; listens in the child, whose credentials the kernel notes then */
static pid_t listen_in_child(const char *folder)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), ready[2];
	char byte;
	pid_t pid;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/x.sock", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGHUP, on_hup);
		if (listen(fd, 4) == 0 && write(ready[1], "x", 1) == 1)
			sleep(20);
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	close(fd);
	return pid;
}

static void who_listens_is_told(void **state)
{
	char folder[] = "/tmp/weft-peer.XXXXXX", path[128];
	int status = 0;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(folder));
	pid = listen_in_child(folder);
	assert_true(daemon_peer_reload(folder, "x.sock"));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	/* the socket of one that has ended */
	assert_false(daemon_peer_reload(folder, "x.sock"));
	snprintf(path, sizeof(path), "%s/x.sock", folder);
	unlink(path);
	assert_false(daemon_peer_reload(folder, "x.sock"));
	rmdir(folder);
}

static void a_path_that_is_too_long(void **state)
{
	char folder[200];

	(void)state;
	memset(folder, 'x', sizeof(folder) - 1);
	folder[sizeof(folder) - 1] = '\0';
	assert_false(daemon_peer_reload(folder, "x.sock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_listens_is_told),
		cmocka_unit_test(a_path_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
