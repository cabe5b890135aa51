/*
 * peer.c - see peer.h
 */
#include "overlay/peer/peer.h"

#include "base/rcu.h"
#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct peer *peer_new(uint32_t slot, const char *name, const struct x25519_public *key, struct instant now)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->slot = slot;
	snprintf(peer->name, sizeof(peer->name), "%s", name);
	contact_init(&peer->contact, now);
	handshake_init(&peer->handshake);
	if (!key)
		return peer;
	peer->has_key = true;
	peer->key = *key;
	if (cookie_jar_init(&peer->jar, key))
		return peer;
	free(peer);
	return NULL;
}

void peer_free(struct peer *peer)
{
	if (!peer)
		return;
	handshake_fini(&peer->handshake);
	cookie_jar_fini(&peer->jar);
	free(peer->path);
	free(peer);
}

bool peer_is_limited(const struct peer *peer)
{
	return peer->short_path && peer->contact.state == CONTACT_UP;
}

const char *peer_state_name(const struct peer *peer)
{
	return peer_is_limited(peer) ? "limited" : contact_state_name(peer->contact.state);
}

struct instant peer_state_since(const struct peer *peer)
{
	return peer_is_limited(peer) ? peer->short_since : peer->contact.since;
}

void peer_why(const struct peer *peer, char out[PATH_TEXT_BYTES])
{
	contact_why(&peer->contact, out);
	if (peer_is_limited(peer))
		path_shortcoming(&peer->paths.path[peer->paths.in_use], out);
}

void peer_totals(const struct peer *peer, struct session_totals *out)
{
	*out = peer->retired;
	session_totals_add(out, peer->current);
	session_totals_add(out, peer->next);
	for (uint32_t i = 0; i < PEER_PREVIOUS; i++)
		session_totals_add(out, peer->previous[i]);
}

/* ---- the life of its sessions ------------------------------------------------------------------------------ */

static void free_session(void *arg)
{
	session_free(arg);
}

/* NULL is fine */
static void retire(struct peer *peer, struct session_table *table, struct session *session)
{
	if (!session)
		return;
	session_totals_add(&peer->retired, session);
	session_unlink(table, session);
	rcu_defer(free_session, session);
}

void peer_session_answered(struct peer *peer, struct session_table *table, struct session *session)
{
	retire(peer, table, peer->next);
	peer->next = session;
}

void peer_session_begin(struct peer *peer, struct session_table *table, struct session *session)
{
	retire(peer, table, peer->previous[PEER_PREVIOUS - 1]);
	memmove(peer->previous + 1, peer->previous, (PEER_PREVIOUS - 1) * sizeof(peer->previous[0]));
	peer->previous[0] = peer->current;
	peer->current = session;
	peer->sessions_count++;
	rcu_publish(&peer->sending, session);
}

bool peer_session_confirm(struct peer *peer, struct session_table *table, struct session *session)
{
	if (peer->next != session)
		return false;
	__atomic_store_n(&session->confirmed, true, __ATOMIC_RELAXED);
	peer->next = NULL;
	peer_session_begin(peer, table, session);
	return true;
}

static void end_current(struct peer *peer, struct session_table *table)
{
	rcu_publish(&peer->sending, NULL);
	retire(peer, table, peer->current);
	peer->current = NULL;
}

/* The places but the current one's: next, then previous ones */
static struct session **place(struct peer *peer, uint32_t i)
{
	return i == 0 ? &peer->next : &peer->previous[i - 1];
}

bool peer_sessions_expire(struct peer *peer, struct session_table *table, struct instant now)
{
	bool current = peer->current && instant_reached(now, peer->current->reject_after);

	if (current)
		end_current(peer, table);
	for (uint32_t i = 0; i <= PEER_PREVIOUS; i++) {
		struct session **session = place(peer, i);

		if (!*session || !instant_reached(now, (*session)->reject_after))
			continue;
		retire(peer, table, *session);
		*session = NULL;
	}
	return current;
}

static void note_expiry(struct instant *first, const struct session *session)
{
	if (session && (!first->ns || session->reject_after.ns < first->ns))
		*first = session->reject_after;
}

struct instant peer_sessions_expiry(const struct peer *peer)
{
	struct instant first = { 0 };

	note_expiry(&first, peer->current);
	note_expiry(&first, peer->next);
	for (uint32_t i = 0; i < PEER_PREVIOUS; i++)
		note_expiry(&first, peer->previous[i]);
	return first;
}

void peer_sessions_end(struct peer *peer, struct session_table *table)
{
	end_current(peer, table);
	for (uint32_t i = 0; i <= PEER_PREVIOUS; i++) {
		retire(peer, table, *place(peer, i));
		*place(peer, i) = NULL;
	}
}

/* ---- where they are sent to -------------------------------------------------------------------------------- */

bool peer_set_path(struct peer *peer, const struct endpoint *endpoint, uint32_t datagram_bytes, int family)
{
	struct path *old = peer->path, *path;

	if (old && endpoint_equal(&old->endpoint, endpoint) && endpoint_same_local(&old->endpoint, endpoint) &&
		old->datagram_bytes == datagram_bytes)
		return true;
	path = calloc(1, sizeof(*path));
	if (!path)
		return false;
	path->endpoint = *endpoint;
	path->datagram_bytes = datagram_bytes;
	path->sa_bytes = endpoint_to_sockaddr(endpoint, family, &path->sa);
	if (path->sa_bytes == 0) {
		free(path);
		return false;
	}
	rcu_publish(&peer->path, path);
	if (old)
		rcu_defer(free, old);
	return true;
}
