/*
 * liveness.c - looks after peers: does what their contact and their path ask for, and sees what comes of it
 *
 * Theory of operation.  liveness_tend() is called for a peer after every event and when its timer says so.  It ends what has
 * expired, reads the sessions' counters (workers count, and tell nobody), does what contact_poll() and pmtu_poll() ask for,
 * and sets the timer to what comes first:
 *
 *	the contact's next moment, the first expiry of a session,
 *	LOOK_SEARCH_MS	while the path's size is searched for,
 *	LOOK_BUSY_MS	while workers have data for the peer: then its path is confirmed again and again,
 *	LOOK_MS		while there is something to be heard of what was sent.
 *
 * Otherwise the peer is quiet: nothing is looked at until a worker sends to it, which says so (overlay_stirred()), or a probe is due.
 *
 * A probe is answered by the peer's worker at once, so "unanswered" means that the path or the peer is gone.
 * Probes travel in lane 0.
 */
#include "overlay/peer/liveness.h"

#include "base/log.h"
#include "base/rcu.h"
#include "overlay/peer/handshaker.h"
#include "overlay/peer/probing.h"

#include <errno.h>

#define LOOK_MS 1000U
#define LOOK_BUSY_MS PMTU_CONFIRM_MS
#define LOOK_SEARCH_MS 50U
#define LOOK_MIN_MS 5U
#define BUSY_BYTES 500U       /* more than answers to probes come to */
#define OTHERS_AFTER 2U       /* so many probes were lost in a row: the next one goes to other addresses as well */
#define OTHERS_SILENT_MS 700U /* and nothing was heard for so long */
#define BUSY_MS 1500U         /* a peer stays busy behind its data: on a path that blocks, TCP sends ever less */

/* ---- probes ------------------------------------------------------------------------------------------------ */

/* One probe in lane 0; @datagram_bytes 0 for a small one */
static void send_probe(struct overlay *overlay, struct peer *peer, uint32_t datagram_bytes)
{
	struct peer_path *path = paths_in_use(&peer->paths);
	uint8_t datagram[PMTU_MAX_MTU];
	struct probe probe = {
		.token = overlay->now.ns,
		.flags = datagram_bytes ? PROBE_FLAG_MTU : 0,
		.datagram_bytes = (uint16_t)(datagram_bytes > PROBING_MIN_BYTES ? datagram_bytes : PROBING_MIN_BYTES),
	};

	if (!peer->current || !path)
		return;
	peer->stirred_at = overlay->now;
	if (!datagram_bytes)
		path_probed(path, overlay->now);
	if (probing_seal(peer->current, overlay->config.workers, 0, &probe, datagram) != SEAL_OK) {
		drops_count(&overlay->drops, DROP_SEAL_FAILED, 1);
		return;
	}
	if (overlay_send(overlay, &path->endpoint, datagram, probe.datagram_bytes) == -EMSGSIZE)
		pmtu_refused(&path->pmtu, probe.datagram_bytes);
}

uint64_t liveness_ping(struct overlay *overlay, struct peer *peer)
{
	struct peer_path *path = paths_in_use(&peer->paths);
	uint8_t datagram[PMTU_MAX_MTU];
	struct probe probe = { .token = overlay->now.ns, .flags = PROBE_FLAG_MTU };

	if (!peer->current || !path || !peer->path)
		return 0;
	probe.datagram_bytes = (uint16_t)path->pmtu.works_bytes;
	if (probing_seal(peer->current, overlay->config.workers, 0, &probe, datagram) != SEAL_OK) {
		drops_count(&overlay->drops, DROP_SEAL_FAILED, 1);
		return 0;
	}
	if (overlay_send(overlay, &path->endpoint, datagram, probe.datagram_bytes) == -EMSGSIZE)
		pmtu_refused(&path->pmtu, probe.datagram_bytes);
	return probe.token;
}

/* ---- other addresses --------------------------------------------------------------------------------------- */

/* May it be sent to now?  Nothing is sent to ourselves, and what nobody has answered from is paced */
static bool may_try(struct overlay *overlay, const struct peer *peer, const struct endpoint *to)
{
	const struct contact *contact = &peer->contact;

	if (contact->has_at && endpoint_equal(&contact->at, to))
		return true;
	if (to->port == overlay->config.port && overlay->config.ops->has_address(overlay->config.ctx, to->ip))
		return false;
	return pacing_take(&overlay->pacing, to, overlay->now);
}

/* Keep those that may be tried.  Return: how many */
static uint32_t triable(struct overlay *overlay, const struct peer *peer, struct endpoint *list, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++)
		if (may_try(overlay, peer, &list[i]))
			list[kept++] = list[i];
	return kept;
}

static void initiate(struct overlay *overlay, struct peer *peer, const struct contact_todo *todo)
{
	struct endpoint list[PEER_ENDPOINTS_MAX + 1] = { todo->to };
	uint32_t count = 1;

	if (todo->everywhere)
		count += contact_others(&peer->contact, &todo->to, list + 1);
	count = triable(overlay, peer, list, count);
	if (count)
		handshaker_initiate(overlay, peer, list, count);
}

/*
 * Where probes are lost in a row, the peer is probed at its other addresses, too, in the session that there is: one that arrives is its
 * newest datagram, upon which the peer answers there, and both go on there.  What works is never left for another way.
 */
static void probe_others(struct overlay *overlay, struct peer *peer)
{
	struct endpoint list[PEER_ENDPOINTS_MAX];
	const struct peer_path *path = paths_in_use(&peer->paths);
	uint8_t datagram[PROBING_MIN_BYTES];
	const struct probe probe = { .token = overlay->now.ns, .datagram_bytes = sizeof(datagram) };
	uint32_t count;

	if (!peer->current || !path || path->unanswered < OTHERS_AFTER ||
		instant_since_ms(overlay->now, peer->contact.heard_at) < OTHERS_SILENT_MS)
		return;
	count = triable(overlay, peer, list, contact_others(&peer->contact, &path->endpoint, list));
	for (uint32_t i = 0; i < count; i++)
		if (probing_seal(peer->current, overlay->config.workers, 0, &probe, datagram) == SEAL_OK)
			(void)overlay_send(overlay, &list[i], datagram, sizeof(datagram));
}

/* ---- the path ---------------------------------------------------------------------------------------------- */

/* What ICMP may have told the kernel */
static void take_hint(struct overlay *overlay, struct peer_path *path)
{
	const uint32_t mtu = overlay->config.ops->route_mtu(overlay->config.ctx, &path->endpoint);
	const uint32_t header_bytes = path_header_bytes(&path->endpoint);

	if (mtu > header_bytes)
		pmtu_hint(&path->pmtu, mtu - header_bytes, overlay->now);
}

static void tend_path(struct overlay *overlay, struct peer *peer, bool busy)
{
	struct peer_path *path = paths_in_use(&peer->paths);
	uint32_t before = peer->path ? peer->path->datagram_bytes : 0;
	uint32_t probe_bytes;

	if (!peer->current || !path || !peer->path || peer->said_goodbye)
		return;
	if (busy)
		take_hint(overlay, path);
	probe_bytes = pmtu_poll(&path->pmtu, busy, path_answer_ms(path), overlay->now);
	if (probe_bytes)
		send_probe(overlay, peer, probe_bytes);
	if (path->pmtu.works_bytes == before)
		return;
	if (path->pmtu.works_bytes < before)
		log_info("peer %s: the path takes no %u bytes any more, looking for what it takes", peer->name, before);
	(void)!peer_set_path(peer, &path->endpoint, path->pmtu.works_bytes, overlay->config.family);
}

/* As where data is sent: the size in use is confirmed at once, and ICMP's hint is asked for */
static void keep_busy(struct overlay *overlay, struct peer *peer)
{
	peer->busy_until = instant_add_ms(overlay->now, BUSY_MS);
}

/* The same path, from another address of ours: what passes is confirmed at once, as the way may be another */
static void leave_from(struct overlay *overlay, struct peer *peer, const struct endpoint *to)
{
	struct peer_path *path = paths_in_use(&peer->paths);

	if (endpoint_same_local(&path->endpoint, to))
		return;
	path->endpoint = *to;
	(void)!peer_set_path(peer, to, peer->path->datagram_bytes, overlay->config.family);
	keep_busy(overlay, peer);
}

bool liveness_move(struct overlay *overlay, struct peer *peer, const struct endpoint *to)
{
	struct peer_path *path = paths_in_use(&peer->paths);

	if (peer->path && path && endpoint_equal(&peer->path->endpoint, to) && endpoint_equal(&path->endpoint, to)) {
		leave_from(overlay, peer, to);
		return false;
	}
	path = paths_use(&peer->paths, PATH_DIRECT, to, overlay->config.ops->device_mtu(overlay->config.ctx, to),
		overlay->now);
	counter_set(&peer->flow_epoch_ns, overlay->now.ns);
	for (uint32_t lane = 0; lane < SESSION_LANES_MAX; lane++)
		counter_set(&peer->flow_answered_ns[lane], 0);
	if (!peer_set_path(peer, to, path->pmtu.works_bytes, overlay->config.family)) {
		char text[ENDPOINT_TEXT_BYTES];

		endpoint_format(to, text);
		log_warning("peer %s: %s cannot be reached from here", peer->name, text);
	}
	return true;
}

void liveness_acked(struct overlay *overlay, struct peer *peer, uint64_t token, uint32_t bytes)
{
	struct peer_path *path = paths_in_use(&peer->paths);

	if (overlay->config.ops->answered)
		overlay->config.ops->answered(overlay->config.ctx, peer, token);
	if (!path || token < path->used_at.ns) /* of a probe on another path, or before this one began anew */
		return;
	path_acked(path, (struct instant){ token }, overlay->now);
	if (bytes)
		pmtu_acked(&path->pmtu, bytes, overlay->now);
}

void liveness_refused(struct overlay *overlay, struct peer *peer, uint32_t bytes)
{
	struct peer_path *path = paths_in_use(&peer->paths);

	if (!path)
		return;
	pmtu_refused(&path->pmtu, bytes);
	keep_busy(overlay, peer);
}

void liveness_rerouted(struct overlay *overlay, struct peer *peer)
{
	struct peer_path *path = paths_in_use(&peer->paths);

	if (!path)
		return;
	pmtu_route(&path->pmtu, overlay->config.ops->device_mtu(overlay->config.ctx, &path->endpoint), overlay->now);
	keep_busy(overlay, peer);
}

void liveness_revived(struct overlay *overlay, struct peer *peer, struct instant since)
{
	struct peer_path *path = paths_in_use(&peer->paths);

	/* an answer that is still due is no silence */
	if (since.ns && path && instant_since_ms(overlay->now, since) >= path_answer_ms(path))
		pmtu_revived(&path->pmtu, since, overlay->now);
}

/* ---- a look ------------------------------------------------------------------------------------------------ */

/* What workers, and not this thread, have sent in the session */
static uint64_t data_sent(const struct overlay *overlay, const struct peer *peer)
{
	uint64_t bytes = 0;

	for (uint32_t k = 0; peer->current && k < overlay->config.workers; k++)
		bytes += counter_read(&peer->current->senders[k].bytes);
	return bytes;
}

/* Read what workers counted */
static void look(struct overlay *overlay, struct peer *peer)
{
	const struct instant silent_since = peer->contact.unanswered_at;
	const uint64_t data = data_sent(overlay, peer);
	struct session_totals totals;
	bool sent, heard;

	peer_totals(peer, &totals);
	sent = totals.tx_datagrams != peer->tx_seen;
	heard = totals.rx_datagrams != peer->rx_seen;
	if (data > peer->data_seen && data - peer->data_seen > BUSY_BYTES)
		peer->busy_until = instant_add_ms(overlay->now, BUSY_MS);
	peer->data_seen = data;
	peer->tx_seen = totals.tx_datagrams;
	peer->rx_seen = totals.rx_datagrams;
	if (heard) {
		contact_heard(&peer->contact, (struct instant){ totals.rx_last_ns }, overlay->now);
		liveness_revived(overlay, peer, silent_since);
	} else if (sent) {
		contact_unanswered(&peer->contact, overlay->now);
	}
	if (totals.carried_ns) /* after what was heard, without which it would be silent for a moment */
		contact_carried(&peer->contact, (struct instant){ totals.carried_ns }, overlay->now);
	if (sent || heard)
		peer->stirred_at = overlay->now;
}

void liveness_goodbye(struct overlay *overlay, struct peer *peer, const struct session *session)
{
	struct session_totals totals;

	peer_totals(peer, &totals);
	peer->rx_seen = totals.rx_datagrams;
	if (session != peer->current) /* said in all; in an older one it may have been kept back */
		return;
	if (!peer->contact.goodbye_at.ns)
		log_info("peer %s: says goodbye", peer->name);
	contact_goodbye(&peer->contact, (struct instant){ totals.rx_last_ns }, overlay->now);
}

/* Nothing is sent to a peer that said goodbye, until it is heard */
static void open_or_shut(struct peer *peer)
{
	const bool shut = peer->contact.goodbye_at.ns != 0;

	if (shut == peer->said_goodbye)
		return;
	__atomic_store_n(&peer->said_goodbye, shut, __ATOMIC_RELAXED);
	rcu_publish(&peer->sending, shut ? NULL : peer->current);
	if (!shut)
		log_info("peer %s: is back", peer->name);
}

/* ---- all of it --------------------------------------------------------------------------------------------- */

static void expire(struct overlay *overlay, struct peer *peer)
{
	if (!peer_sessions_expire(peer, overlay->config.sessions, overlay->now))
		return;
	log_warning("peer %s: session down, it has not answered", peer->name);
	contact_expired(&peer->contact, overlay->now);
}

/* Return: when the contact wants to be asked again; 0: not before something happens */
static struct instant obey(struct overlay *overlay, struct peer *peer)
{
	for (;;) {
		struct contact_todo todo = contact_poll(&peer->contact, overlay_random_u32(overlay), overlay->now);

		switch (todo.action) {
		case CONTACT_NOTHING:
			return todo.next;
		case CONTACT_INITIATE:
		case CONTACT_REKEY:
			initiate(overlay, peer, &todo);
			break;
		case CONTACT_PROBE:
			send_probe(overlay, peer, 0);
			probe_others(overlay, peer);
			break;
		}
	}
}

static void sooner(struct instant *next, struct instant other)
{
	if (other.ns && (!next->ns || other.ns < next->ns))
		*next = other;
}

/* Return: when the counters are to be looked at again; 0: once a worker says that it sends */
static struct instant next_look(const struct overlay *overlay, struct peer *peer, bool busy)
{
	const struct peer_path *path = paths_in_use(&peer->paths);
	const struct instant watched = instant_add_ms(peer->stirred_at, LOOK_MS / overlay->config.time_scale);

	if (!peer->current || !path || peer->said_goodbye)
		return (struct instant){ 0 };
	if (pmtu_is_urgent(&path->pmtu))
		return instant_add_ms(overlay->now, LOOK_SEARCH_MS);
	if (busy)
		return instant_add_ms(overlay->now, LOOK_BUSY_MS);
	if (peer->contact.unanswered_at.ns)
		return instant_add_ms(overlay->now, LOOK_MS / overlay->config.time_scale);
	if (instant_reached(overlay->now, watched))
		return (struct instant){ 0 };
	return watched;
}

/* For those who tell of it */
static void note_state(struct overlay *overlay, struct peer *peer)
{
	if (peer->contact.state == peer->noted)
		return;
	peer->noted = peer->contact.state;
	overlay->changes++;
}

static void note_short(struct overlay *overlay, struct peer *peer)
{
	const struct peer_path *path = paths_in_use(&peer->paths);
	const bool is_short = peer->current && path && path->pmtu.too_small;
	char text[PATH_TEXT_BYTES];

	if (is_short == peer->short_path)
		return;
	peer->short_path = is_short;
	peer->short_since = overlay->now;
	overlay->short_paths += is_short ? 1 : -1;
	overlay->changes++;
	if (!is_short)
		return;
	path_shortcoming(path, text);
	log_warning("peer %s: %s", peer->name, text);
}

void liveness_tend(struct overlay *overlay, struct peer *peer)
{
	const struct instant earliest = instant_add_ms(overlay->now, LOOK_MIN_MS);
	struct instant next, again;
	bool busy;

	expire(overlay, peer);
	look(overlay, peer);
	open_or_shut(peer);
	busy = !instant_reached(overlay->now, peer->busy_until);
	next = obey(overlay, peer);
	tend_path(overlay, peer, busy);
	note_short(overlay, peer);
	again = next_look(overlay, peer, busy);
	__atomic_store_n(&peer->quiet, again.ns == 0, __ATOMIC_RELAXED);
	sooner(&next, again);
	sooner(&next, peer_sessions_expiry(peer));
	if (next.ns)
		timers_set(&overlay->timers, &peer->timer, next.ns < earliest.ns ? earliest : next);
	else
		timers_clear(&overlay->timers, &peer->timer);
	note_state(overlay, peer);
}
