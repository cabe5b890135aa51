/*
 * test_daemon.c - the whole controller on loopback: credentials, enrolment, topologies, revocation, and its restart
 *
 * The daemon runs in a child; that it ends with status 0 on SIGTERM says, under a sanitizer, that it leaked nothing.
 */
#include "controller/daemon.h"

#include "controller/authority_move.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/controller/fabric_fixture.h"
#include "tests/unit/controller/http_peer.h"

struct host {
	struct joiner joiner;
	char *certificate;
	struct credentials who;
};

struct fixture {
	struct fabric_fixture authority;
	uint16_t port;
	pid_t daemon;
	char *token;
	char socket[100];
	struct credentials operator, nobody;
	struct host aws, gcp;
};

static uint16_t free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len_bytes = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len_bytes), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static void pause_ms(long ms)
{
	const struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&wait, NULL);
}

static void start(struct fixture *f)
{
	f->daemon = fork();
	if (f->daemon == 0)
		exit(daemon_run(f->authority.dir) < 0);
	for (int i = 0; i < 200; i++) {
		int fd = peer_socket(f->port);

		if (fd >= 0) {
			close(fd);
			if (access(f->socket, F_OK) == 0)
				return;
		}
		pause_ms(25);
	}
	fail_msg("the daemon does not come up");
}

static void stop(struct fixture *f)
{
	int status;

	kill(f->daemon, SIGTERM);
	assert_int_equal(waitpid(f->daemon, &status, 0), f->daemon);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* One request on a connection of its own */
static int call(struct fixture *f, const struct credentials *who, const char *method, const char *path,
	const char *body, json_t **answer)
{
	struct peer peer;
	int status = 0;

	if (answer)
		*answer = NULL;
	if (peer_open(&peer, f->port, who))
		status = peer_call(&peer, method, path, body, answer);
	peer_close(&peer);
	return status;
}

static char *new_secret(struct fixture *f, const char *name)
{
	json_t *answer, *content;
	char body[128], *secret;

	snprintf(body, sizeof(body), "{\"host\":\"%s\"}", name);
	assert_int_equal(call(f, &f->operator, "POST", "/v1/tokens", body, &answer), 201);
	content = token_content(json_string_value(json_object_get(answer, "token")));
	secret = strdup(json_string_value(json_object_get(content, "s")));
	json_decref(content);
	json_decref(answer);
	return secret;
}

static void host_free(struct host *host)
{
	joiner_free(&host->joiner);
	free(host->certificate);
}

static struct host enrol(struct fixture *f, const char *name, const char *endpoint)
{
	struct host host = { .joiner = joiner_new(name, endpoint) };
	char *secret = new_secret(f, name), *body;
	json_t *answer;

	json_object_set_new(host.joiner.request, "token", json_string(secret));
	body = json_dumps(host.joiner.request, 0);
	assert_int_equal(call(f, &f->nobody, "POST", "/v1/enrol", body, &answer), 200);
	host.certificate = strdup(json_string_value(json_object_get(answer, "certificate")));
	host.who = (struct credentials){ .ca_pem = f->authority.authority.ca_pem,
		.certificate_pem = host.certificate,
		.key_pem = host.joiner.key_pem };
	json_decref(answer);
	free(body);
	free(secret);
	return host;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char listen[32], path[128];
	json_t *operator;

	signal(SIGPIPE, SIG_IGN);
	f->port = free_port();
	snprintf(listen, sizeof(listen), "127.0.0.1:%u", f->port);
	fabric_fixture_init(&f->authority, listen);
	snprintf(path, sizeof(path), "%s/operator.json", f->authority.dir);
	snprintf(f->socket, sizeof(f->socket), "%s/controller.sock", f->authority.dir);
	operator= json_load_file(path, 0, NULL);
	f->token = strdup(json_string_value(json_object_get(operator, "token")));
	json_decref(operator);
	f->nobody = (struct credentials){ .ca_pem = f->authority.authority.ca_pem };
	f->operator=(struct credentials){ .ca_pem = f->authority.authority.ca_pem, .token = f->token };
	start(f);
	f->aws = enrol(f, "aws-1", "198.51.100.7");
	f->gcp = enrol(f, "gcp-1", NULL);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	stop(f);
	host_free(&f->aws);
	host_free(&f->gcp);
	free(f->token);
	fabric_fixture_fini(&f->authority);
	free(f);
	return 0;
}

#define LAB                                                                                                         \
	"{\"networks\":{\"n\":{}},\"ports\":{\"a\":{\"host\":\"aws-1\",\"network\":\"n\",\"attach\":\"bridge:b\"}," \
	"\"g\":{\"host\":\"gcp-1\",\"network\":\"n\",\"attach\":\"bridge:b\"}}}"
#define LAB_OF_AWS \
	"{\"networks\":{\"m\":{}},\"ports\":{\"a\":{\"host\":\"aws-1\",\"network\":\"m\",\"attach\":\"tap:t\"}}}"

/* Each kind of caller by what it shows over TLS; the whole table of rights is test_api.c's */
static void who_is_who(void **state)
{
	static const struct {
		const char *method, *path, *body;
		int nobody, agent, operator;
	} calls[] = {
		{ "GET", "/v1/ca", NULL, 200, 200, 200 },
		{ "GET", "/v1/agent/topology", NULL, 401, 200, 403 },
		{ "GET", "/v1/hosts?watch=99", NULL, 401, 403, 410 },
		{ "PUT", "/v1/labs/l", LAB, 401, 403, 200 },
		{ "DELETE", "/v1/labs/l", NULL, 401, 403, 200 },
		{ "POST", "/v1/tokens", "{\"host\":\"x\"}", 401, 403, 201 },
		{ "GET", "http://x/v1/hosts", NULL, 401, 403, 200 },
		{ "GET", "/v1/hosts?", NULL, 401, 403, 200 },
		{ "GET", "/v1/tokens", NULL, 405, 405, 405 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const int want[] = { calls[i].nobody, calls[i].agent, calls[i].operator};
		const struct credentials *who[] = { &f->nobody, &f->aws.who, &f->operator};

		for (int k = 0; k < 3; k++) {
			int got = call(f, who[k], calls[i].method, calls[i].path, calls[i].body, NULL);

			if (got != want[k])
				fail_msg("%s %s as %d: %d, not %d", calls[i].method, calls[i].path, k, got, want[k]);
		}
	}
}

static void wrong_credentials(void **state)
{
	struct fixture *f = *state;
	struct credentials wrong = f->operator, old = f->gcp.who, controller = f->nobody, foreign;
	struct fabric_fixture other;
	struct peer peer;
	struct host again;
	json_t *answer;
	char *cut = strndup(f->token, strlen(f->token) - 1);

	wrong.token = cut;
	assert_int_equal(call(f, &wrong, "GET", "/v1/hosts", NULL, &answer), 401);
	assert_non_null(json_object_get(json_object_get(answer, "error"), "message"));
	json_decref(answer);
	for (int i = 0; i < 10; i++)
		assert_int_equal(call(f, &wrong, "GET", "/v1/hosts", NULL, NULL), i < 9 ? 401 : 429);
	/* the right one still works from there */
	assert_int_equal(call(f, &f->operator, "GET", "/v1/hosts", NULL, NULL), 200);
	free(cut);
	/* a certificate that was replaced */
	again = enrol(f, "gcp-1", NULL);
	assert_int_equal(call(f, &old, "GET", "/v1/agent/topology", NULL, NULL), 403);
	assert_int_equal(call(f, &again.who, "GET", "/v1/agent/topology", NULL, NULL), 200);
	host_free(&again);
	/* the controller's own is none for a client */
	controller.certificate_pem = f->authority.authority.tls_pem;
	controller.key_pem = f->authority.authority.tls_key_pem;
	assert_int_equal(call(f, &controller, "GET", "/v1/agent/topology", NULL, NULL), 0);
	/* another CA's is refused by TLS */
	fabric_fixture_init(&other, "127.0.0.1:1");
	foreign = f->nobody;
	foreign.certificate_pem = other.authority.tls_pem;
	foreign.key_pem = other.authority.tls_key_pem;
	assert_int_equal(call(f, &foreign, "GET", "/v1/agent/topology", NULL, NULL), 0);
	fabric_fixture_fini(&other);
	assert_false(peer_open_max(&peer, f->port, &f->nobody, TLS1_2_VERSION));
	peer_close(&peer);
}

static void open_watch(struct fixture *f, struct peer *peer, const struct credentials *who, const char *path)
{
	size_t body_bytes;

	assert_true(peer_open(peer, f->port, who));
	assert_true(peer_request(peer, "GET", path, NULL));
	assert_int_equal(peer_status(peer, &body_bytes), 200);
}

static int64_t int_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Has a host applied what it shall, as operators see it? */
static bool in_line(struct fixture *f, const char *name)
{
	json_t *answer, *item;
	bool out = false;
	size_t i;

	assert_int_equal(call(f, &f->operator, "GET", "/v1/hosts", NULL, &answer), 200);
	json_array_foreach(json_object_get(answer, "items"), i, item) {
		const json_t *wanted = json_object_get(item, "wanted");

		if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0)
			out = wanted && json_equal(wanted, json_object_get(item, "applied"));
	}
	json_decref(answer);
	return out;
}

/* The name of a document, to be freed */
static char *hash_of(const json_t *document)
{
	return strdup(json_string_value(json_object_get(document, "hash")));
}

static void report(struct fixture *f, const struct host *host, const char *hash)
{
	char body[128];

	snprintf(body, sizeof(body), "{\"applied\":\"%s\",\"rev\":1}", hash);
	assert_int_equal(call(f, &host->who, "PUT", "/v1/agent/report", body, NULL), 200);
}

static int64_t apply(struct fixture *f, const char *name, const char *lab)
{
	char path[64];
	json_t *answer;
	int64_t rev;

	snprintf(path, sizeof(path), "/v1/labs/%s", name);
	assert_int_equal(call(f, &f->operator, "PUT", path, lab, &answer), 200);
	rev = int_at(answer, "rev");
	json_decref(answer);
	return rev;
}

/* SIGHUP after the folder was changed: the daemon listens at the new place, shows the new certificate, and tells who is connected */
static void it_moves(void **state)
{
	struct fixture *f = *state;
	const uint16_t before = f->port;
	struct authority_place place = { .dir = f->authority.dir };
	char address[32], was[32];
	struct peer aws, gcp;
	struct error error;
	json_t *line;
	int fd;

	open_watch(f, &aws, &f->aws.who, "/v1/agent/topology?watch=0");
	json_decref(peer_line(&aws));
	f->port = free_port();
	snprintf(was, sizeof(was), "127.0.0.1:%u", before);
	snprintf(address, sizeof(address), "127.0.0.1:%u", f->port);
	place.address = address;
	assert_int_equal(authority_move(&place, &error), 0);
	kill(f->daemon, SIGHUP);
	line = peer_line(&aws);
	assert_string_equal(json_string_value(json_object_get(line, "controller")), address);
	assert_string_equal(json_string_value(json_array_get(json_object_get(line, "former"), 0)), was);
	json_decref(line);
	fd = peer_socket(before);
	assert_int_equal(fd, -1);
	/* who comes later is told first of all; the stream that was open goes on */
	open_watch(f, &gcp, &f->gcp.who, "/v1/agent/topology?watch=0");
	line = peer_line(&gcp);
	assert_string_equal(json_string_value(json_object_get(line, "controller")), address);
	json_decref(line);
	json_decref(peer_line(&gcp));
	apply(f, "l", LAB);
	line = peer_line(&aws);
	assert_non_null(json_object_get(line, "hash"));
	json_decref(line);
	/* where it cannot listen it stays, with a folder that cannot be read it does, too */
	place.address = "ctl.lab";
	place.listen = "127.0.0.1:1";
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(authority_move(&place, &error), 0);
	assert_int_equal(bind(fd,
				 (struct sockaddr *)&(struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_port = htons(1),
					 .sin_addr = { htonl(INADDR_LOOPBACK) } },
				 sizeof(struct sockaddr_in)),
		0);
	assert_int_equal(listen(fd, 1), 0);
	kill(f->daemon, SIGHUP);
	pause_ms(100);
	assert_int_equal(call(f, &f->operator, "GET", "/v1/hosts", NULL, NULL), 200);
	close(fd);
	peer_close(&aws);
	peer_close(&gcp);
}

static void topologies_are_pushed(void **state)
{
	struct fixture *f = *state;
	struct peer aws, gcp;
	json_t *line, *host;
	int64_t first, second;
	char *aws_has, *gcp_has;

	open_watch(f, &aws, &f->aws.who, "/v1/agent/topology?watch=0");
	line = peer_line(&aws);
	assert_string_equal(json_string_value(json_object_get(line, "host")), "aws-1");
	assert_int_equal(json_array_size(json_object_get(line, "networks")), 0);
	json_decref(line);
	open_watch(f, &gcp, &f->gcp.who, "/v1/agent/topology?watch=0");
	json_decref(peer_line(&gcp));
	first = apply(f, "l", LAB);
	line = peer_line(&aws);
	assert_int_equal(int_at(line, "rev"), first);
	host = json_array_get(json_object_get(line, "hosts"), 0);
	assert_string_equal(json_string_value(json_object_get(host, "name")), "gcp-1");
	assert_int_equal(json_array_size(json_object_get(host, "endpoints")), 0); /* it is seen on the loopback only */
	aws_has = hash_of(line);
	json_decref(line);
	line = peer_line(&gcp);
	host = json_array_get(json_object_get(line, "hosts"), 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(host, "endpoints"), 0)),
		"198.51.100.7:4754");
	gcp_has = hash_of(line);
	json_decref(line);

	/* applied: not before it is reported; and a change that is none of gcp-1's business is applied by it at once */
	report(f, &f->aws, "0123");
	assert_false(in_line(f, "aws-1"));
	report(f, &f->aws, aws_has);
	report(f, &f->gcp, gcp_has);
	assert_true(in_line(f, "aws-1") && in_line(f, "gcp-1"));
	second = apply(f, "m", LAB_OF_AWS);
	assert_true(in_line(f, "gcp-1") && !in_line(f, "aws-1"));
	line = peer_line(&aws);
	assert_int_equal(int_at(line, "rev"), second);
	free(aws_has);
	aws_has = hash_of(line);
	json_decref(line);
	report(f, &f->aws, aws_has);
	assert_true(in_line(f, "aws-1"));

	/* gcp-1 heard nothing of that: what comes next is of the next change */
	apply(f, "l", "{}");
	line = peer_line(&gcp);
	assert_true(int_at(line, "rev") > second);
	json_decref(line);
	peer_close(&aws);
	peer_close(&gcp);
	free(aws_has);
	free(gcp_has);
}

static void revoked_at_once(void **state)
{
	struct fixture *f = *state;
	struct timespec before, after;
	struct peer aws, gcp, kept;
	json_t *line, *answer;
	int64_t rev = apply(f, "l", LAB);

	open_watch(f, &aws, &f->aws.who, "/v1/agent/topology?watch=0");
	json_decref(peer_line(&aws));
	open_watch(f, &gcp, &f->gcp.who, "/v1/agent/topology?watch=0");
	json_decref(peer_line(&gcp));
	line = peer_line(&aws); /* gcp-1's address */
	json_decref(line);
	assert_true(peer_open(&kept, f->port, &f->gcp.who));
	assert_int_equal(peer_call(&kept, "GET", "/v1/agent/topology", NULL, NULL), 200);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(call(f, &f->operator, "POST", "/v1/hosts/gcp-1/revoke", NULL, &answer), 200);
	assert_true(int_at(answer, "rev") > rev);
	assert_string_equal(json_string_value(json_array_get(json_object_get(answer, "hosts"), 0)), "aws-1");
	json_decref(answer);
	line = peer_line(&aws);
	assert_int_equal(json_array_size(json_object_get(line, "hosts")), 0);
	json_decref(line);
	assert_null(peer_line(&gcp));
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 < 1000);
	assert_int_equal(call(f, &f->gcp.who, "GET", "/v1/agent/topology", NULL, NULL), 403);
	/* also on a connection that it had before */
	assert_int_equal(peer_call(&kept, "GET", "/v1/agent/topology", NULL, NULL), 403);
	peer_close(&kept);
	peer_close(&aws);
	peer_close(&gcp);
}

static void macs_and_drops(void **state)
{
	struct fixture *f = *state;
	json_t *answer, *item;
	char body[512];

	apply(f, "l", LAB);
	/* network 1 is aws-1's, 77 is not */
	snprintf(body, sizeof(body),
		"{\"applied\":\"\",\"error\":\"no bridge b\",\"version\":\"1\",\"underlay_mtu\":1400,\"news\":1,\"macs\":["
		"{\"network\":1,\"vlan\":7,\"mac\":\"52:54:00:00:00:0A\",\"port\":\"a\"},"
		"{\"network\":77,\"vlan\":0,\"mac\":\"52:54:00:00:00:0b\",\"port\":\"a\"}],\"drops\":{\"replay\":3}}");
	assert_int_equal(call(f, &f->aws.who, "PUT", "/v1/agent/report", body, NULL), 200);
	report(f, &f->aws, "");
	assert_int_equal(call(f, &f->operator, "GET", "/v1/macs", NULL, &answer), 200);
	assert_int_equal(json_array_size(json_object_get(answer, "items")), 1);
	item = json_array_get(json_object_get(answer, "items"), 0);
	assert_string_equal(json_string_value(json_object_get(item, "mac")), "52:54:00:00:00:0a");
	assert_string_equal(json_string_value(json_object_get(item, "network")), "n");
	assert_string_equal(json_string_value(json_object_get(item, "host")), "aws-1");
	json_decref(answer);
	assert_int_equal(call(f, &f->operator, "GET", "/v1/drops", NULL, &answer), 200);
	assert_int_equal(int_at(json_array_get(json_object_get(answer, "items"), 0), "count"), 3);
	json_decref(answer);
	assert_int_equal(call(f, &f->aws.who, "PUT", "/v1/agent/report", "{\"applied\":\"\",\"macs\":[1]}", NULL), 400);
	assert_int_equal(call(f, &f->aws.who, "PUT", "/v1/agent/report", "{\"applied\":\"\",\"drops\":{\"x\":\"y\"}}",
				 NULL),
		400);
}

static void local_socket(void **state)
{
	struct fixture *f = *state;
	struct peer peer;
	struct stat st;

	assert_int_equal(stat(f->socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(peer_open_local(&peer, f->socket));
	assert_int_equal(peer_call(&peer, "GET", "/v1/hosts", NULL, NULL), 200);
	assert_int_equal(peer_call(&peer, "PUT", "/v1/labs/l", LAB, NULL), 200);
	assert_int_equal(peer_call(&peer, "GET", "/v1/agent/topology", NULL, NULL), 403);
	peer_close(&peer);
}

/* Everything is there again, and whoever has what it shall have is not sent it again */
static void restart_keeps_everything(void **state)
{
	struct fixture *f = *state;
	int64_t rev;
	struct peer peer;
	char *has, path[128];
	json_t *line;

	assert_int_equal(call(f, &f->gcp.who, "GET", "/v1/agent/topology", NULL, NULL), 200); /* its address is known */
	rev = apply(f, "l", LAB);
	stop(f);
	start(f);
	assert_int_equal(apply(f, "l", LAB), rev);
	open_watch(f, &peer, &f->gcp.who, "/v1/agent/topology?watch=0");
	line = peer_line(&peer);
	assert_int_equal(json_array_size(json_object_get(line, "hosts")), 1);
	has = hash_of(line);
	json_decref(line);
	stop(f); /* with a stream open */
	peer_close(&peer);
	start(f);
	snprintf(path, sizeof(path), "/v1/agent/topology?watch=%s", has);
	open_watch(f, &peer, &f->gcp.who, path);
	report(f, &f->gcp, has);
	assert_true(in_line(f, "gcp-1"));
	rev = apply(f, "l", "{}");
	line = peer_line(&peer); /* the first that comes is that one */
	assert_int_equal(int_at(line, "rev"), rev);
	json_decref(line);
	peer_close(&peer);
	free(has);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_is_who, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_credentials, set_up, tear_down),
		cmocka_unit_test_setup_teardown(topologies_are_pushed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_moves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(revoked_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(macs_and_drops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(local_socket, set_up, tear_down),
		cmocka_unit_test_setup_teardown(restart_keeps_everything, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
