/*
 * rivals.c - see rivals.h
 */
#include "overlay/peer/rivals.h"

#include "base/log.h"
#include "overlay/peer/overlay.h"

#include <stdio.h>

/* Return: whether the one that we know is there as it should be, and is not this one */
static bool is_another(const struct peer *peer, uint64_t instance, const struct endpoint *from)
{
	if (!peer->current || peer->contact.state != CONTACT_UP || !peer->path)
		return false;
	return !endpoint_equal(&peer->path->endpoint, from) && (!instance || instance != peer->current->instance);
}

static void ask(struct overlay *overlay, struct peer *peer)
{
	peer->rival.asked_at = overlay->now;
	overlay_doubt(overlay, peer, overlay->now);
}

static bool heard_since(const struct peer *peer, struct instant asked_at)
{
	struct session_totals totals;

	peer_totals(peer, &totals);
	return totals.rx_last_ns > asked_at.ns;
}

static void note(struct overlay *overlay, struct peer *peer, const struct endpoint *from)
{
	const bool is_news = !rival_is_shown(peer, overlay->now);
	char text[RIVAL_TEXT_BYTES];

	peer->rival.refused_at = overlay->now;
	peer->rival.from = *from;
	overlay->rivals_until = instant_add_ms(overlay->now, RIVAL_SHOWN_MS);
	if (!is_news)
		return;
	rival_text(peer, overlay->now, text);
	log_error("peer %s: %s", peer->name, text);
}

enum rival_verdict rival_judge(struct overlay *overlay, struct peer *peer, uint64_t instance,
	const struct endpoint *from)
{
	const struct instant asked_at = peer->rival.asked_at;
	uint64_t since_ms;

	if (!is_another(peer, instance, from)) {
		peer->rival.asked_at.ns = 0;
		return RIVAL_NONE;
	}
	since_ms = instant_since_ms(overlay->now, asked_at);
	if (!asked_at.ns || since_ms > RIVAL_VALID_MS) {
		ask(overlay, peer);
		return RIVAL_WAIT;
	}
	if (since_ms < RIVAL_ANSWER_MS)
		return RIVAL_WAIT;
	if (!heard_since(peer, asked_at)) {
		peer->rival.asked_at.ns = 0;
		return RIVAL_NONE;
	}
	note(overlay, peer, from);
	ask(overlay, peer);
	return RIVAL_REFUSED;
}

bool rival_is_shown(const struct peer *peer, struct instant now)
{
	return peer->rival.refused_at.ns && instant_since_ms(now, peer->rival.refused_at) < RIVAL_SHOWN_MS;
}

void rival_text(const struct peer *peer, struct instant now, char out[RIVAL_TEXT_BYTES])
{
	char here[ENDPOINT_TEXT_BYTES] = "?", there[ENDPOINT_TEXT_BYTES];

	out[0] = '\0';
	if (!rival_is_shown(peer, now))
		return;
	if (peer->path)
		endpoint_format(&peer->path->endpoint, here);
	endpoint_format(&peer->rival.from, there);
	snprintf(out, RIVAL_TEXT_BYTES,
		"two machines use %s's keys: the one at %s stays, the one at %s is refused; give one of them a name and "
		"keys of its own (weft token NAME, then weft join --force there)",
		peer->name, here, there);
}
