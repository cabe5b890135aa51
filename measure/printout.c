/*
 * printout.c - see printout.h
 */
#include "measure/printout.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

/* What a row shows: a lane's share of the interval, or all of it in a summary */
struct row {
	const struct lane *lane; /* NULL for the row of all lanes */
	struct tally shown;
	struct tally total;
};

static double seconds(struct instant from, struct instant to)
{
	return to.ns > from.ns ? (double)(to.ns - from.ns) / 1e9 : 0;
}

static double bits_per_second(uint64_t bytes, double over_s)
{
	return over_s > 0 ? (double)bytes * 8 / over_s : 0;
}

/* Return: lost of all that were sent, 0..1 */
static double loss_ratio(const struct tally *tally)
{
	const struct sequence_counts *sequence = &tally->sequence;
	double arrived = (double)tally->datagrams - (double)sequence->duplicates - (double)sequence->strays;
	double sent = arrived + (double)sequence->lost;

	return sequence->lost > 0 && arrived >= 0 ? (double)sequence->lost / sent : 0;
}

static struct row row_of(const struct report *report, const struct lane *lane)
{
	const struct tally *total = lane ? &lane->total : &report->meter->counts.total;
	const struct tally *mark = lane ? &lane->mark : &report->meter->mark;

	return (struct row){
		.lane = lane,
		.shown = report->summary ? *total : tally_since(total, mark),
		.total = *total,
	};
}

/* ---- JSON ---- */

static json_t *json_time(struct instant at)
{
	return json_real(round((double)at.ns / 1e3) / 1e6);
}

static void set_u64(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void add_tally(json_t *out, const struct report *report, const struct row *row)
{
	const struct sequence_counts *sequence = &row->shown.sequence;
	double average = bits_per_second(row->total.bytes, seconds(report->start, report->to));

	set_u64(out, "datagrams", row->shown.datagrams);
	set_u64(out, "bytes", row->shown.bytes);
	set_u64(out, "payload_bytes", row->shown.payload_bytes);
	if (!report->summary)
		json_object_set_new(out, "bits_per_second",
			json_real(round(bits_per_second(row->shown.bytes, seconds(report->from, report->to)))));
	json_object_set_new(out, "average_bits_per_second", json_real(round(average)));
	if (row->lane && row->lane->key.kind != LANE_SEALED)
		return;
	json_object_set_new(out, "lost", json_integer(sequence->lost));
	json_object_set_new(out, "loss", json_real(loss_ratio(&row->shown)));
	set_u64(out, "reordered", sequence->reordered);
	set_u64(out, "farthest", sequence->farthest);
	set_u64(out, "duplicates", sequence->duplicates);
	json_object_set_new(out, "strays", json_integer(sequence->strays));
	set_u64(out, "restarts", sequence->restarts);
}

static void add_endpoint(json_t *out, const char *key, const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_BYTES];

	endpoint_format(endpoint, text);
	json_object_set_new(out, key, json_string(text));
}

static json_t *json_lane(const struct report *report, const struct row *row)
{
	const struct lane *lane = row->lane;
	json_t *out = json_object();

	add_endpoint(out, "src", &lane->key.src);
	add_endpoint(out, "dst", &lane->key.dst);
	if (lane->key.kind == LANE_SEALED) {
		json_object_set_new(out, "kind", json_string("sealed"));
		set_u64(out, "session", lane->key.session);
		set_u64(out, "lane", lane->key.lane);
	} else {
		json_object_set_new(out, "kind", json_string("handshake"));
		json_object_set_new(out, "message", json_string(meter_handshake_name(lane->key.lane)));
	}
	add_tally(out, report, row);
	json_object_set_new(out, "first", json_time(lane->first));
	json_object_set_new(out, "last", json_time(lane->last));
	return out;
}

static json_t *json_skipped(const struct meter_counts *counts)
{
	json_t *out = json_object();

	for (int i = 0; i < DISSECT_RESULTS; i++)
		if (counts->not_dissected[i])
			set_u64(out, meter_dissect_name(i), counts->not_dissected[i]);
	for (int i = 0; i < GRE_RESULTS; i++)
		if (counts->not_weft[i])
			set_u64(out, meter_gre_name(i), counts->not_weft[i]);
	if (counts->other_port)
		set_u64(out, "other-port", counts->other_port);
	return out;
}

static json_t *json_report(const struct report *report)
{
	const struct meter_counts *counts = &report->meter->counts;
	json_t *out = json_object(), *lanes = json_array(), *total = json_object();
	struct row all = row_of(report, NULL);
	struct lane *const *sorted;
	size_t count;

	json_object_set_new(out, "type", json_string(report->summary ? "summary" : "interval"));
	json_object_set_new(out, "from", json_time(report->from));
	json_object_set_new(out, "to", json_time(report->to));
	json_object_set_new(out, "seconds", json_real(seconds(report->from, report->to)));
	sorted = lanes_sorted(report->meter->lanes, &count);
	for (size_t i = 0; i < count; i++) {
		struct row row = row_of(report, sorted[i]);

		if (row.shown.datagrams)
			json_array_append_new(lanes, json_lane(report, &row));
	}
	json_object_set_new(out, "lanes", lanes);
	add_tally(total, report, &all);
	json_object_set_new(out, "total", total);
	set_u64(out, "packets", counts->packets);
	set_u64(out, "trains", counts->trains);
	set_u64(out, "assumed", counts->assumed);
	set_u64(out, "evicted", lanes_evicted(report->meter->lanes));
	json_object_set_new(out, "skipped", json_skipped(counts));
	if (report->capture.known)
		json_object_set_new(out, "capture",
			json_pack("{s:I, s:I, s:I}", "received", (json_int_t)report->capture.received, "dropped",
				(json_int_t)report->capture.dropped, "interface_dropped",
				(json_int_t)report->capture.interface_dropped));
	return out;
}

int printout_json(FILE *out, const struct report *report)
{
	json_t *json = json_report(report);
	int result = json ? json_dumpf(json, out, JSON_COMPACT | JSON_REAL_PRECISION(16)) : -1;

	json_decref(json);
	fputc('\n', out);
	return result == 0 ? 0 : -EIO;
}

/* ---- the table ---- */

void printout_scale(double value, char out[REPORT_SCALED_BYTES])
{
	static const char units[] = "kMGTPE";
	double magnitude = fabs(value);
	size_t unit = 0;

	if (magnitude < 99999.5) {
		snprintf(out, REPORT_SCALED_BYTES, "%.0f", value);
		return;
	}
	for (magnitude /= 1000, value /= 1000; magnitude >= 999.5 && units[unit + 1]; magnitude /= 1000, value /= 1000)
		unit++;
	if (magnitude >= 999.5)
		snprintf(out, REPORT_SCALED_BYTES, "huge");
	else
		snprintf(out, REPORT_SCALED_BYTES, "%.*f%c",
			magnitude >= 99.95           ? 0
				: magnitude >= 9.995 ? 1
						     : 2,
			value, units[unit]);
}

static void print_label(FILE *out, const struct lane *lane)
{
	if (!lane)
		fprintf(out, "  %-11s", "all");
	else if (lane->key.kind == LANE_SEALED)
		fprintf(out, "   %06x %3u", lane->key.session, lane->key.lane);
	else
		fprintf(out, "  %-11s", meter_handshake_name(lane->key.lane));
}

static void print_scaled(FILE *out, int width, double value)
{
	char text[REPORT_SCALED_BYTES];

	printout_scale(value, text);
	fprintf(out, " %*s", width, text);
}

static void print_row(FILE *out, const struct report *report, const struct row *row)
{
	const struct sequence_counts *sequence = &row->shown.sequence;

	print_label(out, row->lane);
	print_scaled(out, 9, (double)row->shown.datagrams);
	print_scaled(out, 7, (double)row->shown.bytes);
	if (report->summary)
		fprintf(out, " %7s", "");
	else
		print_scaled(out, 7, bits_per_second(row->shown.bytes, seconds(report->from, report->to)));
	print_scaled(out, 7, bits_per_second(row->total.bytes, seconds(report->start, report->to)));
	if (!row->lane || row->lane->key.kind == LANE_SEALED) {
		print_scaled(out, 6, (double)sequence->lost);
		fprintf(out, " %6.2f%%", 100 * loss_ratio(&row->shown));
		print_scaled(out, 7, (double)sequence->reordered);
		print_scaled(out, 6, (double)sequence->duplicates);
	}
	fputc('\n', out);
	if (row->lane && (sequence->strays > 0 || sequence->restarts))
		fprintf(out, "      of these, %lld far from the rest of the lane's counters; %llu restarts\n",
			(long long)sequence->strays, (unsigned long long)sequence->restarts);
}

static void print_direction(FILE *out, const struct lane_key *key)
{
	char src[ENDPOINT_TEXT_BYTES], dst[ENDPOINT_TEXT_BYTES];

	endpoint_format(&key->src, src);
	endpoint_format(&key->dst, dst);
	if (strlen(src) + strlen(dst) + 4 > REPORT_COLUMNS)
		fprintf(out, "%s\n  -> %s\n", src, dst);
	else
		fprintf(out, "%s -> %s\n", src, dst);
}

/* Return: how many lanes were printed */
static size_t print_lanes(FILE *out, const struct report *report)
{
	const struct lane_key *previous = NULL;
	struct lane *const *sorted;
	size_t count, printed = 0;

	sorted = lanes_sorted(report->meter->lanes, &count);
	for (size_t i = 0; i < count; i++) {
		const struct lane_key *key = &sorted[i]->key;
		struct row row = row_of(report, sorted[i]);

		if (!row.shown.datagrams)
			continue;
		if (!printed)
			fprintf(out, "%-13s %9s %7s %7s %7s %6s %7s %7s %6s\n", "  session lane", "datagrams", "bytes",
				report->summary ? "" : "now b/s", "avg b/s", "lost", "loss", "reorder", "dup");
		if (!previous || !endpoint_equal(&previous->src, &key->src) ||
			!endpoint_equal(&previous->dst, &key->dst))
			print_direction(out, key);
		print_row(out, report, &row);
		previous = key;
		printed++;
	}
	return printed;
}

static void print_skipped(FILE *out, const char *what, const char *name, uint64_t count, bool *first)
{
	if (!count)
		return;
	fprintf(out, "%s%s %llu", *first ? what : ", ", name, (unsigned long long)count);
	*first = false;
}

static void print_notes(FILE *out, const struct report *report)
{
	const struct meter_counts *counts = &report->meter->counts;
	uint64_t evicted = lanes_evicted(report->meter->lanes);
	bool first = true;

	fprintf(out, "%llu captured packets held weft's datagrams, %llu of them a train of several\n",
		(unsigned long long)counts->packets, (unsigned long long)counts->trains);
	if (counts->assumed)
		fprintf(out, "%llu datagrams were cut off by --snaplen and counted unseen\n",
			(unsigned long long)counts->assumed);
	for (int i = 0; i < DISSECT_RESULTS; i++)
		print_skipped(out, "passed over: ", meter_dissect_name(i), counts->not_dissected[i], &first);
	for (int i = 0; i < GRE_RESULTS; i++)
		print_skipped(out, "passed over: ", meter_gre_name(i), counts->not_weft[i], &first);
	print_skipped(out, "passed over: ", "other-port", counts->other_port, &first);
	if (!first)
		fputc('\n', out);
	if (evicted)
		fprintf(out, "%llu lanes did not fit the table; their %llu datagrams count in the totals only\n",
			(unsigned long long)evicted, (unsigned long long)lanes_gone(report->meter->lanes)->datagrams);
	if (report->capture.known && (report->capture.dropped || report->capture.interface_dropped))
		fprintf(out,
			"the capture itself missed %llu packets for want of room (--buffer) and %llu in the interface:\n"
			"what is called lost here may have arrived\n",
			(unsigned long long)report->capture.dropped,
			(unsigned long long)report->capture.interface_dropped);
}

void printout_text(FILE *out, const struct report *report)
{
	struct row all = row_of(report, NULL);
	size_t printed;

	fprintf(out, "%s%.1f s to %.1f s\n", report->summary ? "--- summary, " : "",
		seconds(report->start, report->from), seconds(report->start, report->to));
	printed = print_lanes(out, report);
	if (all.shown.datagrams == 0)
		fprintf(out, "  no datagrams of weft\n");
	else if (printed != 1 || lanes_evicted(report->meter->lanes))
		print_row(out, report, &all);
	if (report->summary)
		print_notes(out, report);
}
