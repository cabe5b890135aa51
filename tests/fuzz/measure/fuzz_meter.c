/*
 * fuzz_meter.c - any captured bytes through dissecting, splitting, counting and both reports
 *
 * Input: one byte of link type, then packets, each with two bytes of length in front.
 */
#include <pcap/dlt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "measure/meter.h"
#include "measure/printout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int link_types[] = { DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW, DLT_IPV4, DLT_IPV6 };

static void check_sums(struct meter *meter)
{
	struct lane *const *sorted;
	struct tally sum = *lanes_gone(meter->lanes);
	size_t count;

	sorted = lanes_sorted(meter->lanes, &count);
	for (size_t i = 0; i < count; i++)
		tally_add(&sum, &sorted[i]->total);
	if (memcmp(&sum, &meter->counts.total, sizeof(sum)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *null;
	struct rd r = rd_init(data, size);
	struct report report = { .start = { 1 }, .from = { 1 } };
	struct meter meter;
	uint64_t now_ns = 1;

	if (!null && !(null = fopen("/dev/null", "w")))
		abort();
	if (meter_init(&meter, link_types[rd_u8(&r) % 6], 4754, 8) != 0)
		abort();
	while (r.left_bytes > 2) {
		size_t len = rd_u16(&r);
		const uint8_t *packet;
		uint8_t *copy;

		if (len > r.left_bytes)
			len = r.left_bytes;
		packet = rd_bytes(&r, len);
		copy = malloc(len ? len : 1); /* so that a read behind the packet is seen */
		if (!copy)
			abort();
		memcpy(copy, packet, len);
		(void)meter_packet(&meter, copy, len, (struct instant){ now_ns += 1000 });
		free(copy);
	}
	check_sums(&meter);
	report.meter = &meter;
	report.to.ns = now_ns;
	printout_text(null, &report);
	report.summary = true;
	printout_text(null, &report);
	if (printout_json(null, &report) != 0)
		abort();
	meter_fini(&meter);
	return 0;
}
