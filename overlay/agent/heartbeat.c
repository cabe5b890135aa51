/*
 * heartbeat.c - see heartbeat.h
 */
#include "overlay/agent/heartbeat.h"

#include "base/log.h"
#include "base/supervisor.h"
#include "overlay/agent/report.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_MS 2000U
#define BEATS 4U /* within the service manager's patience */

struct heartbeat {
	struct event *status_event, *beat_event; /* the latter NULL: nobody wants signs of life */
	char said[REPORT_SUMMARY_BYTES];
	bool stuck;
};

static void on_status(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	char summary[REPORT_SUMMARY_BYTES], lines[sizeof("STATUS=") + REPORT_SUMMARY_BYTES];

	(void)fd;
	(void)what;
	report_summary(agent->core, summary);
	if (strcmp(summary, agent->heartbeat->said) == 0)
		return;
	memcpy(agent->heartbeat->said, summary, sizeof(summary));
	snprintf(lines, sizeof(lines), "STATUS=%s", summary);
	(void)supervisor_tell(lines);
}

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	struct heartbeat *heartbeat = agent->heartbeat;
	const bool alive = datapath_is_alive(&agent->datapath);

	(void)fd;
	(void)what;
	if (alive)
		(void)supervisor_tell("WATCHDOG=1");
	else if (!heartbeat->stuck)
		log_error("a worker does not come by; where that lasts, the service manager starts weftd again");
	heartbeat->stuck = !alive;
}

static struct event *every(struct agent *agent, uint32_t ms, event_callback_fn callback)
{
	const struct timeval tv = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	struct event *event = event_new(agent->base, -1, EV_PERSIST, callback, agent);

	if (event)
		event_add(event, &tv);
	return event;
}

bool heartbeat_start(struct agent *agent)
{
	const uint32_t patience_ms = supervisor_watchdog_ms();
	struct heartbeat *heartbeat;

	if (!supervisor_is_there())
		return true;
	heartbeat = agent->heartbeat = calloc(1, sizeof(*heartbeat));
	if (!heartbeat)
		return false;
	heartbeat->status_event = every(agent, STATUS_MS, on_status);
	if (patience_ms)
		heartbeat->beat_event = every(agent, patience_ms / BEATS, on_beat);
	if (!heartbeat->status_event || (patience_ms && !heartbeat->beat_event))
		return false;
	(void)supervisor_tell("READY=1");
	on_status(-1, 0, agent);
	return true;
}

void heartbeat_stop(struct agent *agent)
{
	struct heartbeat *heartbeat = agent->heartbeat;

	if (!heartbeat)
		return;
	if (heartbeat->status_event)
		event_free(heartbeat->status_event);
	if (heartbeat->beat_event)
		event_free(heartbeat->beat_event);
	free(heartbeat);
	agent->heartbeat = NULL;
}
