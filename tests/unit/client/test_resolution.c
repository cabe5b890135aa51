/*
 * test_resolution.c - names that there are, that there are not, and name servers that do not answer
 *
 * In namespaces of its own, where /etc/resolv.conf and /etc/hosts are the test's and no name server is but one that hears and says
 * nothing.
 */
#include "client/resolution.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/netns.h"

struct seen {
	struct event_base *base;
	unsigned int done;
	char addresses[256];
	char failure[128];
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void on_done(void *ctx, const struct addrinfo *found, const char *failure)
{
	struct seen *seen = ctx;

	seen->done++;
	seen->addresses[0] = '\0';
	for (; found; found = found->ai_next) {
		char text[64];

		assert_int_equal(getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0,
					 NI_NUMERICHOST),
			0);
		strcat(strcat(seen->addresses, text), " ");
	}
	snprintf(seen->failure, sizeof(seen->failure), "%s", failure);
	event_base_loopbreak(seen->base);
}

static struct resolution *look_up(struct seen *seen, const char *name)
{
	const char *failure;
	struct resolution *resolution = resolution_begin(seen->base, name, 4753, on_done, seen, &failure);

	if (!resolution)
		snprintf(seen->failure, sizeof(seen->failure), "%s", failure);
	return resolution;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int set_up(void **state)
{
	struct seen *seen = calloc(1, sizeof(*seen));

	seen->base = event_base_new();
	*state = seen;
	return 0;
}

static int tear_down(void **state)
{
	struct seen *seen = *state;

	event_base_free(seen->base);
	free(seen);
	return 0;
}

static void all_addresses(void **state)
{
	struct seen *seen = *state;

	write_file("/etc/hosts", "192.0.2.1 ctl.lab\n192.0.2.2 ctl.lab\n2001:db8::1 ctl.lab\n");
	assert_non_null(look_up(seen, "ctl.lab"));
	event_base_dispatch(seen->base);
	assert_int_equal(seen->done, 1);
	assert_non_null(strstr(seen->addresses, "192.0.2.1 "));
	assert_non_null(strstr(seen->addresses, "192.0.2.2 "));
	assert_non_null(strstr(seen->addresses, "2001:db8::1 "));
	assert_string_equal(seen->failure, "");
	/* another file is another answer */
	write_file("/etc/hosts", "192.0.2.9 ctl.lab\n");
	assert_non_null(look_up(seen, "ctl.lab"));
	event_base_dispatch(seen->base);
	assert_string_equal(seen->addresses, "192.0.2.9 ");
}

static void an_empty_resolv_conf(void **state)
{
	struct seen *seen = *state;

	write_file("/etc/resolv.conf", "");
	assert_non_null(look_up(seen, "nobody.lab"));
	event_base_dispatch(seen->base);
	assert_int_equal(seen->done, 1);
	assert_string_equal(seen->addresses, "");
	assert_string_equal(seen->failure, "no name server answers (/etc/resolv.conf)");
}

/* Nobody waits for them, and there are only so many */
static void cancelled_while_they_last(void **state)
{
	struct seen *seen = *state;
	struct resolution *resolutions[RESOLUTIONS_MAX];
	double start;

	write_file("/etc/resolv.conf", "nameserver 192.0.2.53\noptions timeout:1 attempts:1\n");
	for (unsigned int i = 0; i < RESOLUTIONS_MAX; i++) {
		/* a thread of the last test may be about to end */
		for (start = now_s(); !(resolutions[i] = look_up(seen, "ctl.example")) && now_s() - start < 10;)
			usleep(1000);
		assert_non_null(resolutions[i]);
	}
	assert_null(look_up(seen, "ctl.example"));
	assert_non_null(strstr(seen->failure, "have not answered"));
	start = now_s();
	for (unsigned int i = 0; i < RESOLUTIONS_MAX; i++)
		resolution_cancel(resolutions[i]);
	resolution_cancel(NULL);
	assert_true(now_s() - start < 0.5);
	event_base_loop(seen->base, EVLOOP_NONBLOCK);
	assert_int_equal(seen->done, 0);
	/* in the end they are gone, and another may begin */
	for (start = now_s(); !(resolutions[0] = look_up(seen, "ctl.example")) && now_s() - start < 10;)
		usleep(50000);
	assert_non_null(resolutions[0]);
	event_base_dispatch(seen->base);
	assert_int_equal(seen->done, 1);
}

/* Cancelled just before, while and just after it is done */
static void cancelled_at_any_time(void **state)
{
	struct seen *seen = *state;

	write_file("/etc/hosts", "192.0.2.9 ctl.lab\n");
	for (unsigned int i = 0; i < 300; i++) {
		struct resolution *resolution = look_up(seen, "ctl.lab");

		if (!resolution) /* too many that end, so they need a moment */
			usleep(1000);
		if (i % 3)
			usleep(i);
		resolution_cancel(resolution);
	}
	event_base_loop(seen->base, EVLOOP_NONBLOCK);
	assert_int_equal(seen->done, 0);
	usleep(200000); /* for the sanitizers: threads end */
}

/* Files of our own over the machine's, for this process alone */
static void bind_file(const char *path)
{
	char own[] = "/tmp/weft-resolution.XXXXXX";
	int fd = mkstemp(own);

	if (fd < 0 || mount(own, path, NULL, MS_BIND, NULL) < 0) {
		perror(path);
		exit(1);
	}
	close(fd);
	unlink(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_empty_resolv_conf, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cancelled_while_they_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cancelled_at_any_time, set_up, tear_down),
	};

	const struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons(53),
		.sin_addr = { htonl(0xc0000235) } };
	int silent;

	netns_enter();
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		perror("this test needs root: cannot make a mount namespace");
		return 1;
	}
	bind_file("/etc/resolv.conf");
	bind_file("/etc/hosts");
	/* the name server that says nothing */
	if (netns_run("ip link set lo up && ip addr add 192.0.2.50/24 dev lo && ip addr add 192.0.2.53/24 dev lo") != 0)
		return 1;
	silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(silent, (const struct sockaddr *)&at, sizeof(at)) < 0) {
		perror("bind");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
