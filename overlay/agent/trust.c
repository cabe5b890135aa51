/*
 * trust.c - see trust.h
 */
#include "overlay/agent/trust.h"

#include "base/base64.h"
#include "crypto/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refuse(struct trust *trust, const char *why)
{
	snprintf(trust->refused, sizeof(trust->refused), "%s", why);
}

static void judge(const struct topology_host *host, const char *ca_pem, time_t now, struct trust *out)
{
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];
	struct identity identity;

	if (!base64_decode(host->tunnel_key, out->key.bytes, sizeof(out->key.bytes)))
		refuse(out, "its tunnel key is not 32 bytes");
	else if (!identity_verify(ca_pem, host->certificate, IDENTITY_HOST, now, &identity))
		refuse(out, "its certificate is not signed by this fabric's CA, or not valid now");
	else if (strcmp(identity.name, host->name) != 0)
		refuse(out, "its certificate is another host's");
	else if (!base64_decode(host->tunnel_sig, signature, sizeof(signature)) ||
		!identity_tunnel_verify(&identity, &out->key, signature, sizeof(signature)))
		refuse(out, "its tunnel key is not signed by its certificate");
	else {
		out->proven = true;
		out->since = now;
		out->expires = identity.expires;
	}
}

/* Return: what was found of @host before, where that still holds; NULL where it does not */
static const struct trust *still_proven(const struct topology_host *host, time_t now, struct trust_before before)
{
	uint32_t at = before.topology ? topology_host(before.topology, host->name) : UINT32_MAX;
	const struct topology_host *then;
	const struct trust *found;

	if (at == UINT32_MAX)
		return NULL;
	then = &before.topology->hosts[at];
	found = &before.trust[at];
	if (!found->proven || now < found->since || now >= found->expires ||
		strcmp(then->tunnel_key, host->tunnel_key) != 0 || strcmp(then->tunnel_sig, host->tunnel_sig) != 0 ||
		strcmp(then->certificate, host->certificate) != 0)
		return NULL;
	// cppcheck-suppress returnDanglingLifetime ; @before is a copy, but what it points to is the caller's
	return found;
}

/*
 * A host can sign another's public key as its own.  It cannot use it, but who calls with that key would pass for whoever is found
 * first; so neither is a peer until one of them is gone.
 */
static void refuse_shared_key(const struct topology *topology, struct trust *all, uint32_t latest)
{
	struct trust *mine = &all[latest];

	for (uint32_t i = 0; mine->proven && i < latest; i++) {
		struct trust *other = &all[i];

		if (!other->proven || memcmp(other->key.bytes, mine->key.bytes, sizeof(mine->key.bytes)) != 0)
			continue;
		snprintf(mine->refused, sizeof(mine->refused), "it has the same tunnel key as %s",
			topology->hosts[i].name);
		snprintf(other->refused, sizeof(other->refused), "it has the same tunnel key as %s",
			topology->hosts[latest].name);
	}
}

struct trust *trust_judge(const struct topology *topology, const char *ca_pem, time_t now, struct trust_before before)
{
	struct trust *all = calloc((size_t)topology->hosts_count + 1, sizeof(*all));

	for (uint32_t i = 0; all && i < topology->hosts_count; i++) {
		const struct trust *known = still_proven(&topology->hosts[i], now, before);

		if (known)
			all[i] = *known;
		else
			judge(&topology->hosts[i], ca_pem, now, &all[i]);
		if (known)
			all[i].refused[0] = '\0'; /* who shares its key may have left */
		refuse_shared_key(topology, all, i);
	}
	return all;
}

time_t trust_expiry(const struct trust *trust, uint32_t count)
{
	time_t first = 0;

	for (uint32_t i = 0; i < count; i++)
		if (trust[i].proven && (!first || trust[i].expires < first))
			first = trust[i].expires;
	return first;
}
