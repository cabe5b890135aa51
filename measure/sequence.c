/*
 * sequence.c - see sequence.h
 */
#include "measure/sequence.h"

#include <string.h>

static uint64_t *word_of(struct sequence *sequence, uint32_t counter)
{
	return &sequence->seen[counter % SEQUENCE_WINDOW / 64];
}

static uint64_t bit_of(uint32_t counter)
{
	return 1ULL << (counter % 64);
}

static void mark(struct sequence *sequence, uint32_t counter)
{
	*word_of(sequence, counter) |= bit_of(counter);
}

static void begin_at(struct sequence *sequence, uint32_t counter, uint32_t span)
{
	memset(sequence->seen, 0, sizeof(sequence->seen));
	sequence->newest = counter;
	sequence->span = span;
	mark(sequence, counter);
}

void sequence_init(struct sequence *sequence)
{
	memset(sequence, 0, sizeof(*sequence));
}

/* @step counters ahead of the newest, 1..SEQUENCE_WINDOW */
static void move_ahead(struct sequence *sequence, uint32_t step, struct sequence_counts *counts)
{
	for (uint32_t i = 1; i < step; i++) {
		uint32_t missing = sequence->newest + i;

		*word_of(sequence, missing) &= ~bit_of(missing);
	}
	sequence->newest += step;
	mark(sequence, sequence->newest);
	counts->lost += step - 1;
	sequence->span = step < SEQUENCE_WINDOW - 1 - sequence->span ? sequence->span + step : SEQUENCE_WINDOW - 1;
}

/* @behind counters below the newest, 0..SEQUENCE_WINDOW - 1 */
static void look_back(struct sequence *sequence, uint32_t behind, struct sequence_counts *counts)
{
	uint32_t counter = sequence->newest - behind;

	if (*word_of(sequence, counter) & bit_of(counter)) {
		counts->duplicates++;
		return;
	}
	mark(sequence, counter);
	counts->reordered++;
	if (behind > counts->farthest)
		counts->farthest = behind;
	if (behind <= sequence->span)
		counts->lost--;
}

/* Outside the window: nothing, until a second one follows closely */
static void look_far(struct sequence *sequence, uint32_t counter, struct sequence_counts *counts)
{
	uint32_t step = counter - sequence->suspect, gap = sequence->suspect - sequence->newest;

	if (!sequence->suspected || step == 0 || step > SEQUENCE_WINDOW) {
		sequence->suspected = true;
		sequence->suspect = counter;
		counts->strays++;
		return;
	}
	counts->strays--; /* the suspect, which is believed now */
	sequence->suspected = false;
	if (gap <= SEQUENCE_GAP_MAX) {
		counts->lost += gap - 1;
		begin_at(sequence, sequence->suspect, SEQUENCE_WINDOW - 1);
	} else {
		counts->restarts++;
		begin_at(sequence, sequence->suspect, 0);
	}
	move_ahead(sequence, step, counts);
}

void sequence_note(struct sequence *sequence, uint32_t counter, struct sequence_counts *counts)
{
	uint32_t ahead = counter - sequence->newest, behind = sequence->newest - counter;

	if (!sequence->started) {
		sequence->started = true;
		begin_at(sequence, counter, 0);
	} else if (behind < SEQUENCE_WINDOW) {
		sequence->suspected = false;
		look_back(sequence, behind, counts);
	} else if (ahead <= SEQUENCE_WINDOW) {
		sequence->suspected = false;
		move_ahead(sequence, ahead, counts);
	} else {
		look_far(sequence, counter, counts);
	}
}
