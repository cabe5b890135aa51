/*
 * ports.c - see ports.h
 */
#include "overlay/agent/ports.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_COUNT 16U /* a power of two */

/* Up is what carries frames in every queue */
enum port_state port_state(const struct port *port, const struct forwarding *in_force)
{
	if (!port->open)
		return error_is_set(&port->error) ? PORT_ERROR : PORT_WAITING;
	if (!in_force || in_force->ports[port->slot] != port->open)
		return PORT_STARTING;
	switch (port->health) {
	case TAP_DOWN:
	case TAP_LOST:
		return PORT_DOWN;
	case TAP_LIMITED:
		return PORT_LIMITED;
	default:
		return PORT_UP;
	}
}

const char *port_state_name(enum port_state state)
{
	static const char *const names[PORT_STATES_COUNT] = {
#define X(name, word) [PORT_##name] = word,
		PORT_STATES(X)
#undef X
	};

	return names[state];
}

static struct port **bucket_of(const struct ports *ports, uint32_t id)
{
	return &ports->buckets[(id * 2654435761U >> 8) & (ports->buckets_count - 1)];
}

struct port *ports_lookup(const struct ports *ports, uint32_t id)
{
	struct port *port = ports->buckets_count ? *bucket_of(ports, id) : NULL;

	while (port && port->wanted.id != id)
		port = port->next_of_bucket;
	return port;
}

struct port *ports_at(const struct ports *ports, uint32_t slot)
{
	return slot < ports->slots_count ? ports->slots[slot] : NULL;
}

/* ---- room for more ----------------------------------------------------------------------------------------- */

static bool grow_buckets(struct ports *ports)
{
	struct ports grown = { .buckets_count = ports->buckets_count ? 2 * ports->buckets_count : FIRST_COUNT };

	if (ports->count < ports->buckets_count)
		return true;
	grown.buckets = calloc(grown.buckets_count, sizeof(*grown.buckets));
	if (!grown.buckets)
		return false;
	for (uint32_t i = 0; i < ports->buckets_count; i++) {
		struct port *port = ports->buckets[i], *next;

		for (; port; port = next) {
			struct port **bucket = bucket_of(&grown, port->wanted.id);

			next = port->next_of_bucket;
			port->next_of_bucket = *bucket;
			*bucket = port;
		}
	}
	free(ports->buckets);
	ports->buckets = grown.buckets;
	ports->buckets_count = grown.buckets_count;
	return true;
}

static bool grow_slots(struct ports *ports)
{
	uint32_t count = ports->slots_count ? 2 * ports->slots_count : FIRST_COUNT;
	uint32_t *holders;
	struct port **slots;

	if (count > PORTS_MAX)
		count = PORTS_MAX;
	if (count == ports->slots_count)
		return false;
	slots = realloc(ports->slots, count * sizeof(*slots));
	if (!slots)
		return false;
	ports->slots = slots;
	holders = realloc(ports->holders, count * sizeof(*holders));
	if (!holders)
		return false;
	ports->holders = holders;
	memset(slots + ports->slots_count, 0, (count - ports->slots_count) * sizeof(*slots));
	memset(holders + ports->slots_count, 0, (count - ports->slots_count) * sizeof(*holders));
	ports->slots_count = count;
	return true;
}

/* Return: PORTS_MAX where there is none */
static uint32_t free_slot(struct ports *ports)
{
	while (ports->free_hint < ports->slots_count && ports->holders[ports->free_hint])
		ports->free_hint++;
	if (ports->free_hint == ports->slots_count && !grow_slots(ports))
		return PORTS_MAX;
	return ports->free_hint;
}

/* ---- ports come and go ------------------------------------------------------------------------------------- */

static void into_idle(struct ports *ports, struct port *port)
{
	port->idle_before = NULL;
	port->idle_after = ports->idle;
	if (ports->idle)
		ports->idle->idle_before = port;
	ports->idle = port;
}

static void out_of_idle(struct ports *ports, struct port *port)
{
	if (port->idle_before)
		port->idle_before->idle_after = port->idle_after;
	else
		ports->idle = port->idle_after;
	if (port->idle_after)
		port->idle_after->idle_before = port->idle_before;
}

void ports_want(struct port *port, const struct lab_port *wanted)
{
	port->wanted = *wanted;
	port->wanted.ip = (struct ip_list){ NULL, 0 };
}

struct port *ports_add(struct ports *ports, const struct lab_port *wanted, uint32_t mtu_bytes)
{
	uint32_t slot = free_slot(ports);
	struct port *port, **bucket;

	if (slot == PORTS_MAX || !grow_buckets(ports))
		return NULL;
	port = calloc(1, sizeof(*port));
	if (!port)
		return NULL;
	ports_want(port, wanted);
	port->mtu_bytes = mtu_bytes;
	port->slot = slot;
	bucket = bucket_of(ports, wanted->id);
	port->next_of_bucket = *bucket;
	*bucket = port;
	ports->slots[slot] = port;
	ports->holders[slot]++;
	ports->count++;
	into_idle(ports, port);
	return port;
}

void ports_remove(struct ports *ports, struct port *port)
{
	struct port **at = bucket_of(ports, port->wanted.id);

	assert(!port->open);
	while (*at != port)
		at = &(*at)->next_of_bucket;
	*at = port->next_of_bucket;
	ports->slots[port->slot] = NULL;
	ports->count--;
	(void)ports_release(ports, port->slot);
	out_of_idle(ports, port);
	free(port);
}

void ports_opened(struct ports *ports, struct port *port, struct vport *open)
{
	assert(!port->open);
	port->open = open;
	ports->holders[port->slot]++;
	out_of_idle(ports, port);
}

struct vport *ports_idle(struct ports *ports, struct port *port)
{
	struct vport *open = port->open;

	assert(open);
	port->open = NULL;
	into_idle(ports, port);
	return open;
}

bool ports_release(struct ports *ports, uint32_t slot)
{
	assert(slot < ports->slots_count && ports->holders[slot]);
	if (--ports->holders[slot])
		return false;
	if (slot < ports->free_hint)
		ports->free_hint = slot;
	return true;
}

void ports_fini(struct ports *ports)
{
	for (uint32_t slot = 0; slot < ports->slots_count; slot++)
		free(ports->slots[slot]);
	free(ports->buckets);
	free(ports->slots);
	free(ports->holders);
	memset(ports, 0, sizeof(*ports));
}
