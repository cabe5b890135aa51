/*
 * fuzz_datagram.c - any bytes as GRE header and opened records: nothing outside is read, and what was understood can be
 * written again as it was
 */
#include "encap/gre.h"
#include "encap/notify.h"
#include "encap/probe.h"
#include "encap/record.h"
#include "tests/unit/encap/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_record(const struct record *record, const uint8_t *start)
{
	uint8_t header[RECORD_MAX_HEADER_BYTES];
	size_t header_bytes = record_encode(record, header);
	struct notify notify;
	struct probe probe;

	MUST(record->type >= RECORD_FRAME && record->type <= RECORD_TRACE);
	MUST(header_bytes == record_header_bytes(record->flags));
	MUST(record->body >= start + header_bytes);
	MUST(memcmp(record->body - header_bytes, header, header_bytes) == 0);
	if (probe_decode(record->body, record->body_bytes, &probe)) {
		uint8_t body[PROBE_BODY_BYTES];

		probe_encode(&probe, body);
		MUST(memcmp(body, record->body, sizeof(body)) == 0);
	}
	if (notify_decode(record->body, record->body_bytes, &notify) && notify.kind == NOTIFY_GOODBYE) {
		uint8_t body[NOTIFY_GOODBYE_BYTES];

		notify_encode(&notify, body);
		MUST(memcmp(body, record->body, sizeof(body)) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t header[GRE_HEADER_BYTES], *plain;
	struct record_reader reader;
	struct record record;
	enum record_result result;
	struct gre gre;

	if (gre_decode(data, size, &gre) != GRE_OK)
		return 0;
	gre_encode(&gre, header);
	MUST(memcmp(header, data, sizeof(header)) == 0);
	size -= GRE_HEADER_BYTES;
	plain = malloc(size + 1);
	MUST(plain);
	memcpy(plain + 1, data + GRE_HEADER_BYTES, size);
	reader = record_reader_init(plain + 1, size);
	while ((result = record_next(&reader, &record)) == RECORD_OK || result == RECORD_DROP_UNKNOWN) {
		if (result == RECORD_OK)
			one_record(&record, plain + 1);
	}
	MUST(record_next(&reader, &record) == RECORD_END);
	free(plain);
	return 0;
}
