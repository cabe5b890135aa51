/*
 * test_printout.c - numbers in few characters; the table's sums and lines; the JSON's fields and types
 */
#include "measure/printout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/measure/packets.h"

#define SECOND_NS 1000000000ULL
#define BEGUN ((struct instant){ 1700000000ULL * SECOND_NS })

static struct packet packet;

static void scaled(double value, const char *expected)
{
	char out[REPORT_SCALED_BYTES];

	printout_scale(value, out);
	assert_string_equal(out, expected);
}

static void scale_of_numbers(void **state)
{
	char out[REPORT_SCALED_BYTES];

	(void)state;
	scaled(0, "0");
	scaled(7, "7");
	scaled(12345, "12345");
	for (double value = 1; value < 1e18; value *= 1.7) {
		printout_scale(value, out);
		assert_in_range(strlen(out), 1, 6);
	}
}

static void count_packets(struct meter *meter, uint32_t first, uint32_t count, uint32_t skipped, size_t bytes)
{
	for (uint32_t i = 0; i < count; i++) {
		if (i == skipped)
			continue;
		packet_train(&packet, 7, 1, first + i, 1, 0, bytes);
		assert_int_equal(meter_packet(meter, packet.bytes, packet.len_bytes, BEGUN), 1);
	}
}

/* Caller frees.  An interval of two seconds, or the summary of four */
static char *text_of(const struct meter *meter, bool summary)
{
	const struct report report = {
		.meter = meter,
		.start = BEGUN,
		.from = { BEGUN.ns + (summary ? 0 : 2 * SECOND_NS) },
		.to = { BEGUN.ns + 4 * SECOND_NS },
		.summary = summary,
	};
	size_t len_bytes = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len_bytes);

	assert_non_null(out);
	printout_text(out, &report);
	assert_int_equal(fclose(out), 0);
	return text;
}

static json_t *json_of(const struct meter *meter, bool summary)
{
	const struct report report = {
		.meter = meter,
		.start = BEGUN,
		.from = { BEGUN.ns + (summary ? 0 : 2 * SECOND_NS) },
		.to = { BEGUN.ns + 4 * SECOND_NS },
		.summary = summary,
	};
	size_t len_bytes = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len_bytes);
	json_t *json;

	assert_non_null(out);
	assert_int_equal(printout_json(out, &report), 0);
	assert_int_equal(fclose(out), 0);
	assert_ptr_equal(strchr(text, '\n'), text + len_bytes - 1); /* one line */
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	free(text);
	return json;
}

static void assert_columns(char *text)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_in_range(strlen(line), 1, REPORT_COLUMNS);
}

static void nothing_is_said_so(void **state)
{
	struct meter meter;
	char *text;

	(void)state;
	assert_int_equal(meter_init(&meter, DLT_EN10MB, 4754, 8), 0);
	text = text_of(&meter, false);
	assert_string_equal(text, "2.0 s to 4.0 s\n  no datagrams of weft\n");
	free(text);
	meter_fini(&meter);
}

/* The interval has what came since the mark, the summary has all */
static void intervals_and_summary(void **state)
{
	struct meter meter;
	char *text;

	(void)state;
	assert_int_equal(meter_init(&meter, DLT_EN10MB, 4754, 8), 0);
	count_packets(&meter, 100, 10, 3, 200);
	meter_mark(&meter);
	text = text_of(&meter, false);
	assert_non_null(strstr(text, "no datagrams of weft")); /* all of it was before */
	free(text);
	count_packets(&meter, 110, 5, UINT32_MAX, 200);
	text = text_of(&meter, false);
	assert_non_null(strstr(text, "now b/s"));
	assert_null(strstr(text, "summary"));
	free(text);
	text = text_of(&meter, true);
	assert_non_null(strstr(text, "--- summary, 0.0 s to 4.0 s\n"));
	assert_non_null(strstr(text, "14 captured packets held weft's datagrams, 0 of them a train of several\n"));
	assert_columns(text);
	free(text);
	meter_fini(&meter);
}

static void evicted_lanes_are_told_of(void **state)
{
	struct meter meter;
	char *text;

	(void)state;
	assert_int_equal(meter_init(&meter, DLT_EN10MB, 4754, 2), 0);
	for (uint32_t session = 1; session <= 5; session++) {
		for (uint32_t i = 0; i < 3; i++) {
			packet_train(&packet, session, 1, i, 1, 0, 100);
			assert_int_equal(meter_packet(&meter, packet.bytes, packet.len_bytes, BEGUN), 1);
		}
	}
	text = text_of(&meter, true);
	assert_non_null(strstr(text, "3 lanes did not fit the table; their 9 datagrams count"));
	assert_non_null(strstr(text, "  all "));
	assert_columns(text);
	free(text);
	meter_fini(&meter);
}

static void json_has_the_same_figures(void **state)
{
	const json_t *lane;
	struct meter meter;
	json_t *json;

	(void)state;
	assert_int_equal(meter_init(&meter, DLT_EN10MB, 4754, 8), 0);
	count_packets(&meter, 100, 10, 3, 200);
	json = json_of(&meter, true);
	lane = json_array_get(json_object_get(json, "lanes"), 0);
	assert_int_equal(json_array_size(json_object_get(json, "lanes")), 1);
	assert_string_equal(json_string_value(json_object_get(lane, "kind")), "sealed");
	assert_int_equal(json_integer_value(json_object_get(lane, "session")), 7);
	assert_int_equal(json_integer_value(json_object_get(lane, "lane")), 1);
	assert_int_equal(json_integer_value(json_object_get(lane, "datagrams")), 9);
	assert_int_equal(json_integer_value(json_object_get(lane, "payload_bytes")), 9 * 200);
	assert_int_equal(json_integer_value(json_object_get(lane, "lost")), 1);
	assert_true(fabs(json_real_value(json_object_get(lane, "loss")) - 0.1) < 1e-9);
	assert_int_equal(json_integer_value(json_object_get(lane, "duplicates")), 0);
	assert_true(json_real_value(json_object_get(lane, "average_bits_per_second")) > 9 * 200 * 8 / 4.0);
	assert_true(fabs(json_real_value(json_object_get(lane, "first")) - 1700000000.0) < 1e-6);
	assert_null(json_object_get(lane, "bits_per_second")); /* a summary has no interval */
	json_decref(json);
	json = json_of(&meter, false);
	assert_non_null(json_object_get(json_array_get(json_object_get(json, "lanes"), 0), "bits_per_second"));
	json_decref(json);
	meter_fini(&meter);
}

static void a_full_disk_is_told(void **state)
{
	struct meter meter;
	const struct report report = { .meter = &meter, .start = BEGUN, .from = BEGUN, .to = BEGUN, .summary = true };
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(meter_init(&meter, DLT_EN10MB, 4754, 8), 0);
	setvbuf(full, NULL, _IONBF, 0);
	assert_true(printout_json(full, &report) < 0);
	fclose(full);
	meter_fini(&meter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scale_of_numbers),
		cmocka_unit_test(nothing_is_said_so),
		cmocka_unit_test(intervals_and_summary),
		cmocka_unit_test(evicted_lanes_are_told_of),
		cmocka_unit_test(json_has_the_same_figures),
		cmocka_unit_test(a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
