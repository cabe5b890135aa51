/*
 * overlay.c - see overlay.h
 */
#include "overlay/peer/overlay.h"

#include "base/log.h"
#include "base/rcu.h"
#include "encap/gre.h"
#include "overlay/peer/goodbye.h"
#include "overlay/peer/handshaker.h"
#include "overlay/peer/liveness.h"
#include "overlay/peer/probing.h"

#include <string.h>

bool overlay_init(struct overlay *overlay, const struct overlay_config *config)
{
	memset(overlay, 0, sizeof(*overlay));
	overlay->config = *config;
	timers_init(&overlay->timers);
	peers_init(&overlay->peers, overlay_random_seed(overlay));
	pacing_init(&overlay->pacing, overlay_random_seed(overlay));
	return handshaker_start(overlay);
}

static void forget(struct overlay *overlay, struct peer *peer, enum notify_reason reason)
{
	goodbye_send(overlay, peer, reason);
	overlay->short_paths -= peer->short_path;
	peer->short_path = false;
	contact_gone(&peer->contact, overlay->now);
	handshaker_end(overlay, peer);
	peer_sessions_end(peer, overlay->config.sessions);
	peers_hide(&overlay->peers, peer);
	timers_clear(&overlay->timers, &peer->timer);
}

void overlay_fini(struct overlay *overlay)
{
	struct peer *peer;
	uint32_t slot = 0;

	if (!overlay->config.ops)
		return;
	while ((peer = peers_next(&overlay->peers, &slot))) {
		forget(overlay, peer, NOTIFY_STOPS);
		overlay_free_peer(overlay, peer);
	}
	peers_fini(&overlay->peers);
	timers_fini(&overlay->timers);
	handshaker_stop(overlay);
	overlay->config.ops = NULL;
}

/* ---- sessions that begin ----------------------------------------------------------------------------------- */

static uint64_t rekey_ms(const struct overlay *overlay)
{
	return SESSION_REKEY_MS / overlay->config.time_scale;
}

static void note_up(const struct peer *peer)
{
	if (!peer->contact.session)
		log_info("peer %s: session up, %s", peer->name, aead_cipher_name(peer->current->cipher));
}

/* Our initiation was answered: the peer is at @from */
static void begin(struct overlay *overlay, struct peer *peer, const struct endpoint *from)
{
	const struct instant silent_since = peer->contact.unanswered_at;

	note_up(peer);
	contact_answered(&peer->contact, from, rekey_ms(overlay), overlay->now);
	if (liveness_move(overlay, peer, from))
		return;
	liveness_revived(overlay, peer, silent_since);
}

static void confirm(struct overlay *overlay, struct session *session)
{
	struct peer *peer = session->peer;
	const struct instant silent_since = peer->contact.unanswered_at;

	if (!peer_session_confirm(peer, overlay->config.sessions, session))
		return;
	note_up(peer);
	contact_confirmed(&peer->contact, rekey_ms(overlay), overlay->now);
	liveness_revived(overlay, peer, silent_since);
}

static void roam(struct overlay *overlay, struct peer *peer, const struct endpoint *from)
{
	char text[ENDPOINT_TEXT_BYTES];

	if (!contact_roamed(&peer->contact, from, overlay->now))
		return;
	if (!liveness_move(overlay, peer, &peer->contact.at))
		return;
	endpoint_format(from, text);
	log_info("peer %s: is at %s", peer->name, text);
}

/* ---- datagrams --------------------------------------------------------------------------------------------- */

void overlay_handshake_datagram(struct overlay *overlay, const uint8_t *bytes, size_t len_bytes,
	const struct endpoint *from, struct instant now)
{
	struct handshaker_news news;

	overlay->now = now;
	news = handshaker_take(overlay, bytes, len_bytes, from);
	if (news.answered)
		liveness_tend(overlay, news.answered); /* so that its session ends if it is never used */
	if (news.begun) {
		begin(overlay, news.begun, from);
		liveness_tend(overlay, news.begun);
	}
	if (news.disowned) {
		overlay->disowned_at = now;
		overlay->disowned_by = news.disowned->slot;
		contact_disowned(&news.disowned->contact, now);
	}
	if (news.cookie) {
		contact_cookie(&news.cookie->contact, now);
		liveness_tend(overlay, news.cookie);
	}
}

/* The body is at RECORD_MAX_HEADER_BYTES of @answer */
static void send_answer(struct overlay *overlay, struct peer *peer, const uint8_t answer[PROBING_ANSWER_BYTES])
{
	const struct record record = { .type = RECORD_PROBE_ACK };
	uint8_t datagram[PROBING_MIN_BYTES];
	uint8_t *plain = datagram + GRE_HEADER_BYTES;

	if (!peer->current || !peer->path) {
		drops_count(&overlay->drops, DROP_NO_SESSION, 1);
		return;
	}
	(void)record_encode(&record, plain);
	memcpy(plain + RECORD_HEADER_BYTES, answer + RECORD_MAX_HEADER_BYTES, PROBE_BODY_BYTES);
	if (session_seal(peer->current, overlay->config.workers, 0, datagram, plain,
		    RECORD_HEADER_BYTES + PROBE_BODY_BYTES) == SEAL_OK)
		(void)overlay_send(overlay, &peer->path->endpoint, datagram, sizeof(datagram));
	else
		drops_count(&overlay->drops, DROP_SEAL_FAILED, 1);
}

static void take_probe(struct overlay *overlay, struct session *session, uint32_t lane, const struct record *record,
	size_t datagram_bytes)
{
	struct probing probing;

	switch (probing_take(session, lane, record, datagram_bytes, overlay->now, &probing)) {
	case PROBING_ANSWER:
		send_answer(overlay, session->peer, probing.answer);
		break;
	case PROBING_ACK:
		liveness_acked(overlay, session->peer, probing.token, probing.bytes);
		break;
	case PROBING_FLOW_ACK:
		break;
	case PROBING_MALFORMED:
		drops_count(&overlay->drops, DROP_PROBE_MALFORMED, 1);
		break;
	case PROBING_RATE:
		drops_count(&overlay->drops, DROP_PROBE_RATE, 1);
		break;
	}
}

static void take_notice(struct overlay *overlay, struct session *session, uint32_t lane, const struct record *record)
{
	switch (goodbye_take(session, lane, record, overlay->now)) {
	case GOODBYE_SAID:
		overlay_goodbye(overlay, session->index, overlay->now);
		break;
	case GOODBYE_OTHER:
		drops_count(&overlay->drops, drop_record(RECORD_DROP_UNKNOWN), 1);
		break;
	case GOODBYE_MALFORMED:
		drops_count(&overlay->drops, DROP_NOTIFY_MALFORMED, 1);
		break;
	case GOODBYE_RATE:
		drops_count(&overlay->drops, DROP_NOTIFY_RATE, 1);
		break;
	}
}

/* Probes and notices only: frames have nowhere to go where there is no datapath */
static void take_records(struct overlay *overlay, struct session *session, uint32_t lane, uint8_t *plain,
	size_t plain_bytes)
{
	struct record_reader reader = record_reader_init(plain, plain_bytes);
	enum record_result result;
	struct record record;

	while ((result = record_next(&reader, &record)) != RECORD_END) {
		if (result != RECORD_OK)
			drops_count(&overlay->drops, drop_record(result), 1);
		else if (record.type == RECORD_PROBE || record.type == RECORD_PROBE_ACK)
			take_probe(overlay, session, lane, &record, plain_bytes + TRAIN_OVERHEAD_BYTES);
		else if (record.type == RECORD_NOTIFY)
			take_notice(overlay, session, lane, &record);
		else
			drops_count(&overlay->drops, drop_record(RECORD_DROP_UNKNOWN), 1);
	}
}

/* Return: NULL where it is dropped */
static struct session *open_datagram(struct overlay *overlay, struct gre *header, uint8_t *bytes, size_t len_bytes,
	bool *newest)
{
	enum gre_result decoded = gre_decode(bytes, len_bytes, header);
	struct session *session = NULL;
	enum drop drop = DROP_SESSION_UNKNOWN;

	if (decoded == GRE_OK && header->protocol != GRE_PROTOCOL_SEALED)
		decoded = GRE_DROP_PROTOCOL;
	if (decoded == GRE_OK)
		session = session_lookup(overlay->config.sessions, header->session);
	else
		drop = drop_gre(decoded);
	if (session && session_open(session, header, bytes, len_bytes, overlay->now, newest, &drop))
		return session;
	drops_count(&overlay->drops, drop, 1);
	return NULL;
}

void overlay_sealed_datagram(struct overlay *overlay, uint8_t *bytes, size_t len_bytes, const struct endpoint *from,
	struct instant now)
{
	struct session *session;
	struct gre header;
	bool newest;

	overlay->now = now;
	session = open_datagram(overlay, &header, bytes, len_bytes, &newest);
	if (!session)
		return;
	if (!session->confirmed)
		confirm(overlay, session);
	if (newest && header.lane == 0) /* the others come from ports that only send */
		roam(overlay, session->peer, from);
	take_records(overlay, session, header.lane, bytes + GRE_HEADER_BYTES, len_bytes - TRAIN_OVERHEAD_BYTES);
	liveness_tend(overlay, session->peer);
}

/* ---- what workers saw -------------------------------------------------------------------------------------- */

void overlay_wanted(struct overlay *overlay, uint32_t slot, struct instant now)
{
	struct peer *peer = peers_at(&overlay->peers, slot);

	overlay->now = now;
	if (!peer)
		return;
	contact_wanted(&peer->contact, now);
	liveness_tend(overlay, peer);
}

void overlay_confirmed(struct overlay *overlay, uint32_t index, struct instant now)
{
	struct session *session = session_lookup(overlay->config.sessions, index);

	overlay->now = now;
	if (!session)
		return;
	confirm(overlay, session);
	liveness_tend(overlay, session->peer);
}

void overlay_roamed(struct overlay *overlay, uint32_t index, const struct endpoint *from, struct instant now)
{
	struct session *session = session_lookup(overlay->config.sessions, index);

	overlay->now = now;
	if (!session)
		return;
	roam(overlay, session->peer, from);
	liveness_tend(overlay, session->peer);
}

void overlay_worn(struct overlay *overlay, uint32_t index, struct instant now)
{
	struct session *session = session_lookup(overlay->config.sessions, index);

	overlay->now = now;
	if (!session || session != session->peer->current)
		return;
	contact_worn(&session->peer->contact, now);
	liveness_tend(overlay, session->peer);
}

void overlay_probe_acked(struct overlay *overlay, uint32_t index, uint64_t token, uint32_t bytes, struct instant now)
{
	struct session *session = session_lookup(overlay->config.sessions, index);

	overlay->now = now;
	if (!session)
		return;
	liveness_acked(overlay, session->peer, token, bytes);
	liveness_tend(overlay, session->peer);
}

void overlay_stirred(struct overlay *overlay, uint32_t slot, struct instant now)
{
	struct peer *peer = peers_at(&overlay->peers, slot);

	overlay->now = now;
	if (!peer)
		return;
	peer->stirred_at = now; /* what it sends may be counted only after this look */
	liveness_tend(overlay, peer);
}

void overlay_goodbye(struct overlay *overlay, uint32_t index, struct instant now)
{
	struct session *session = session_lookup(overlay->config.sessions, index);

	overlay->now = now;
	if (!session)
		return;
	liveness_goodbye(overlay, session->peer, session);
	liveness_tend(overlay, session->peer);
}

void overlay_too_big(struct overlay *overlay, uint32_t slot, uint32_t bytes, struct instant now)
{
	struct peer *peer = peers_at(&overlay->peers, slot);

	overlay->now = now;
	if (!peer)
		return;
	liveness_refused(overlay, peer, bytes);
	liveness_tend(overlay, peer);
}

/* ---- peers ------------------------------------------------------------------------------------------------- */

struct peer *overlay_add_peer(struct overlay *overlay, const char *name, const struct x25519_public *key,
	struct instant now)
{
	struct peer *peer;

	overlay->now = now;
	if (!timers_reserve(&overlay->timers, overlay->peers.count + 1))
		return NULL;
	peer = peers_add(&overlay->peers, name, key, now);
	if (peer)
		liveness_tend(overlay, peer);
	return peer;
}

struct peer *overlay_refuse(struct overlay *overlay, const char *name, const char *why, struct instant now)
{
	struct peer *peer = peers_named(&overlay->peers, name);

	overlay->now = now;
	if (!peer)
		peer = peers_add(&overlay->peers, name, NULL, now);
	if (peer)
		contact_refused(&peer->contact, why, now);
	return peer;
}

uint64_t overlay_ping(struct overlay *overlay, struct peer *peer, struct instant now)
{
	uint64_t token;

	overlay->now = now;
	token = liveness_ping(overlay, peer);
	if (!token)
		contact_wanted(&peer->contact, now);
	liveness_tend(overlay, peer);
	return token;
}

void overlay_endpoints(struct overlay *overlay, struct peer *peer, const struct endpoint *endpoints, uint32_t count,
	struct instant now)
{
	overlay->now = now;
	contact_endpoints_changed(&peer->contact, endpoints, count, now);
	timers_set(&overlay->timers, &peer->timer, now);
}

void overlay_forget(struct overlay *overlay, struct peer *peer, struct instant now)
{
	overlay->now = now;
	forget(overlay, peer, NOTIFY_LEAVES);
}

void overlay_recall(struct overlay *overlay, struct peer *peer, const struct endpoint *at, struct instant now)
{
	overlay->now = now;
	contact_recalled(&peer->contact, at, now);
	timers_set(&overlay->timers, &peer->timer, now);
}

void overlay_wire(struct overlay *overlay, struct peer *peer, bool wire, struct instant now)
{
	if (wire == peer->contact.wire)
		return;
	overlay->now = now;
	contact_wire(&peer->contact, wire, now);
	timers_set(&overlay->timers, &peer->timer, now);
}

void overlay_doubt(struct overlay *overlay, struct peer *peer, struct instant now)
{
	overlay->now = now;
	contact_doubted(&peer->contact, now);
	timers_set(&overlay->timers, &peer->timer, now);
}

void overlay_told(struct overlay *overlay, struct peer *peer, bool has_come, struct instant now)
{
	overlay->now = now;
	if (has_come)
		contact_expected(&peer->contact, now);
	else
		contact_missed(&peer->contact, now);
	timers_set(&overlay->timers, &peer->timer, now);
}

void overlay_part(struct overlay *overlay, struct instant now)
{
	struct peer *peer;
	uint32_t slot = 0;

	overlay->now = now;
	while ((peer = peers_next(&overlay->peers, &slot)))
		goodbye_send(overlay, peer, NOTIFY_STOPS);
}

static void free_peer(void *arg)
{
	peer_free(arg);
}

void overlay_free_peer(struct overlay *overlay, struct peer *peer)
{
	peers_remove(&overlay->peers, peer);
	rcu_defer(free_peer, peer);
}

/* ---- time -------------------------------------------------------------------------------------------------- */

/* It is not to be answered from an address that is gone */
static void check_local(struct overlay *overlay, struct peer *peer)
{
	const struct endpoint *at = &peer->contact.at;

	if (!endpoint_has_local(at) || overlay->config.ops->has_address(overlay->config.ctx, at->local_ip))
		return;
	contact_local_lost(&peer->contact);
	if (peer->path && endpoint_equal(&peer->path->endpoint, at))
		(void)liveness_move(overlay, peer, at);
}

void overlay_moved(struct overlay *overlay, struct instant now)
{
	struct peer *peer;
	uint32_t slot = 0;

	overlay->now = now;
	while ((peer = peers_next(&overlay->peers, &slot))) {
		check_local(overlay, peer);
		liveness_rerouted(overlay, peer);
		contact_doubted(&peer->contact, now); /* from our new address, for the peer to follow */
		timers_set(&overlay->timers, &peer->timer, now);
	}
}

static struct peer *peer_of(struct timer *timer)
{
	return (struct peer *)(void *)((char *)timer - offsetof(struct peer, timer));
}

struct instant overlay_poll(struct overlay *overlay, struct instant now)
{
	struct instant next;
	struct timer *due;

	overlay->now = now;
	for (uint32_t peers = 0; peers < OVERLAY_TURN_PEERS && (due = timers_take_due(&overlay->timers, now)); peers++)
		liveness_tend(overlay, peer_of(due));
	next = timers_next(&overlay->timers);
	return next.ns && instant_reached(now, next) ? instant_add_ms(now, 1) : next;
}
