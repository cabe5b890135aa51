/*
 * train.c - see train.h
 */
#include "encap/train.h"

#include <assert.h>
#include <string.h>

/* A bundle that lacks at most one part in PADDING_SHARE of the train's size is filled up */
#define PADDING_SHARE 8U

void train_begin(struct train *train, uint8_t *bytes, uint32_t limit_bytes, uint32_t datagrams_limit)
{
	assert(limit_bytes > TRAIN_OVERHEAD_BYTES && limit_bytes <= TRAIN_BYTES_MAX);
	assert(datagrams_limit >= 1 && datagrams_limit <= TRAIN_DATAGRAMS_MAX);
	*train = (struct train){
		.bytes = bytes,
		.limit_bytes = limit_bytes,
		.datagrams_limit = datagrams_limit,
	};
}

/* Return: the largest size that one more datagram may have, 0 for none */
static uint32_t next_limit(const struct train *train)
{
	uint32_t left = TRAIN_BYTES_MAX - train->used_bytes;
	uint32_t limit = train->segment_bytes ? train->segment_bytes : train->limit_bytes;

	if (train->ended || train->datagrams >= train->datagrams_limit)
		return 0;
	return left < limit ? left : limit;
}

static void put_datagram(struct train *train, uint32_t datagram_bytes)
{
	if (train->segment_bytes == 0)
		train->segment_bytes = datagram_bytes;
	train->ended = datagram_bytes < train->segment_bytes;
	train->used_bytes += datagram_bytes;
	train->datagrams++;
}

uint8_t *train_place(struct train *train, uint32_t datagram_bytes)
{
	uint8_t *place = train->bytes + train->used_bytes;

	if (train->open_bytes || datagram_bytes > next_limit(train))
		return NULL;
	put_datagram(train, datagram_bytes);
	return place;
}

uint8_t *train_record(struct train *train, uint32_t record_bytes)
{
	uint32_t start = train->open_bytes ? train->open_bytes : TRAIN_HEADER_BYTES;

	if ((uint64_t)start + record_bytes + TRAIN_TAG_BYTES > next_limit(train))
		return NULL;
	train->open_bytes = start + record_bytes;
	return train->bytes + train->used_bytes + start;
}

uint8_t *train_open(struct train *train, uint32_t *plain_bytes)
{
	uint8_t *datagram = train->bytes + train->used_bytes;
	uint32_t size = train->open_bytes + TRAIN_TAG_BYTES;
	uint32_t lacking = train->segment_bytes > size ? train->segment_bytes - size : 0;

	if (train->open_bytes == 0)
		return NULL;
	if (lacking && lacking <= train->segment_bytes / PADDING_SHARE &&
		train->datagrams + 1 < train->datagrams_limit) {
		memset(datagram + train->open_bytes, 0, lacking);
		train->open_bytes += lacking;
	}
	*plain_bytes = train->open_bytes - TRAIN_HEADER_BYTES;
	return datagram;
}

void train_close(struct train *train)
{
	put_datagram(train, train->open_bytes + TRAIN_TAG_BYTES);
	train->open_bytes = 0;
}

void train_abandon(struct train *train)
{
	train->open_bytes = 0;
}
