/*
 * liveness.c - keeps sessions and paths alive: rekeying, keepalives, roaming, path MTU
 *
 * Theory of operation.  liveness_tick() looks at every peer about once a second (more often while answers to path MTU
 * probes are due).  It sees from the lanes' counters what was sent and received since:
 *
 *	no session		 a handshake, at growing intervals (handshaker.c)
 *	session is old		 the initiator rekeys after SESSION_REKEY_MS, the responder REKEY_GRACE_MS later
 *	nothing heard for long	 a small probe after KEEPALIVE_MS keeps NATs open and measures the round trip: of two idle peers
 *				 one probes and the other answers.  Where there is much to hear, one each ROUND_TRIP_MS
 *	we send, hear nothing	 a probe a second after UNANSWERED_PROBE_MS, a handshake after UNANSWERED_DEAD_MS
 *
 * A probe is answered by the peer's worker at once, so "unanswered" means that the path or the peer is gone.
 * Probes travel in lane 0.
 */
#include "overlay/agent/liveness.h"

#include "base/log.h"
#include "base/rcu.h"
#include "encap/gre.h"
#include "encap/probe.h"
#include "encap/record.h"
#include "encap/train.h"
#include "overlay/agent/agent.h"
#include "overlay/agent/handshaker.h"
#include "underlay/route.h"

#include <errno.h>
#include <string.h>

#define TICK_MS 1000U
#define TICK_BUSY_MS PMTU_CONFIRM_MS
#define TICK_URGENT_MS 50U
#define ANSWER_MIN_MS 150U
#define ANSWER_MAX_MS 1000U
#define REKEY_GRACE_MS 10000U
#define KEEPALIVE_MS 15000U
#define ROUND_TRIP_MS 60000U
#define UNANSWERED_PROBE_MS 3000U
#define UNANSWERED_DEAD_MS 10000U
#define ROAM_MS 200U
#define BUSY_BYTES 500U /* more than answers to probes come to */
#define BUSY_MS 1500U   /* a peer stays busy behind its data: on a path that blocks, TCP sends ever less */
#define PROBE_DATAGRAM_MIN_BYTES (TRAIN_OVERHEAD_BYTES + RECORD_HEADER_BYTES + PROBE_BODY_BYTES)

static uint32_t header_bytes(const struct endpoint *endpoint)
{
	return endpoint_is_v4(endpoint) ? 28 : 48; /* IP and UDP */
}

static uint64_t scaled(const struct agent *agent, uint64_t ms)
{
	return ms / agent->datapath.time_scale;
}

/* ---- probes ------------------------------------------------------------------------------------------------ */

/* One probe in lane 0; @datagram_bytes 0 for a small one */
static void send_probe(struct agent *agent, struct peer *peer, uint32_t datagram_bytes)
{
	struct session *session = peer->current;
	uint8_t datagram[PMTU_MAX_MTU];
	uint8_t *plain = datagram + GRE_HEADER_BYTES;
	const struct record record = { .type = RECORD_PROBE };
	struct probe probe = { .token = agent->now.ns, .flags = datagram_bytes ? PROBE_FLAG_MTU : 0 };
	size_t plain_bytes;
	int err;

	peer->probed_at = agent->now;
	if (!session || !peer->path)
		return;
	if (datagram_bytes < PROBE_DATAGRAM_MIN_BYTES)
		datagram_bytes = PROBE_DATAGRAM_MIN_BYTES;
	probe.datagram_bytes = (uint16_t)datagram_bytes;
	plain_bytes = datagram_bytes - TRAIN_OVERHEAD_BYTES;
	memset(plain, 0, plain_bytes);
	(void)record_encode(&record, plain);
	probe_encode(&probe, plain + RECORD_HEADER_BYTES);
	if (session_seal(session, agent->sender, 0, datagram, plain, plain_bytes) != SEAL_OK) {
		drops_count(&agent->drops, DROP_SEAL_FAILED, 1);
		return;
	}
	err = underlay_control_send(agent->datapath.underlay, &peer->path->endpoint, datagram, datagram_bytes);
	if (err == -EMSGSIZE)
		pmtu_refused(&peer->pmtu, datagram_bytes);
	else if (err)
		drops_count(&agent->drops, err == -EAGAIN || err == -ENOBUFS ? DROP_UDP_FULL : DROP_UDP_ERROR, 1);
}

/* How long an answer may take */
static uint64_t answer_ms(const struct peer *peer)
{
	uint64_t ms = peer->rtt_us ? peer->rtt_us * 4 / 1000 : ANSWER_MAX_MS;

	return ms < ANSWER_MIN_MS ? ANSWER_MIN_MS : ms > ANSWER_MAX_MS ? ANSWER_MAX_MS : ms;
}

static void tend_path(struct agent *agent, struct peer *peer, bool busy)
{
	uint32_t before = peer->path ? peer->path->datagram_bytes : 0;
	uint32_t probe_bytes;

	if (!peer->current || !peer->path)
		return;
	if (busy) { /* what ICMP may have told the kernel */
		const struct endpoint *to = &peer->path->endpoint;
		const uint32_t mtu = route_mtu(agent->routes, to, agent->now);

		if (mtu > header_bytes(to))
			pmtu_hint(&peer->pmtu, mtu - header_bytes(to), agent->now);
	}
	probe_bytes = pmtu_poll(&peer->pmtu, busy, answer_ms(peer), agent->now);
	if (probe_bytes)
		send_probe(agent, peer, probe_bytes);
	if (peer->pmtu.works_bytes == before)
		return;
	if (peer->pmtu.works_bytes < before)
		log_info("peer %s: the path takes no %u bytes any more, looking for what it takes", peer->name, before);
	(void)peer_set_path(peer, &peer->path->endpoint, peer->pmtu.works_bytes, agent->datapath.underlay->family);
}

void liveness_probe_ack(struct agent *agent, struct peer *peer, uint64_t token, uint32_t bytes)
{
	if (token <= agent->now.ns) {
		uint64_t rtt_us = (agent->now.ns - token) / 1000;

		peer->rtt_us = peer->rtt_us ? (7 * peer->rtt_us + rtt_us) / 8 : rtt_us;
	}
	if (bytes)
		pmtu_acked(&peer->pmtu, bytes, agent->now);
	tend_path(agent, peer, false);
}

void liveness_too_big(struct agent *agent, struct peer *peer, uint32_t bytes)
{
	pmtu_refused(&peer->pmtu, bytes);
	tend_path(agent, peer, true);
}

/* ---- where the peer is ------------------------------------------------------------------------------------- */

static void move_path(struct agent *agent, struct peer *peer, const struct endpoint *to)
{
	counter_set(&peer->flow_epoch_ns, agent->now.ns);
	for (uint32_t lane = 0; lane < SESSION_LANES_MAX; lane++)
		counter_set(&peer->flow_answered_ns[lane], 0);
	pmtu_init(&peer->pmtu, header_bytes(to), route_device_mtu(agent->routes, to, agent->now), agent->now);
	if (!peer_set_path(peer, to, peer->pmtu.works_bytes, agent->datapath.underlay->family)) {
		char text[ENDPOINT_TEXT_BYTES];

		endpoint_format(to, text);
		log_warning("peer %s: %s cannot be reached from here", peer->name, text);
	}
}

void liveness_begin(struct agent *agent, struct peer *peer, const struct endpoint *endpoint)
{
	if (!peer->path || !endpoint_equal(&peer->path->endpoint, endpoint))
		move_path(agent, peer, endpoint);
	send_probe(agent, peer, 0); /* the first datagram of the session, upon which the peer uses it too */
	tend_path(agent, peer, false);
}

void liveness_roamed(struct agent *agent, struct peer *peer, const struct endpoint *from)
{
	char text[ENDPOINT_TEXT_BYTES];

	if (peer->path && endpoint_equal(&peer->path->endpoint, from))
		return;
	if (peer->path && instant_since_ms(agent->now, peer->roamed_at) < ROAM_MS)
		return; /* a worker tells again while it lasts */
	peer->roamed_at = agent->now;
	endpoint_format(from, text);
	log_info("peer %s: is at %s", peer->name, text);
	move_path(agent, peer, from);
	send_probe(agent, peer, 0);
	tend_path(agent, peer, false);
}

void liveness_moved(struct agent *agent)
{
	for (uint32_t slot = 0; slot < PEERS_MAX; slot++) {
		struct peer *peer = agent->peers[slot];

		if (!peer)
			continue;
		if (!peer->current) {
			peer->attempts = 0;
			peer->attempt_at = agent->now;
			continue;
		}
		if (peer->path)
			pmtu_route(&peer->pmtu, route_device_mtu(agent->routes, &peer->path->endpoint, agent->now),
				agent->now);
		send_probe(agent, peer, 0); /* from our new address, for the peer to follow */
		tend_path(agent, peer, true);
	}
}

/* ---- the tick ---------------------------------------------------------------------------------------------- */

static void expire(struct agent *agent, struct peer *peer, struct session **session)
{
	if (!*session || !instant_reached(agent->now, (*session)->reject_after))
		return;
	if (*session == peer->current) {
		rcu_publish(&peer->sending, NULL);
		log_warning("peer %s: session down, it has not answered", peer->name);
		if (!peer->attempt_at.ns)
			peer->attempt_at = agent->now;
	}
	handshaker_retire(agent, *session);
	*session = NULL;
}

static void tend_sessions(struct agent *agent, struct peer *peer)
{
	struct session *current;

	expire(agent, peer, &peer->current);
	expire(agent, peer, &peer->next);
	for (uint32_t i = 0; i < PEER_PREVIOUS; i++)
		expire(agent, peer, &peer->previous[i]);
	current = peer->current;
	if (current && !peer->attempt_at.ns) {
		uint64_t due_ms = scaled(agent, SESSION_REKEY_MS) + (current->initiator ? 0 : REKEY_GRACE_MS);

		if (instant_since_ms(agent->now, current->created) >= due_ms)
			peer->attempt_at = agent->now;
	}
	if (peer->attempt_at.ns && instant_reached(agent->now, peer->attempt_at))
		handshaker_initiate(agent, peer);
}

/* Return: whether data goes to the peer */
static bool look_at(struct agent *agent, struct peer *peer)
{
	struct session_totals totals;
	uint64_t data = 0;

	peer_totals(peer, &totals);
	for (uint32_t k = 0; peer->current && k < agent->sender; k++)
		data += counter_read(&peer->current->senders[k].bytes);
	if (data > peer->data_seen && data - peer->data_seen > BUSY_BYTES)
		peer->busy_until = instant_add_ms(agent->now, BUSY_MS);
	peer->data_seen = data;
	if (totals.rx_datagrams != peer->rx_seen) {
		peer->heard_at = agent->now;
		if (peer->unanswered_at.ns)
			pmtu_revived(&peer->pmtu, peer->unanswered_at, agent->now);
		peer->unanswered_at.ns = 0;
	} else if (totals.tx_datagrams != peer->tx_seen && !peer->unanswered_at.ns) {
		peer->unanswered_at = agent->now;
	}
	peer->rx_seen = totals.rx_datagrams;
	peer->tx_seen = totals.tx_datagrams;
	return !instant_reached(agent->now, peer->busy_until);
}

static void keep_alive(struct agent *agent, struct peer *peer)
{
	uint64_t silent_ms = peer->unanswered_at.ns ? instant_since_ms(agent->now, peer->unanswered_at) : 0;
	uint64_t since_ms = instant_since_ms(agent->now, peer->probed_at);
	bool quiet = since_ms >= KEEPALIVE_MS && instant_since_ms(agent->now, peer->heard_at) >= KEEPALIVE_MS;

	if (quiet || since_ms >= ROUND_TRIP_MS || (silent_ms >= UNANSWERED_PROBE_MS && since_ms >= TICK_MS))
		send_probe(agent, peer, 0);
	if (silent_ms >= UNANSWERED_DEAD_MS && !peer->attempt_at.ns)
		peer->attempt_at = agent->now;
}

static uint32_t sooner(const struct agent *agent, uint32_t ms, struct instant deadline)
{
	uint64_t left_ms;

	if (!deadline.ns)
		return ms;
	left_ms = instant_since_ms(deadline, agent->now) + 1;
	return left_ms < ms ? (uint32_t)left_ms : ms;
}

uint32_t liveness_tick(struct agent *agent)
{
	uint32_t next_ms = (uint32_t)scaled(agent, TICK_MS);

	if (next_ms < 5)
		next_ms = 5;
	for (uint32_t slot = 0; slot < PEERS_MAX; slot++) {
		struct peer *peer = agent->peers[slot];
		bool busy;

		if (!peer)
			continue;
		tend_sessions(agent, peer);
		busy = look_at(agent, peer);
		if (peer->current) {
			keep_alive(agent, peer);
			tend_path(agent, peer, busy);
			if (busy && next_ms > TICK_BUSY_MS)
				next_ms = TICK_BUSY_MS;
			if (pmtu_is_urgent(&peer->pmtu) && next_ms > TICK_URGENT_MS)
				next_ms = TICK_URGENT_MS;
		}
		next_ms = sooner(agent, next_ms, peer->attempt_at);
	}
	handshaker_reap(agent);
	return next_ms;
}
