/*
 * loop.c - the control thread: its loop, start and stop
 *
 * Theory of operation.  Start: state folder, sockets, workers, the topology kept on disk (so that an agent joins its
 * peers again while the controller is away), local socket, controller client.  Then events: handshakes, mail from
 * workers, changes of links and addresses, ports that are closed, the controller's documents, signals; each is told to the core or
 * the overlay, and after each the tick is set to when the earlier of both wants to be called.
 * SIGTERM and SIGINT stop; nothing that the agent made stays behind, unless a service manager keeps the ports of one that
 * SIGTERM ends for the next (handover.h).  SIGHUP reads the state folder again, and where
 * that is another host's by now, the process begins anew (exec) with the ports that are open.
 */
#include "overlay/agent/loop.h"

#include "base/error.h"
#include "base/log.h"
#include "base/netns_watch.h"
#include "base/random.h"
#include "base/rcu.h"
#include "base/secret.h"
#include "base/version.h"
#include "crypto/aead_registry.h"
#include "overlay/agent/agent.h"
#include "overlay/agent/closer.h"
#include "overlay/agent/controller_client.h"
#include "overlay/agent/events.h"
#include "overlay/agent/follow.h"
#include "overlay/agent/handover.h"
#include "overlay/agent/heartbeat.h"
#include "overlay/agent/machine.h"
#include "overlay/agent/privileges.h"
#include "overlay/agent/questions.h"
#include "overlay/agent/status.h"
#include "overlay/agent/status_server.h"
#include "overlay/agent/wire.h"
#include "underlay/addresses.h"
#include "underlay/route.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FDB_CAPACITY 65536U
#define WORKERS_DEFAULT_MAX 4U
#define FOLLOW_MS 1000U
#define SETTLE_MS 100U /* links and addresses change in flocks */

static void schedule(struct event *event, uint64_t ms)
{
	const struct timeval tv = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	evtimer_add(event, &tv);
}

/* ---- time -------------------------------------------------------------------------------------------------- */

/* After anything that happened: do what is due, and come back when the next is */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	struct instant peers, core;

	(void)fd;
	(void)what;
	agent->now = instant_now();
	core = core_tick(agent->core, agent->now);
	peers = overlay_poll(&agent->overlay, agent->now);
	if (core_has_news(agent->core))
		core = core_tick(agent->core, agent->now);
	if (!core.ns || (peers.ns && peers.ns < core.ns))
		core = peers;
	if (core.ns)
		schedule(agent->tick_event, instant_since_ms(core, agent->now) + 1);
	else
		evtimer_del(agent->tick_event);
}

/* ---- sockets and workers ----------------------------------------------------------------------------------- */

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

static void on_published(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;

	agent->now = instant_now();
	machine_published(fd, what, agent);
	on_tick(-1, 0, agent);
}

static void on_closed(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;

	(void)fd;
	(void)what;
	agent->now = instant_now();
	machine_take_closed(agent);
	on_tick(-1, 0, agent);
}

/* ---- links and addresses ----------------------------------------------------------------------------------- */

static void look_at_addresses(struct agent *agent)
{
	if (!addresses_moved(agent->addresses))
		return;
	machine_addresses_changed(agent);
	agent_event(agent->core, AGENT_EVENT_ADDRESS_CHANGED, "", NULL);
	overlay_moved(&agent->overlay, agent->now);
	if (agent->client)
		controller_client_moved(agent->client);
}

static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	const bool links_changed = agent->links_changed;

	(void)fd;
	(void)what;
	agent->now = instant_now();
	agent->own_underlay.stale = true;
	agent->links_changed = false;
	if (links_changed)
		look_at_addresses(agent);
	machine_look_at_underlay(agent, links_changed);
	on_tick(-1, 0, agent);
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
	agent->links_changed |= news == ADDRESSES_LINKS;
	if (news != ADDRESSES_QUIET && !event_pending(agent->settle_event, EV_TIMEOUT, NULL))
		schedule(agent->settle_event, SETTLE_MS);
}

/* ---- questions --------------------------------------------------------------------------------------------- */

static void facts(void *ctx, struct status_facts *out)
{
	struct agent *agent = ctx;
	const struct enrolment *enrolment = &agent->config.enrolment;
	const struct underlay *underlay = agent->datapath.underlay;

	*out = (struct status_facts){
		.host = enrolment->host,
		.fabric = enrolment->fabric,
		.controller = agent->client ? controller_client_address(agent->client) : enrolment->controller,
		.controller_wanted = enrolment->controller,
		.connected = agent->connected,
		.controller_state = agent->controller_state,
		.workers = agent->datapath.workers_count,
		.udp_port = agent->options->port ? agent->options->port : agent->config.enrolment.port,
		.aead_backend = aead_backend_name(agent->backends[AEAD_AES_128_GCM]),
		.udp_gso = true,
		.udp_gro = underlay->gives_trains,
		.dual_stack = underlay->family == AF_INET6,
		.receive_buffer_bytes = underlay->receive_buffer_bytes,
		.send_buffer_bytes = underlay->send_buffer_bytes,
		.busy_poll_us = agent->datapath.busy_poll_us,
	};
	for (uint32_t i = 0; i < agent->datapath.workers_count; i++)
		out->udp_gso &= underlay_takes_trains(underlay, i);
	on_tick(-1, 0, agent); /* so that what is told is of now */
}

static bool start_questions(struct agent *agent, struct error *error)
{
	const struct questions_source source = { .core = agent->core, .ctx = agent, .facts = facts };

	agent->questions = questions_new(&source);
	if (agent->questions)
		agent->status = status_server_new(agent->base, agent->options->state, agent->questions, error);
	else
		error_set(error, "out of memory");
	return agent->status != NULL;
}

/* It may have another client by now, or none: that one's controller waits for no answer */
static void on_answered(void *ctx, const char *id, const json_t *answer)
{
	struct agent *agent = ctx;

	if (agent->client)
		controller_client_answer(agent->client, id, answer);
}

static void on_question(void *ctx, const char *id, const char *name, const json_t *args)
{
	struct agent *agent = ctx;
	const struct asker asker = { .ctx = agent, .answered = on_answered, .id = id };

	(void)questions_ask(agent->questions, name, args, &asker);
}

/* A namespace that has its name is mounted a moment later */
static void on_netns(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;

	(void)what;
	if (!netns_watch_read(fd))
		return;
	agent->links_changed = true;
	agent->view.differs = true; /* in what is not looked at: links of namespaces */
	if (!event_pending(agent->settle_event, EV_TIMEOUT, NULL))
		schedule(agent->settle_event, SETTLE_MS);
}

/* ---- the controller ---------------------------------------------------------------------------------------- */

static void on_topology(void *ctx, const json_t *document)
{
	struct agent *agent = ctx;

	agent->now = instant_now();
	core_document(agent->core, document, agent->now);
	machine_look_at_underlay(agent, false);
	on_tick(-1, 0, agent);
}

static void on_told(void *ctx, const json_t *offline, const json_t *online)
{
	struct agent *agent = ctx;

	agent->now = instant_now();
	core_told(agent->core, offline, online, agent->now);
	on_tick(-1, 0, agent);
}

static void on_controller_state(void *ctx, bool connected, const char *text)
{
	struct agent *agent = ctx;

	if (connected)
		follow_arrived(&agent->config.enrolment, agent->options->state,
			controller_client_address(agent->client));
	if (connected != agent->connected)
		agent_event(agent->core, connected ? AGENT_EVENT_CONTROLLER_CONNECTED : AGENT_EVENT_CONTROLLER_LOST, "",
			connected ? NULL : "%s; going on with the topology at hand", text);
	if (connected != agent->connected)
		log_info("controller %s%s", connected ? controller_client_address(agent->client) : text,
			connected ? ": connected" : "; going on with the topology at hand");
	else if (!connected && strcmp(agent->controller_state, text) != 0)
		log_warning("controller %s; going on with the topology at hand", text);
	agent->connected = connected;
	snprintf(agent->controller_state, sizeof(agent->controller_state), "%s", text);
}

static struct controller_client_config client_config(const struct agent *agent)
{
	return (struct controller_client_config){
		.controller = agent->config.enrolment.controller,
		.before = agent->config.enrolment.before,
		.ca_pem = agent->config.enrolment.ca_pem,
		.certificate_pem = agent->config.enrolment.certificate_pem,
		.key_pem = agent->config.enrolment.key_pem,
		.topology = json_string_value(json_object_get(agent->core->document, "hash")),
	};
}

/* Hosts follow one by one, within a second */
static void on_moved(void *ctx, const char *address, const json_t *former)
{
	struct agent *agent = ctx;

	if (!follow_news(&agent->config.enrolment, agent->options->state, address, former))
		return;
	agent_event(agent->core, AGENT_EVENT_CONTROLLER_MOVED, "", "it is reached at %s now",
		agent->config.enrolment.controller);
	schedule(agent->follow_event, random_u32() % FOLLOW_MS);
}

static void no_client(struct agent *agent, const struct error *error)
{
	log_error("controller %s: %s; going on with the topology at hand", agent->config.enrolment.controller,
		error->text);
	controller_client_free(agent->client);
	agent->client = NULL;
	agent->connected = false;
	snprintf(agent->controller_state, sizeof(agent->controller_state), "%.200s", error->text);
}

static void on_follow(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	const struct controller_client_config config = client_config(agent);
	struct error error;

	(void)fd;
	(void)what;
	agent->connected = false;
	if (agent->client && controller_client_move(agent->client, &config, &error) < 0)
		no_client(agent, &error);
}

/* Whatever is wrong with it, the topology at hand goes on; SIGHUP reads anew */
static void start_client(struct agent *agent)
{
	const struct controller_client_config config = client_config(agent);
	const struct controller_client_callbacks callbacks = {
		.on_topology = on_topology,
		.on_question = on_question,
		.on_moved = on_moved,
		.on_told = on_told,
		.on_state = on_controller_state,
	};
	struct error error;

	if (controller_client_new(agent->base, &config, &callbacks, agent, &agent->client, &error) < 0)
		no_client(agent, &error);
}

/* ---- signals ----------------------------------------------------------------------------------------------- */

static void on_stop(evutil_socket_t signal_number, short what, void *arg)
{
	struct agent *agent = arg;

	(void)what;
	log_info("%s: stopping", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
	agent->hand_over = signal_number == SIGTERM;
	event_base_loopbreak(agent->base);
}

/* Where the controller is changes now; another identity, with other keys, is another weftd's, which takes over the ports */
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
	if (!config_same_identity(&config, &agent->config)) {
		log_info("SIGHUP: this host is enrolled anew, as %s of %s: starting anew", config.enrolment.host,
			config.enrolment.fabric);
		config_fini(&config);
		agent->again = agent->hand_over = true;
		event_base_loopbreak(agent->base);
		return;
	}
	log_info("SIGHUP: reloading");
	config_fini(&agent->config);
	agent->config = config;
	secret_wipe(&config, sizeof(config));
	controller_client_free(agent->client);
	agent->client = NULL;
	agent->connected = false;
	start_client(agent);
	own_underlay_load(&agent->own_underlay, agent->options->state);
	agent->own_underlay.changed = true;
	core_reloaded(agent->core, agent->now);
	machine_look_at_underlay(agent, false);
	on_tick(-1, 0, agent);
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
	agent->udp_event =
		on(agent, underlay_descriptor(agent->datapath.underlay, UNDERLAY_CONTROL), EV_READ, on_datagrams);
	agent->mail_event = on(agent, agent->datapath.control_wake_fd, EV_READ, on_mail);
	agent->closed_event = on(agent, closer_descriptor(agent->closer), EV_READ, on_closed);
	agent->netlink_event = on(agent, addresses_descriptor(agent->addresses), EV_READ, on_netlink);
	agent->netns_watch = netns_watch_open();
	if (agent->netns_watch >= 0) /* without, ports wait for their next attempt */
		agent->netns_event = on(agent, agent->netns_watch, EV_READ, on_netns);
	agent->term_event = on(agent, SIGTERM, EV_SIGNAL, on_stop);
	agent->int_event = on(agent, SIGINT, EV_SIGNAL, on_stop);
	agent->hup_event = on(agent, SIGHUP, EV_SIGNAL, on_hup);
	agent->published_event = evtimer_new(agent->base, on_published, agent);
	agent->tick_event = evtimer_new(agent->base, on_tick, agent);
	agent->settle_event = evtimer_new(agent->base, on_settled, agent);
	agent->follow_event = evtimer_new(agent->base, on_follow, agent);
	if (agent->udp_event && agent->mail_event && agent->closed_event && agent->netlink_event && agent->term_event &&
		agent->int_event && agent->hup_event && agent->published_event && agent->tick_event &&
		agent->settle_event && agent->follow_event)
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

/* What watches the machine, and the overlay and the core upon it */
static bool start_parts(struct agent *agent, struct error *error)
{
	agent->base = event_base_new();
	if (!agent->base) {
		error_set(error, "out of memory");
		return false;
	}
	agent->routes = route_cache_new(hash_seed_random(), error);
	agent->addresses = agent->routes ? addresses_new(hash_seed_random(), error) : NULL;
	if (!agent->addresses || !start_datapath(agent, error))
		return false;
	if (!wire_start(agent)) {
		error_set(error, "OpenSSL could not prepare the handshakes");
		return false;
	}
	return machine_start(agent, error) && start_events(agent, error);
}

/* A port has a descriptor for each worker */
static void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)!setrlimit(RLIMIT_NOFILE, &limit); /* what is missing is told by the port that misses it */
	}
}

static bool start(struct agent *agent, struct error *error)
{
	allow_files();
	if (!privileges_reduce(error)) /* before the workers start */
		return false;
	if (config_load(agent->options->state, &agent->config, error) < 0 || !choose_aead(agent, error))
		return false;
	if (!start_parts(agent, error))
		return false;
	if (!start_questions(agent, error))
		return false;
	log_info("weftd " WEFT_VERSION ": host %s of fabric %s, UDP port %u, %u workers, AEAD by %s",
		agent->config.enrolment.host, agent->config.enrolment.fabric,
		agent->options->port ? agent->options->port : agent->config.enrolment.port,
		agent->datapath.workers_count, aead_backend_name(agent->backends[AEAD_AES_128_GCM]));
	check_buffers(agent->datapath.underlay);
	core_start(agent->core, agent->now);
	start_client(agent);
	on_tick(-1, 0, agent);
	if (heartbeat_start(agent))
		return true;
	error_set(error, "out of memory");
	return false;
}

static void free_events(struct agent *agent)
{
	struct event *events[] = { agent->netns_event, agent->udp_event, agent->mail_event, agent->tick_event,
		agent->settle_event, agent->follow_event, agent->netlink_event, agent->term_event, agent->int_event,
		agent->hup_event, agent->published_event, agent->closed_event };

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i])
			event_free(events[i]);
	if (agent->netns_event)
		close(agent->netns_watch);
}

/* What comes while it begins anew waits until it has */
static void hold_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(how, &set, NULL);
}

/* Returns where it cannot */
static void become_the_next(const struct options *options, int bag)
{
	handover_pass(bag);
	execv("/proc/self/exe", options->argv);
	log_error("weftd cannot start anew: %s; start it", strerror(errno));
}

static void stop(struct agent *agent)
{
	if (agent->again)
		hold_signals(SIG_BLOCK);
	controller_client_free(agent->client);
	agent->client = NULL;
	status_server_free(agent->status);
	questions_free(agent->questions);
	heartbeat_stop(agent);
	free_events(agent);
	if (!agent->again) { /* a second one would leave to the kernel what takes it long */
		signal(SIGTERM, SIG_IGN);
		signal(SIGINT, SIG_IGN);
	}
	if (agent->base) /* libevent frees connections from its loop */
		event_base_loop(agent->base, EVLOOP_NONBLOCK);
	datapath_stop(&agent->datapath);
	if (agent->core)
		core_stopping(agent->core, instant_now());
	overlay_part(&agent->overlay, instant_now()); /* before ports are closed, which takes its time */
	machine_stop(agent);
	overlay_fini(&agent->overlay);
	rcu_drain();
	addresses_free(agent->addresses);
	route_cache_free(agent->routes);
	datapath_fini(&agent->datapath);
	if (agent->base)
		event_base_free(agent->base);
	config_fini(&agent->config);
}

int loop_run(const struct options *options)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct error error = { "" };
	bool started, again;
	int bag;

	if (!agent) {
		log_error("out of memory");
		return 1;
	}
	rcu_thread_begin();
	agent->options = options;
	agent->bag = -1;
	agent->now = instant_now();
	started = start(agent, &error);
	hold_signals(SIG_UNBLOCK);
	if (started)
		event_base_dispatch(agent->base);
	else
		log_error("%s", error.text);
	stop(agent);
	rcu_thread_end();
	again = agent->again;
	bag = agent->bag;
	free(agent);
	if (again)
		become_the_next(options, bag);
	return started && !again ? 0 : 1;
}
