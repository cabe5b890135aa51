/*
 * split.c - see split.h
 */
#include "measure/split.h"

#include <string.h>

#define PREFIX_BYTES 7U       /* flags 2, protocol 2, session 3 */
#define SEGMENT_BYTES_MIN 28U /* GRE header and AEAD tag: a keepalive */

/* Does every header that was captured, @segment_bytes apart, begin as the first does? */
static bool fits(const struct split *split, size_t segment_bytes)
{
	size_t at = segment_bytes * 2;

	while (at + PREFIX_BYTES <= split->captured_bytes) {
		if (memcmp(split->payload + at, split->payload, PREFIX_BYTES) != 0)
			return false;
		at += segment_bytes;
	}
	return true;
}

static size_t find_segment_bytes(const struct split *split)
{
	const uint8_t *end = split->payload + split->captured_bytes, *at;
	struct gre first;

	if (gre_decode(split->payload, split->captured_bytes, &first) != GRE_OK ||
		split->captured_bytes < SEGMENT_BYTES_MIN + PREFIX_BYTES)
		return split->payload_bytes;
	at = split->payload + SEGMENT_BYTES_MIN;
	while ((at = memmem(at, (size_t)(end - at), split->payload, PREFIX_BYTES))) {
		if (fits(split, (size_t)(at - split->payload)))
			return (size_t)(at - split->payload);
		at++;
	}
	return split->payload_bytes;
}

void split_begin(struct split *split, const uint8_t *payload, size_t captured_bytes, size_t payload_bytes)
{
	*split = (struct split){
		.payload = payload,
		.captured_bytes = captured_bytes,
		.payload_bytes = payload_bytes,
	};
	split->segment_bytes = find_segment_bytes(split);
}

bool split_next(struct split *split, struct split_datagram *out)
{
	size_t left_bytes = split->payload_bytes - split->at_bytes, seen_bytes = 0;
	const uint8_t *at = NULL;

	if (split->done)
		return false;
	*out = (struct split_datagram){
		.result = GRE_DROP_SHORT,
		.len_bytes = left_bytes < split->segment_bytes ? left_bytes : split->segment_bytes,
	};
	if (split->captured_bytes > split->at_bytes) {
		at = split->payload + split->at_bytes;
		seen_bytes = split->captured_bytes - split->at_bytes;
		if (seen_bytes > out->len_bytes)
			seen_bytes = out->len_bytes;
	}
	if (seen_bytes >= GRE_HEADER_BYTES) {
		out->result = gre_decode(at, seen_bytes, &out->gre);
		split->last_ok = out->result == GRE_OK;
		split->last = out->gre;
		out->first_byte = seen_bytes > GRE_HEADER_BYTES ? at[GRE_HEADER_BYTES] : 0;
	} else if (split->last_ok && seen_bytes < out->len_bytes && out->len_bytes >= GRE_HEADER_BYTES) {
		split->last.counter++;
		out->gre = split->last;
		out->assumed = true;
		out->result = GRE_OK;
	}
	split->at_bytes += out->len_bytes;
	split->done = split->at_bytes == split->payload_bytes;
	return true;
}
