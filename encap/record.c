/*
 * record.c - see record.h
 */
#include "encap/record.h"

#include <assert.h>

#include "base/cursor.h"

size_t record_encode(const struct record *record, uint8_t *out)
{
	struct wr w = wr_init(out, record_header_bytes(record->flags));

	assert(record->type <= 0xf && record->flags <= 0xf && record->network <= RECORD_NETWORK_MAX);
	wr_u8(&w, (uint8_t)(record->type << 4 | record->flags));
	wr_u24(&w, record->network);
	if (record->flags & RECORD_FLAG_LENGTH) {
		assert(record->body_bytes <= UINT16_MAX);
		wr_u16(&w, (uint16_t)record->body_bytes);
	}
	if (record->flags & RECORD_FLAG_GSO)
		wr_u16(&w, record->gso_bytes);
	return w.used_bytes;
}

static bool all_zero(const uint8_t *bytes, size_t len_bytes)
{
	uint8_t any = 0;

	while (len_bytes-- > 0)
		any |= *bytes++;
	return any == 0;
}

/* Take one record, padding included.  Return: false where it does not fit into what is left. */
static bool take(struct record_reader *reader, struct record *out)
{
	struct rd r = rd_init(reader->at, reader->left_bytes);
	uint8_t first = rd_u8(&r);
	struct record record = { .type = first >> 4, .flags = first & 0x0f, .network = rd_u24(&r) };
	uint16_t length = (record.flags & RECORD_FLAG_LENGTH) ? rd_u16(&r) : 0;

	if (record.flags & RECORD_FLAG_GSO)
		record.gso_bytes = rd_u16(&r);
	record.body_bytes = (record.flags & RECORD_FLAG_LENGTH) ? length : r.left_bytes;
	record.body = reader->at + (reader->left_bytes - r.left_bytes);
	if (!rd_ok(&r) || record.body_bytes > r.left_bytes)
		return false;
	reader->at = record.body + record.body_bytes;
	reader->left_bytes = r.left_bytes - record.body_bytes;
	*out = record;
	return true;
}

enum record_result record_next(struct record_reader *reader, struct record *out)
{
	struct record record;

	while (reader->left_bytes > 0) {
		if (!take(reader, &record)) {
			bool padding =
				reader->left_bytes < RECORD_HEADER_BYTES && all_zero(reader->at, reader->left_bytes);

			reader->left_bytes = 0;
			return padding ? RECORD_END : RECORD_DROP_TRUNCATED;
		}
		if (record.type == RECORD_PADDING)
			continue;
		if (record.type > RECORD_TRACE || (record.flags & ~RECORD_FLAGS_KNOWN))
			return RECORD_DROP_UNKNOWN;
		*out = record;
		return RECORD_OK;
	}
	return RECORD_END;
}
