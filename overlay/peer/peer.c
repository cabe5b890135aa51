/*
 * peer.c - see peer.h
 */
#include "overlay/peer/peer.h"

#include "base/rcu.h"
#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>

struct peer *peer_new(uint32_t slot, const char *name, const struct x25519_public *key)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->slot = slot;
	snprintf(peer->name, sizeof(peer->name), "%s", name);
	peer->key = *key;
	handshake_init(&peer->handshake);
	if (!cookie_jar_init(&peer->jar, key)) {
		free(peer);
		return NULL;
	}
	return peer;
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

bool peer_set_path(struct peer *peer, const struct endpoint *endpoint, uint32_t datagram_bytes, int family)
{
	struct path *old = peer->path, *path;

	if (old && endpoint_equal(&old->endpoint, endpoint) && old->datagram_bytes == datagram_bytes)
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
	if (old) {
		rcu_wait();
		free(old);
	}
	return true;
}

void peer_totals(const struct peer *peer, struct session_totals *out)
{
	*out = peer->retired;
	session_totals_add(out, peer->current);
	session_totals_add(out, peer->next);
	for (uint32_t i = 0; i < PEER_PREVIOUS; i++)
		session_totals_add(out, peer->previous[i]);
}
