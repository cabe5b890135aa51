/*
 * session.c - see session.h
 */
#include "overlay/peer/session.h"

#include "base/rcu.h"
#include "crypto/transport.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table --------------------------------------------------------------------------------------------- */

struct session_entry {
	uint32_t reserved; /* index given out, with or without a session; 0: free */
	uint32_t latest;   /* the index given out last */
	struct peer *owner;
};

static struct session_entry *entry_of(const struct session_table *table, uint32_t index)
{
	return table->capacity ? &table->entries[index & (table->capacity - 1)] : NULL;
}

/* What @slot of a table twice as large holds of one's old entry: one of the two slots that it may go to is free */
static void fill_slot(const struct session_table *old, struct session_entry *entry, struct session **session,
	uint32_t slot, uint32_t mask)
{
	const struct session_entry *from = entry_of(old, slot);

	if (!from)
		return;
	entry->latest = from->latest;
	if (!from->reserved || (from->reserved & mask) != slot)
		return;
	entry->reserved = from->reserved;
	entry->owner = from->owner;
	*session = session_lookup(old, from->reserved);
}

static void grow(struct session_table *table)
{
	uint32_t capacity = table->capacity ? 2 * table->capacity : SESSION_SLOTS_MIN;
	struct session_slots *slots, *old = table->slots;
	struct session_entry *entries;

	if (capacity > SESSION_SLOTS_MAX)
		return;
	slots = calloc(1, sizeof(*slots) + capacity * sizeof(struct session *));
	entries = calloc(capacity, sizeof(*entries));
	if (!slots || !entries) {
		free(slots);
		free(entries);
		return;
	}
	slots->mask = capacity - 1;
	for (uint32_t slot = 0; slot < capacity; slot++)
		fill_slot(table, &entries[slot], &slots->at[slot], slot, slots->mask);
	rcu_publish(&table->slots, slots);
	if (old)
		rcu_defer(free, old);
	free(table->entries);
	table->entries = entries;
	table->capacity = capacity;
}

void session_table_fini(struct session_table *table)
{
	free(table->slots);
	free(table->entries);
	*table = (struct session_table){ 0 };
}

/* A generation that the slot did not have last, out of @random */
static uint32_t new_index(const struct session_table *table, uint32_t slot, uint32_t random)
{
	uint32_t index;

	do {
		index = (random & HANDSHAKE_INDEX_MAX & ~(table->capacity - 1)) | slot;
		random += table->capacity;
	} while (index == 0 || index == table->entries[slot].latest);
	return index;
}

uint32_t session_index_reserve(struct session_table *table, struct peer *owner, uint32_t random)
{
	struct session_entry *entry;
	uint32_t slot;

	if (table->count >= table->capacity / 4 * 3) /* a free one is found soon */
		grow(table);
	if (table->count >= table->capacity)
		return 0;
	do
		slot = table->next++ & (table->capacity - 1);
	while (table->entries[slot].reserved);
	entry = &table->entries[slot];
	entry->reserved = entry->latest = new_index(table, slot, random);
	entry->owner = owner;
	table->count++;
	return entry->reserved;
}

void session_index_release(struct session_table *table, uint32_t index)
{
	struct session_entry *entry = entry_of(table, index);

	if (!index || !entry || entry->reserved != index)
		return;
	entry->reserved = 0;
	entry->owner = NULL;
	table->count--;
}

struct peer *session_index_owner(const struct session_table *table, uint32_t index)
{
	const struct session_entry *entry = entry_of(table, index);

	return index && entry && entry->reserved == index ? entry->owner : NULL;
}

/* ---- one session ------------------------------------------------------------------------------------------- */

static bool make_lanes(struct session *session, const struct session_keys *keys, const struct aead_backend *backend)
{
	for (uint32_t k = 0; k < session->senders_count; k++) {
		struct sender *sender = &session->senders[k];

		sender->main = transport_lane_new(backend, &keys->send, keys->cipher, 0);
		if (!sender->main)
			return false;
		if (k == 0 || k + 1 == session->senders_count)
			continue;
		sender->own = transport_lane_new(backend, &keys->send, keys->cipher, (uint8_t)k);
		if (!sender->own)
			return false;
	}
	for (uint32_t lane = 0; lane < session->rx_lanes; lane++) {
		replay_init(&session->rx[lane].replay);
		session->rx[lane].aead = transport_lane_new(backend, &keys->receive, keys->cipher, (uint8_t)lane);
		if (!session->rx[lane].aead)
			return false;
	}
	return true;
}

struct session *session_new(uint32_t index, struct peer *peer, const struct session_keys *keys,
	const struct aead_backend *backend, uint32_t workers, uint32_t time_scale, struct instant now)
{
	struct session *session;

	assert(workers >= 1 && workers < SESSION_LANES_MAX && time_scale >= 1);
	if (keys->remote_lanes < 1 || keys->remote_lanes > SESSION_LANES_MAX)
		return NULL;
	session = aligned_alloc(64, sizeof(*session)); /* its lanes are cache lines apart */
	if (!session)
		return NULL;
	memset(session, 0, sizeof(*session));
	session->index = index;
	session->remote_index = keys->remote_index;
	session->instance = keys->instance;
	session->peer = peer;
	session->created = now;
	session->reject_after =
		instant_add_ms(now, SESSION_REKEY_MS / time_scale + SESSION_REJECT_MS - SESSION_REKEY_MS);
	session->cipher = keys->cipher;
	session->senders_count = workers + 1;
	session->rx_lanes = keys->remote_lanes;
	if (!make_lanes(session, keys, backend)) {
		session_free(session);
		return NULL;
	}
	return session;
}

enum seal_result session_seal(struct session *session, uint32_t sender_index, uint32_t lane, uint8_t *datagram,
	const uint8_t *plain, size_t plain_bytes)
{
	struct sender *sender = &session->senders[sender_index];
	struct gre header = {
		.protocol = GRE_PROTOCOL_SEALED,
		.session = session->remote_index,
		.lane = (uint8_t)lane,
		.counter = lane ? sender->own_next : __atomic_load_n(&session->main_next, __ATOMIC_RELAXED),
	};

	if (header.counter >= SESSION_REJECT_MESSAGES)
		return SEAL_EXHAUSTED;
	/* Threads that pass the test together go a few counters beyond; the end of 32 bits is far away */
	header.counter = lane ? sender->own_next++ : __atomic_fetch_add(&session->main_next, 1, __ATOMIC_RELAXED);
	gre_encode(&header, datagram);
	if (!aead_seal(lane ? sender->own : sender->main, header.counter, datagram, plain, plain_bytes,
		    datagram + GRE_HEADER_BYTES))
		return SEAL_FAILED;
	counter_add(&sender->datagrams, 1);
	counter_add(&sender->bytes, GRE_HEADER_BYTES + plain_bytes + AEAD_TAG_BYTES);
	return SEAL_OK;
}

bool session_open(struct session *session, const struct gre *header, uint8_t *datagram, size_t len_bytes,
	struct instant now, bool *newest, enum drop *drop)
{
	uint8_t *plain = datagram + GRE_HEADER_BYTES;
	enum replay_result fresh;
	struct lane_rx *rx;

	*drop = DROP_SESSION_EXPIRED;
	if (instant_reached(now, session->reject_after))
		return false;
	*drop = DROP_LANE_UNKNOWN;
	if (header->lane >= session->rx_lanes)
		return false;
	rx = &session->rx[header->lane];
	fresh = header->counter < SESSION_REJECT_MESSAGES ? replay_check(&rx->replay, header->counter)
							  : REPLAY_DROP_OLD;
	*drop = DROP_NOT_AUTHENTIC;
	if (fresh == REPLAY_OK &&
		!aead_open(rx->aead, header->counter, datagram, plain, len_bytes - GRE_HEADER_BYTES, plain))
		return false;
	if (fresh == REPLAY_OK)
		fresh = replay_mark(&rx->replay, header->counter, newest);
	if (fresh != REPLAY_OK) {
		*drop = drop_replay(fresh);
		return false;
	}
	counter_add(&rx->datagrams, 1);
	counter_add(&rx->bytes, len_bytes);
	counter_set(&rx->last_ns, now.ns);
	return true;
}

bool session_is_worn(const struct session *session, uint32_t sender)
{
	return session->senders[sender].own_next >= SESSION_REKEY_MESSAGES ||
		__atomic_load_n(&session->main_next, __ATOMIC_RELAXED) >= SESSION_REKEY_MESSAGES;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	for (uint32_t lane = 0; lane < SESSION_LANES_MAX; lane++) {
		aead_free(session->senders[lane].main);
		aead_free(session->senders[lane].own);
		aead_free(session->rx[lane].aead);
	}
	free(session);
}

void session_publish(struct session_table *table, struct session *session)
{
	assert(entry_of(table, session->index)->reserved == session->index);
	rcu_publish(&table->slots->at[session->index & table->slots->mask], session);
}

void session_unlink(struct session_table *table, struct session *session)
{
	rcu_publish(&table->slots->at[session->index & table->slots->mask], NULL);
	session_index_release(table, session->index);
}

static uint64_t later_of(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

void session_totals_add(struct session_totals *sum, const struct session *session)
{
	if (!session)
		return;
	for (uint32_t k = 0; k < session->senders_count; k++) {
		sum->tx_datagrams += counter_read(&session->senders[k].datagrams);
		sum->tx_bytes += counter_read(&session->senders[k].bytes);
		sum->carried_ns = later_of(sum->carried_ns, counter_read(&session->senders[k].carried_ns));
	}
	for (uint32_t lane = 0; lane < session->rx_lanes; lane++) {
		const struct lane_rx *rx = &session->rx[lane];

		sum->rx_datagrams += counter_read(&rx->datagrams);
		sum->rx_bytes += counter_read(&rx->bytes);
		sum->rx_lost += replay_stats(&rx->replay).lost;
		sum->rx_last_ns = later_of(sum->rx_last_ns, counter_read(&rx->last_ns));
		sum->carried_ns = later_of(sum->carried_ns, counter_read(&rx->carried_ns));
	}
}
