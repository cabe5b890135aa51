/*
 * control.c - the control thread: its loop, start and stop
 *
 * Theory of operation.  Start: state folder, sockets, workers, the topology kept on disk (so that an agent joins its
 * peers again while the controller is away), local socket, controller client.  Then events: handshakes, mail from
 * workers, a tick for peers that are due, changes of links and addresses, the controller's documents, signals.
 * SIGTERM and SIGINT stop; nothing that the agent made stays behind.  SIGHUP reads the state folder again.
 *
 * There is no event that repeats without need but the report, which sleeps five seconds; the tick comes when a peer is due.
 */
#include "overlay/agent/control.h"

#include "base/error.h"
#include "base/log.h"
#include "base/rcu.h"
#include "base/secret.h"
#include "base/version.h"
#include "crypto/aead_registry.h"
#include "overlay/agent/agent.h"
#include "overlay/agent/apply.h"
#include "overlay/agent/privileges.h"
#include "overlay/agent/report.h"
#include "overlay/agent/status.h"
#include "overlay/agent/wire.h"
#include "overlay/datapath/worker.h"
#include "underlay/addresses.h"
#include "underlay/route.h"
#include "underlay/udp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FDB_CAPACITY 65536U
#define WORKERS_DEFAULT_MAX 4U
#define SETTLE_MS 100U /* links and addresses change in flocks */
#define FAULTS_RETRY_MS 5000U
#define REPORT_MS 5000U
#define REFUSED_RETRY_MS 60000U /* the clock may have been wrong: certificates are only valid in their time */

static void schedule(struct event *event, uint64_t ms)
{
	const struct timeval tv = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	evtimer_add(event, &tv);
}

/* ---- time -------------------------------------------------------------------------------------------------- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	struct instant next;

	(void)fd;
	(void)what;
	agent->now = instant_now();
	next = overlay_poll(&agent->overlay, agent->now);
	if (next.ns)
		schedule(agent->tick_event, instant_since_ms(next, agent->now) + 1);
	else
		evtimer_del(agent->tick_event);
}

static void on_datagrams(evutil_socket_t fd, short what, void *arg)
{
	wire_ready(fd, what, arg);
	on_tick(-1, 0, arg);
}

static void on_mail(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	agent->now = instant_now();
	wire_take_mail(agent);
	on_tick(-1, 0, agent);
}

static void on_report(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;

	(void)fd;
	(void)what;
	agent->now = instant_now();
	(void)fdb_age(agent->datapath.fdb, agent->now);
	if (agent->refused_count && instant_since_ms(agent->now, agent->judged_at) >= REFUSED_RETRY_MS) {
		agent->judged_at = agent->now;
		apply_again(agent);
		on_tick(-1, 0, agent);
	}
	report_send(agent);
	schedule(agent->report_event, REPORT_MS);
}

/* ---- links and addresses ----------------------------------------------------------------------------------- */

static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;

	(void)fd;
	(void)what;
	agent->now = instant_now();
	if (addresses_moved(agent->addresses))
		overlay_moved(&agent->overlay, agent->now);
	if (apply_has_faults(agent)) {
		apply_again(agent);
		report_send(agent);
	}
	if (apply_has_faults(agent))
		schedule(agent->settle_event, FAULTS_RETRY_MS);
	on_tick(-1, 0, agent);
}

static bool settles_soon(const struct agent *agent)
{
	struct timeval due, now;

	if (!event_pending(agent->settle_event, EV_TIMEOUT, &due))
		return false;
	event_base_gettimeofday_cached(agent->base, &now);
	return (due.tv_sec - now.tv_sec) * 1000 + (due.tv_usec - now.tv_usec) / 1000 <= (int64_t)SETTLE_MS;
}

static void on_netlink(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	const enum addresses_news news = addresses_read(agent->addresses);

	(void)fd;
	(void)what;
	if (news != ADDRESSES_QUIET)
		route_cache_flush(agent->routes);
	/* not put off by what comes meanwhile */
	if (news == ADDRESSES_LINKS && !settles_soon(agent))
		schedule(agent->settle_event, SETTLE_MS);
}

/* ---- the controller ---------------------------------------------------------------------------------------- */

static void on_topology(void *ctx, const json_t *document)
{
	struct agent *agent = ctx;

	agent->now = instant_now();
	apply_document(agent, document);
	report_send(agent);
	if (apply_has_faults(agent))
		schedule(agent->settle_event, FAULTS_RETRY_MS);
	on_tick(-1, 0, agent);
}

static void on_controller_state(void *ctx, bool connected, const char *text)
{
	struct agent *agent = ctx;

	if (connected != agent->connected)
		log_info("controller %s%s", connected ? agent->config.enrolment.controller : text,
			connected ? ": connected" : "; going on with the topology at hand");
	else if (!connected && strcmp(agent->controller_state, text) != 0)
		log_warning("controller %s; going on with the topology at hand", text);
	agent->connected = connected;
	snprintf(agent->controller_state, sizeof(agent->controller_state), "%s", text);
}

static int start_client(struct agent *agent)
{
	const struct controller_client_config config = {
		.controller = agent->config.enrolment.controller,
		.ca_pem = agent->config.enrolment.ca_pem,
		.certificate_pem = agent->config.enrolment.certificate_pem,
		.key_pem = agent->config.enrolment.key_pem,
		.topology = json_string_value(json_object_get(agent->document, "hash")),
	};
	const struct controller_client_callbacks callbacks = {
		.on_topology = on_topology,
		.on_state = on_controller_state,
	};
	const char *error;
	int err = controller_client_new(agent->base, &config, &callbacks, agent, &agent->client, &error);

	if (err)
		log_error("controller %s: %s", agent->config.enrolment.controller, error);
	return err;
}

/* ---- signals ----------------------------------------------------------------------------------------------- */

static void on_stop(evutil_socket_t signal_number, short what, void *arg)
{
	struct agent *agent = arg;

	(void)what;
	log_info("%s: stopping", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
	event_base_loopbreak(agent->base);
}

/* Keys that are in use stay until a restart; where the controller is and what it is trusted by changes now */
static void on_hup(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	struct config config;
	struct error error;

	(void)fd;
	(void)what;
	agent->now = instant_now();
	if (config_load(agent->options->state, &config, &error) < 0) {
		log_error("SIGHUP: %s; going on as before", error.text);
		return;
	}
	if (strcmp(config.enrolment.host, agent->config.enrolment.host) != 0 ||
		memcmp(&config.self, &agent->config.self, sizeof(config.self)) != 0 ||
		strcmp(config.enrolment.ca_pem, agent->config.enrolment.ca_pem) != 0) {
		log_error("SIGHUP: this host has another identity now, restart the agent; going on as before");
		config_fini(&config);
		return;
	}
	log_info("SIGHUP: reloading");
	config_fini(&agent->config);
	agent->config = config;
	secret_wipe(&config, sizeof(config));
	controller_client_free(agent->client);
	agent->client = NULL;
	agent->connected = false;
	json_decref(agent->reported);
	agent->reported = NULL;
	apply_again(agent);
	on_tick(-1, 0, agent);
	(void)start_client(agent);
	report_send(agent);
}

/* ---- start and stop ---------------------------------------------------------------------------------------- */

static bool choose_aead(struct agent *agent, struct error *error)
{
	static const enum aead_cipher ciphers[] = { AEAD_AES_128_GCM, AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305 };
	const char *name = agent->options->aead;
	const struct aead_backend *wanted = name ? aead_registry_named(name) : NULL;

	if (name && !wanted) {
		error_set(error, "--aead %s: not here; openssl always is, ipsec-mb on CPUs that it knows", name);
		return false;
	}
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
		const bool has = wanted && aead_backend_has(wanted, ciphers[i]);

		agent->backends[ciphers[i]] = has ? wanted : aead_registry_fastest(ciphers[i], instant_now);
	}
	return true;
}

static uint32_t workers_wanted(const struct agent *agent)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (agent->options->workers)
		return agent->options->workers;
	return cores < 1 ? 1 : cores > (long)WORKERS_DEFAULT_MAX ? WORKERS_DEFAULT_MAX : (uint32_t)cores;
}

static bool start_datapath(struct agent *agent, struct error *error)
{
	const struct datapath_config config = {
		.workers = workers_wanted(agent),
		.udp_port = agent->options->port ? agent->options->port : agent->config.enrolment.port,
		.macs = FDB_CAPACITY,
		.macs_locations = PORTS_MAX + PEERS_MAX,
		.macs_per_location = FDB_LOCATION_LIMIT,
		.time_scale = agent->options->time_scale,
		.busy_poll_us = agent->options->busy_poll_us,
	};

	return datapath_init(&agent->datapath, &config, error) == 0;
}

static struct event *on(struct agent *agent, evutil_socket_t fd, short what, event_callback_fn callback)
{
	struct event *event = event_new(agent->base, fd, what | EV_PERSIST, callback, agent);

	if (event && fd >= 0)
		event_add(event, NULL);
	return event;
}

static bool start_events(struct agent *agent, struct error *error)
{
	agent->routes = route_cache_new(hash_seed_random(), error);
	agent->addresses = agent->routes ? addresses_new(hash_seed_random(), error) : NULL;
	if (!agent->addresses)
		return false;
	agent->udp_event =
		on(agent, underlay_descriptor(agent->datapath.underlay, UNDERLAY_CONTROL), EV_READ, on_datagrams);
	agent->mail_event = on(agent, agent->datapath.control_wake_fd, EV_READ, on_mail);
	agent->term_event = on(agent, SIGTERM, EV_SIGNAL, on_stop);
	agent->int_event = on(agent, SIGINT, EV_SIGNAL, on_stop);
	agent->hup_event = on(agent, SIGHUP, EV_SIGNAL, on_hup);
	agent->tick_event = evtimer_new(agent->base, on_tick, agent);
	agent->report_event = evtimer_new(agent->base, on_report, agent);
	agent->settle_event = evtimer_new(agent->base, on_settled, agent);
	agent->netlink_event = on(agent, addresses_descriptor(agent->addresses), EV_READ, on_netlink);
	if (agent->udp_event && agent->mail_event && agent->term_event && agent->int_event && agent->hup_event &&
		agent->tick_event && agent->report_event && agent->settle_event && agent->netlink_event)
		return true;
	error_set(error, "out of memory");
	return false;
}

static void check_buffers(const struct underlay *underlay)
{
	const int wanted_bytes = underlay->wanted_buffer_bytes;

	if (underlay->receive_buffer_bytes < wanted_bytes || underlay->send_buffer_bytes < wanted_bytes)
		log_warning("UDP buffers: %d bytes to receive and %d to send instead of %d; bursts may be lost, raise "
			    "net.core.rmem_max and wmem_max",
			underlay->receive_buffer_bytes, underlay->send_buffer_bytes, wanted_bytes);
}

static bool start(struct agent *agent, struct error *error)
{
	if (!privileges_reduce(error)) /* before the workers start */
		return false;
	if (config_load(agent->options->state, &agent->config, error) < 0 || !choose_aead(agent, error))
		return false;
	agent->base = event_base_new();
	if (!agent->base) {
		error_set(error, "out of memory");
		return false;
	}
	if (!start_datapath(agent, error) || !start_events(agent, error))
		return false;
	if (!wire_start(agent)) {
		error_set(error, "OpenSSL could not prepare the handshakes");
		return false;
	}
	if (!status_start(agent, error))
		return false;
	log_info("weftd " WEFT_VERSION ": host %s of fabric %s, UDP port %u, %u workers, AEAD by %s",
		agent->config.enrolment.host, agent->config.enrolment.fabric,
		agent->options->port ? agent->options->port : agent->config.enrolment.port,
		agent->datapath.workers_count, aead_backend_name(agent->backends[AEAD_AES_128_GCM]));
	check_buffers(agent->datapath.underlay);
	apply_kept(agent);
	if (start_client(agent) < 0) {
		error_set(error, "see above");
		return false;
	}
	on_tick(-1, 0, agent);
	on_report(-1, 0, agent);
	if (apply_has_faults(agent))
		schedule(agent->settle_event, FAULTS_RETRY_MS);
	return true;
}

static void free_events(struct agent *agent)
{
	struct event *events[] = { agent->udp_event, agent->mail_event, agent->tick_event, agent->settle_event,
		agent->netlink_event, agent->term_event, agent->int_event, agent->hup_event, agent->report_event };

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i])
			event_free(events[i]);
}

static void stop(struct agent *agent)
{
	controller_client_free(agent->client);
	status_stop(agent);
	if (agent->base) /* libevent frees connections from its loop */
		event_base_loop(agent->base, EVLOOP_NONBLOCK);
	datapath_stop(&agent->datapath);
	apply_stop(agent);
	overlay_fini(&agent->overlay);
	rcu_drain();
	free_events(agent);
	addresses_free(agent->addresses);
	route_cache_free(agent->routes);
	datapath_fini(&agent->datapath);
	json_decref(agent->reported);
	if (agent->base)
		event_base_free(agent->base);
	config_fini(&agent->config);
}

int agent_run(const struct options *options)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct error error = { "" };
	bool started;

	if (!agent) {
		log_error("out of memory");
		return 1;
	}
	rcu_thread_begin();
	agent->options = options;
	agent->now = agent->started = instant_now();
	started = start(agent, &error);
	if (started)
		event_base_dispatch(agent->base);
	else
		log_error("%s", error.text);
	stop(agent);
	rcu_thread_end();
	free(agent);
	return started ? 0 : 1;
}
