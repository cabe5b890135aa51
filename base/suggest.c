/*
 * suggest.c - see suggest.h
 */
#include "base/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define WORD_MAX 63U

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned int distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned int rows[3][WORD_MAX + 1];
	unsigned int *before = rows[0], *above = rows[1], *row = rows[2];

	for (unsigned int j = 0; j <= b_len; j++)
		above[j] = j;
	for (unsigned int i = 1; i <= a_len; i++) {
		unsigned int *spare = before;

		row[0] = i;
		for (unsigned int j = 1; j <= b_len; j++) {
			bool same = same_letter(a[i - 1], b[j - 1]);

			row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + !same);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[b_len];
}

const char *suggest(const char *typed, const char *const *words, size_t count)
{
	size_t typed_len = strlen(typed);
	const char *best = NULL;
	unsigned int best_distance = 0;

	if (typed_len == 0 || typed_len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(words[i]);
		unsigned int far;

		if (len == 0 || len > WORD_MAX)
			continue;
		far = distance(typed, typed_len, words[i], len);
		if (far > (len < 3 ? 1 : (len + 2) / 3) || far >= len)
			continue;
		if (!best || far < best_distance) {
			best = words[i];
			best_distance = far;
		}
	}
	return best;
}
