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
#include "tests/unit/overlay/agent/core_rig.h"

static char folder[] = "/tmp/weft-test-status-XXXXXX";
static char path[64];
static struct event_base *base;
static struct status_server *server;

static struct questions *questions;
static const char *name = "me";

static void facts(void *ctx, struct status_facts *out)
{
	(void)ctx;
	*out = (struct status_facts){ .host = name,
		.fabric = "lab",
		.controller = "",
		.controller_state = "",
		.aead_backend = "" };
}

static int open_server(void **state)
{
	struct error error = { "" };
	struct questions_source source = { .facts = facts };

	open_core(state);
	source.core = core;
	base = event_base_new();
	questions = questions_new(&source);
	server = status_server_new(base, folder, questions, &error);
	return base && server ? 0 : -1;
}

static int close_server(void **state)
{
	status_server_free(server);
	questions_free(questions);
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_free(base);
	return close_core(state);
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
	static char answer[8192];
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
	assert_non_null(strstr(ask("GET /v1/status HTTP/1.0\r\n\r\n"), "{\"host\":\"me\",\"fabric\":\"lab\","));
	assert_non_null(strstr(ask("GET /v1/other HTTP/1.0\r\n\r\n"), "404"));
	assert_null(strstr(ask("POST /v1/status HTTP/1.0\r\nContent-Length: 0\r\n\r\n"), "200"));
}

/* Return: the answer to @body, static */
static const char *post(const char *body)
{
	char request[512];

	snprintf(request, sizeof(request), "POST /v1/ask HTTP/1.0\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
		body);
	return ask(request);
}

static void it_answers_questions(void **state)
{
	static const char *const wrong[] = { "", "x", "{}", "[]", "{\"question\":1}",
		"{\"question\":\"peers\",\"args\":3}" };

	(void)state;
	assert_non_null(strstr(post("{\"question\":\"peers\",\"args\":{}}"), "{\"host\":\"me\",\"peers\":[]}\n"));
	assert_non_null(strstr(post("{\"question\":\"status\"}"), "\"fabric\":\"lab\""));
	assert_non_null(strstr(post("{\"question\":\"stat\"}"), " 400 "));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_non_null(strstr(post(wrong[i]), " 400 "));
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
	name = "after";
	after = status_server_new(base, folder, questions, &error);
	assert_non_null(after);
	assert_non_null(strstr(ask("GET /v1/status HTTP/1.0\r\n\r\n"), "after"));
	name = "me";
	status_server_free(after);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void a_folder_that_will_not_do(void **state)
{
	struct error error = { "" };
	char deep[300];

	(void)state;
	assert_null(status_server_new(base, "/nowhere", questions, &error));
	assert_non_null(strstr(error.text, "/nowhere/weftd.sock"));
	memset(deep, 'x', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_null(status_server_new(base, deep, questions, &error));
	assert_non_null(strstr(error.text, "too long"));
}

#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, open_server, close_server)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(it_tells),
		SERVER_TEST(it_answers_questions),
		SERVER_TEST(only_its_owner_may_open_it),
		SERVER_TEST(one_of_a_killed_agent_is_replaced),
		SERVER_TEST(a_folder_that_will_not_do),
	};

	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/weftd.sock", folder);
	failed = run_rigged("status_server", tests, sizeof(tests) / sizeof(tests[0]));
	return rmdir(folder) < 0 || failed;
}
