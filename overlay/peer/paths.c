/*
 * paths.c - see paths.h
 */
#include "overlay/peer/paths.h"

#include <stdio.h>

static void enter(struct peer_path *path, enum path_state state, struct instant now)
{
	if (path->state == state)
		return;
	path->state = state;
	path->since = now;
}

uint32_t path_header_bytes(const struct endpoint *endpoint)
{
	return endpoint_is_v4(endpoint) ? 28 : 48;
}

/* Return: the place of the path to @endpoint, else a free one, else the one that was used longest ago */
static uint32_t place_for(const struct paths *paths, enum path_kind kind, const struct endpoint *endpoint)
{
	uint32_t oldest = paths->in_use == 0 ? 1 : 0;

	for (uint32_t i = 0; i < paths->count; i++)
		if (paths->path[i].kind == kind && endpoint_equal(&paths->path[i].endpoint, endpoint))
			return i;
	if (paths->count < PATHS_MAX)
		return paths->count;
	for (uint32_t i = 0; i < PATHS_MAX; i++)
		if (i != paths->in_use && paths->path[i].used_at.ns < paths->path[oldest].used_at.ns)
			oldest = i;
	return oldest;
}

struct peer_path *paths_use(struct paths *paths, enum path_kind kind, const struct endpoint *endpoint,
	uint32_t device_mtu, struct instant now)
{
	struct peer_path *before = paths_in_use(paths), *path;

	if (before) {
		before->used_at = now;
		before->asked_at.ns = 0;
		enter(before, PATH_IDLE, now);
	}
	paths->in_use = place_for(paths, kind, endpoint);
	if (paths->in_use == paths->count)
		paths->count++;
	path = &paths->path[paths->in_use];
	*path = (struct peer_path){ .kind = kind, .state = PATH_TRYING, .since = now, .used_at = now };
	path->endpoint = *endpoint;
	pmtu_init(&path->pmtu, path_header_bytes(endpoint), device_mtu, now);
	return path;
}

/* An average in which a sample counts for an eighth */
static void note_loss(struct peer_path *path, uint32_t permille)
{
	path->loss_permille = (7 * path->loss_permille + permille) / 8;
}

void path_probed(struct peer_path *path, struct instant now)
{
	if (path->asked_at.ns) {
		note_loss(path, 1000);
		path->unanswered++;
		enter(path, PATH_LOST, now);
	}
	path->asked_at = now;
}

void path_acked(struct peer_path *path, struct instant sent, struct instant now)
{
	uint64_t rtt_us;

	if (sent.ns > now.ns)
		return;
	if (path->asked_at.ns && sent.ns >= path->asked_at.ns) {
		note_loss(path, 0);
		path->unanswered = 0;
		path->asked_at.ns = 0;
	}
	rtt_us = (now.ns - sent.ns) / 1000;
	path->rtt_us = path->rtt_us ? (7 * path->rtt_us + rtt_us) / 8 : rtt_us;
	enter(path, PATH_GOOD, now);
}

void path_shortcoming(const struct peer_path *path, char out[PATH_TEXT_BYTES])
{
	char at[ENDPOINT_TEXT_BYTES];

	out[0] = '\0';
	if (!path->pmtu.too_small)
		return;
	endpoint_format(&path->endpoint, at);
	snprintf(out, PATH_TEXT_BYTES,
		"the path to %s is too small: packets of %u bytes, the least that weft sends, do not pass, and larger frames "
		"are lost; raise the MTU of the interface or tunnel that leads there",
		at, PMTU_BASE_MTU);
}

uint64_t path_answer_ms(const struct peer_path *path)
{
	uint64_t ms = path->rtt_us ? path->rtt_us * 4 / 1000 : PATHS_ANSWER_MAX_MS;

	if (ms < PATHS_ANSWER_MIN_MS)
		return PATHS_ANSWER_MIN_MS;
	return ms > PATHS_ANSWER_MAX_MS ? PATHS_ANSWER_MAX_MS : ms;
}

const char *path_kind_name(enum path_kind kind)
{
	static const char *const names[PATH_KINDS_COUNT] = {
#define X(name, text) [PATH_##name] = (text),
		PATH_KINDS(X)
#undef X
	};

	return kind < PATH_KINDS_COUNT ? names[kind] : "?";
}

const char *path_state_name(enum path_state state)
{
	static const char *const names[PATH_STATES_COUNT] = {
#define X(name, text) [PATH_##name] = (text),
		PATH_STATES(X)
#undef X
	};

	return state < PATH_STATES_COUNT ? names[state] : "?";
}
