/*
 * replay.c - see replay.h
 */
#include "crypto/replay.h"

#include <string.h>

#define WORDS (REPLAY_WINDOW / 64)

static uint64_t *word_of(struct replay *replay, uint32_t counter)
{
	return &replay->seen[counter / 64 % WORDS];
}

static uint64_t bit_of(uint32_t counter)
{
	return 1ULL << (counter % 64);
}

void replay_init(struct replay *replay)
{
	memset(replay, 0, sizeof(*replay));
}

/* Return: whether @counter is neither behind the window nor seen in it */
static enum replay_result look(struct replay *replay, uint64_t next, uint32_t counter)
{
	if (counter >= next)
		return REPLAY_OK;
	if (next - counter > REPLAY_WINDOW)
		return REPLAY_DROP_OLD;
	if (*word_of(replay, counter) & bit_of(counter)) {
		counter_add(&replay->duplicates, 1);
		return REPLAY_DROP_DUPLICATE;
	}
	return REPLAY_OK;
}

enum replay_result replay_check(struct replay *replay, uint32_t counter)
{
	return look(replay, counter_read(&replay->next), counter);
}

/* The places of the counters from @first to below @end now stand for these, which were not seen yet */
static void forget(struct replay *replay, uint64_t first, uint64_t end)
{
	if (end - first >= REPLAY_WINDOW) {
		memset(replay->seen, 0, sizeof(replay->seen));
		return;
	}
	while (first < end) {
		uint64_t in_word = 64 - first % 64;
		uint64_t n = end - first < in_word ? end - first : in_word;
		uint64_t mask = n == 64 ? ~0ULL : ((1ULL << n) - 1) << (first % 64);

		*word_of(replay, (uint32_t)first) &= ~mask;
		first += n;
	}
}

enum replay_result replay_mark(struct replay *replay, uint32_t counter, bool *newest)
{
	uint64_t next = counter_read(&replay->next);
	enum replay_result result = look(replay, next, counter);

	if (result != REPLAY_OK)
		return result;
	*newest = counter >= next;
	if (*newest) {
		forget(replay, next, counter); /* nothing, where they come in order; our own place is set below */
		counter_set(&replay->next, (uint64_t)counter + 1);
	} else {
		counter_add(&replay->reordered, 1);
	}
	*word_of(replay, counter) |= bit_of(counter);
	counter_add(&replay->received, 1);
	return REPLAY_OK;
}

struct replay_stats replay_stats(const struct replay *replay)
{
	struct replay_stats stats = {
		.received = counter_read(&replay->received),
		.reordered = counter_read(&replay->reordered),
		.duplicates = counter_read(&replay->duplicates),
	};
	uint64_t next = counter_read(&replay->next);

	stats.lost = next > stats.received ? next - stats.received : 0;
	return stats;
}
