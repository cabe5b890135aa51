/*
 * test_http.c - the whole controller on loopback: who may call what, enrolment, streams, revocation, and abuse
 *
 * The daemon runs in a child; that it ends with status 0 on SIGTERM says, under a sanitizer, that it leaked nothing.
 */
#include "controller/http/conns.h"
#include "controller/daemon.h"
#include "controller/http/stream.h"

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

/* Every endpoint, and what everybody gets from it */
static void who_may_call_what(void **state)
{
	static const struct {
		const char *method, *path, *body;
		int nobody, agent, operator;
	} calls[] = {
		{ "GET", "/v1/ca", NULL, 200, 200, 200 },
		{ "POST", "/v1/enrol", "{}", 400, 400, 400 },
		{ "GET", "/v1/agent/topology", NULL, 401, 200, 403 },
		{ "PUT", "/v1/agent/report", "{\"applied\":\"\"}", 401, 200, 403 },
		{ "GET", "/v1/fabric", NULL, 401, 403, 200 },
		{ "POST", "/v1/tokens", "{\"host\":\"x\"}", 401, 403, 201 },
		{ "GET", "/v1/hosts", NULL, 401, 403, 200 },
		{ "GET", "/v1/networks", NULL, 401, 403, 200 },
		{ "GET", "/v1/ports", NULL, 401, 403, 200 },
		{ "GET", "/v1/labs", NULL, 401, 403, 200 },
		{ "GET", "/v1/macs", NULL, 401, 403, 200 },
		{ "GET", "/v1/drops", NULL, 401, 403, 200 },
		{ "GET", "/v1/hosts?watch=99", NULL, 401, 403, 410 },
		{ "PUT", "/v1/labs/l", LAB, 401, 403, 200 },
		{ "GET", "/v1/labs/l", NULL, 401, 403, 200 },
		{ "DELETE", "/v1/labs/l", NULL, 401, 403, 200 },
		{ "DELETE", "/v1/labs/l", NULL, 401, 403, 404 },
		{ "GET", "/v1/labs/l", NULL, 401, 403, 404 },
		{ "POST", "/v1/hosts/zz/revoke", "{}", 401, 403, 404 },
		{ "GET", "/v1/secrets", NULL, 401, 403, 404 },
		{ "GET", "/", NULL, 404, 404, 404 },
		{ "GET", "/v1/", NULL, 404, 404, 404 },
		{ "GET", "/v1//hosts", NULL, 404, 404, 404 },
		{ "GET", "/v1/hosts/", NULL, 404, 404, 404 },
		{ "GET", "/v1/agent/../hosts", NULL, 404, 404, 404 },
		{ "GET", "/v1/ca/../hosts", NULL, 404, 404, 404 },
		{ "GET", "/v1/%68osts", NULL, 401, 403, 404 },
		{ "GET", "//v1/hosts", NULL, 404, 404, 404 },
		{ "GET", "http://x/v1/hosts", NULL, 401, 403, 200 },
		{ "GET", "/v1/hosts?", NULL, 401, 403, 200 },
		{ "GET", "/v1/hosts?watch=", NULL, 401, 403, 400 },
		{ "GET", "/v1/hosts?watch=-1", NULL, 401, 403, 400 },
		{ "GET", "/v1/hosts?watch=1x", NULL, 401, 403, 400 },
		{ "GET", "/v1/hosts?watch=99999999999999999999", NULL, 401, 403, 400 },
		{ "GET", "/v1/hosts?x=1", NULL, 401, 403, 400 },
		{ "PUT", "/v1/hosts", "{}", 405, 405, 405 },
		{ "GET", "/v1/tokens", NULL, 405, 405, 405 },
		{ "GET", "/v1/enrol", NULL, 405, 405, 405 },
		{ "POST", "/v1/agent/topology", "{}", 405, 405, 405 },
		{ "PUT", "/v1/labs/Bad_Name", "{}", 401, 403, 400 },
		{ "PUT", "/v1/labs/l", NULL, 401, 403, 400 },
		{ "PUT", "/v1/labs/l", "{\"lab\":\"l\",\"lab\":\"l\"}", 401, 403, 400 },
		{ "PUT", "/v1/labs/l", "not json", 401, 403, 400 },
		{ "PUT", "/v1/agent/report", "{}", 401, 400, 403 },
		{ "PUT", "/v1/agent/report", "[]", 401, 400, 403 },
		{ "OPTIONS", "/v1/hosts", NULL, 501, 501, 501 },
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

static void guessing_is_slowed_down(void **state)
{
	struct fixture *f = *state;
	int status = 0, i;

	for (i = 0; i < 12 && status != 429; i++)
		status = call(f, &f->nobody, "POST", "/v1/enrol", "{\"token\":\"guess\"}", NULL);
	assert_int_equal(status, 429);
	assert_int_equal(i, 11);
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
	assert_string_equal(json_string_value(json_array_get(json_object_get(host, "endpoints"), 0)), "127.0.0.1:4754");
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

static void operators_watch(void **state)
{
	struct fixture *f = *state;
	struct peer networks, hosts, labs;
	json_t *line, *answer;
	char path[64];
	int64_t rev = apply(f, "l", LAB);

	snprintf(path, sizeof(path), "/v1/networks?watch=%d", (int)rev - 1);
	open_watch(f, &networks, &f->operator, path);
	line = peer_line(&networks);
	assert_int_equal(int_at(line, "rev"), rev);
	assert_string_equal(json_string_value(json_object_get(line, "op")), "put");
	assert_string_equal(json_string_value(json_object_get(json_object_get(line, "item"), "name")), "n");
	json_decref(line);
	open_watch(f, &labs, &f->operator, "/v1/labs?watch=0");
	line = peer_line(&labs);
	assert_int_equal(int_at(json_object_get(line, "item"), "ports"), 2);
	json_decref(line);
	open_watch(f, &hosts, &f->operator, "/v1/hosts?watch=1");
	json_decref(peer_line(&hosts));
	json_decref(peer_line(&hosts));
	assert_int_equal(call(f, &f->operator, "DELETE", "/v1/labs/l", NULL, &answer), 200);
	line = peer_line(&networks);
	assert_true(json_equal(json_object_get(line, "rev"), json_object_get(answer, "rev")));
	assert_string_equal(json_string_value(json_object_get(line, "op")), "delete");
	json_decref(line);
	line = peer_line(&labs);
	assert_string_equal(json_string_value(json_object_get(line, "op")), "delete");
	json_decref(line);
	line = peer_line(&hosts);
	assert_non_null(json_object_get(json_object_get(line, "item"), "online"));
	json_decref(line);
	json_decref(answer);
	peer_close(&networks);
	peer_close(&labs);
	peer_close(&hosts);
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

static void restart_keeps_everything(void **state)
{
	struct fixture *f = *state;
	int64_t rev = apply(f, "l", LAB);
	struct peer peer;
	json_t *line;

	stop(f);
	start(f);
	assert_int_equal(apply(f, "l", LAB), rev);
	open_watch(f, &peer, &f->gcp.who, "/v1/agent/topology?watch=0");
	line = peer_line(&peer);
	assert_int_equal(json_array_size(json_object_get(line, "hosts")), 1);
	json_decref(line);
	stop(f); /* with a stream open */
	peer_close(&peer);
	start(f);
}

static void check_alive(struct fixture *f)
{
	assert_int_equal(call(f, &f->operator, "GET", "/v1/hosts", NULL, NULL), 200);
}

static void abuse(void **state)
{
	struct fixture *f = *state;
	struct peer peer;
	size_t ignored;
	char *big = malloc(CONNS_LARGE_BYTES + 10);

	memset(big, 'a', CONNS_LARGE_BYTES + 9);
	big[CONNS_LARGE_BYTES + 9] = '\0';
	/* garbage instead of TLS, and a TLS record cut short */
	for (int i = 0; i < 20; i++) {
		int fd = peer_socket(f->port);

		(void)!write(fd, i % 2 ? "GET / HTTP/1.1\r\n\r\n" : "\x16\x03\x01\x02\x00\x01", i % 2 ? 18 : 6);
		close(fd);
	}
	check_alive(f);
	/* a body over the limit */
	assert_int_equal(call(f, &f->operator, "PUT", "/v1/labs/l", big, NULL), 413);
	big[CONNS_BODY_BYTES - 1] = '\0';
	/* one within it, of somebody who is nobody, and of somebody who is */
	assert_int_equal(call(f, &f->nobody, "PUT", "/v1/labs/l", big, NULL), 401);
	assert_int_equal(call(f, &f->operator, "PUT", "/v1/labs/l", big, NULL), 400);
	assert_int_equal(call(f, &f->aws.who, "PUT", "/v1/agent/report", big, NULL), 400);
	/* headers without end */
	assert_true(peer_open(&peer, f->port, &f->nobody));
	peer_write(&peer, "GET /v1/ca HTTP/1.1\r\n", 21);
	for (int i = 0; i < 64; i++) {
		if (!peer_write(&peer, "X: ", 3) || !peer_write(&peer, big, 1000) || !peer_write(&peer, "\r\n", 2))
			break;
	}
	ignored = 0;
	assert_int_not_equal(peer_status(&peer, &ignored), 200);
	peer_close(&peer);
	/* ended in the middle of everything */
	for (int i = 0; i < 30; i++) {
		assert_true(peer_open(&peer, f->port, i % 3 ? &f->nobody : &f->aws.who));
		if (i % 3 == 1)
			peer_write(&peer, "PUT /v1/labs/l HTTP/1.1\r\nContent-Length: 100\r\n\r\n{", 49);
		if (i % 3 == 0)
			peer_request(&peer, "GET", "/v1/agent/topology?watch=0", NULL);
		shutdown(peer.fd, SHUT_RDWR);
		peer_close(&peer);
	}
	check_alive(f);
	/* somebody who writes into its watch: it does not pile up, and the watch goes on */
	open_watch(f, &peer, &f->aws.who, "/v1/agent/topology?watch=0");
	json_decref(peer_line(&peer));
	peer_write(&peer, big, 20000);
	apply(f, "l", LAB);
	json_decref(peer_line(&peer));
	peer_close(&peer);
	check_alive(f);
	free(big);
}

/* A lab whose @count ports make long lines, to be freed */
static char *wordy_lab(unsigned int count, int round)
{
	json_t *ports = json_object(), *lab = json_pack("{s:{s:{}}, s:o}", "networks", "n", "ports", ports);
	char name[16], *text;

	for (unsigned int i = 0; i < count; i++) {
		json_t *ips = json_array();

		for (unsigned int k = 0; k < 60; k++)
			json_array_append_new(ips,
				json_sprintf("fd00:1111:2222:3333:4444:5555:%x:%x", round + 1, k + 1));
		snprintf(name, sizeof(name), "p%u", i);
		json_object_set_new(ports, name,
			json_pack("{s:s, s:s, s:o, s:o}", "host", "aws-1", "network", "n", "attach",
				json_sprintf("tap:t%u", i), "ip", ips));
	}
	text = json_dumps(lab, JSON_COMPACT);
	json_decref(lab);
	return text;
}

/* Whoever does not read its watch is cut off before much waits for it; nobody else notices */
static void slow_readers_are_cut_off(void **state)
{
	enum { PORTS = 300, ROUNDS = 16 };
	struct fixture *f = *state;
	const int small = 65536;
	unsigned int lines = 0;
	struct peer slow;
	json_t *line;

	open_watch(f, &slow, &f->operator, "/v1/ports?watch=0");
	setsockopt(slow.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < ROUNDS; i++) {
		char *lab = wordy_lab(PORTS, i);

		apply(f, "l", lab);
		free(lab);
	}
	while ((line = peer_line(&slow)) != NULL) {
		json_decref(line);
		lines++;
	}
	assert_true(lines < PORTS * ROUNDS);
	peer_close(&slow);
	check_alive(f);
}

/* More connections than one address may have are refused, and given back */
static void too_many_connections(void **state)
{
	struct fixture *f = *state;
	struct peer peers[CONNS_PER_SOURCE + 8];
	unsigned int good = 0;

	for (size_t i = 0; i < CONNS_PER_SOURCE + 8; i++)
		good += peer_open(&peers[i], f->port, &f->nobody) &&
			peer_call(&peers[i], "GET", "/v1/ca", NULL, NULL) == 200;
	for (size_t i = 0; i < CONNS_PER_SOURCE + 8; i++)
		peer_close(&peers[i]);
	assert_int_equal(good, CONNS_PER_SOURCE);
	pause_ms(200);
	check_alive(f);
}

/* Large requests of strangers: some at a time, in chunks as well, and the others are cut off */
static void large_requests_of_strangers(void **state)
{
	struct fixture *f = *state;
	struct peer peers[CONNS_LARGE_STRANGERS + 4];
	static char chunk[CONNS_SMALL_BYTES + 4096];
	unsigned int alive = 0;
	char byte;

	memset(chunk, ' ', sizeof(chunk));
	for (size_t i = 0; i < CONNS_LARGE_STRANGERS + 4; i++) {
		static const char head[] = "PUT /v1/labs/l HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9000\r\n";

		assert_true(peer_open(&peers[i], f->port, &f->nobody));
		assert_true(peer_write(&peers[i], head, sizeof(head) - 1));
		assert_true(peer_write(&peers[i], chunk, sizeof(chunk)));
	}
	pause_ms(500);
	for (size_t i = 0; i < CONNS_LARGE_STRANGERS + 4; i++) {
		alive += recv(peers[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
		peer_close(&peers[i]);
	}
	assert_int_equal(alive, CONNS_LARGE_STRANGERS);
	pause_ms(100);
	check_alive(f);
}

/* One unfinished request; with how much of a body, and how its connection ends, by @number */
static void break_off(struct peer *peer, unsigned int number)
{
	static const size_t bodies[] = { 0, 5, 100, 4000, 40000, 100000 };
	static char body[100000];
	const struct linger reset = { .l_onoff = 1 };
	char head[200];

	snprintf(head, sizeof(head),
		"PUT /v1/agent/report HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %u\r\n\r\n",
		number % 2 ? 5 : 2U << 20);
	(void)peer_write(peer, head, strlen(head));
	if (bodies[number % 6])
		(void)peer_write(peer, body, bodies[number % 6]);
	if (number / 6 % 4 == 1)
		SSL_shutdown(peer->ssl);
	if (number / 6 % 4 == 2)
		setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (number / 6 % 4 == 3)
		shutdown(peer->fd, SHUT_WR);
}

/* Requests that are broken off in every way while libevent has not quite ended those before */
static void mixed_closes(void **state)
{
	struct fixture *f = *state;

	srand(1);
	for (int round = 0; round < 60; round++) {
		struct peer peers[3];

		for (size_t i = 0; i < 3; i++) {
			assert_true(peer_open(&peers[i], f->port, round % 4 ? &f->aws.who : &f->nobody));
			break_off(&peers[i], (unsigned int)rand() % 24);
		}
		for (size_t i = 0; i < 3; i++)
			peer_close(&peers[i]);
	}
	check_alive(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_may_call_what, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_credentials, set_up, tear_down),
		cmocka_unit_test_setup_teardown(guessing_is_slowed_down, set_up, tear_down),
		cmocka_unit_test_setup_teardown(topologies_are_pushed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(revoked_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(operators_watch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(macs_and_drops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(local_socket, set_up, tear_down),
		cmocka_unit_test_setup_teardown(restart_keeps_everything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(abuse, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slow_readers_are_cut_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_connections, set_up, tear_down),
		cmocka_unit_test_setup_teardown(large_requests_of_strangers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mixed_closes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
