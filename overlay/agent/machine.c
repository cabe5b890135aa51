/*
 * machine.c - see machine.h
 */
#include "overlay/agent/machine.h"

#include "base/file.h"
#include "base/log.h"
#include "overlay/agent/closer.h"
#include "overlay/agent/controller_client.h"
#include "overlay/datapath/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOPOLOGY_FILE "topology.json"
#define TOPOLOGY_MAX_BYTES (64U * 1024U * 1024U)
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

static int port_open(void *ctx, const struct attach *spec, struct tap_port **out, struct error *error)
{
	struct agent *agent = ctx;

	return tap_port_open(spec, agent->datapath.workers_count, out, error);
}

static int port_check(void *ctx, struct tap_port *port, struct error *error)
{
	(void)ctx;
	return tap_port_check(port, error);
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

static bool report(void *ctx, const json_t *report)
{
	struct agent *agent = ctx;

	if (!agent->client)
		return false;
	controller_client_report(agent->client, report);
	return true;
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

/* ---- start and stop ---------------------------------------------------------------------------------------- */

bool machine_start(struct agent *agent, struct error *error)
{
	static const struct core_ops ops = {
		.wall_clock = wall_clock,
		.publish = publish,
		.port_open = port_open,
		.port_check = port_check,
		.port_set_mtu = port_set_mtu,
		.port_close = port_close,
		.document_keep = document_keep,
		.document_kept = document_kept,
		.report = report,
		.stats = stats,
		.port_stats = port_stats,
	};
	const struct core_config config = {
		.host = agent->config.enrolment.host,
		.ca_pem = agent->config.enrolment.ca_pem,
		.overlay = &agent->overlay,
		.fdb = agent->datapath.fdb,
	};

	agent->closer = closer_new();
	agent->core = core_new(&config, &ops, agent, agent->now);
	if (agent->closer && agent->core)
		return true;
	error_set(error, "out of memory");
	return false;
}

void machine_stop(struct agent *agent)
{
	core_free(agent->core);
	if (!closer_free(agent->closer, CLOSE_PATIENCE_MS))
		log_warning("some ports are still being closed after %u s; the kernel goes on with it",
			CLOSE_PATIENCE_MS / 1000);
	forwarding_free(agent->superseded);
	agent->core = NULL;
	agent->closer = NULL;
	agent->superseded = NULL;
}
