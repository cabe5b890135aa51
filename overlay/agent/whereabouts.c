/*
 * whereabouts.c - see whereabouts.h
 */
#include "overlay/agent/whereabouts.h"

#include "base/log.h"
#include "overlay/peer/overlay.h"

#include <string.h>

static bool is_named(const struct contact *contact, const struct endpoint *at)
{
	for (uint32_t i = 0; i < contact->endpoints_count; i++)
		if (endpoint_equal(&contact->endpoints[i], at))
			return true;
	return false;
}

/* Return: {"host": "address:port"}, the caller's; NULL without memory */
static json_t *gather(const struct core *core)
{
	json_t *out = json_object();
	const struct peer *peer;
	uint32_t slot = 0;

	while (out && (peer = peers_next(&core->config.overlay->peers, &slot))) {
		char text[ENDPOINT_TEXT_BYTES];

		/* one that is silent may be so because we were cut off: where it was is still the best that is known */
		if (!peer->contact.session || !peer->path || is_named(&peer->contact, &peer->path->endpoint))
			continue;
		endpoint_format(&peer->path->endpoint, text);
		json_object_set_new(out, peer->name, json_string(text));
	}
	return out;
}

void whereabouts_recall(struct core *core)
{
	json_t *kept = core->ops->whereabouts_kept(core->ctx);
	const char *name;
	json_t *at;

	json_object_foreach(kept, name, at) {
		const char *text = json_string_value(at);
		struct peer *peer = peers_named(&core->config.overlay->peers, name);
		struct endpoint endpoint;

		if (peer && peer->has_key && text && endpoint_parse(text, UDP_PORT_DEFAULT, &endpoint))
			overlay_recall(core->config.overlay, peer, &endpoint, core->now);
	}
	core->whereabouts = kept;
}

void whereabouts_keep(struct core *core, bool now)
{
	json_t *fresh;
	int err;

	if (!now && !instant_reached(core->now, core->whereabouts_at))
		return;
	core->whereabouts_at = instant_add_ms(core->now, WHEREABOUTS_MS);
	fresh = gather(core);
	if (!fresh || json_equal(fresh, core->whereabouts) || (!core->whereabouts && json_object_size(fresh) == 0)) {
		json_decref(fresh);
		return;
	}
	err = core->ops->whereabouts_keep(core->ctx, fresh);
	if (err && !core->whereabouts_unkept)
		log_warning(
			"where peers are could not be kept on disk: %s; after a restart those behind NAT are back later",
			strerror(-err));
	core->whereabouts_unkept = err != 0;
	if (err) { /* tried again the next time */
		json_decref(fresh);
		return;
	}
	json_decref(core->whereabouts);
	core->whereabouts = fresh;
}
