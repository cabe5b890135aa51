/*
 * run.c - see run.h
 */
#include "measure/run.h"

#include <string.h>

#include "base/log.h"
#include "measure/printout.h"

void run_init(struct run *run, const struct run_settings *settings, struct meter *meter, FILE *out)
{
	memset(run, 0, sizeof(*run));
	run->settings = *settings;
	run->meter = meter;
	run->out = out;
}

static void print(const struct run *run, struct instant from, struct instant to, bool summary)
{
	struct report report = {
		.meter = run->meter,
		.capture = run->capture,
		.start = run->start,
		.from = from,
		.to = to,
		.summary = summary,
	};

	if (!run->settings.json)
		printout_text(run->out, &report);
	else if (printout_json(run->out, &report) != 0)
		log_error("a report could not be written");
	fflush(run->out);
}

static void begin(struct run *run, struct instant now)
{
	run->start = run->from = run->last = now;
	if (run->settings.duration_ns)
		run->end.ns = now.ns + run->settings.duration_ns;
}

void run_advance(struct run *run, struct instant now)
{
	uint64_t interval = run->settings.interval_ns;
	struct instant to;

	if (run->start.ns == 0)
		begin(run, now);
	if (run->end.ns && instant_reached(now, run->end)) {
		run->done = true;
		now = run->end;
	}
	if (now.ns <= run->last.ns)
		return;
	run->last = now;
	if (now.ns - run->from.ns < interval)
		return;
	to.ns = run->from.ns + interval;
	if (run->settings.quiet_intervals || run->meter->counts.total.datagrams > run->meter->mark.datagrams)
		print(run, run->from, to, false);
	run->from.ns = now.ns - (now.ns - to.ns) % interval;
	meter_mark(run->meter);
}

bool run_packet(struct run *run, const uint8_t *packet, size_t len_bytes, struct instant at)
{
	run_advance(run, at);
	if (run->done)
		return false;
	run->datagrams += meter_packet(run->meter, packet, len_bytes, at);
	if (run->settings.count && run->datagrams >= run->settings.count)
		run->done = true;
	return !run->done;
}

void run_end_at(struct run *run, struct instant at)
{
	if (run->start.ns == 0)
		begin(run, at);
	if (run->end.ns == 0 || at.ns < run->end.ns)
		run->end = at;
}

void run_summary(const struct run *run)
{
	print(run, run->start, run->last, true);
}
