/*
 * fragment_scenario.h - fragments out of a script, in any order, some wrong, against a naive reassembler
 *
 * Shared by test_fragment.c (random scripts) and fuzz_fragment.c (the fuzzer's).
 */
#ifndef TESTS_UNIT_ENCAP_FRAGMENT_SCENARIO_H
#define TESTS_UNIT_ENCAP_FRAGMENT_SCENARIO_H

#include "encap/fragment.h"
#include "tests/unit/encap/model.h"

#define SCENARIO_KEYS 8U /* at most as many frames at once as there are slots: no evictions here */

/* Keeps every piece by itself and joins them when all are there */
struct naive_frame {
	bool used, partial;
	uint64_t deadline_ns;
	unsigned int count;
	uint8_t *pieces[FRAGMENT_MAX_COUNT];
	size_t bytes[FRAGMENT_MAX_COUNT];
};

struct naive_reassembler {
	struct naive_frame frames[SCENARIO_KEYS];
	uint64_t timeouts;
};

static inline enum fragment_result naive_end(struct naive_frame *f, enum fragment_result why)
{
	for (unsigned int i = 0; i < FRAGMENT_MAX_COUNT; i++)
		free(f->pieces[i]);
	memset(f, 0, sizeof(*f));
	return why;
}

static inline void naive_expire(struct naive_reassembler *r, struct instant now)
{
	for (unsigned int i = 0; i < SCENARIO_KEYS; i++) {
		if (!r->frames[i].used || now.ns < r->frames[i].deadline_ns)
			continue;
		naive_end(&r->frames[i], FRAGMENT_DROP_TIMEOUT);
		r->timeouts++;
	}
}

/* Do the pieces that are there fit each other? */
static inline enum fragment_result naive_check(const struct naive_frame *f)
{
	size_t cut_bytes = 0, last_bytes = f->pieces[f->count - 1] ? f->bytes[f->count - 1] : 0;

	for (unsigned int i = 0; i + 1 < f->count; i++) {
		if (!f->pieces[i])
			continue;
		if (cut_bytes == 0)
			cut_bytes = f->bytes[i];
		if (f->bytes[i] != cut_bytes)
			return FRAGMENT_DROP_INCONSISTENT;
	}
	if (cut_bytes > 0 && last_bytes > cut_bytes)
		return FRAGMENT_DROP_INCONSISTENT;
	return cut_bytes * (f->count - 1) + last_bytes > FRAGMENT_MAX_FRAME_BYTES ? FRAGMENT_DROP_OVERSIZE
										  : FRAGMENT_OK;
}

/* @frame: room for the largest; @bytes: 0 unless the frame is whole */
static inline enum fragment_result naive_add(struct naive_reassembler *r, unsigned int key, bool partial,
	const uint8_t *body, size_t body_bytes, struct instant now, uint8_t *frame, size_t *bytes)
{
	struct naive_frame *f = &r->frames[key];
	enum fragment_result result;
	unsigned int index, count;

	*bytes = 0;
	if (body_bytes < 5)
		return FRAGMENT_DROP_MALFORMED;
	index = body[3] >> 4;
	count = (body[3] & 15U) + 1;
	if (count < 2 || index >= count)
		return FRAGMENT_DROP_MALFORMED;
	if (f->used && now.ns >= f->deadline_ns) {
		naive_end(f, FRAGMENT_DROP_TIMEOUT);
		r->timeouts++;
	}
	if (!f->used) {
		naive_expire(r, now);
		*f = (struct naive_frame){ .used = true, .partial = partial, .count = count };
		f->deadline_ns = now.ns + REASSEMBLY_TIMEOUT_MS * 1000000ULL;
	}
	if (f->count != count || f->partial != partial)
		return naive_end(f, FRAGMENT_DROP_INCONSISTENT);
	if (f->pieces[index])
		return FRAGMENT_DROP_DUPLICATE;
	if (body_bytes - 4 > FRAGMENT_MAX_FRAME_BYTES)
		return naive_end(f, FRAGMENT_DROP_OVERSIZE);
	f->bytes[index] = body_bytes - 4;
	f->pieces[index] = malloc(body_bytes - 4);
	MUST(f->pieces[index]);
	memcpy(f->pieces[index], body + 4, body_bytes - 4);
	result = naive_check(f);
	if (result != FRAGMENT_OK)
		return naive_end(f, result);
	for (unsigned int i = 0; i < count; i++) {
		if (!f->pieces[i])
			return FRAGMENT_HELD;
	}
	for (unsigned int i = 0; i < count; i++) {
		memcpy(frame + *bytes, f->pieces[i], f->bytes[i]);
		*bytes += f->bytes[i];
	}
	return naive_end(f, FRAGMENT_OK);
}

struct fragment_scenario {
	struct reassembler reassembler;
	struct naive_reassembler naive;
	struct instant now;
	uint8_t frames[SCENARIO_KEYS][FRAGMENT_HEADROOM_BYTES + FRAGMENT_MAX_FRAME_BYTES];
	size_t bytes[SCENARIO_KEYS], max_body_bytes[SCENARIO_KEYS];
	unsigned int whole;
};

/* Source, network and id of a key: one of the three is often all that differs */
static inline void scenario_key(unsigned int key, uint64_t *source, uint32_t *network, uint32_t *id)
{
	*source = key & 1 ? 0x100000001ULL : 1;
	*network = key & 2 ? 0xffffff : 5;
	*id = key & 4 ? 0x800001 : 1;
}

static inline void scenario_deliver(struct fragment_scenario *s, unsigned int key, bool partial, const uint8_t *body,
	size_t body_bytes)
{
	static uint8_t want[FRAGMENT_MAX_FRAME_BYTES];
	uint8_t *copy = malloc(body_bytes + 1);
	struct reassembled got = { 0 };
	enum fragment_result expected, result;
	uint64_t source;
	uint32_t network, id;
	size_t want_bytes;

	MUST(copy);
	memcpy(copy + 1, body, body_bytes);
	scenario_key(key, &source, &network, &id);
	if (body_bytes >= 3) {
		copy[1] = (uint8_t)(id >> 16);
		copy[2] = (uint8_t)(id >> 8);
		copy[3] = (uint8_t)id;
	}
	expected = naive_add(&s->naive, key, partial, copy + 1, body_bytes, s->now, want, &want_bytes);
	result = reassembly_add(&s->reassembler, source, network, partial, copy + 1, body_bytes, s->now, &got);
	free(copy);
	MUST(result == expected);
	MUST(counter_read(&s->reassembler.drops[FRAGMENT_DROP_TIMEOUT]) == s->naive.timeouts);
	MUST(counter_read(&s->reassembler.drops[FRAGMENT_DROP_EVICTED]) == 0);
	if (result != FRAGMENT_OK)
		return;
	s->whole++;
	MUST(got.bytes == want_bytes && got.partial == partial);
	MUST(memcmp(got.frame, want, want_bytes) == 0);
}

/* Deliver fragment @index (or the last) of the key's frame, whole or with something wrong */
static inline void scenario_fragment(struct fragment_scenario *s, struct script *script, unsigned int key)
{
	uint8_t *frame = s->frames[key] + FRAGMENT_HEADROOM_BYTES;
	uint8_t which = script_u8(script), how = script_u8(script);
	uint8_t original[64], *body;
	struct fragmenter f;
	size_t body_bytes, check = s->bytes[key] < sizeof(original) ? s->bytes[key] : sizeof(original);
	unsigned int i = 0, chosen;

	memcpy(original, frame, check);
	if (fragment_begin(&f, frame, s->bytes[key], 0, s->max_body_bytes[key]) != FRAGMENT_OK)
		return;
	for (chosen = which % f.count; fragment_next(&f, &body, &body_bytes); i++) {
		uint8_t copy[FRAGMENT_HEADER_BYTES + FRAGMENT_MAX_FRAME_BYTES];

		memset(body - 8, 0xdd, 8); /* the caller's right */
		if (i != chosen)
			continue;
		MUST(body_bytes <= s->max_body_bytes[key]);
		memcpy(copy, body, body_bytes);
		if (how == 1)
			copy[3] ^= script_u8(script);
		if (how == 2)
			body_bytes -= script_u8(script) % body_bytes;
		scenario_deliver(s, key, how == 3 ? !(key & 1) : key & 1, copy, body_bytes);
	}
	MUST(memcmp(original, frame, check) == 0);
}

static inline void fragment_scenario(struct script *script)
{
	static struct fragment_scenario s;
	uint8_t *room = malloc(reassembly_room_bytes(SCENARIO_KEYS));

	MUST(room);
	memset(&s, 0, sizeof(s));
	reassembly_init(&s.reassembler, room, SCENARIO_KEYS);
	s.now.ns = 1;
	for (unsigned int key = 0; key < SCENARIO_KEYS; key++) {
		s.bytes[key] = script_u16(script) % (FRAGMENT_MAX_FRAME_BYTES + 1);
		s.max_body_bytes[key] = script_u16(script) % 2048;
		for (size_t i = 0; i < s.bytes[key]; i++)
			s.frames[key][FRAGMENT_HEADROOM_BYTES + i] = (uint8_t)(i * 37 + key + (i >> 8));
	}
	while (script->left_bytes > 0) {
		uint8_t op = script_u8(script);
		uint8_t raw[300];

		if (op < 0xe0) {
			scenario_fragment(&s, script, op % SCENARIO_KEYS);
		} else if (op < 0xf0) {
			s.now = instant_add_ms(s.now, script_u8(script) * 4U);
			if (op & 1) {
				naive_expire(&s.naive, s.now);
				reassembly_expire(&s.reassembler, s.now);
			}
		} else {
			size_t n = script_u16(script) % sizeof(raw);

			for (size_t i = 0; i < n; i++)
				raw[i] = i < 8 ? script_u8(script) : (uint8_t)i;
			scenario_deliver(&s, op % SCENARIO_KEYS, op & 8, raw, n);
		}
	}
	naive_expire(&s.naive, instant_add_ms(s.now, REASSEMBLY_TIMEOUT_MS));
	reassembly_expire(&s.reassembler, instant_add_ms(s.now, REASSEMBLY_TIMEOUT_MS));
	MUST(counter_read(&s.reassembler.drops[FRAGMENT_DROP_TIMEOUT]) == s.naive.timeouts);
	free(room);
}

#endif /* TESTS_UNIT_ENCAP_FRAGMENT_SCENARIO_H */
