/*
 * handshaker.c - handshakes with peers, from the first byte of a stranger to the keys of a session
 *
 * Theory of operation.  An initiation leaves with an index of its own, and a later one to the same peer takes its place: only
 * the latest can be answered.  As responder nothing is kept but the session that the answer made (peer.h: next).  Whom to ask and
 * when is decided in contact.c; who is a peer, in the table of peers.
 *
 * A flood of initiations costs this thread only, and no more than `load_rate` of it: beyond, a sender has to
 * show by a cookie that it receives at its address, and each address has a rate of its own.
 */
#include "overlay/peer/handshaker.h"

#include "base/log.h"
#include "base/secret.h"
#include "encap/gre.h"

#include <string.h>

/* Handshakes that are consumed without a cookie; about a tenth of a core */
static const struct ratelimit_rate load_rate = { .per_second = 400, .burst = 800 };
/* Of one address that has shown a cookie */
static const struct ratelimit_rate source_rate = { .per_second = 20, .burst = 40 };
/* Initiations of one peer that are answered: a session costs more than the handshake */
static const struct ratelimit_rate peer_rate = { .per_second = 50, .burst = 50 };

bool handshaker_start(struct overlay *overlay)
{
	static const uint8_t ciphers[] = { AEAD_AES_128_GCM, AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305 };

	memcpy(overlay->offer.ciphers, ciphers, sizeof(ciphers));
	overlay->offer.cipher_count = sizeof(ciphers);
	overlay->offer.lanes = (uint8_t)overlay->config.workers;
	overlay->offer.instance = (uint64_t)overlay_random_u32(overlay) << 32 | overlay_random_u32(overlay) | 1;
	overlay->handshake_sources = ratelimit_new(source_rate, overlay_random_seed(overlay));
	return overlay->handshake_sources &&
		cookie_checker_init(&overlay->checker, &overlay->config.self->static_key.public);
}

void handshaker_stop(struct overlay *overlay)
{
	cookie_checker_fini(&overlay->checker);
	ratelimit_free(overlay->handshake_sources);
	overlay->handshake_sources = NULL;
}

static void send_body(struct overlay *overlay, const struct endpoint *to, uint32_t receiver, const uint8_t *body,
	size_t body_bytes)
{
	const struct gre header = { .protocol = GRE_PROTOCOL_HANDSHAKE, .session = receiver };
	uint8_t datagram[GRE_HEADER_BYTES + HANDSHAKE_BODY_MAX_BYTES];

	gre_encode(&header, datagram);
	memcpy(datagram + GRE_HEADER_BYTES, body, body_bytes);
	(void)overlay_send(overlay, to, datagram, GRE_HEADER_BYTES + body_bytes);
}

void handshaker_end(struct overlay *overlay, struct peer *peer)
{
	handshake_fini(&peer->handshake);
	session_index_release(overlay->config.sessions, peer->handshake_index);
	peer->handshake_index = 0;
}

static struct session *make_session(struct overlay *overlay, struct peer *peer, uint32_t index,
	const struct session_keys *keys, bool initiator)
{
	struct session *session = session_new(index, peer, keys, overlay->config.backends[keys->cipher],
		overlay->config.workers, overlay->config.time_scale, overlay->now);

	if (!session)
		return NULL;
	session->initiator = initiator;
	session->confirmed = initiator;
	session_publish(overlay->config.sessions, session);
	return session;
}

/* ---- initiator --------------------------------------------------------------------------------------------- */

void handshaker_initiate(struct overlay *overlay, struct peer *peer, const struct endpoint *to, uint32_t count)
{
	const struct handshake_self *self = overlay->config.self;
	uint8_t body[HANDSHAKE_BODY_MAX_BYTES];
	struct tai64n timestamp;
	size_t body_bytes;
	uint32_t index;

	handshaker_end(overlay, peer);
	index = session_index_reserve(overlay->config.sessions, peer, overlay_random_u32(overlay));
	if (index == 0) {
		drops_count(&overlay->drops, DROP_HANDSHAKE_FULL, 1);
		return;
	}
	timestamp = tai64n_next(&peer->sent_timestamp, overlay->config.ops->timestamp(overlay->config.ctx));
	if (handshake_initiation_create(&peer->handshake, self, &peer->key, &peer->jar, timestamp, &overlay->offer,
		    index, overlay->now, body, &body_bytes) != HANDSHAKE_OK) {
		session_index_release(overlay->config.sessions, index);
		drops_count(&overlay->drops, drop_handshake(HANDSHAKE_DROP_INTERNAL), 1);
		return;
	}
	peer->handshake_index = index;
	for (uint32_t i = 0; i < count; i++)
		send_body(overlay, &to[i], 0, body, body_bytes);
}

static struct peer *peer_by_handshake(const struct overlay *overlay, uint32_t index)
{
	struct peer *peer = session_index_owner(overlay->config.sessions, index);

	return peer && peer->handshake_index == index ? peer : NULL;
}

/* Return: whether there is to be a session of @keys; else it was dropped */
static bool is_welcome(struct overlay *overlay, struct peer *peer, const struct session_keys *keys,
	const struct endpoint *from, struct handshaker_news *news)
{
	if (keys->disowned)
		news->disowned = peer;
	else if (rival_judge(overlay, peer, keys->instance, from) == RIVAL_NONE)
		return true;
	drops_count(&overlay->drops, DROP_HANDSHAKE_ELSEWHERE, 1);
	handshaker_end(overlay, peer);
	return false;
}

/* Notes the peer that we have a session with now */
static void take_response(struct overlay *overlay, const uint8_t *body, size_t len, const struct endpoint *from,
	struct handshaker_news *news)
{
	enum handshake_result result = HANDSHAKE_DROP_INDEX;
	struct session_keys keys;
	struct session *session;
	struct peer *peer = NULL;
	uint32_t index;

	if (handshake_response_receiver(body, len, &index))
		peer = peer_by_handshake(overlay, index);
	if (peer)
		result = handshake_response_consume(&peer->handshake, body, len, &keys);
	if (result != HANDSHAKE_OK) {
		drops_count(&overlay->drops, drop_handshake(result), 1);
		return;
	}
	if (!is_welcome(overlay, peer, &keys, from, news)) {
		secret_wipe(&keys, sizeof(keys));
		return;
	}
	session = make_session(overlay, peer, index, &keys, true);
	secret_wipe(&keys, sizeof(keys));
	if (!session) {
		handshaker_end(overlay, peer);
		drops_count(&overlay->drops, DROP_HANDSHAKE_FULL, 1);
		return;
	}
	peer->handshake_index = 0; /* the session's now */
	peer_session_begin(peer, overlay->config.sessions, session);
	news->begun = peer;
}

/* A session that we answered with and whose peer, under load, wants a cookie in the response */
static struct peer *peer_by_next(const struct overlay *overlay, uint32_t index)
{
	struct session *session = session_lookup(overlay->config.sessions, index);

	return session && session->peer->next == session ? session->peer : NULL;
}

/* Return: the peer to ask again, with the cookie; who was answered asks again by itself */
static struct peer *take_cookie(struct overlay *overlay, const uint8_t *body, size_t len)
{
	struct peer *asked = NULL, *answered = NULL, *peer;
	uint32_t index;

	if (cookie_reply_receiver(body, len, &index)) {
		asked = peer_by_handshake(overlay, index);
		answered = peer_by_next(overlay, index);
	}
	peer = asked ? asked : answered;
	if (!peer || !cookie_reply_consume(&peer->jar, body, len, overlay->now)) {
		drops_count(&overlay->drops, drop_handshake(HANDSHAKE_DROP_AUTH), 1);
		return NULL;
	}
	return asked;
}

/* ---- responder --------------------------------------------------------------------------------------------- */

/* Is the one who asks a peer, asks for the first time, and not too often?  Otherwise counted */
static struct peer *admit(struct overlay *overlay, const struct handshake_request *request, const struct endpoint *from)
{
	struct peer *peer = peers_with_key(&overlay->peers, &request->static_key);

	if (!peer) {
		drops_count(&overlay->drops, DROP_HANDSHAKE_STRANGER, 1);
		return NULL;
	}
	if (tai64n_compare(&peer->seen_timestamp, &request->timestamp) == 0 &&
		!(endpoint_equal(&peer->seen_from, from) && endpoint_same_local(&peer->seen_from, from))) {
		drops_count(&overlay->drops, DROP_HANDSHAKE_TWICE, 1);
		return NULL;
	}
	if (!tai64n_accept(&peer->seen_timestamp, &request->timestamp)) {
		drops_count(&overlay->drops, DROP_HANDSHAKE_REPLAY, 1);
		return NULL;
	}
	peer->seen_from = *from;
	if (!ratelimit_bucket_take(&peer->initiations, peer_rate, overlay->now)) {
		drops_count(&overlay->drops, DROP_HANDSHAKE_RATE, 1);
		return NULL;
	}
	return peer;
}

/* Return: whether a session waits for @peer */
static bool answer(struct overlay *overlay, struct peer *peer, struct handshake *handshake, const struct endpoint *from)
{
	uint32_t index = session_index_reserve(overlay->config.sessions, peer, overlay_random_u32(overlay));
	uint8_t body[HANDSHAKE_BODY_MAX_BYTES];
	struct session *session = NULL;
	enum handshake_result result;
	struct session_keys keys;
	size_t body_bytes;

	if (index == 0) {
		drops_count(&overlay->drops, DROP_HANDSHAKE_FULL, 1);
		return false;
	}
	result = handshake_response_create(handshake, &peer->jar, &overlay->offer, index, overlay->now, body,
		&body_bytes, &keys);
	if (result == HANDSHAKE_OK) {
		session = make_session(overlay, peer, index, &keys, false);
		secret_wipe(&keys, sizeof(keys));
	}
	if (!session) {
		session_index_release(overlay->config.sessions, index);
		drops_count(&overlay->drops, result == HANDSHAKE_OK ? DROP_HANDSHAKE_FULL : drop_handshake(result), 1);
		return false;
	}
	peer_session_answered(peer, overlay->config.sessions, session);
	send_body(overlay, from, session->remote_index, body, body_bytes);
	return true;
}

/* Tell whom we do not talk to that there is another one with its keys; the session that this could make is none */
static void disown(struct overlay *overlay, struct peer *peer, struct handshake *handshake, const struct endpoint *from)
{
	struct handshake_offer no = overlay->offer;
	uint8_t body[HANDSHAKE_BODY_MAX_BYTES];
	struct session_keys keys;
	size_t body_bytes;
	const uint32_t receiver = handshake->request.remote_index;

	no.disowned = true;
	if (handshake_response_create(handshake, &peer->jar, &no, 1, overlay->now, body, &body_bytes, &keys) ==
		HANDSHAKE_OK)
		send_body(overlay, from, receiver, body, body_bytes);
	secret_wipe(&keys, sizeof(keys));
}

/* Return: whether it was answered; else it was dropped */
static bool answer_or_disown(struct overlay *overlay, struct peer *peer, struct handshake *handshake,
	const struct endpoint *from)
{
	switch (rival_judge(overlay, peer, handshake->request.offer.instance, from)) {
	case RIVAL_NONE:
		return answer(overlay, peer, handshake, from);
	case RIVAL_REFUSED:
		disown(overlay, peer, handshake, from);
		break;
	case RIVAL_WAIT:
		break;
	}
	drops_count(&overlay->drops, DROP_HANDSHAKE_ELSEWHERE, 1);
	return false;
}

/* Return: the peer that was answered; NULL where it was dropped */
static struct peer *take_initiation(struct overlay *overlay, const uint8_t *body, size_t len,
	const struct endpoint *from)
{
	struct handshake handshake;
	struct handshake_request request;
	enum handshake_result result;
	struct peer *peer = NULL;

	handshake_init(&handshake);
	result = handshake_initiation_consume(&handshake, overlay->config.self, body, len, &request);
	if (result != HANDSHAKE_OK) {
		drops_count(&overlay->drops, drop_handshake(result), 1);
	} else {
		peer = admit(overlay, &request, from);
		if (peer && !answer_or_disown(overlay, peer, &handshake, from))
			peer = NULL;
	}
	handshake_fini(&handshake);
	return peer;
}

/* ---- the socket -------------------------------------------------------------------------------------------- */

static void send_cookie(struct overlay *overlay, const uint8_t *body, size_t len, const struct endpoint *from)
{
	uint8_t reply[COOKIE_REPLY_BYTES];
	uint32_t receiver;

	drops_count(&overlay->drops, DROP_HANDSHAKE_COOKIE, 1);
	if (cookie_reply_create(&overlay->checker, body, len, from, overlay->now, reply) &&
		cookie_reply_receiver(reply, sizeof(reply), &receiver))
		send_body(overlay, from, receiver, reply, sizeof(reply));
}

/* Return: whether a message with these macs is worth the Diffie-Hellman that it asks for; if not it is counted */
static bool worth_it(struct overlay *overlay, const uint8_t *body, size_t len, const struct endpoint *from)
{
	enum cookie_result macs = cookie_check(&overlay->checker, body, len, from, overlay->now);

	if (macs == COOKIE_BAD) {
		drops_count(&overlay->drops, DROP_HANDSHAKE_MAC, 1);
		return false;
	}
	if (ratelimit_bucket_take(&overlay->handshake_load, load_rate, overlay->now))
		return true;
	if (macs == COOKIE_ONLY_MAC1) {
		send_cookie(overlay, body, len, from);
		return false;
	}
	if (ratelimit_take(overlay->handshake_sources, from, overlay->now))
		return true;
	drops_count(&overlay->drops, DROP_HANDSHAKE_RATE, 1);
	return false;
}

struct handshaker_news handshaker_take(struct overlay *overlay, const uint8_t *datagram, size_t len,
	const struct endpoint *from)
{
	const uint8_t *body = datagram + GRE_HEADER_BYTES;
	struct handshaker_news news = { 0 };
	struct gre header;
	enum gre_result decoded = gre_decode(datagram, len, &header);

	if (decoded == GRE_OK && header.protocol != GRE_PROTOCOL_HANDSHAKE)
		decoded = GRE_DROP_PROTOCOL;
	if (decoded != GRE_OK) {
		drops_count(&overlay->drops, drop_gre(decoded), 1);
		return news;
	}
	len -= GRE_HEADER_BYTES;
	switch (handshake_type(body, len)) {
	case HANDSHAKE_TYPE_INITIATION:
		if (worth_it(overlay, body, len, from))
			news.answered = take_initiation(overlay, body, len, from);
		break;
	case HANDSHAKE_TYPE_RESPONSE:
		if (worth_it(overlay, body, len, from))
			take_response(overlay, body, len, from, &news);
		break;
	case HANDSHAKE_TYPE_COOKIE:
		news.cookie = take_cookie(overlay, body, len);
		break;
	case HANDSHAKE_TYPE_NONE:
		drops_count(&overlay->drops, drop_handshake(HANDSHAKE_DROP_TYPE), 1);
		break;
	}
	return news;
}
