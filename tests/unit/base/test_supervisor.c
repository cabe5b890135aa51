/*
 * test_supervisor.c - a service manager in a thread, which hears, keeps and gives back as systemd does
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/supervisor.h"

static int manager;
static char path[64];

/* @abstract: a name that is no file */
static void listen_at(bool abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(path, sizeof(path), "%s/tmp/weft-test-supervisor-%d", abstract ? "@" : "", getpid());
	strcpy(address.sun_path, path);
	if (abstract)
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + !abstract)),
		0);
	setenv("NOTIFY_SOCKET", path, 1);
}

static void leave(void)
{
	close(manager);
	unlink(path);
	unsetenv("NOTIFY_SOCKET");
}

/* Return: the descriptor that came along, -1 */
static int hear(char *out, size_t cap_bytes)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = out, .iov_len = cap_bytes - 1 };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	const ssize_t got = recvmsg(manager, &message, 0);
	int fd = -1;

	assert_true(got >= 0);
	out[got] = '\0';
	if (CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static void what_is_told_is_heard(void **state)
{
	char lines[256];

	(void)state;
	assert_false(supervisor_is_there());
	assert_false(supervisor_tell("READY=1"));
	for (int abstract = 0; abstract < 2; abstract++) {
		listen_at(abstract);
		assert_true(supervisor_is_there());
		assert_true(supervisor_tell("READY=1\nSTATUS=all well"));
		assert_int_equal(hear(lines, sizeof(lines)), -1);
		assert_string_equal(lines, "READY=1\nSTATUS=all well");
		supervisor_forget("ports");
		hear(lines, sizeof(lines));
		assert_string_equal(lines, "FDSTOREREMOVE=1\nFDNAME=ports");
		leave();
	}
	setenv("NOTIFY_SOCKET", "nowhere", 1); /* neither a path nor an abstract name */
	assert_false(supervisor_is_there());
	unsetenv("NOTIFY_SOCKET");
}

static void *keep_one(void *arg)
{
	char lines[256];
	int barrier;

	*(int *)arg = hear(lines, sizeof(lines));
	assert_string_equal(lines, "FDSTORE=1\nFDNAME=ports\nFDPOLL=0");
	barrier = hear(lines, sizeof(lines));
	assert_string_equal(lines, "BARRIER=1");
	close(barrier);
	return NULL;
}

static void what_is_kept_is_a_copy(void **state)
{
	int ends[2], kept = -1;
	pthread_t thread;
	char byte = 0;

	(void)state;
	listen_at(false);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pthread_create(&thread, NULL, keep_one, &kept), 0);
	assert_true(supervisor_keep("ports", ends[0], 5000));
	pthread_join(thread, NULL);
	close(ends[0]);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(read(kept, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(kept);
	assert_false(supervisor_keep("ports", ends[1], 20)); /* nobody closes the barrier */
	close(ends[1]);
	leave();
}

static void set_given(int pid, const char *count, const char *names)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", count, 1);
	setenv("LISTEN_FDNAMES", names, 1);
}

/* Descriptors 3 to 5 of this process, whatever they were */
static void what_was_kept_comes_by_name(void **state)
{
	(void)state;
	for (int fd = 3; fd <= 5; fd++)
		assert_int_equal(dup2(0, fd), fd);
	set_given(getpid(), "3", "a:ports:ports");
	assert_int_equal(supervisor_kept("ports"), 4);
	assert_int_equal(fcntl(4, F_GETFD), FD_CLOEXEC);
	assert_int_equal(supervisor_kept("a"), 3);
	assert_int_equal(supervisor_kept("port"), -1);
	assert_int_equal(supervisor_kept("portss"), -1);
	set_given(getpid(), "1", "a:ports");
	assert_int_equal(supervisor_kept("ports"), -1);
	set_given(getpid(), "3", "a");
	assert_int_equal(supervisor_kept("ports"), -1);
	set_given(getpid(), "3x", "a:ports");
	assert_int_equal(supervisor_kept("a"), -1);
	set_given(getpid() + 1, "3", "a:ports");
	assert_int_equal(supervisor_kept("a"), -1);
	unsetenv("LISTEN_FDNAMES");
	assert_int_equal(supervisor_kept("a"), -1);
	for (int fd = 3; fd <= 5; fd++)
		close(fd);
}

static void the_watchdog_is_ours_only(void **state)
{
	char pid[16];

	(void)state;
	assert_int_equal(supervisor_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "10000000", 1);
	assert_int_equal(supervisor_watchdog_ms(), 10000);
	snprintf(pid, sizeof(pid), "%d", getpid() + 1);
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(supervisor_watchdog_ms(), 0);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(supervisor_watchdog_ms(), 10000);
	setenv("WATCHDOG_USEC", "soon", 1);
	assert_int_equal(supervisor_watchdog_ms(), 0);
}

/* Found again by the program that a process becomes, without a service manager and beside what that passed before */
static void what_is_passed_on_survives_exec(void **state)
{
	int ends[2], status;
	pid_t pid;
	char byte;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		char *const argv[] = { (char *)"sh", (char *)"-c",
			(char *)"test \"$LISTEN_PID:$LISTEN_FDS:$LISTEN_FDNAMES\" = \"$$:1:ports\" && printf x >&3",
			NULL };

		setenv("LISTEN_FDS", "7", 1);
		setenv("LISTEN_FDNAMES", "a:b", 1);
		if (supervisor_pass("ports", ends[1]) && supervisor_kept("ports") == 3 && supervisor_pass("ports", 3))
			execv("/bin/sh", argv);
		_exit(9);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	setenv("LISTEN_FDS", "1", 1);
	assert_false(supervisor_pass("ports", -1));
	assert_null(getenv("LISTEN_FDS"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_heard),
		cmocka_unit_test(what_is_kept_is_a_copy),
		cmocka_unit_test(what_was_kept_comes_by_name),
		cmocka_unit_test(what_is_passed_on_survives_exec),
		cmocka_unit_test(the_watchdog_is_ours_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
