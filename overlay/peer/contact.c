/*
 * contact.c - see contact.h
 */
#include "overlay/peer/contact.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define ATTEMPTS_QUICK 4U /* after so many, they come at CONTACT_RETRY_MAX_MS */
#define ATTEMPTS_SLOW 15U /* after so many, which take a minute, at CONTACT_RETRY_SLOW_MS */
#define ATTEMPTS_WANTED 2U
#define ATTEMPTS_GOODBYE 60U       /* after so many, a minute, of one that said goodbye, at CONTACT_RETRY_MAX_MS */
#define ATTEMPTS_GOODBYE_SLOW 180U /* and after ten more minutes at CONTACT_RETRY_SLOW_MS */
#define RESPONDER_PATIENCE 1U      /* retries' time that who did not ask for the session leaves the other to probe */

static const struct {
	const char *name;
	uint32_t probe_ms, retry_ms, silent_ms;
} paces[CONTACT_PACES_COUNT] = {
#define X(name, text, probe_ms, retry_ms, silent_ms) [CONTACT_##name] = { text, probe_ms, retry_ms, silent_ms },
	CONTACT_PACES(X)
#undef X
};

static bool is_active(const struct contact *contact)
{
	return !contact->refused && !contact->gone;
}

static uint32_t choices(const struct contact *contact)
{
	return contact->endpoints_count + (contact->has_at ? 1 : 0);
}

static struct instant later(struct instant a, struct instant b)
{
	return a.ns > b.ns ? a : b;
}

/* ---- how closely it is watched ----------------------------------------------------------------------------- */

static enum contact_pace pace_at(const struct contact *contact, struct instant now)
{
	if (contact->wire)
		return CONTACT_WIRE;
	if (contact->doubted_at.ns)
		return CONTACT_ACTIVE;
	return contact->carried_at.ns && !instant_reached(now, instant_add_ms(contact->carried_at, CONTACT_CARRIED_MS))
		? CONTACT_ACTIVE
		: CONTACT_IDLE;
}

/* What makes it so has begun at @since */
static void keep_pace(struct contact *contact, struct instant since, struct instant now)
{
	const enum contact_pace pace = pace_at(contact, now);

	if (pace > contact->pace)
		contact->pace_since = since;
	contact->pace = pace;
}

/* Return: from when on the peer is silent if nothing is heard */
static struct instant silent_from(const struct contact *contact)
{
	return instant_add_ms(later(contact->heard_at, contact->pace_since), paces[contact->pace].silent_ms);
}

/* ---- what people see --------------------------------------------------------------------------------------- */

static bool in_vain(const struct contact *contact, struct instant now)
{
	return contact->asked_at.ns && instant_reached(now, instant_add_ms(contact->asked_at, CONTACT_UNREACHABLE_MS));
}

static enum contact_state judge(const struct contact *contact, struct instant now)
{
	if (contact->gone)
		return CONTACT_GONE;
	if (contact->refused)
		return CONTACT_REFUSED;
	if (contact->goodbye_at.ns)
		return CONTACT_GONE;
	if (contact->session)
		return contact->silent ? CONTACT_SILENT : CONTACT_UP;
	return choices(contact) == 0 || in_vain(contact, now) ? CONTACT_UNREACHABLE : CONTACT_CONNECTING;
}

/* After every event: a state that shows late is dated from when what it says began */
static void settle(struct contact *contact, struct instant now)
{
	enum contact_state state;

	keep_pace(contact, now, now);
	if (contact->session && instant_reached(now, silent_from(contact)))
		contact->silent = true;
	state = judge(contact, now);
	if (state == contact->state)
		return;
	contact->state = state;
	contact->since = now;
	if (state == CONTACT_SILENT)
		contact->since = contact->heard_at;
	if (state == CONTACT_UNREACHABLE && contact->asked_at.ns)
		contact->since = contact->asked_at;
}

const char *contact_state_name(enum contact_state state)
{
	static const char *const names[CONTACT_STATES_COUNT] = {
#define X(name, text) [CONTACT_##name] = (text),
		CONTACT_STATES(X)
#undef X
	};

	return state < CONTACT_STATES_COUNT ? names[state] : "?";
}

const char *contact_pace_name(enum contact_pace pace)
{
	return pace < CONTACT_PACES_COUNT ? paces[pace].name : "?";
}

void contact_why(const struct contact *contact, char out[CONTACT_WHY_BYTES])
{
	char at[ENDPOINT_TEXT_BYTES] = "", tried[ENDPOINT_TEXT_BYTES] = "";

	endpoint_format(&contact->at, at);
	endpoint_format(&contact->tried, tried);
	out[0] = '\0';
	if (contact->disowned_at.ns &&
		(contact->state == CONTACT_CONNECTING || contact->state == CONTACT_UNREACHABLE)) {
		snprintf(out, CONTACT_WHY_BYTES, "answers another machine, which uses this host's keys too");
		return;
	}
	switch (contact->state) {
	case CONTACT_CONNECTING:
		if (contact->attempted_at.ns)
			snprintf(out, CONTACT_WHY_BYTES, "no answer yet from %s", tried);
		break;
	case CONTACT_SILENT:
		if (contact->attempts && !endpoint_equal(&contact->tried, &contact->at))
			snprintf(out, CONTACT_WHY_BYTES, "%s does not answer, nor does %s", at, tried);
		else
			snprintf(out, CONTACT_WHY_BYTES, "%s does not answer", at);
		break;
	case CONTACT_UNREACHABLE:
		if (choices(contact) == 0)
			snprintf(out, CONTACT_WHY_BYTES, "no endpoint is known, waiting for it to call");
		else
			snprintf(out, CONTACT_WHY_BYTES, "no answer from %s: does it run, and is its UDP port open?",
				tried);
		break;
	case CONTACT_REFUSED:
		snprintf(out, CONTACT_WHY_BYTES, "%s", contact->why);
		break;
	case CONTACT_GONE:
		if (contact->gone)
			snprintf(out, CONTACT_WHY_BYTES, "the topology names it no more");
		else
			snprintf(out, CONTACT_WHY_BYTES, "said goodbye; asking %s whether it is back",
				contact->attempts ? tried : at);
		break;
	case CONTACT_UP:
	case CONTACT_STATES_COUNT:
		break;
	}
}

/* ---- events ------------------------------------------------------------------------------------------------ */

void contact_init(struct contact *contact, struct instant now)
{
	*contact = (struct contact){ .attempt_at = now, .state = CONTACT_STATES_COUNT };
	settle(contact, now);
}

void contact_wanted(struct contact *contact, struct instant now)
{
	const bool parted = contact->goodbye_at.ns != 0; /* when it is back it asks by itself, too */
	const uint32_t quick = parted ? ATTEMPTS_GOODBYE : ATTEMPTS_QUICK;

	if (contact->session && !parted)
		return;
	if (contact->attempts > quick)
		contact->attempts = parted ? ATTEMPTS_GOODBYE : ATTEMPTS_WANTED;
	/* longer than the longest interval of frequent ones: nobody had waited for long */
	if (instant_since_ms(contact->attempt_at, now) > CONTACT_RETRY_MAX_MS * 3 / 2)
		contact->attempt_at = now;
}

/* With the @first_attempt of a new row, at once */
static void ask_anew(struct contact *contact, uint32_t first_attempt, struct instant now)
{
	contact->attempts = first_attempt;
	contact->attempt_at = now;
	contact->asked_at.ns = 0;
}

static bool same_endpoints(const struct contact *contact, const struct endpoint *endpoints, uint32_t count)
{
	if (contact->endpoints_count != count)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!endpoint_equal(&contact->endpoints[i], &endpoints[i]))
			return false;
	return true;
}

void contact_endpoints_changed(struct contact *contact, const struct endpoint *endpoints, uint32_t count,
	struct instant now)
{
	assert(count <= PEER_ENDPOINTS_MAX);
	if (same_endpoints(contact, endpoints, count))
		return;
	memcpy(contact->endpoints, endpoints, count * sizeof(*endpoints));
	contact->endpoints_count = count;
	contact->endpoint_next = 0;
	contact->asked_everywhere = false;
	if (!contact->session || contact->unanswered_at.ns || contact->goodbye_at.ns)
		ask_anew(contact, 1, now); /* the first would go where the peer was last heard */
	settle(contact, now);
}

void contact_recalled(struct contact *contact, const struct endpoint *at, struct instant now)
{
	if (contact->session || contact->has_at)
		return;
	contact->at = *at;
	contact->has_at = true;
	ask_anew(contact, 0, now);
	settle(contact, now);
}

void contact_doubted(struct contact *contact, struct instant now)
{
	if (contact->session && !contact->goodbye_at.ns) {
		contact->probe_due = true;
		contact->doubted_at = now;
	} else {
		ask_anew(contact, 0, now);
	}
	settle(contact, now);
}

void contact_missed(struct contact *contact, struct instant now)
{
	if (contact->state == CONTACT_UP && !contact->doubted_at.ns)
		contact_doubted(contact, now);
}

/* What is said of it stays: only what answers counts */
void contact_expected(struct contact *contact, struct instant now)
{
	struct instant soonest = now;

	if (!is_active(contact) || contact->state == CONTACT_UP)
		return;
	if (contact->attempted_at.ns)
		soonest = later(now, instant_add_ms(contact->attempted_at, CONTACT_RETRY_MS));
	contact->attempts = 0;
	if (!contact->attempt_at.ns || contact->attempt_at.ns > soonest.ns)
		contact->attempt_at = soonest;
}

/* It is there, and nothing said against it counts any more */
static void is_there(struct contact *contact)
{
	contact->unanswered_at.ns = contact->goodbye_at.ns = contact->doubted_at.ns = 0;
	contact->silent = false;
}

/* There is a session that we send in */
static void session_begun(struct contact *contact, bool asked, uint64_t rekey_ms, struct instant now)
{
	contact->session = true;
	contact->asked = asked;
	contact->rekey_at = instant_add_ms(now, rekey_ms);
	contact->rekey_spread_ms = rekey_ms / CONTACT_REKEY_SPREAD;
	contact->heard_at = now;
	contact->disowned_at.ns = 0;
	is_there(contact);
	contact->attempts = 0;
	contact->attempt_at.ns = 0;
	contact->asked_at.ns = 0;
	settle(contact, now);
}

void contact_answered(struct contact *contact, const struct endpoint *from, uint64_t rekey_ms, struct instant now)
{
	contact->at = *from;
	contact->has_at = true;
	contact->probe_due = true; /* the session's first datagram, upon which the peer uses it too */
	session_begun(contact, true, rekey_ms, now);
}

void contact_confirmed(struct contact *contact, uint64_t rekey_ms, struct instant now)
{
	session_begun(contact, false, rekey_ms + CONTACT_REKEY_GRACE_MS, now);
}

void contact_disowned(struct contact *contact, struct instant now)
{
	contact->disowned_at = now;
	settle(contact, now);
}

void contact_cookie(struct contact *contact, struct instant now)
{
	contact->attempt_at = now;
}

void contact_heard(struct contact *contact, struct instant at, struct instant now)
{
	const bool asking = contact->unanswered_at.ns || contact->silent || contact->goodbye_at.ns;
	const struct instant doubted_at = contact->doubted_at;

	if (at.ns > contact->heard_at.ns)
		contact->heard_at = at;
	is_there(contact);
	if (!instant_reached(at, doubted_at))
		contact->doubted_at = doubted_at;
	if (asking && contact->session && !instant_reached(now, contact->rekey_at)) {
		contact->attempts = 0; /* they were made for the silence */
		contact->attempt_at.ns = 0;
		contact->asked_at.ns = 0;
	}
	settle(contact, now);
}

/* Return: whether a peer that is where it was has spoken to another address of ours for long enough to answer from there */
static bool spoken_to(struct contact *contact, const struct endpoint *from, struct instant now)
{
	if (!endpoint_has_local(from) || endpoint_same_local(&contact->at, from))
		return false;
	if (!endpoint_has_local(&contact->at) || instant_since_ms(now, contact->heard_at) >= CONTACT_QUIET_MS)
		return true;
	if (!contact->spoken_at.ns || !endpoint_same_local(&contact->spoken_to, from) ||
		instant_since_ms(now, contact->spoken_at) > CONTACT_SPOKEN_MS) {
		contact->spoken_to = *from;
		contact->spoken_at = now;
		return false;
	}
	return instant_since_ms(now, contact->spoken_at) >= CONTACT_ROAM_MS;
}

/* Longer each time that a peer comes back to where it was just before */
static uint64_t roam_hold_ms(const struct contact *contact)
{
	const uint64_t ms = CONTACT_ROAM_MS << contact->swaps;

	return ms + contact->jitter % ms;
}

static void note_swap(struct contact *contact, const struct endpoint *from, struct instant now)
{
	const bool back = contact->has_at && endpoint_equal(&contact->left, from) &&
		instant_since_ms(now, contact->roamed_at) < CONTACT_SWAP_MS;

	if (!back)
		contact->swaps = 0;
	else if (contact->swaps < CONTACT_SWAPS_MAX)
		contact->swaps++;
	contact->left = contact->at;
}

bool contact_roamed(struct contact *contact, const struct endpoint *from, struct instant now)
{
	if (contact->has_at && endpoint_equal(&contact->at, from)) {
		if (!spoken_to(contact, from, now))
			return false;
		contact->at = *from;
		contact->spoken_at.ns = 0;
		return true;
	}
	if (contact->has_at && contact->roamed_at.ns &&
		instant_since_ms(now, contact->roamed_at) < roam_hold_ms(contact))
		return false; /* a worker tells again while it lasts */
	note_swap(contact, from, now);
	contact->roamed_at = now;
	contact->at = *from;
	contact->has_at = true;
	contact->probe_due = contact->session;
	settle(contact, now);
	return true;
}

void contact_local_lost(struct contact *contact)
{
	memset(contact->at.local_ip, 0, IP_BYTES);
	contact->spoken_at.ns = 0;
}

void contact_unanswered(struct contact *contact, struct instant now)
{
	if (contact->session && !contact->unanswered_at.ns)
		contact->unanswered_at = now;
	settle(contact, now);
}

void contact_carried(struct contact *contact, struct instant at, struct instant now)
{
	if (at.ns <= contact->carried_at.ns)
		return;
	contact->carried_at = at;
	keep_pace(contact, at, now);
	settle(contact, now);
}

void contact_wire(struct contact *contact, bool wire, struct instant now)
{
	contact->wire = wire;
	settle(contact, now);
}

void contact_goodbye(struct contact *contact, struct instant at, struct instant now)
{
	if (!contact->session)
		return;
	contact->heard_at = later(contact->heard_at, at);
	if (contact->goodbye_at.ns)
		return;
	is_there(contact); /* until now */
	contact->goodbye_at = now;
	contact->attempts = 0;
	contact->attempt_at = instant_add_ms(now, CONTACT_GOODBYE_MS / 2); /* it takes a moment to be back */
	settle(contact, now);
}

void contact_worn(struct contact *contact, struct instant now)
{
	if (!contact->session || instant_reached(now, contact->rekey_at))
		return;
	contact->rekey_at = now;
	contact->rekey_spread_ms = 0;
}

/* No session, and attempts at once */
static void session_ended(struct contact *contact, struct instant now)
{
	contact->session = contact->probe_due = false;
	contact->asked_at.ns = contact->silent ? contact->heard_at.ns : 0; /* what was sent in it was asking, too */
	contact->unanswered_at.ns = contact->doubted_at.ns = 0;
	contact->silent = false;
	if (!contact->attempt_at.ns)
		contact->attempt_at = now;
	settle(contact, now);
}

void contact_expired(struct contact *contact, struct instant now)
{
	if (contact->session)
		session_ended(contact, now);
}

void contact_refused(struct contact *contact, const char *why, struct instant now)
{
	contact->refused = true;
	snprintf(contact->why, sizeof(contact->why), "%s", why);
	session_ended(contact, now);
}

void contact_gone(struct contact *contact, struct instant now)
{
	contact->gone = true;
	session_ended(contact, now);
}

/* ---- what to do -------------------------------------------------------------------------------------------- */

/* 0.5, 1, 2, 4, 5, 5 ... seconds, and 30 after a minute in vain */
static uint64_t interval_ms(uint32_t attempts)
{
	return attempts < ATTEMPTS_QUICK   ? CONTACT_RETRY_MS << attempts
		: attempts < ATTEMPTS_SLOW ? CONTACT_RETRY_MAX_MS
					   : CONTACT_RETRY_SLOW_MS;
}

/* It may be back any moment: 0.5 seconds at first, one for a minute, 5 for ten more */
static uint64_t goodbye_interval_ms(uint32_t attempts)
{
	return attempts < ATTEMPTS_SLOW            ? CONTACT_GOODBYE_MS / 2
		: attempts < ATTEMPTS_GOODBYE      ? CONTACT_GOODBYE_MS
		: attempts < ATTEMPTS_GOODBYE_SLOW ? CONTACT_RETRY_MAX_MS
						   : CONTACT_RETRY_SLOW_MS;
}

/* A quarter more or less */
static uint64_t retry_ms(const struct contact *contact, uint32_t jitter)
{
	uint64_t ms = contact->goodbye_at.ns ? goodbye_interval_ms(contact->attempts) : interval_ms(contact->attempts);

	return ms * 3 / 4 + jitter % (ms / 2);
}

/*
 * Where the next attempt goes: where the peer was last heard first, then round the topology's and there again.  All but the first
 * leave it to the kernel from which of our addresses, as the one that the peer spoke to may lead nowhere by now.
 */
static struct endpoint choose_endpoint(struct contact *contact, bool everywhere)
{
	struct endpoint to;
	uint32_t at;

	if (contact->has_at && contact->attempts == 0)
		return contact->at;
	at = contact->endpoint_next % choices(contact);
	if (!everywhere)
		contact->endpoint_next++;
	to = at < contact->endpoints_count ? contact->endpoints[at] : contact->at;
	memset(to.local_ip, 0, sizeof(to.local_ip));
	return to;
}

/* What ends: a session's age, and patience with a peer that does not answer */
static struct instant reason_to_ask(const struct contact *contact)
{
	return contact->silent ? silent_from(contact) : contact->rekey_at;
}

/* Return: when the next attempt is due; 0: nothing asks for one, or there is no address */
static struct instant next_attempt(const struct contact *contact)
{
	struct instant due = contact->attempt_at, earliest = instant_add_ms(contact->attempted_at, CONTACT_GAP_MS);

	if (choices(contact) == 0)
		return (struct instant){ 0 };
	if (!due.ns && contact->session)
		due = reason_to_ask(contact);
	return due.ns && contact->attempted_at.ns && due.ns < earliest.ns ? earliest : due;
}

/* Of two, either of which may be 0 for never */
static struct instant sooner(struct instant a, struct instant b)
{
	return !a.ns || (b.ns && b.ns < a.ns) ? b : a;
}

/* Return: how long after the last probe the next one is due where that is not answered */
static uint64_t again_ms(const struct contact *contact)
{
	const uint32_t ms = paces[contact->pace].retry_ms;

	return contact->silent && ms < CONTACT_SILENT_PROBE_MS ? CONTACT_SILENT_PROBE_MS : ms;
}

/* Return: when the next probe is due, with a session; 0: none is */
static struct instant next_probe(const struct contact *contact)
{
	struct instant round_trip = instant_add_ms(contact->probed_at, CONTACT_ROUND_TRIP_MS);
	uint64_t ms = paces[contact->pace].probe_ms;

	if (contact->goodbye_at.ns)
		return (struct instant){ 0 };
	if (contact->pace == CONTACT_WIRE || contact->probed_at.ns > contact->heard_at.ns)
		return instant_add_ms(contact->probed_at, again_ms(contact));
	if (!contact->asked)
		ms += paces[contact->pace].retry_ms;
	return sooner(round_trip, instant_add_ms(contact->heard_at, ms));
}

/* Return: when the state will be another one if nothing happens; 0: it stays */
static struct instant next_state(const struct contact *contact)
{
	if (contact->state == CONTACT_UP)
		return silent_from(contact);
	if (contact->state == CONTACT_CONNECTING && contact->asked_at.ns)
		return instant_add_ms(contact->asked_at, CONTACT_UNREACHABLE_MS);
	return (struct instant){ 0 };
}

/* By turns, but for the first where the peer was heard */
static bool asks_everywhere(struct contact *contact)
{
	if (contact->has_at && contact->attempts == 0)
		return false;
	contact->asked_everywhere = !contact->asked_everywhere;
	return contact->asked_everywhere;
}

uint32_t contact_others(const struct contact *contact, const struct endpoint *but, struct endpoint *out)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < contact->endpoints_count; i++)
		if (!endpoint_equal(&contact->endpoints[i], but))
			out[count++] = contact->endpoints[i];
	return count;
}

static struct contact_todo attempt(struct contact *contact, uint32_t jitter, struct instant now)
{
	const bool everywhere = asks_everywhere(contact);

	contact->tried = choose_endpoint(contact, everywhere);
	contact->attempt_at = instant_add_ms(now, retry_ms(contact, jitter));
	contact->attempted_at = now;
	contact->attempts++;
	if (!contact->session && !contact->asked_at.ns)
		contact->asked_at = now;
	if (instant_since_ms(now, contact->disowned_at) > CONTACT_DISOWNED_MS)
		contact->disowned_at.ns = 0; /* it says so each time */
	return (struct contact_todo){
		.action = contact->session ? CONTACT_REKEY : CONTACT_INITIATE,
		.to = contact->tried,
		.everywhere = everywhere,
		.next = now,
	};
}

/* Put a rekeying for age off a little, once */
static void spread_rekey(struct contact *contact, uint32_t jitter, struct instant now)
{
	if (contact->session && !contact->attempt_at.ns && contact->rekey_spread_ms &&
		instant_reached(now, contact->rekey_at))
		contact->attempt_at = instant_add_ms(now, jitter % contact->rekey_spread_ms);
}

struct contact_todo contact_poll(struct contact *contact, uint32_t jitter, struct instant now)
{
	struct instant due, probe = { 0 };

	contact->jitter = jitter;
	settle(contact, now);
	if (!is_active(contact))
		return (struct contact_todo){ .action = CONTACT_NOTHING };
	spread_rekey(contact, jitter, now);
	due = next_attempt(contact);
	if (due.ns && instant_reached(now, due))
		return attempt(contact, jitter, now);
	if (contact->session)
		probe = contact->probe_due && !contact->goodbye_at.ns ? now : next_probe(contact);
	if (probe.ns && instant_reached(now, probe)) {
		contact->probe_due = false;
		contact->probed_at = now;
		return (struct contact_todo){ .action = CONTACT_PROBE, .next = now };
	}
	return (struct contact_todo){
		.action = CONTACT_NOTHING,
		.next = sooner(sooner(due, probe), next_state(contact)),
	};
}
