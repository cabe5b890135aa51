/*
 * pmtu.c - see pmtu.h
 */
#include "overlay/peer/pmtu.h"

#define COMMON_MTU 1500U

static void search(struct pmtu *pmtu, uint32_t works_bytes)
{
	pmtu->state = PMTU_SEARCHING;
	pmtu->works_bytes = works_bytes;
	if (works_bytes == pmtu->base_bytes)
		pmtu->base_proven = false;
	pmtu->fails_bytes = pmtu->limit_bytes + 1;
	pmtu->probe_bytes = 0;
	pmtu->tries = 0;
}

static uint32_t clamp_mtu(uint32_t mtu)
{
	if (mtu == 0)
		return COMMON_MTU;
	if (mtu > PMTU_MAX_MTU)
		return PMTU_MAX_MTU;
	return mtu < PMTU_BASE_MTU ? PMTU_BASE_MTU : mtu;
}

void pmtu_init(struct pmtu *pmtu, uint32_t header_bytes, uint32_t route_mtu, struct instant now)
{
	*pmtu = (struct pmtu){
		.base_bytes = PMTU_BASE_MTU - header_bytes,
		.limit_bytes = clamp_mtu(route_mtu) - header_bytes,
		.raise_at = instant_add_ms(now, PMTU_RAISE_MS),
		.confirm_at = instant_add_ms(now, PMTU_CONFIRM_MS),
	};
	search(pmtu, pmtu->base_bytes);
}

static void done(struct pmtu *pmtu, struct instant now)
{
	pmtu->state = PMTU_DONE;
	pmtu->probe_bytes = 0;
	pmtu->tries = 0;
	pmtu->confirm_at = instant_add_ms(now, PMTU_CONFIRM_MS);
	pmtu->raise_at = instant_add_ms(now, pmtu->fell ? PMTU_RETRY_MS : PMTU_RAISE_MS);
	pmtu->fell = false;
}

/* The largest first, then what most of the Internet takes, then halves */
static uint32_t next_size(const struct pmtu *pmtu)
{
	uint32_t header_bytes = PMTU_BASE_MTU - pmtu->base_bytes;
	uint32_t common_bytes = COMMON_MTU - header_bytes;

	if (pmtu->fails_bytes > pmtu->limit_bytes)
		return pmtu->limit_bytes;
	if (pmtu->works_bytes < pmtu->hint_bytes && pmtu->hint_bytes < pmtu->fails_bytes)
		return pmtu->hint_bytes;
	if (pmtu->works_bytes < common_bytes && common_bytes < pmtu->fails_bytes)
		return common_bytes;
	return pmtu->works_bytes + (pmtu->fails_bytes - pmtu->works_bytes) / 2;
}

static uint32_t try_size(struct pmtu *pmtu, uint32_t bytes, struct instant now)
{
	pmtu->probe_bytes = bytes;
	pmtu->tries++;
	pmtu->tried_at = now;
	return bytes;
}

/* The base itself does not pass; soon it is tried again, from the top */
static void find_too_small(struct pmtu *pmtu)
{
	pmtu->too_small = pmtu->fell = true;
	pmtu->base_proven = false;
}

/* No answer to PMTU_TRIES probes */
static void give_up(struct pmtu *pmtu, struct instant now)
{
	uint32_t failed = pmtu->probe_bytes;

	pmtu->failed_at = now;
	if (failed == pmtu->base_bytes) {
		find_too_small(pmtu);
		done(pmtu, now);
		return;
	}
	if (failed <= pmtu->works_bytes) {
		search(pmtu, pmtu->base_bytes); /* what worked works no more */
		pmtu->fails_bytes = failed;
		pmtu->fell = true;
		return;
	}
	pmtu->probe_bytes = 0;
	pmtu->tries = 0;
	if (failed < pmtu->fails_bytes && failed > pmtu->works_bytes)
		pmtu->fails_bytes = failed;
	if (pmtu->state == PMTU_DONE)
		pmtu->state = PMTU_SEARCHING; /* the largest failed again: what lies between may have grown */
}

uint32_t pmtu_poll(struct pmtu *pmtu, bool busy, uint64_t answer_ms, struct instant now)
{
	if (pmtu->probe_bytes) {
		if (!instant_reached(now, instant_add_ms(pmtu->tried_at, answer_ms)))
			return 0;
		if (pmtu->tries < PMTU_TRIES)
			return try_size(pmtu, pmtu->probe_bytes, now);
		give_up(pmtu, now);
	}
	if (busy && instant_reached(now, pmtu->confirm_at) && pmtu->works_bytes > pmtu->base_bytes)
		return try_size(pmtu, pmtu->works_bytes, now);
	if (pmtu->state == PMTU_SEARCHING) {
		if (pmtu->fails_bytes - pmtu->works_bytes > PMTU_STEP_BYTES ||
			(pmtu->fails_bytes > pmtu->limit_bytes && pmtu->works_bytes < pmtu->limit_bytes))
			return try_size(pmtu, next_size(pmtu), now);
		if (pmtu->works_bytes == pmtu->base_bytes && !pmtu->base_proven)
			return try_size(pmtu, pmtu->base_bytes, now);
		done(pmtu, now);
		return 0;
	}
	if (instant_reached(now, pmtu->raise_at) && pmtu->too_small) {
		search(pmtu, pmtu->base_bytes);
		return try_size(pmtu, next_size(pmtu), now);
	}
	if (instant_reached(now, pmtu->raise_at) && pmtu->works_bytes < pmtu->limit_bytes) {
		pmtu->raise_at = instant_add_ms(now, PMTU_RAISE_MS);
		pmtu->fails_bytes = pmtu->limit_bytes + 1;
		return try_size(pmtu, pmtu->limit_bytes, now);
	}
	return 0;
}

void pmtu_acked(struct pmtu *pmtu, uint32_t bytes, struct instant now)
{
	bool hinted;

	if (bytes > pmtu->limit_bytes)
		return;
	if (bytes >= pmtu->base_bytes) {
		pmtu->base_proven = true;
		pmtu->too_small = false;
	}
	/* a hint that passes where more did not was right: what lies between can wait for the next raise */
	hinted = bytes > pmtu->works_bytes && bytes == pmtu->hint_bytes && pmtu->fails_bytes <= pmtu->limit_bytes;
	if (bytes > pmtu->works_bytes)
		pmtu->works_bytes = bytes;
	if (pmtu->fails_bytes <= pmtu->works_bytes)
		pmtu->fails_bytes = pmtu->works_bytes + 1;
	if (pmtu->probe_bytes && bytes >= pmtu->probe_bytes) {
		pmtu->probe_bytes = 0;
		pmtu->tries = 0;
	}
	/* counted from the probe: a caller that comes so often finds it due each time */
	if (bytes >= pmtu->works_bytes)
		pmtu->confirm_at = instant_add_ms(pmtu->tried_at, PMTU_CONFIRM_MS);
	if (pmtu->state == PMTU_SEARCHING && (pmtu->works_bytes == pmtu->limit_bytes || hinted))
		done(pmtu, now);
}

void pmtu_hint(struct pmtu *pmtu, uint32_t bytes, struct instant now)
{
	if (bytes < pmtu->base_bytes || bytes >= pmtu->works_bytes || bytes == pmtu->hint_bytes)
		return;
	pmtu->hint_bytes = bytes;
	if (pmtu->state == PMTU_DONE)
		pmtu->confirm_at = now;
}

/* @bytes and more do not pass: look below */
static void rule_out(struct pmtu *pmtu, uint32_t bytes)
{
	if (bytes <= pmtu->works_bytes)
		search(pmtu, pmtu->base_bytes);
	if (bytes < pmtu->fails_bytes)
		pmtu->fails_bytes = bytes;
	if (pmtu->probe_bytes >= bytes) {
		pmtu->probe_bytes = 0;
		pmtu->tries = 0;
	}
	pmtu->state = PMTU_SEARCHING;
}

void pmtu_refused(struct pmtu *pmtu, uint32_t bytes)
{
	if (bytes > pmtu->base_bytes) {
		rule_out(pmtu, bytes);
	} else if (!pmtu->too_small) { /* nothing smaller is left to try: the next answer that does not come says so */
		pmtu->state = PMTU_SEARCHING;
		pmtu->base_proven = false;
	}
}

static void begin_anew(struct pmtu *pmtu, struct instant now)
{
	pmtu->raise_at = now;
	if (pmtu->state == PMTU_SEARCHING)
		search(pmtu, pmtu->works_bytes);
}

void pmtu_route(struct pmtu *pmtu, uint32_t route_mtu, struct instant now)
{
	uint32_t header_bytes = PMTU_BASE_MTU - pmtu->base_bytes;
	uint32_t limit_bytes = clamp_mtu(route_mtu) - header_bytes;

	if (limit_bytes < pmtu->limit_bytes) {
		pmtu->limit_bytes = limit_bytes;
		rule_out(pmtu, limit_bytes + 1);
		begin_anew(pmtu, now); /* it may be more than at the last search, all the same */
	} else if (limit_bytes > pmtu->limit_bytes) {
		pmtu->limit_bytes = limit_bytes;
		begin_anew(pmtu, now);
	}
}

void pmtu_revived(struct pmtu *pmtu, struct instant since, struct instant now)
{
	if (pmtu->failed_at.ns >= since.ns && pmtu->works_bytes < pmtu->limit_bytes)
		begin_anew(pmtu, now);
}
