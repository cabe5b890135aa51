/*
 * fragment.c - see fragment.h
 */
#include "encap/fragment.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"

enum fragment_result fragment_begin(struct fragmenter *f, uint8_t *frame, size_t len_bytes, uint32_t id,
	size_t max_body_bytes)
{
	size_t max_cut_bytes = max_body_bytes > FRAGMENT_HEADER_BYTES ? max_body_bytes - FRAGMENT_HEADER_BYTES : 0;
	size_t count;

	if (len_bytes == 0 || len_bytes > FRAGMENT_MAX_FRAME_BYTES || max_cut_bytes == 0)
		return FRAGMENT_DROP_OVERSIZE;
	count = (len_bytes + max_cut_bytes - 1) / max_cut_bytes;
	if (count < 2 && len_bytes >= 2)
		count = 2;
	if (count < 2 || count > FRAGMENT_MAX_COUNT)
		return FRAGMENT_DROP_OVERSIZE;
	*f = (struct fragmenter){
		.frame = frame,
		.left_bytes = len_bytes,
		.cut_bytes = (len_bytes + count - 1) / count,
		.id = id & FRAGMENT_ID_MAX,
		.count = (uint8_t)count,
	};
	return FRAGMENT_OK;
}

bool fragment_next(struct fragmenter *f, uint8_t **body, size_t *body_bytes)
{
	size_t bytes = f->left_bytes < f->cut_bytes ? f->left_bytes : f->cut_bytes;
	struct wr w;

	if (f->saved_at)
		memcpy(f->saved_at, f->saved, f->saved_bytes);
	f->saved_at = NULL;
	if (bytes == 0)
		return false;
	if (f->index > 0) {
		size_t done_bytes = f->index * f->cut_bytes;

		f->saved_bytes = (uint8_t)(done_bytes < sizeof(f->saved) ? done_bytes : sizeof(f->saved));
		f->saved_at = f->frame - f->saved_bytes;
		memcpy(f->saved, f->saved_at, f->saved_bytes);
	}
	*body = f->frame - FRAGMENT_HEADER_BYTES;
	*body_bytes = FRAGMENT_HEADER_BYTES + bytes;
	w = wr_init(*body, FRAGMENT_HEADER_BYTES);
	wr_u24(&w, f->id);
	wr_u8(&w, (uint8_t)(f->index << 4 | (f->count - 1)));
	f->frame += bytes;
	f->left_bytes -= bytes;
	f->index++;
	return true;
}

void reassembly_init(struct reassembler *r, void *room, unsigned int n_slots)
{
	assert(n_slots >= 1 && n_slots <= REASSEMBLY_MAX_SLOTS);
	memset(r, 0, sizeof(*r));
	r->room = room;
	r->n_slots = n_slots;
}

static enum fragment_result drop(struct reassembler *r, enum fragment_result why)
{
	counter_add(&r->drops[why], 1);
	return why;
}

static bool overdue(const struct reassembly_slot *slot, struct instant now)
{
	return slot->count > 0 && instant_reached(now, slot->deadline);
}

void reassembly_expire(struct reassembler *r, struct instant now)
{
	for (unsigned int i = 0; i < r->n_slots; i++) {
		if (!overdue(&r->slots[i], now))
			continue;
		r->slots[i].count = 0;
		drop(r, FRAGMENT_DROP_TIMEOUT);
	}
}

static bool slot_is(const struct reassembly_slot *slot, uint64_t source, uint32_t network, uint32_t id)
{
	return slot->count > 0 && slot->id == id && slot->source == source && slot->network == network;
}

/* Return: the slot of this frame, NULL where it has none */
static struct reassembly_slot *lookup(struct reassembler *r, uint64_t source, uint32_t network, uint32_t id)
{
	if (slot_is(&r->slots[r->hint], source, network, id))
		return &r->slots[r->hint];
	for (unsigned int i = 0; i < r->n_slots; i++) {
		if (slot_is(&r->slots[i], source, network, id)) {
			r->hint = i;
			return &r->slots[i];
		}
	}
	return NULL;
}

/* Return: a slot to begin in, somebody's oldest where none is free */
static struct reassembly_slot *claim(struct reassembler *r, uint64_t source, struct instant now)
{
	struct reassembly_slot *oldest = NULL, *own = NULL, *slot;
	unsigned int n_own = 0;

	reassembly_expire(r, now);
	for (unsigned int i = 0; i < r->n_slots; i++) {
		slot = &r->slots[i];
		if (slot->count == 0) {
			r->hint = i;
			return slot;
		}
		if (!oldest || slot->deadline.ns < oldest->deadline.ns)
			oldest = slot;
		if (slot->source == source) {
			n_own++;
			if (!own || slot->deadline.ns < own->deadline.ns)
				own = slot;
		}
	}
	slot = own && n_own * 4 >= r->n_slots ? own : oldest;
	drop(r, FRAGMENT_DROP_EVICTED);
	r->hint = (unsigned int)(slot - r->slots);
	return slot;
}

static uint8_t *room_of(const struct reassembler *r, const struct reassembly_slot *slot)
{
	return r->room + (size_t)(slot - r->slots) * FRAGMENT_MAX_FRAME_BYTES;
}

/* Would the frame be too long with what is known of it now? */
static bool too_long(const struct reassembly_slot *slot)
{
	return (size_t)(slot->count - 1) * slot->cut_bytes + slot->last_bytes > FRAGMENT_MAX_FRAME_BYTES;
}

/* Take a fragment's bytes.  Return: FRAGMENT_OK, or the reason for which the whole frame is given up */
static enum fragment_result place(struct reassembler *r, struct reassembly_slot *slot, unsigned int index,
	const uint8_t *bytes, size_t len_bytes)
{
	uint8_t *room = room_of(r, slot);

	if (len_bytes > FRAGMENT_MAX_FRAME_BYTES)
		return FRAGMENT_DROP_OVERSIZE;
	if (index == slot->count - 1U)
		slot->last_bytes = (uint16_t)len_bytes;
	else if (slot->cut_bytes == 0)
		slot->cut_bytes = (uint16_t)len_bytes;
	else if (slot->cut_bytes != len_bytes)
		return FRAGMENT_DROP_INCONSISTENT;
	if (slot->cut_bytes > 0 && slot->last_bytes > slot->cut_bytes)
		return FRAGMENT_DROP_INCONSISTENT;
	if (too_long(slot))
		return FRAGMENT_DROP_OVERSIZE;
	/* The last one's place is known for sure only once another came: until all are there it waits at the end */
	if (index == slot->count - 1U)
		memcpy(room + FRAGMENT_MAX_FRAME_BYTES - len_bytes, bytes, len_bytes);
	else
		memcpy(room + index * len_bytes, bytes, len_bytes);
	slot->have |= (uint16_t)(1U << index);
	return FRAGMENT_OK;
}

static void finish(struct reassembler *r, struct reassembly_slot *slot, struct reassembled *out)
{
	uint8_t *room = room_of(r, slot);
	size_t front_bytes = (size_t)(slot->count - 1) * slot->cut_bytes;

	memmove(room + front_bytes, room + FRAGMENT_MAX_FRAME_BYTES - slot->last_bytes, slot->last_bytes);
	*out = (struct reassembled){
		.frame = room,
		.bytes = front_bytes + slot->last_bytes,
		.partial = slot->partial,
	};
	slot->count = 0;
}

enum fragment_result reassembly_add(struct reassembler *r, uint64_t source, uint32_t network, bool partial,
	const uint8_t *body, size_t body_bytes, struct instant now, struct reassembled *out)
{
	struct rd rd = rd_init(body, body_bytes);
	uint32_t id = rd_u24(&rd);
	uint8_t place_word = rd_u8(&rd);
	uint8_t index = place_word >> 4, count = (uint8_t)((place_word & 0x0f) + 1);
	struct reassembly_slot *slot;
	enum fragment_result result;

	if (!rd_ok(&rd) || rd.left_bytes == 0 || count < 2 || index >= count)
		return drop(r, FRAGMENT_DROP_MALFORMED);
	slot = lookup(r, source, network, id);
	if (slot && overdue(slot, now)) {
		slot->count = 0;
		drop(r, FRAGMENT_DROP_TIMEOUT);
		slot = NULL;
	}
	if (!slot) {
		slot = claim(r, source, now);
		*slot = (struct reassembly_slot){
			.source = source,
			.network = network,
			.id = id,
			.deadline = instant_add_ms(now, REASSEMBLY_TIMEOUT_MS),
			.count = count,
			.partial = partial,
		};
	}
	if (slot->count != count || slot->partial != partial) {
		slot->count = 0;
		return drop(r, FRAGMENT_DROP_INCONSISTENT);
	}
	if (slot->have & 1U << index)
		return drop(r, FRAGMENT_DROP_DUPLICATE);
	result = place(r, slot, index, rd.at, rd.left_bytes);
	if (result != FRAGMENT_OK) {
		slot->count = 0;
		return drop(r, result);
	}
	if (slot->have != (1U << count) - 1)
		return FRAGMENT_HELD;
	finish(r, slot, out);
	return FRAGMENT_OK;
}
