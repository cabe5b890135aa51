/*
 * daemon.c - see daemon.h
 */
#include "controller/daemon.h"

#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "base/supervisor.h"
#include "controller/api.h"
#include "controller/ca/authority.h"
#include "controller/gateway.h"
#include "controller/http/server.h"
#include "controller/model.h"
#include "controller/resolver.h"
#include "controller/store/store_sqlite.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define FILES 4096U

static int open_model(const char *dir, struct event_base *base, struct store **store, struct model **model)
{
	char path[PATH_MAX];
	int err;

	if (snprintf(path, sizeof(path), "%s/controller.db", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	err = store_sqlite_open(path, false, base, store);
	if (!err)
		err = model_new(*store, model);
	if (err == -EBUSY)
		log_error("%s is in use: another weft-controller runs with this --state", path);
	else if (err == -EPROTO)
		log_error("%s is damaged, or was made by another version of weft", path);
	else if (err)
		log_error("%s: %s", path, strerror(-err));
	return err;
}

static void on_signal(evutil_socket_t signal_number, short what, void *base)
{
	(void)what;
	log_info("ending on signal %d", (int)signal_number);
	event_base_loopbreak(base);
}

/* ---- what the service manager hears ------------------------------------------------------------------------- */

#define BEATS 4U /* within the service manager's patience */

static void on_beat(evutil_socket_t fd, short what, void *unused)
{
	(void)fd;
	(void)what;
	(void)unused;
	(void)supervisor_tell("WATCHDOG=1");
}

/* Return: NULL where it wants no signs of life, or without memory: then it restarts us, which tells of it */
static struct event *start_beats(struct event_base *base)
{
	const uint32_t ms = supervisor_watchdog_ms() / BEATS;
	const struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };
	struct event *event = ms ? event_new(base, -1, EV_PERSIST, on_beat, NULL) : NULL;

	if (event)
		event_add(event, &tv);
	return event;
}

static void tell_ready(const struct authority *authority)
{
	char lines[256];

	snprintf(lines, sizeof(lines), "READY=1\nSTATUS=fabric %s, listening on %s", authority->name,
		authority->listen);
	(void)supervisor_tell(lines);
}

/* ---- another address ---------------------------------------------------------------------------------------- */

/* What SIGHUP has read anew */
struct served {
	const char *dir;
	struct authority *authority;
	struct gateway *gateway;
	struct server *server;
	struct resolver *resolver;
};

static struct server_config config_of(const char *dir, const struct authority *authority)
{
	return (struct server_config){ .listen = authority->listen,
		.dir = dir,
		.ca_pem = authority->ca_pem,
		.tls_pem = authority->tls_pem,
		.tls_key_pem = authority->tls_key_pem };
}

/* Return: false with @error, and @fresh not taken */
static bool take_authority(struct served *served, const struct authority *fresh, struct error *error)
{
	const struct server_config config = config_of(served->dir, fresh);

	if (!authority_same(fresh, served->authority)) {
		error_set(error, "%.300s is another fabric's now: restart weft-controller", served->dir);
		return false;
	}
	return server_move(served->server, &config, error) == 0;
}

/* Where the controller is (authority_move.h), and the certificate that it shows */
static void on_hup(evutil_socket_t signal_number, short what, void *arg)
{
	struct served *served = arg;
	struct authority fresh;
	struct error error;

	(void)signal_number;
	(void)what;
	if (authority_load(served->dir, &fresh, &error) < 0 || !take_authority(served, &fresh, &error)) {
		log_error("SIGHUP: %s; going on as before", error.text);
		authority_fini(&fresh);
		return;
	}
	authority_fini(served->authority);
	*served->authority = fresh;
	tell_ready(served->authority);
	log_info("SIGHUP: listening on %s, reached at %s", fresh.listen, fresh.address);
	api_moved(served->gateway->api);
	resolver_again(served->resolver);
}

/* ---- the machine, as the API sees it ------------------------------------------------------------------------ */

struct machine {
	struct event *turn, *due;
};

static struct instant machine_now(void *unused)
{
	(void)unused;
	return instant_now();
}

static time_t machine_wall(void *unused)
{
	(void)unused;
	return time(NULL);
}

static void machine_random(void *unused, void *bytes, size_t len_bytes)
{
	(void)unused;
	random_fill(bytes, len_bytes);
}

/* A timer that has run out, not an event that is made active: what came in meanwhile gets its turn first */
static void machine_soon(void *ctx)
{
	const struct timeval now = { 0, 0 };
	struct machine *machine = ctx;

	event_add(machine->turn, &now);
}

static void machine_later(void *ctx, struct instant when)
{
	const struct instant now = instant_now();
	const uint64_t ms = instant_reached(now, when) ? 0 : instant_since_ms(when, now) + 1;
	const struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };
	struct machine *machine = ctx;

	event_add(machine->due, &tv);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *gateway = arg;

	(void)fd;
	(void)what;
	api_turn(gateway->api);
}

/* ---- all of it ---------------------------------------------------------------------------------------------- */

static int run_loop(struct event_base *base, struct served *served)
{
	struct event *term = evsignal_new(base, SIGTERM, on_signal, base),
		     *intr = evsignal_new(base, SIGINT, on_signal, base),
		     *hup = evsignal_new(base, SIGHUP, on_hup, served);
	int err = -ENOMEM;

	if (term && intr && hup && event_add(term, NULL) == 0 && event_add(intr, NULL) == 0 &&
		event_add(hup, NULL) == 0)
		err = event_base_dispatch(base) < 0 ? -EIO : 0;
	if (term)
		event_free(term);
	if (intr)
		event_free(intr);
	if (hup)
		event_free(hup);
	return err;
}

static int start_server(struct gateway *gateway, const char *dir, const struct authority *authority,
	struct server **server)
{
	const struct server_config config = config_of(dir, authority);
	const struct server_owner owner = { .ctx = gateway, .on_request = gateway_on_request };
	struct error error;
	int err = server_new(gateway->base, &config, &owner, server, &error);

	if (err)
		log_error("%s", error.text);
	return err;
}

static int serve(struct event_base *base, const char *dir, struct authority *authority)
{
	struct gateway gateway = { .base = base };
	struct served served = { .dir = dir, .authority = authority, .gateway = &gateway };
	struct machine machine = { .turn = evtimer_new(base, on_turn, &gateway),
		.due = evtimer_new(base, on_turn, &gateway) };
	const struct api_machine asks = { .ctx = &machine,
		.now = machine_now,
		.wall = machine_wall,
		.random = machine_random,
		.soon = machine_soon,
		.later = machine_later };
	struct event *beats = start_beats(base);
	struct resolver *resolver = NULL;
	struct server *server = NULL;
	struct store *store = NULL;
	struct model *model = NULL;
	int err = open_model(dir, base, &store, &model);

	if (err)
		goto out;
	if (machine.turn && machine.due)
		gateway.api = api_new(model, authority, &asks);
	if (gateway.api)
		resolver = resolver_new(base, model, gateway.api);
	if (!resolver) {
		log_error("out of memory");
		err = -ENOMEM;
		goto out;
	}
	err = start_server(&gateway, dir, authority, &server);
	if (err)
		goto out;
	if (!authority->ca_key_pem)
		log_warning("ca.key is not in %s: no host can enrol", dir);
	log_info("fabric %s: listening on %s, revision %llu", authority->name, authority->listen,
		(unsigned long long)model_rev(model));
	tell_ready(authority);
	served.server = server;
	served.resolver = resolver;
	err = run_loop(base, &served);
	/* whoever waits gets an answer; the turn that writes it may have let something more begin */
	store_wait(store);
	event_base_loop(base, EVLOOP_NONBLOCK);
	store_wait(store);
out:
	resolver_free(resolver);
	api_free(gateway.api);
	if (beats)
		event_free(beats);
	if (machine.turn)
		event_free(machine.turn);
	if (machine.due)
		event_free(machine.due);
	server_free(server);
	model_free(model);
	store_close(store);
	return err;
}

/* Enough for all connections that are let in: accept() must never be what fails */
static void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FILES) {
		limit.rlim_cur = limit.rlim_max < FILES ? limit.rlim_max : FILES;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < FILES)
			log_warning("only %llu files may be open (ulimit -n), %u are wanted",
				(unsigned long long)limit.rlim_cur, FILES);
	}
}

int daemon_run(const char *dir)
{
	struct error error;
	struct event_base *base = NULL;
	struct authority authority;
	int err = authority_load(dir, &authority, &error);

	if (err) {
		log_error("%s", error.text);
		goto out;
	}
	allow_files();
	base = event_base_new();
	err = base ? serve(base, dir, &authority) : -ENOMEM;
out:
	if (base)
		event_base_free(base);
	authority_fini(&authority);
	return err;
}
