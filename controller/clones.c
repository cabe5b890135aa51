/*
 * clones.c - see clones.h
 */
#include "controller/clones.h"

#include <stdio.h>
#include <string.h>

static struct endpoint without_port(const struct endpoint *from)
{
	struct endpoint out = *from;

	out.port = 1;
	return out;
}

bool clones_watched(struct clones *clones, const struct endpoint *from, bool taken, time_t now)
{
	const struct endpoint at = without_port(from);
	const bool was_shown = clones_shown(clones, now);

	if (endpoint_equal(&at, &clones->at))
		return false;
	clones->before = clones->at;
	clones->at = at;
	if (!taken)
		return false;
	if (now - clones->taken_at > CLONES_WINDOW_S)
		clones->takeovers = 0;
	clones->taken_at = now;
	if (++clones->takeovers < CLONES_TAKEOVERS)
		return false;
	clones->found_at = now;
	if (!was_shown)
		clones->since = now;
	return !was_shown;
}

bool clones_may_learn(struct clones *clones, const struct endpoint *from, time_t now)
{
	const struct endpoint at = without_port(from);

	if (endpoint_equal(&at, &clones->learnt))
		return true;
	if (clones_shown(clones, now))
		return false;
	if (clones->left_at && endpoint_equal(&at, &clones->left) && now - clones->left_at < CLONES_WINDOW_S)
		return false;
	clones->left = clones->learnt;
	clones->left_at = now;
	clones->learnt = at;
	return true;
}

bool clones_shown(const struct clones *clones, time_t now)
{
	return clones->found_at && now - clones->found_at < CLONES_SHOWN_S;
}

static void address_text(const struct endpoint *at, char out[ENDPOINT_TEXT_BYTES])
{
	endpoint_format(at, out);
	*strrchr(out, ':') = '\0';
}

void clones_text(const struct clones *clones, const char *host, char out[CLONES_TEXT_BYTES])
{
	char here[ENDPOINT_TEXT_BYTES], there[ENDPOINT_TEXT_BYTES];

	address_text(&clones->at, here);
	address_text(&clones->before, there);
	snprintf(out, CLONES_TEXT_BYTES,
		"two machines use %s's keys, at %s and at %s: give one of them a name and keys of its own (weft token NAME, then "
		"weft join --force there)",
		host, there, here);
}
