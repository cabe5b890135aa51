/*
 * test_status_server.c - the local socket: who may open it, what it answers, what is left of it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "overlay/agent/status_server.h"

static char folder[] = "/tmp/weft-test-status-XXXXXX";
static char path[64];
static struct event_base *base;
static struct status_server *server;

static json_t *document(void *ctx)
{
	return json_pack("{s:s}", "host", (const char *)ctx);
}

static int open_server(void **state)
{
	struct error error = { "" };

	(void)state;
	base = event_base_new();
	server = status_server_new(base, folder, document, (void *)"me", &error);
	return base && server ? 0 : -1;
}

static int close_server(void **state)
{
	(void)state;
	status_server_free(server);
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_free(base);
	return 0;
}

static int dial(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

/* Return: the answer to @request, static */
static const char *ask(const char *request)
{
	static char answer[4096];
	int fd = dial();
	ssize_t got = -1;
	size_t len = 0;

	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	for (int turn = 0; got != 0 && turn < 1000; turn++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		got = read(fd, answer + len, sizeof(answer) - 1 - len);
		if (got > 0)
			len += (size_t)got;
		else if (got < 0)
			usleep(1000);
	}
	answer[len] = '\0';
	close(fd);
	return answer;
}

static void it_tells(void **state)
{
	(void)state;
	assert_non_null(strstr(ask("GET /v1/status HTTP/1.0\r\n\r\n"), "{\"host\":\"me\"}\n"));
	assert_non_null(strstr(ask("GET /v1/other HTTP/1.0\r\n\r\n"), "404"));
	assert_null(strstr(ask("POST /v1/status HTTP/1.0\r\nContent-Length: 0\r\n\r\n"), "200"));
}

static void only_its_owner_may_open_it(void **state)
{
	struct stat stat_of;

	(void)state;
	assert_int_equal(stat(path, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0600);
}

static void one_of_a_killed_agent_is_replaced(void **state)
{
	struct status_server *after;
	struct error error = { "" };

	(void)state;
	after = status_server_new(base, folder, document, (void *)"after", &error);
	assert_non_null(after);
	assert_non_null(strstr(ask("GET /v1/status HTTP/1.0\r\n\r\n"), "after"));
	status_server_free(after);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void a_folder_that_will_not_do(void **state)
{
	struct error error = { "" };
	char deep[300];

	(void)state;
	assert_null(status_server_new(base, "/nowhere", document, NULL, &error));
	assert_non_null(strstr(error.text, "/nowhere/weftd.sock"));
	memset(deep, 'x', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_null(status_server_new(base, deep, document, NULL, &error));
	assert_non_null(strstr(error.text, "too long"));
}

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/weftd.sock", folder);
	return 0;
}

static int end(void **state)
{
	(void)state;
	return rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_server, close_server)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_tells),
		TEST(only_its_owner_may_open_it),
		TEST(one_of_a_killed_agent_is_replaced),
		TEST(a_folder_that_will_not_do),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
