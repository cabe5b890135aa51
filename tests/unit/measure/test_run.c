/*
 * test_run.c - intervals, ends and reports: what is printed, as JSON read back and as a table of 80 columns
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>
#include <pcap/dlt.h>

#include "measure/printout.h"
#include "measure/run.h"
#include "packets.h"

#define SECOND 1000000000ULL
#define EPOCH (1700000000ULL * SECOND)

static struct packet packet;

struct bench {
	struct meter meter;
	struct run run;
	FILE *out;
	char *text;
	size_t text_bytes;
};

static void set_up(struct bench *bench, struct run_settings settings)
{
	memset(bench, 0, sizeof(*bench));
	if (!settings.interval_ns)
		settings.interval_ns = SECOND;
	assert_int_equal(meter_init(&bench->meter, DLT_EN10MB, 4754, 16), 0);
	bench->out = open_memstream(&bench->text, &bench->text_bytes);
	assert_non_null(bench->out);
	run_init(&bench->run, &settings, &bench->meter, bench->out);
}

static void tear_down(struct bench *bench)
{
	fclose(bench->out);
	free(bench->text);
	meter_fini(&bench->meter);
}

static bool send_at(struct bench *bench, double at_s, uint32_t counter, size_t len_bytes)
{
	packet_train(&packet, 0xa1b2c3, 2, counter, 1, 0, len_bytes);
	return run_packet(&bench->run, packet.bytes, packet.len_bytes,
		(struct instant){ EPOCH + (uint64_t)(at_s * 1e9 + 0.5) });
}

/* Return: line @index of the output as JSON, owned by the caller; NULL where there is none */
static json_t *line_at(const struct bench *bench, size_t index)
{
	const char *at = bench->text, *end;
	json_error_t error;
	json_t *json;

	for (; index > 0 && at; index--)
		at = (at = strchr(at, '\n')) ? at + 1 : NULL;
	if (!at || !(end = strchr(at, '\n')))
		return NULL;
	json = json_loadb(at, (size_t)(end - at), 0, &error);
	assert_non_null(json);
	return json;
}

static double number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

static void intervals_of_a_file(void **state)
{
	struct bench bench;
	json_t *line, *lane;

	(void)state;
	set_up(&bench, (struct run_settings){ .json = true });
	assert_true(send_at(&bench, 0, 10, 972));
	assert_true(send_at(&bench, 0.5, 11, 972));
	assert_true(send_at(&bench, 1.5, 14, 972));
	assert_true(send_at(&bench, 1.6, 12, 972));
	assert_true(send_at(&bench, 1000000.25, 15, 972)); /* days of silence are no million reports */
	assert_true(send_at(&bench, 999999.9, 16, 972));   /* a clock that was set back */
	run_summary(&bench.run);

	line = line_at(&bench, 0);
	assert_string_equal(json_string_value(json_object_get(line, "type")), "interval");
	assert_true(number(line, "from") == 1700000000.0);
	assert_true(number(line, "seconds") == 1);
	lane = json_array_get(json_object_get(line, "lanes"), 0);
	assert_int_equal(json_array_size(json_object_get(line, "lanes")), 1);
	assert_string_equal(json_string_value(json_object_get(lane, "src")), "192.0.2.1:4754");
	assert_string_equal(json_string_value(json_object_get(lane, "dst")), "192.0.2.2:4754");
	assert_true(number(lane, "session") == 0xa1b2c3);
	assert_true(number(lane, "lane") == 2);
	assert_true(number(lane, "datagrams") == 2);
	assert_true(number(lane, "bytes") == 2000);
	assert_true(number(lane, "bits_per_second") == 16000);
	assert_true(number(lane, "lost") == 0);
	json_decref(line);

	line = line_at(&bench, 1);
	lane = json_array_get(json_object_get(line, "lanes"), 0);
	assert_true(number(line, "to") == 1700000002.0);
	assert_true(number(lane, "lost") == 1);
	assert_true(number(lane, "reordered") == 1);
	assert_true(number(lane, "farthest") == 2);
	assert_true(number(lane, "average_bits_per_second") == 16000);
	json_decref(line);

	line = line_at(&bench, 2);
	assert_string_equal(json_string_value(json_object_get(line, "type")), "summary");
	assert_true(number(line, "seconds") == 1000000.25);
	assert_true(number(json_object_get(line, "total"), "datagrams") == 6);
	assert_true(number(json_object_get(line, "total"), "lost") == 1);
	assert_null(json_object_get(json_object_get(line, "total"), "bits_per_second"));
	assert_null(json_object_get(line, "capture"));
	json_decref(line);
	assert_null(line_at(&bench, 3));
	tear_down(&bench);
}

static void quiet_intervals_of_a_live_capture(void **state)
{
	struct bench bench;
	json_t *line;

	(void)state;
	set_up(&bench, (struct run_settings){ .json = true, .quiet_intervals = true });
	run_advance(&bench.run, (struct instant){ EPOCH });
	run_advance(&bench.run, (struct instant){ EPOCH + SECOND - 1 });
	fflush(bench.out);
	assert_int_equal(bench.text_bytes, 0);
	run_advance(&bench.run, (struct instant){ EPOCH + SECOND });
	assert_true(send_at(&bench, 1.5, 1, 100));
	run_advance(&bench.run, (struct instant){ EPOCH + SECOND * 2 + SECOND / 3 });
	assert_true(send_at(&bench, 2.3, 2, 100)); /* handed over late, counts in the open interval */
	run_advance(&bench.run, (struct instant){ EPOCH + SECOND * 3 });
	for (size_t i = 0; i < 3; i++) {
		line = line_at(&bench, i);
		assert_non_null(line);
		assert_true(number(line, "from") == 1700000000.0 + (double)i);
		assert_true(number(json_object_get(line, "total"), "datagrams") == (i > 0));
		json_decref(line);
	}
	assert_null(line_at(&bench, 3));
	tear_down(&bench);
}

static void ends(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench, (struct run_settings){ .duration_ns = 2 * SECOND });
	assert_true(send_at(&bench, 0, 1, 100));
	assert_true(send_at(&bench, 1.999, 2, 100));
	assert_false(send_at(&bench, 2, 3, 100));
	assert_true(bench.run.done);
	assert_int_equal(bench.meter.counts.total.datagrams, 2);
	assert_int_equal(bench.run.last.ns, EPOCH + 2 * SECOND);
	tear_down(&bench);

	set_up(&bench, (struct run_settings){ .count = 3 });
	assert_true(send_at(&bench, 0, 1, 100));
	assert_true(send_at(&bench, 0, 2, 100));
	assert_false(send_at(&bench, 0, 3, 100));
	assert_int_equal(bench.meter.counts.total.datagrams, 3);
	tear_down(&bench);

	set_up(&bench, (struct run_settings){ .duration_ns = 100 * SECOND });
	assert_true(send_at(&bench, 0, 1, 100));
	run_end_at(&bench.run, (struct instant){ EPOCH + SECOND });
	assert_true(send_at(&bench, 0.9, 2, 100)); /* was on its way when the signal came */
	assert_false(send_at(&bench, 1.1, 3, 100));
	assert_true(bench.run.done);
	tear_down(&bench);

	set_up(&bench, (struct run_settings){ 0 }); /* stopped before anything was seen */
	run_end_at(&bench.run, (struct instant){ EPOCH });
	run_advance(&bench.run, (struct instant){ EPOCH + 1 });
	assert_true(bench.run.done);
	run_summary(&bench.run);
	assert_non_null(strstr(bench.text, "no datagrams of weft"));
	tear_down(&bench);
}

/* Wild times end neither in a loop nor in undefined behaviour */
static void wild_times(void **state)
{
	static const uint64_t times[] = { 1, UINT64_MAX, 0, EPOCH, UINT64_MAX - 1, 5, SECOND, UINT64_MAX };
	struct bench bench;

	(void)state;
	for (unsigned int json = 0; json < 2; json++) {
		set_up(&bench, (struct run_settings){ .json = json, .duration_ns = json ? SECOND : 0 });
		packet_train(&packet, 1, 0, 0, 1, 0, 100);
		for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
			(void)run_packet(&bench.run, packet.bytes, packet.len_bytes, (struct instant){ times[i] });
		run_summary(&bench.run);
		tear_down(&bench);
	}
}

static void assert_fits(const char *text)
{
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		assert_true(strcspn(line, "\n") <= REPORT_COLUMNS);
}

static void table(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench, (struct run_settings){ 0 });
	for (uint32_t i = 0; i < 2000; i++)
		if (i % 100 != 7)
			(void)send_at(&bench, i / 1000.0, i, 1422);
	run_summary(&bench.run);
	assert_non_null(strstr(bench.text, "0.0 s to 1.0 s\n"));
	assert_non_null(strstr(bench.text, "192.0.2.1:4754 -> 192.0.2.2:4754\n"));
	assert_non_null(
		strstr(bench.text, "   a1b2c3   2       990   1.44M   11.5M   11.5M     10   1.00%       0      0\n"));
	assert_non_null(strstr(bench.text, "--- summary, 0.0 s to 2.0 s\n"));
	assert_non_null(strstr(bench.text, "1980 captured packets held weft's datagrams, 0 of them a train"));
	assert_fits(bench.text);
	tear_down(&bench);
}

/* The widest of everything still fits */
static void table_of_the_widest(void **state)
{
	uint8_t payload[100];
	struct wr datagram = wr_init(payload, sizeof(payload)), w = wr_init(packet.bytes, sizeof(packet.bytes));
	struct bench bench;
	struct lane *const *sorted;
	size_t count;

	(void)state;
	set_up(&bench, (struct run_settings){ 0 });
	put_datagram(&datagram, 0x88b5, 0xffffff, 255, 1, sizeof(payload));
	put_ethernet(&w, 0, 0x86dd);
	put_ipv6(&w, 1, 2, false, payload, sizeof(payload));
	memset(packet.bytes + 14 + 8, 0xfe, 32);
	assert_true(run_packet(&bench.run, packet.bytes, w.used_bytes, (struct instant){ EPOCH }));
	sorted = lanes_sorted(bench.meter.lanes, &count);
	sorted[0]->total = (struct tally){ .datagrams = UINT64_MAX,
		.bytes = UINT64_MAX,
		.sequence = { .lost = INT64_MAX, .reordered = UINT64_MAX, .duplicates = UINT64_MAX } };
	run_advance(&bench.run, (struct instant){ EPOCH + SECOND });
	sorted[0]->total.sequence.lost = INT64_MIN;
	run_advance(&bench.run, (struct instant){ EPOCH + 2 * SECOND });
	run_summary(&bench.run);
	assert_fits(bench.text);
	assert_non_null(strstr(bench.text, "\n  -> [fefe:"));
	tear_down(&bench);
}

static void scales(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 99999, "99999" },
		{ -99999, "-99999" },
		{ 100000, "100k" },
		{ 123456, "123k" },
		{ 999499, "999k" },
		{ 999500, "1.00M" },
		{ 1234567, "1.23M" },
		{ 45600000, "45.6M" },
		{ 13.21e9, "13.2G" },
		{ 9.996e9, "10.0G" },
		{ -2500000, "-2.50M" },
		{ 1.8e19, "18.0E" },
		{ 1e25, "huge" },
	};
	char text[REPORT_SCALED_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		printout_scale(cases[i].value, text);
		assert_string_equal(text, cases[i].text);
		assert_true(strlen(text) <= 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_of_a_file),
		cmocka_unit_test(quiet_intervals_of_a_live_capture),
		cmocka_unit_test(ends),
		cmocka_unit_test(wild_times),
		cmocka_unit_test(table),
		cmocka_unit_test(table_of_the_widest),
		cmocka_unit_test(scales),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
