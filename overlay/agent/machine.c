/*
 * machine.c - see machine.h
 */
#include "overlay/agent/machine.h"

#include "base/file.h"
#include "base/log.h"
#include "base/supervisor.h"
#include "overlay/agent/closer.h"
#include "overlay/agent/controller_client.h"
#include "overlay/agent/handover.h"
#include "overlay/agent/keeper.h"
#include "overlay/datapath/stats.h"
#include "underlay/addresses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TOPOLOGY_FILE "topology.json"
#define WHEREABOUTS_FILE "whereabouts.json"
#define WHEREABOUTS_MAX_BYTES (4U << 20) /* PEERS_MAX lines */
#define TOPOLOGY_MAX_BYTES (64U * 1024U * 1024U)
#define UNWANTED_MS \
	5000U /* until the controller's document, which may have more ports than the disk's, should be there */
#define CLOSE_PATIENCE_MS 10000U /* in all, at stop; the kernel closes what is left when the process ends */

/* ---- what the core asks for -------------------------------------------------------------------------------- */

static time_t wall_clock(void *ctx)
{
	(void)ctx;
	return time(NULL);
}

static void publish(void *ctx, struct forwarding *forwarding)
{
	struct agent *agent = ctx;

	agent->superseded = datapath_publish(&agent->datapath, forwarding, &agent->faults);
	event_active(agent->published_event, EV_TIMEOUT, 0); /* the core is told when it does not call us */
}

/* @leaves: no port of the topology is to go on with what it made */
static void close_kept(struct agent *agent, const struct tap_kept *kept, bool leaves)
{
	struct tap_port *port = tap_kept_port(kept);

	if (port && leaves)
		tap_port_leaves(port);
	if (port)
		(void)closer_close(agent->closer, port, NULL);
	handover_remove(agent->handover, kept);
}

/* ---- the fabric's own datagrams ---------------------------------------------------------------------------- */

static void look_at_underlay(struct agent *agent)
{
	struct own_underlay *own = &agent->own_underlay;

	if (!agent->core || (!own->stale && own->documents == agent->core->documents))
		return;
	own->documents = agent->core->documents;
	own_underlay_look(own, &agent->core->topology, agent->config.enrolment.controller, agent->routes, agent->now);
}

void machine_look_at_underlay(struct agent *agent, bool links_changed)
{
	struct own_underlay *own = &agent->own_underlay;

	look_at_underlay(agent);
	if (!own->changed && !links_changed) /* what a link is a port of, too */
		return;
	agent->view.differs |= own->changed; /* other ports may be allowed now */
	own->changed = false;
	core_links_changed(agent->core, agent->now);
}

/* Everywhere else there are none, and frames are not to be looked at for nothing */
static void shun(struct agent *agent, struct tap_port *port)
{
	const uint16_t udp_port = agent->options->port ? agent->options->port : agent->config.enrolment.port;
	const struct attach *spec = tap_port_spec(port);
	const uint8_t(*own)[IP_BYTES];
	size_t count;
	int err;

	if (!agent->addresses || (spec->kind != ATTACH_PACKET && !own_underlay_is(&agent->own_underlay, spec, NULL)))
		return;
	count = addresses_own(agent->addresses, &own);
	err = tap_port_shun(port, udp_port, own, count);
	if (err)
		log_warning("%s: cannot hold back this host's own datagrams: %s", tap_port_name(port), strerror(-err));
}

void machine_addresses_changed(struct agent *agent)
{
	const struct ports *ports = &agent->core->ports;

	for (uint32_t slot = 0; slot < ports->slots_count; slot++) {
		const struct port *port = ports_at(ports, slot);

		if (port && port->open)
			shun(agent, port->open->tap);
	}
}

/* ---- ports ------------------------------------------------------------------------------------------------- */

static int open_or_take(struct agent *agent, const struct attach *spec, struct tap_port **out, struct error *error)
{
	const struct tap_kept *kept = handover_find(agent->handover, spec);

	if (kept && tap_port_take(spec, agent->datapath.workers_count, kept, out, error) == 0) {
		handover_remove(agent->handover, kept);
		return 0;
	}
	if (kept) {
		log_info("%s: %s; opened anew", spec->target, error->text);
		close_kept(agent, kept, false);
	}
	return tap_port_open(spec, agent->datapath.workers_count, out, error);
}

static int port_open(void *ctx, const struct attach *spec, struct tap_port **out, struct error *error)
{
	struct agent *agent = ctx;
	int err;

	look_at_underlay(agent);
	err = own_underlay_judge(&agent->own_underlay, NULL, agent->options->state, spec, error);
	if (!err)
		err = open_or_take(agent, spec, out, error);
	if (!err)
		shun(agent, *out);
	return err;
}

static bool look(void *ctx)
{
	struct agent *agent = ctx;
	int err = tap_view_take(&agent->view);

	if (err) {
		log_warning("cannot look at this machine's links: %s; ports are taken to be as they were",
			strerror(-err));
		return false;
	}
	return true;
}

static bool has_changed(void *ctx)
{
	struct agent *agent = ctx;

	return tap_view_has_changed(&agent->view);
}

static bool links_differ(void *ctx)
{
	struct agent *agent = ctx;
	const bool differ = agent->view.differs;

	agent->view.differs = false;
	return differ;
}

static enum tap_health port_check(void *ctx, struct tap_port *port, struct error *error)
{
	struct agent *agent = ctx;
	const enum tap_health health = tap_port_check(port, &agent->view, error);

	if (health == TAP_LOST ||
		own_underlay_judge(&agent->own_underlay, &agent->view.links, agent->options->state, tap_port_spec(port),
			error) == 0)
		return health;
	return TAP_LOST; /* and not allowed to be opened again */
}

static int port_set_mtu(void *ctx, struct tap_port *port, uint32_t mtu_bytes)
{
	(void)ctx;
	return tap_port_set_mtu(port, mtu_bytes);
}

static bool port_close(void *ctx, struct tap_port *port, void *token)
{
	struct agent *agent = ctx;

	kernel_drops_close(&agent->kernel_drops, port);
	return closer_close(agent->closer, port, token);
}

static int document_keep(void *ctx, const json_t *document)
{
	struct agent *agent = ctx;
	char *text = json_dumps(document, JSON_INDENT(1) | JSON_SORT_KEYS), path[PATH_MAX];
	int err = text ? -ENAMETOOLONG : -ENOMEM;

	if (text && config_path(agent->options->state, TOPOLOGY_FILE, path))
		err = file_write(path, text, strlen(text), 0600);
	free(text);
	return err;
}

static json_t *document_kept(void *ctx)
{
	struct agent *agent = ctx;
	char path[PATH_MAX], *text;
	json_error_t where;
	json_t *document;
	size_t len;
	int err;

	if (!config_path(agent->options->state, TOPOLOGY_FILE, path))
		return NULL;
	err = file_read(path, TOPOLOGY_MAX_BYTES, &text, &len);
	if (err && err != -ENOENT)
		log_warning("%s: %s; waiting for the controller", path, strerror(-err));
	if (err)
		return NULL;
	document = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	free(text);
	if (!document)
		log_warning("%s:%d: %s; waiting for the controller", path, where.line, where.text);
	return document;
}

static int places_keep(void *ctx, const json_t *whereabouts)
{
	struct agent *agent = ctx;
	char *text = json_dumps(whereabouts, JSON_INDENT(1) | JSON_SORT_KEYS), path[PATH_MAX];
	int err = text ? -ENAMETOOLONG : -ENOMEM;

	if (text && config_path(agent->options->state, WHEREABOUTS_FILE, path))
		err = file_write(path, text, strlen(text), 0600);
	free(text);
	return err;
}

static json_t *places_kept(void *ctx)
{
	struct agent *agent = ctx;
	char path[PATH_MAX], *text;
	json_t *whereabouts;
	size_t len;

	if (!config_path(agent->options->state, WHEREABOUTS_FILE, path) ||
		file_read(path, WHEREABOUTS_MAX_BYTES, &text, &len))
		return NULL;
	whereabouts = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (!whereabouts)
		log_warning("%s: cannot be read; peers behind NAT are back later", path);
	return whereabouts;
}

static bool report(void *ctx, const json_t *report)
{
	struct agent *agent = ctx;

	if (!agent->client)
		return false;
	controller_client_report(agent->client, report);
	return true;
}

static void own_addresses(void *ctx, void (*each)(void *arg, const struct endpoint *address, const char *link),
	void *arg)
{
	struct agent *agent = ctx;
	struct endpoint endpoint = { .port = agent->datapath.underlay->port };
	const struct own_address *list;
	size_t count;

	if (agent->options->no_report_local || agent->config.enrolment.no_report_local)
		return;
	list = addresses_list(agent->addresses, &count);
	for (size_t i = 0; i < count; i++) {
		memcpy(endpoint.ip, list[i].ip, IP_BYTES);
		each(arg, &endpoint, list[i].link);
	}
}

static void stats(void *ctx, struct stats *out)
{
	struct agent *agent = ctx;

	stats_gather(&agent->datapath, out);
	kernel_drops_look(&agent->kernel_drops, &agent->datapath, agent->now);
	kernel_drops_add(&agent->kernel_drops, out);
}

static void port_stats(void *ctx, uint32_t slot, struct port_stats *out)
{
	struct agent *agent = ctx;

	stats_gather_port(&agent->datapath, slot, out);
}

/* ---- what it is told --------------------------------------------------------------------------------------- */

void machine_published(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	struct forwarding *superseded = agent->superseded;

	(void)fd;
	(void)what;
	agent->superseded = NULL;
	core_published(agent->core, &agent->faults, agent->now); /* it may publish the next one */
	forwarding_free(superseded);
}

void machine_take_closed(struct agent *agent)
{
	void *token;

	while (closer_take(agent->closer, &token))
		core_port_closed(agent->core, token, agent->now);
}

/* ---- ports that outlive a weftd ---------------------------------------------------------------------------- */

static void on_unwanted(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;

	(void)fd;
	(void)what;
	while (agent->handover && agent->handover->count)
		close_kept(agent, agent->handover->kept, agent->core->document != NULL);
	free(agent->handover);
	agent->handover = NULL;
}

static void take_over(struct agent *agent)
{
	const struct timeval after = { .tv_sec = UNWANTED_MS / 1000 };
	int bag = handover_take();

	if (bag < 0)
		bag = keeper_take(agent->options->state);
	agent->handover = bag < 0 ? NULL : malloc(sizeof(*agent->handover));
	if (agent->handover)
		handover_unpack(bag, agent->now, agent->handover);
	if (bag >= 0)
		close(bag);
	if (!agent->handover)
		return;
	log_info("%u ports were left open by the weftd before", agent->handover->count);
	agent->unwanted_event = evtimer_new(agent->base, on_unwanted, agent);
	if (agent->unwanted_event)
		evtimer_add(agent->unwanted_event, &after);
}

/* To the weftd that this one becomes, to the service manager, or to a keeper.  Return: whether somebody has them now */
static bool give_away(struct agent *agent, const struct tap_kept kept[], uint32_t count)
{
	const struct options *options = agent->options;
	int witness, bag;
	bool given;

	if (!count || (!agent->again && !supervisor_is_there() && !options->keep_s))
		return false;
	bag = handover_pack(kept, count, instant_now(), &witness);
	if (bag < 0)
		return false;
	if (agent->again) {
		agent->bag = bag;
		given = true;
	} else if (options->keep_s) {
		given = keeper_start(options->state, bag, options->keep_s);
		close(bag);
	} else {
		given = handover_give(bag, witness);
	}
	close(witness);
	return given;
}

/* Those that are leaving are closed */
static void hand_over(struct agent *agent)
{
	struct tap_kept *kept = calloc(HANDOVER_PORTS_MAX, sizeof(*kept));
	struct tap_port *taps[HANDOVER_PORTS_MAX];
	const struct ports *ports = &agent->core->ports;
	uint32_t count = 0;

	for (uint32_t slot = 0; kept && slot < ports->slots_count && count < HANDOVER_PORTS_MAX; slot++) {
		const struct port *port = ports_at(ports, slot);

		if (!port || !port->open || !tap_port_keep(port->open->tap, &kept[count]))
			continue;
		taps[count++] = port->open->tap;
	}
	if (kept && give_away(agent, kept, count)) {
		for (uint32_t i = 0; i < count; i++)
			tap_port_leave_open(taps[i]);
		log_info("%u ports are left open for the next weftd", count);
	}
	free(kept);
}

/* ---- start and stop ---------------------------------------------------------------------------------------- */

bool machine_start(struct agent *agent, struct error *error)
{
	static const struct core_ops ops = {
		.wall_clock = wall_clock,
		.publish = publish,
		.port_open = port_open,
		.look = look,
		.has_changed = has_changed,
		.links_differ = links_differ,
		.port_check = port_check,
		.port_set_mtu = port_set_mtu,
		.port_close = port_close,
		.document_keep = document_keep,
		.document_kept = document_kept,
		.whereabouts_keep = places_keep,
		.whereabouts_kept = places_kept,
		.report = report,
		.addresses = own_addresses,
		.stats = stats,
		.port_stats = port_stats,
	};
	const struct core_config config = {
		.host = agent->config.enrolment.host,
		.ca_pem = agent->config.enrolment.ca_pem,
		.overlay = &agent->overlay,
		.fdb = agent->datapath.fdb,
	};

	own_underlay_load(&agent->own_underlay, agent->options->state);
	agent->closer = closer_new();
	agent->core = core_new(&config, &ops, agent, agent->now);
	if (agent->closer && agent->core) {
		take_over(agent);
		return true;
	}
	error_set(error, "out of memory");
	return false;
}

void machine_stop(struct agent *agent)
{
	if (agent->hand_over && agent->core)
		hand_over(agent);
	on_unwanted(-1, 0, agent);
	if (agent->unwanted_event)
		event_free(agent->unwanted_event);
	core_free(agent->core);
	if (!closer_free(agent->closer, CLOSE_PATIENCE_MS))
		log_warning("some ports are still being closed after %u s; the kernel goes on with it",
			CLOSE_PATIENCE_MS / 1000);
	forwarding_free(agent->superseded);
	tap_view_fini(&agent->view);
	agent->core = NULL;
	agent->closer = NULL;
	agent->unwanted_event = NULL;
	agent->superseded = NULL;
}
