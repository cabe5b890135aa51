/*
 * presence.c - see presence.h
 */
#include "controller/presence.h"

#include "controller/host_topology.h"

void presences_init(struct presences *presences, const struct model *model, const struct api_machine *machine,
	const struct presences_ops *ops, void *ctx)
{
	*presences = (struct presences){ .model = model, .machine = machine, .ops = ops, .ctx = ctx };
	TAILQ_INIT(&presences->noted);
}

static bool may_tell(struct presence *presence, struct instant now)
{
	const uint64_t refills = instant_since_ms(now, presence->told_at) / PRESENCE_REFILL_MS;

	if (refills > 0) {
		presence->told -= presence->told < refills ? presence->told : (uint32_t)refills;
		presence->told_at = now;
	}
	if (presence->told == PRESENCE_BURST)
		return false;
	presence->told++;
	return true;
}

/* @host is to be in the line of @to */
static void add_name(struct presence *to, const char *member, const char *host)
{
	json_t *names = json_object_get(to->line, member);
	const size_t count = json_array_size(json_object_get(to->line, "online")) +
		json_array_size(json_object_get(to->line, "offline"));

	if (count >= PRESENCE_NAMES_MAX)
		return;
	if (!names) {
		names = json_array();
		json_object_set_new(to->line, member, names);
	}
	json_array_append_new(names, json_string(host));
}

/* Its neighbours that listen are to hear of it */
static void gather(struct presences *presences, const struct presence *presence, struct presence_queue *hearing)
{
	const char *member = presences->ops->is_online(presences->ctx, presence) ? "online" : "offline";
	json_t *neighbours = host_topology_neighbours(presences->model, presence->host), *name;
	size_t i;

	json_array_foreach(neighbours, i, name) {
		struct presence *to = presences->ops->listener(presences->ctx, json_string_value(name));

		if (!to)
			continue;
		if (!to->line) {
			to->line = json_object();
			TAILQ_INSERT_TAIL(hearing, to, hearing_link);
		}
		add_name(to, member, presence->host);
	}
	json_decref(neighbours);
}

static void send_lines(struct presences *presences, struct presence_queue *hearing)
{
	struct presence *to;

	while ((to = TAILQ_FIRST(hearing)) != NULL) {
		json_t *line = to->line;

		TAILQ_REMOVE(hearing, to, hearing_link);
		to->line = NULL;
		presences->ops->send(presences->ctx, to, line);
		json_decref(line);
	}
}

void presences_turn(struct presences *presences)
{
	const struct api_machine *machine = presences->machine;
	struct presence_queue hearing = TAILQ_HEAD_INITIALIZER(hearing);
	struct presence *presence = TAILQ_FIRST(&presences->noted);
	struct instant start;

	if (!presence)
		return;
	start = machine->now(machine->ctx);
	for (; presence; presence = TAILQ_FIRST(&presences->noted)) {
		TAILQ_REMOVE(&presences->noted, presence, noted_link);
		presence->noted = false;
		if (may_tell(presence, start))
			gather(presences, presence, &hearing);
		if (machine->soon && instant_since_ms(machine->now(machine->ctx), start) >= PRESENCE_TURN_MS)
			break;
	}
	send_lines(presences, &hearing);
	if (machine->soon && !TAILQ_EMPTY(&presences->noted))
		machine->soon(machine->ctx);
}

void presences_note(struct presences *presences, struct presence *presence)
{
	const struct api_machine *machine = presences->machine;

	if (presence->noted)
		return;
	presence->noted = true;
	TAILQ_INSERT_TAIL(&presences->noted, presence, noted_link);
	if (machine->soon)
		machine->soon(machine->ctx);
	else
		presences_turn(presences);
}

void presences_forget(struct presences *presences, struct presence *presence)
{
	if (presence->noted)
		TAILQ_REMOVE(&presences->noted, presence, noted_link);
	presence->noted = false;
}
