/*
 * http_client.c - see http_client.h
 *
 * libcurl must not lose a request while it is calling us: within its calls (`busy`) one that is cancelled is only marked, and
 * taken away after.
 */
#include "client/http_client.h"

#include "base/addr.h"
#include "client/attempts.h"
#include "client/intake.h"
#include "client/resolution.h"
#include "client/target.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT_CONNECTIONS 2L /* with those in use: a stream's, and one for calls */
#define KEEPALIVE_COUNT 3
#define UNACKED_MS 10000U

struct http_client {
	struct event_base *base;
	CURLM *multi;
	struct event *timer; /* libcurl's */
	struct event *sweep; /* requests that were cancelled within its calls */
	struct target target;
	char *addresses; /* of a name, in CURLOPT_RESOLVE's form: as long as they lead to answers */
	unsigned int busy;
	LIST_HEAD(, http_request) requests;
};

struct http_request {
	LIST_ENTRY(http_request) entry;
	struct http_client *client;
	struct http_owner owner;
	CURL *easy;
	bool added; /* to the multi handle */
	bool begun; /* what http_request_begin() asked for; its timer is for that first */
	bool is_stream, cancelled, too_long, over_time;
	struct event *timer; /* connecting, silence or the call's limit */
	struct resolution *resolution;
	struct curl_slist *addresses; /* one entry, libcurl's until the end */
	struct attempts attempts;
	struct intake intake;
	size_t header_bytes;
	unsigned int limit_ms; /* of a call */
	char why[CURL_ERROR_SIZE];
};

static void set_timer(struct event *timer, unsigned int ms)
{
	const struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	event_add(timer, &tv);
}

/* ---- the end of a request ----------------------------------------------------------------------------------- */

static void forget_addresses(struct http_client *client)
{
	free(client->addresses);
	client->addresses = NULL;
}

/* Out of everybody's hands; what it gathered stays until request_free() */
static void request_detach(struct http_request *request)
{
	if (request->added)
		curl_multi_remove_handle(request->client->multi, request->easy);
	request->added = false;
	resolution_cancel(request->resolution);
	request->resolution = NULL;
	if (request->timer)
		event_del(request->timer);
	LIST_REMOVE(request, entry);
}

static void request_free(struct http_request *request)
{
	if (request->timer)
		event_free(request->timer);
	curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->addresses);
	intake_fini(&request->intake);
	free(request);
}

void http_request_cancel(struct http_request *request)
{
	if (!request)
		return;
	request->cancelled = true;
	if (request->client->busy) {
		set_timer(request->client->sweep, 0);
		return;
	}
	request_detach(request);
	request_free(request);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *client = arg;
	struct http_request *request, *next;

	(void)fd;
	(void)what;
	for (request = LIST_FIRST(&client->requests); request; request = next) {
		next = LIST_NEXT(request, entry);
		if (request->cancelled) {
			request_detach(request);
			request_free(request);
		}
	}
}

/* Did TCP and TLS come about? */
static bool was_connected(const struct http_request *request)
{
	curl_off_t us = 0;

	curl_easy_getinfo(request->easy, CURLINFO_PRETRANSFER_TIME_T, &us);
	return us > 0;
}

static enum http_outcome outcome_of(const struct http_request *request, CURLcode code)
{
	if (request->too_long)
		return HTTP_TOO_LONG;
	if (request->over_time)
		code = CURLE_OPERATION_TIMEDOUT;
	switch (code) {
	case CURLE_OK:
		return HTTP_ANSWERED;
	case CURLE_COULDNT_RESOLVE_HOST:
		return HTTP_UNRESOLVED;
	case CURLE_COULDNT_CONNECT:
		return HTTP_UNREACHABLE;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_UNTRUSTED;
	case CURLE_OPERATION_TIMEDOUT:
		return was_connected(request) ? HTTP_SILENT : HTTP_UNREACHABLE;
	default:
		return HTTP_BROKEN;
	}
}

static void describe(const struct http_request *request, enum http_outcome outcome, CURLcode code, long os_error,
	char out[ATTEMPTS_TEXT_BYTES])
{
	const struct server_address *server = &request->client->target.server;
	const char *curls = request->why[0] ? request->why : curl_easy_strerror(code);

	out[0] = '\0';
	switch (outcome) {
	case HTTP_ANSWERED:
		break;
	case HTTP_UNRESOLVED:
		snprintf(out, ATTEMPTS_TEXT_BYTES, "the name does not resolve: %s", curls);
		break;
	case HTTP_UNREACHABLE:
		attempts_describe(&request->attempts, server->numeric ? server->host : NULL, out);
		if (!out[0]) /* libcurl's own words speak of "localhost port 80" for a socket */
			snprintf(out, ATTEMPTS_TEXT_BYTES, "%s", os_error ? strerror((int)os_error) : curls);
		break;
	case HTTP_TOO_LONG:
		snprintf(out, ATTEMPTS_TEXT_BYTES, "sent more than fits");
		break;
	case HTTP_SILENT:
		snprintf(out, ATTEMPTS_TEXT_BYTES, "does not answer any more");
		break;
	case HTTP_UNTRUSTED:
	case HTTP_BROKEN:
		if (code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING)
			curls = "the connection ended";
		snprintf(out, ATTEMPTS_TEXT_BYTES, "%s", curls);
		break;
	}
}

/* Tell the owner; the request is gone after this */
static void request_end(struct http_request *request, CURLcode code)
{
	struct http_end end = { .outcome = outcome_of(request, code) };
	char why[ATTEMPTS_TEXT_BYTES];
	long status = 0, os_error = 0;

	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &os_error);
	end.status = (int)status;
	end.os_error = (int)os_error;
	describe(request, end.outcome, code, os_error, why);
	end.why = why;
	end.body = intake_rest(&request->intake, &end.body_bytes);
	if (end.outcome != HTTP_ANSWERED)
		forget_addresses(request->client);
	request_detach(request);
	if (!request->cancelled)
		request->owner.on_end(request->owner.ctx, &end);
	request_free(request);
}

/* ---- libcurl's calls ---------------------------------------------------------------------------------------- */

static bool streams_well(const struct http_request *request)
{
	long status = 0;

	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	return request->is_stream && status == 200;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_request *request = ctx;

	request->header_bytes += size * count;
	if (request->header_bytes > HTTP_HEADERS_BYTES) {
		request->too_long = true;
		return 0;
	}
	if (request->is_stream)
		set_timer(request->timer, HTTP_SILENCE_MS);
	if (size * count == 2 && bytes[0] == '\r' && streams_well(request) && request->owner.on_open &&
		!request->cancelled)
		request->owner.on_open(request->owner.ctx);
	return request->cancelled ? 0 : size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_request *request = ctx;
	const size_t len_bytes = size * count;
	const bool lines = streams_well(request);
	size_t line_bytes;
	char *line;

	if (request->is_stream)
		set_timer(request->timer, HTTP_SILENCE_MS);
	if (request->is_stream && !lines && request->intake.max_bytes > HTTP_REFUSAL_BYTES)
		request->intake.max_bytes = HTTP_REFUSAL_BYTES;
	if (!intake_add(&request->intake, bytes, len_bytes)) {
		request->too_long = true;
		return 0;
	}
	while (lines && !request->cancelled && (line = intake_line(&request->intake, &line_bytes)) != NULL)
		request->owner.on_line(request->owner.ctx, line, line_bytes);
	return request->cancelled ? 0 : len_bytes;
}

static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct http_request *request = ctx;
	char address[INET6_ADDRSTRLEN] = "";

	(void)purpose;
	if (to->family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)&to->addr)->sin_addr, address, sizeof(address));
	else if (to->family == AF_INET6)
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)(void *)&to->addr)->sin6_addr, address, sizeof(address));
	if (address[0])
		attempts_tried(&request->attempts, address);
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* What is not taken by a unix socket does no harm */
static int on_socket_options(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	const unsigned int unacked_ms = UNACKED_MS;
	const int count = KEEPALIVE_COUNT;

	(void)ctx;
	(void)purpose;
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms, sizeof(unacked_ms));
	return CURL_SOCKOPT_OK;
}

static int on_remark(CURL *easy, curl_infotype type, char *text, size_t len_bytes, void *ctx)
{
	struct http_request *request = ctx;

	(void)easy;
	if (type == CURLINFO_TEXT)
		attempts_remark(&request->attempts, text, len_bytes);
	return 0;
}

/* ---- libcurl on libevent ------------------------------------------------------------------------------------ */

static void take_ended(struct http_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
		struct http_request *request = NULL;
		const CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
		request_end(request, code);
	}
}

static void act(struct http_client *client, curl_socket_t fd, int flags)
{
	int left;

	client->busy++;
	curl_multi_socket_action(client->multi, fd, flags, &left);
	client->busy--;
	take_ended(client);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	act(arg, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct http_client *client = ctx;
	struct event *event = known;
	const short wanted = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));

	(void)easy;
	if (event)
		event_free(event);
	event = what == CURL_POLL_REMOVE ? NULL : event_new(client->base, fd, wanted | EV_PERSIST, on_ready, client);
	if (event)
		event_add(event, NULL);
	curl_multi_assign(client->multi, fd, event);
	return what == CURL_POLL_REMOVE || event ? 0 : -1;
}

static int on_timeout(CURLM *multi, long ms, void *ctx)
{
	struct http_client *client = ctx;

	(void)multi;
	if (ms < 0)
		event_del(client->timer);
	else
		set_timer(client->timer, (unsigned int)ms);
	return 0;
}

/* ---- requests ----------------------------------------------------------------------------------------------- */

static CURLcode set_callbacks(CURL *easy, struct http_request *request)
{
	CURLcode failed = CURLE_OK;

	failed |= curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
	failed |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->why);
	failed |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	failed |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
	failed |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	failed |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request);
	failed |= curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_options);
	failed |= curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_remark);
	failed |= curl_easy_setopt(easy, CURLOPT_DEBUGDATA, request);
	failed |= curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
	return failed;
}

static CURLcode set_call(CURL *easy, const struct http_client *client, const struct http_call *call)
{
	char url[TARGET_URL_BYTES + 512];
	const char *body = call->body;
	CURLcode failed = CURLE_OK;

	if (snprintf(url, sizeof(url), "%s%s", client->target.url, call->path) >= (int)sizeof(url))
		return CURLE_URL_MALFORMAT;
	failed |= curl_easy_setopt(easy, CURLOPT_URL, url);
	if (!body && strcmp(call->method, "POST") == 0) /* it still says that it has 0 bytes */
		body = "";
	if (body) {
		failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
		failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
	}
	failed |= curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
	failed |= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, call->fresh ? 1L : 0L);
	/* less than our own limit, and shared by libcurl among the addresses that it tries */
	failed |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS - 1000);
	return failed;
}

/* Hand it to libcurl, which goes on from its timer */
static void start(struct http_request *request)
{
	struct http_client *client = request->client;

	if (client->addresses) {
		request->addresses = curl_slist_append(NULL, client->addresses);
		curl_easy_setopt(request->easy, CURLOPT_RESOLVE, request->addresses);
	}
	request->added = curl_multi_add_handle(client->multi, request->easy) == CURLM_OK;
	if (!request->added)
		request_end(request, CURLE_OUT_OF_MEMORY);
}

static void on_resolved(void *ctx, const struct addrinfo *found, const char *failure)
{
	struct http_request *request = ctx;
	struct http_client *client = request->client;

	request->resolution = NULL;
	forget_addresses(client);
	if (found)
		client->addresses = target_addresses(&client->target, found);
	if (client->addresses) {
		start(request);
		return;
	}
	snprintf(request->why, sizeof(request->why), "%s", *failure ? failure : "it has no address");
	request_end(request, CURLE_COULDNT_RESOLVE_HOST);
}

static bool needs_addresses(const struct http_request *request)
{
	const struct http_client *client = request->client;

	return target_is_name(&client->target) && (request->is_stream || !client->addresses);
}

/* From the loop, so that even what fails at once is told after http_request_begin() has returned */
static void begin(struct http_request *request)
{
	struct http_client *client = request->client;
	const char *failure = "";

	request->begun = true;
	set_timer(request->timer, request->limit_ms ? request->limit_ms : HTTP_CONNECT_MS);
	if (!needs_addresses(request)) {
		start(request);
		return;
	}
	request->resolution = resolution_begin(client->base, client->target.server.host, client->target.server.port,
		on_resolved, request, &failure);
	if (!request->resolution)
		on_resolved(request, NULL, failure);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct http_request *request = arg;

	(void)fd;
	(void)what;
	if (!request->begun) {
		begin(request);
	} else if (request->resolution) {
		snprintf(request->why, sizeof(request->why), "no name server answers (/etc/resolv.conf)");
		request_end(request, CURLE_COULDNT_RESOLVE_HOST);
	} else {
		request->over_time = true;
		request_end(request, CURLE_OPERATION_TIMEDOUT);
	}
}

struct http_request *http_request_begin(struct http_client *client, const struct http_call *call,
	const struct http_owner *owner)
{
	struct http_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->client = client;
	request->owner = *owner;
	request->limit_ms = call->limit_ms;
	request->is_stream = call->limit_ms == 0;
	request->intake.max_bytes = call->max_bytes;
	request->easy = curl_easy_init();
	request->timer = evtimer_new(client->base, on_time, request);
	if (!request->easy || !request->timer || target_apply(&client->target, request->easy) ||
		set_callbacks(request->easy, request) || set_call(request->easy, client, call)) {
		request_free(request);
		return NULL;
	}
	LIST_INSERT_HEAD(&client->requests, request, entry);
	set_timer(request->timer, 0);
	return request;
}

bool http_request_stranded(const struct http_request *request)
{
	struct sockaddr_storage from;
	struct endpoint endpoint;
	char *text = NULL;
	socklen_t len_bytes;
	bool gone;
	int fd;

	if (request->client->target.socket || !was_connected(request) ||
		curl_easy_getinfo(request->easy, CURLINFO_LOCAL_IP, &text) != CURLE_OK || !text ||
		!endpoint_parse(text, 1, &endpoint))
		return false;
	len_bytes = endpoint_to_sockaddr(&endpoint, endpoint_is_v4(&endpoint) ? AF_INET : AF_INET6, &from);
	fd = socket(from.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	((struct sockaddr_in *)(void *)&from)->sin_port = 0; /* any; where it stands in both families */
	gone = fd >= 0 && bind(fd, (struct sockaddr *)&from, len_bytes) < 0 && errno == EADDRNOTAVAIL;
	if (fd >= 0)
		close(fd);
	return gone;
}

/* ---- set-up ------------------------------------------------------------------------------------------------- */

static bool set_up(struct http_client *client)
{
	CURLMcode failed = CURLM_OK;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return false;
	client->multi = curl_multi_init();
	client->timer = evtimer_new(client->base, on_timer, client);
	client->sweep = evtimer_new(client->base, on_sweep, client);
	if (!client->multi || !client->timer || !client->sweep)
		return false;
	failed |= curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	failed |= curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	failed |= curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	failed |= curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	failed |= curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
	failed |= curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return !failed;
}

struct http_client *http_client_new(struct event_base *base, const struct http_target *target, struct error *error)
{
	struct http_client *client = calloc(1, sizeof(*client));

	error_set(error, "out of memory");
	if (!client)
		return NULL;
	LIST_INIT(&client->requests);
	client->base = base;
	if (!target_init(&client->target, target, error))
		goto failed;
	if (set_up(client))
		return client;
	error_set(error, "libcurl could not be set up");
failed:
	http_client_free(client);
	return NULL;
}

void http_client_free(struct http_client *client)
{
	struct http_request *request;

	if (!client)
		return;
	while ((request = LIST_FIRST(&client->requests)) != NULL) {
		request_detach(request);
		request_free(request);
	}
	curl_multi_cleanup(client->multi);
	if (client->timer)
		event_free(client->timer);
	if (client->sweep)
		event_free(client->sweep);
	forget_addresses(client);
	target_fini(&client->target);
	free(client);
}
