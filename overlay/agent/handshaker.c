/*
 * handshaker.c - handshakes on the control thread, and the life of sessions
 *
 * Theory of operation, for each peer:
 *
 *	current	 the session that we send in		(published as peer->sending)
 *	previous what was current before, the last PEER_PREVIOUS of them: datagrams under way may still be in them, and
 *		 where both sides asked at once each may go on in the other's for a while
 *	next	 one that we answered and that the peer has not used yet; we do not send in it
 *
 * As initiator, a response makes the new session current at once and current previous.  As responder, an initiation
 * makes a new session next, and the first good datagram in it (MAIL_CONFIRMED) makes it current.  So each side
 * receives in the new session before the other sends in it, and no datagram is lost to a rekey.  All three are
 * found by their index; each is retired when its lifetime ends or when enough younger ones have taken its place.
 *
 * A flood of initiations costs this thread only, and no more than HANDSHAKE_LOAD a second of it: beyond, a sender has to
 * show by a cookie that it receives at its address, and each address has a rate of its own.
 */
#include "overlay/agent/handshaker.h"

#include "base/log.h"
#include "base/rcu.h"
#include "base/random.h"
#include "base/secret.h"
#include "encap/gre.h"
#include "overlay/agent/agent.h"
#include "overlay/agent/liveness.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define DATAGRAMS_A_TURN 64U
#define DATAGRAM_MAX_BYTES (GRE_HEADER_BYTES + HANDSHAKE_BODY_MAX_BYTES + 1U)

/* Handshakes that are consumed without a cookie; about a tenth of a core */
static const struct ratelimit_rate load_rate = { .per_second = 400, .burst = 800 };
/* Of one address that has shown a cookie */
static const struct ratelimit_rate source_rate = { .per_second = 20, .burst = 40 };
/* Initiations of one peer that are answered: a session costs more than the handshake */
static const struct ratelimit_rate peer_rate = { .per_second = 50, .burst = 50 };

bool handshaker_start(struct agent *agent)
{
	static const uint8_t ciphers[] = { AEAD_AES_128_GCM, AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305 };

	memcpy(agent->offer.ciphers, ciphers, sizeof(ciphers));
	agent->offer.cipher_count = sizeof(ciphers);
	agent->offer.lanes = (uint8_t)agent->datapath.workers_count;
	agent->handshake_sources = ratelimit_new(source_rate, hash_seed_random());
	return agent->handshake_sources && cookie_checker_init(&agent->checker, &agent->config.self.static_key.public);
}

void handshaker_stop(struct agent *agent)
{
	cookie_checker_fini(&agent->checker);
	ratelimit_free(agent->handshake_sources);
	agent->handshake_sources = NULL;
}

static struct tai64n timestamp_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return tai64n_from_unix(ts.tv_sec, (uint32_t)ts.tv_nsec);
}

static void send_body(struct agent *agent, const struct endpoint *to, uint32_t receiver, const uint8_t *body,
	size_t body_bytes)
{
	const struct gre header = { .protocol = GRE_PROTOCOL_HANDSHAKE, .session = receiver };
	uint8_t datagram[DATAGRAM_MAX_BYTES];
	int err;

	gre_encode(&header, datagram);
	memcpy(datagram + GRE_HEADER_BYTES, body, body_bytes);
	err = underlay_control_send(agent->datapath.underlay, to, datagram, GRE_HEADER_BYTES + body_bytes);
	if (err)
		drops_count(&agent->drops, err == -EAGAIN || err == -ENOBUFS ? DROP_UDP_FULL : DROP_UDP_ERROR, 1);
}

/* ---- sessions ---------------------------------------------------------------------------------------------- */

void handshaker_retire(struct agent *agent, struct session *session)
{
	if (!session)
		return;
	session_totals_add(&session->peer->retired, session);
	session_unlink(&agent->datapath.sessions, session);
	if (agent->retired_count == RETIRED_MAX)
		handshaker_reap(agent);
	agent->retired[agent->retired_count++] = session;
}

void handshaker_reap(struct agent *agent)
{
	if (agent->retired_count == 0)
		return;
	rcu_wait();
	for (uint32_t i = 0; i < agent->retired_count; i++)
		session_free(agent->retired[i]);
	agent->retired_count = 0;
}

static void end_handshake(struct agent *agent, struct peer *peer)
{
	handshake_fini(&peer->handshake);
	session_index_release(&agent->datapath.sessions, peer->handshake_index);
	peer->handshake_index = 0;
}

void handshaker_forget(struct agent *agent, struct peer *peer)
{
	end_handshake(agent, peer);
	rcu_publish(&peer->sending, NULL);
	handshaker_retire(agent, peer->current);
	handshaker_retire(agent, peer->next);
	peer->current = peer->next = NULL;
	for (uint32_t i = 0; i < PEER_PREVIOUS; i++) {
		handshaker_retire(agent, peer->previous[i]);
		peer->previous[i] = NULL;
	}
}

static void make_current(struct agent *agent, struct peer *peer, struct session *session)
{
	if (!peer->current)
		log_info("peer %s: session up, %s", peer->name, aead_cipher_name(session->cipher));
	handshaker_retire(agent, peer->previous[PEER_PREVIOUS - 1]);
	memmove(peer->previous + 1, peer->previous, (PEER_PREVIOUS - 1) * sizeof(peer->previous[0]));
	peer->previous[0] = peer->current;
	peer->current = session;
	peer->sessions_count++;
	rcu_publish(&peer->sending, session);
	if (peer->unanswered_at.ns)
		pmtu_revived(&peer->pmtu, peer->unanswered_at, agent->now);
	peer->unanswered_at.ns = 0;
	peer->attempts = 0;
	peer->attempt_at.ns = 0;
}

static struct session *begin_session(struct agent *agent, struct peer *peer, uint32_t index,
	const struct session_keys *keys, bool initiator)
{
	struct session *session = session_new(index, peer, keys, agent->backends[keys->cipher], agent->offer.lanes,
		agent->datapath.time_scale, agent->now);

	if (!session)
		return NULL;
	session->initiator = initiator;
	session->confirmed = initiator;
	session_publish(&agent->datapath.sessions, session);
	return session;
}

void handshaker_confirmed(struct agent *agent, struct session *session)
{
	struct peer *peer = session->peer;

	if (peer->next != session)
		return;
	__atomic_store_n(&session->confirmed, true, __ATOMIC_RELAXED);
	peer->next = NULL;
	make_current(agent, peer, session);
}

/* ---- initiator --------------------------------------------------------------------------------------------- */

/* Where the next attempt goes: where the peer was last heard first, then round the topology's and there again */
static const struct endpoint *choose_endpoint(struct peer *peer)
{
	uint32_t choices = peer->endpoints_count + (peer->path ? 1 : 0), at;

	if (peer->path && peer->attempts == 0)
		return &peer->path->endpoint;
	if (choices == 0)
		return NULL;
	at = peer->endpoint_next++ % choices;
	return at < peer->endpoints_count ? &peer->endpoints[at] : &peer->path->endpoint;
}

/* 0.5, 1, 2, 4, 5, 5 ... seconds, and 30 once a peer has been silent for a minute; a quarter more or less */
static uint64_t retry_ms(uint32_t attempts)
{
	uint64_t ms = attempts < 4 ? 500U << attempts : attempts < 15 ? 5000U : 30000U;

	return ms * 3 / 4 + random_u32() % (ms / 2);
}

void handshaker_initiate(struct agent *agent, struct peer *peer)
{
	const struct endpoint *to = choose_endpoint(peer);
	uint8_t body[HANDSHAKE_BODY_MAX_BYTES];
	size_t body_bytes;
	uint32_t index;

	peer->attempt_at = instant_add_ms(agent->now, retry_ms(peer->attempts));
	peer->attempts++;
	if (!to)
		return; /* it may know where we are */
	end_handshake(agent, peer);
	index = session_index_reserve(&agent->datapath.sessions, peer, random_u32());
	if (index == 0) {
		drops_count(&agent->drops, DROP_HANDSHAKE_FULL, 1);
		return;
	}
	if (handshake_initiation_create(&peer->handshake, &agent->config.self, &peer->key, &peer->jar,
		    tai64n_next(&peer->sent_timestamp, timestamp_now()), &agent->offer, index, agent->now, body,
		    &body_bytes) != HANDSHAKE_OK) {
		session_index_release(&agent->datapath.sessions, index);
		drops_count(&agent->drops, DROP_FROM_HANDSHAKE_INTERNAL, 1);
		return;
	}
	peer->handshake_index = index;
	send_body(agent, to, 0, body, body_bytes);
}

static struct peer *peer_by_handshake(struct agent *agent, uint32_t index)
{
	struct peer *peer = session_index_owner(&agent->datapath.sessions, index);

	return peer && peer->handshake_index == index ? peer : NULL;
}

static void take_response(struct agent *agent, const uint8_t *body, size_t len, const struct endpoint *from)
{
	enum handshake_result result = HANDSHAKE_DROP_INDEX;
	struct session_keys keys;
	struct session *session;
	struct peer *peer = NULL;
	uint32_t index;

	if (handshake_response_receiver(body, len, &index))
		peer = peer_by_handshake(agent, index);
	if (peer)
		result = handshake_response_consume(&peer->handshake, body, len, &keys);
	if (result != HANDSHAKE_OK) {
		drops_count(&agent->drops, drop_handshake(result), 1);
		return;
	}
	session = begin_session(agent, peer, index, &keys, true);
	secret_wipe(&keys, sizeof(keys));
	if (!session) {
		end_handshake(agent, peer);
		drops_count(&agent->drops, DROP_HANDSHAKE_FULL, 1);
		return;
	}
	peer->handshake_index = 0; /* the session's now */
	make_current(agent, peer, session);
	liveness_begin(agent, peer, from);
}

/* A session that we answered with and whose peer, under load, wants a cookie in the response */
static struct peer *peer_by_next(struct agent *agent, uint32_t index)
{
	struct session *session = session_lookup(&agent->datapath.sessions, index);

	return session && session->peer->next == session ? session->peer : NULL;
}

static void take_cookie(struct agent *agent, const uint8_t *body, size_t len)
{
	struct peer *asked = NULL, *answered = NULL, *peer;
	uint32_t index;

	if (cookie_reply_receiver(body, len, &index)) {
		asked = peer_by_handshake(agent, index);
		answered = peer_by_next(agent, index);
	}
	peer = asked ? asked : answered;
	if (!peer || !cookie_reply_consume(&peer->jar, body, len, agent->now)) {
		drops_count(&agent->drops, DROP_FROM_HANDSHAKE_AUTH, 1);
		return;
	}
	if (asked)
		peer->attempt_at = agent->now; /* again, with the cookie; who was answered asks again by itself */
}

/* ---- responder --------------------------------------------------------------------------------------------- */

static struct peer *peer_by_key(struct agent *agent, const struct x25519_public *key)
{
	for (uint32_t slot = 0; slot < PEERS_MAX; slot++)
		if (agent->peers[slot] && memcmp(agent->peers[slot]->key.bytes, key->bytes, sizeof(key->bytes)) == 0)
			return agent->peers[slot];
	return NULL;
}

/* Is the one who asks a peer, asks for the first time, and not too often?  Otherwise counted */
static struct peer *admit(struct agent *agent, const struct handshake_request *request)
{
	struct peer *peer = peer_by_key(agent, &request->static_key);

	if (!peer) {
		drops_count(&agent->drops, DROP_HANDSHAKE_STRANGER, 1);
		return NULL;
	}
	if (!tai64n_accept(&peer->seen_timestamp, &request->timestamp)) {
		drops_count(&agent->drops, DROP_HANDSHAKE_REPLAY, 1);
		return NULL;
	}
	if (!ratelimit_bucket_take(&peer->initiations, peer_rate, agent->now)) {
		drops_count(&agent->drops, DROP_HANDSHAKE_RATE, 1);
		return NULL;
	}
	return peer;
}

static void answer(struct agent *agent, struct peer *peer, struct handshake *handshake, const struct endpoint *from)
{
	uint32_t index = session_index_reserve(&agent->datapath.sessions, peer, random_u32());
	uint8_t body[HANDSHAKE_BODY_MAX_BYTES];
	struct session *session = NULL;
	enum handshake_result result;
	struct session_keys keys;
	size_t body_bytes;

	if (index == 0) {
		drops_count(&agent->drops, DROP_HANDSHAKE_FULL, 1);
		return;
	}
	result = handshake_response_create(handshake, &peer->jar, &agent->offer, index, agent->now, body, &body_bytes,
		&keys);
	if (result == HANDSHAKE_OK) {
		session = begin_session(agent, peer, index, &keys, false);
		secret_wipe(&keys, sizeof(keys));
	}
	if (!session) {
		session_index_release(&agent->datapath.sessions, index);
		drops_count(&agent->drops, result == HANDSHAKE_OK ? DROP_HANDSHAKE_FULL : drop_handshake(result), 1);
		return;
	}
	handshaker_retire(agent, peer->next);
	peer->next = session;
	send_body(agent, from, session->remote_index, body, body_bytes);
}

static void take_initiation(struct agent *agent, const uint8_t *body, size_t len, const struct endpoint *from)
{
	struct handshake handshake;
	struct handshake_request request;
	enum handshake_result result;
	struct peer *peer;

	handshake_init(&handshake);
	result = handshake_initiation_consume(&handshake, &agent->config.self, body, len, &request);
	if (result != HANDSHAKE_OK) {
		drops_count(&agent->drops, drop_handshake(result), 1);
	} else {
		peer = admit(agent, &request);
		if (peer)
			answer(agent, peer, &handshake, from);
	}
	handshake_fini(&handshake);
}

/* ---- the socket -------------------------------------------------------------------------------------------- */

static void send_cookie(struct agent *agent, const uint8_t *body, size_t len, const struct endpoint *from)
{
	uint8_t reply[COOKIE_REPLY_BYTES];
	uint32_t receiver;

	drops_count(&agent->drops, DROP_HANDSHAKE_COOKIE, 1);
	if (cookie_reply_create(&agent->checker, body, len, from, agent->now, reply) &&
		cookie_reply_receiver(reply, sizeof(reply), &receiver))
		send_body(agent, from, receiver, reply, sizeof(reply));
}

/* Return: whether a message with these macs is worth the Diffie-Hellman that it asks for; if not it is counted */
static bool worth_it(struct agent *agent, const uint8_t *body, size_t len, const struct endpoint *from)
{
	enum cookie_result macs = cookie_check(&agent->checker, body, len, from, agent->now);

	if (macs == COOKIE_BAD) {
		drops_count(&agent->drops, DROP_HANDSHAKE_MAC, 1);
		return false;
	}
	if (ratelimit_bucket_take(&agent->handshake_load, load_rate, agent->now))
		return true;
	if (macs == COOKIE_ONLY_MAC1) {
		send_cookie(agent, body, len, from);
		return false;
	}
	if (ratelimit_take(agent->handshake_sources, from, agent->now))
		return true;
	drops_count(&agent->drops, DROP_HANDSHAKE_RATE, 1);
	return false;
}

static void take_datagram(struct agent *agent, const uint8_t *datagram, size_t len, const struct endpoint *from)
{
	const uint8_t *body = datagram + GRE_HEADER_BYTES;
	struct gre header;
	enum gre_result decoded = gre_decode(datagram, len, &header);

	if (decoded == GRE_OK && header.protocol != GRE_PROTOCOL_HANDSHAKE)
		decoded = GRE_DROP_PROTOCOL;
	if (decoded != GRE_OK) {
		drops_count(&agent->drops, drop_gre(decoded), 1);
		return;
	}
	len -= GRE_HEADER_BYTES;
	switch (handshake_type(body, len)) {
	case HANDSHAKE_TYPE_INITIATION:
		if (worth_it(agent, body, len, from))
			take_initiation(agent, body, len, from);
		break;
	case HANDSHAKE_TYPE_RESPONSE:
		if (worth_it(agent, body, len, from))
			take_response(agent, body, len, from);
		break;
	case HANDSHAKE_TYPE_COOKIE:
		take_cookie(agent, body, len);
		break;
	case HANDSHAKE_TYPE_NONE:
		drops_count(&agent->drops, DROP_FROM_HANDSHAKE_TYPE, 1);
		break;
	}
}

void handshaker_ready(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;

	(void)fd;
	(void)what;
	agent->now = instant_now();
	for (uint32_t i = 0; i < DATAGRAMS_A_TURN; i++) {
		uint8_t datagram[DATAGRAM_MAX_BYTES];
		struct endpoint from;
		int len = underlay_control_receive(agent->datapath.underlay, datagram, sizeof(datagram), &from);

		if (len < 0)
			break;
		take_datagram(agent, datagram, (size_t)len, &from);
	}
	handshaker_reap(agent);
}
