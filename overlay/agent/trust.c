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
	else
		out->proven = true;
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

struct trust *trust_judge(const struct topology *topology, const char *ca_pem, time_t now)
{
	struct trust *all = calloc((size_t)topology->hosts_count + 1, sizeof(*all));

	for (uint32_t i = 0; all && i < topology->hosts_count; i++) {
		judge(&topology->hosts[i], ca_pem, now, &all[i]);
		refuse_shared_key(topology, all, i);
	}
	return all;
}
