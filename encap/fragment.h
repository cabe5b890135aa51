/*
 * fragment.h - frames that are longer than the path and may not be cut otherwise
 *
 * Layout: encap/PROTOCOL.md section 6.  Neighbours: segment.h, which spares TCP this way; overlay/, which seals each
 * fragment as a record and hands opened ones to the reassembler.  No clock, no allocation.
 *
 * Theory of operation
 *   A frame is cut into equal pieces (the last may be shorter), at most FRAGMENT_MAX_COUNT.  Each is headed by the
 *   frame's id (24 bits, counted by the sending lane), index and count.
 *   A reassembler has a fixed number of slots, each with room for the largest frame.  A slot belongs to (source,
 *   network, frame id) from the first fragment that arrives, in whatever order, to the last.  It is given up when
 *     - it is older than REASSEMBLY_TIMEOUT_MS (timeout), seen when the slot is looked at or at reassembly_expire();
 *     - a fragment contradicts the others in count, size or P flag (inconsistent);
 *     - all slots are in use (evicted): a source that holds a quarter of them or more loses its own oldest, otherwise
 *       the oldest of all goes.
 *   A fragment that was there already is dropped (duplicate) and the slot stays.
 */
#ifndef ENCAP_FRAGMENT_H
#define ENCAP_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/counter.h"

#define FRAGMENT_HEADER_BYTES 4U
#define FRAGMENT_HEADROOM_BYTES 12U /* fragment header and the longest record header */
#define FRAGMENT_MAX_COUNT 16U
#define FRAGMENT_MAX_FRAME_BYTES 9280U /* MTU 9216, Ethernet header, two tags, and some */
#define FRAGMENT_ID_MAX 0xffffffU
#define REASSEMBLY_TIMEOUT_MS 500U
#define REASSEMBLY_MAX_SLOTS 64U

/* name, counter as operators see it, what it means and what to do (weft help drop) */
#define FRAGMENT_DROPS(X)                                                                                       \
	X(OVERSIZE, "fragment-oversize",                                                                        \
		"A frame over 9280 bytes that would have to be sent in fragments, or came so. Lower the MTU "   \
		"of the guests to the network's, at most 9216.")                                                \
	X(MALFORMED, "fragment-malformed",                                                                      \
		"A fragment that is empty, short or has an impossible number. Run the same version of weft on " \
		"all hosts; if that is so already, please report it.")                                          \
	X(INCONSISTENT, "fragment-inconsistent",                                                                \
		"Fragments of one frame that contradict each other. Run the same version of weft on all "       \
		"hosts; if that is so already, please report it.")                                              \
	X(DUPLICATE, "fragment-duplicate",                                                                      \
		"A fragment that had come before. Nothing is lost by it; many mean that the underlay "          \
		"duplicates packets.")                                                                          \
	X(TIMEOUT, "fragment-timeout",                                                                          \
		"A frame whose fragments did not all come within half a second: the underlay lost one. Look "   \
		"for loss on the way (weft ping HOST); raise the underlay's MTU or lower the guests' so that "  \
		"frames need no fragments.")                                                                    \
	X(EVICTED, "fragment-evicted",                                                                          \
		"A frame that waited for its fragments had to make room for others: too many are in fragments " \
		"at once. Raise the underlay's MTU or lower the guests' so that frames need no fragments.")

enum fragment_result {
	FRAGMENT_OK,
	FRAGMENT_HELD, /* taken, the frame is not whole yet: not a drop */
#define X(name, text, why) FRAGMENT_DROP_##name,
	FRAGMENT_DROPS(X)
#undef X
		FRAGMENT_RESULTS
};

/* The sending side; caller's memory, one frame long */
struct fragmenter {
	uint8_t *frame;
	uint8_t *saved_at;
	size_t left_bytes;
	size_t cut_bytes;
	uint32_t id;
	uint8_t index;
	uint8_t count;
	uint8_t saved_bytes;
	uint8_t saved[FRAGMENT_HEADROOM_BYTES];
};

/**
 * fragment_begin() - cut a frame for the path
 * @frame:	borrowed until fragment_next() returns false, when it is what it was; FRAGMENT_HEADROOM_BYTES in front of
 *		it are the caller's too
 * @id:		of this frame: a count that the sending lane keeps; its low 24 bits count
 * @max_body_bytes: what fits into one datagram as a fragment record's body, this header included
 *
 * Return: FRAGMENT_OK or FRAGMENT_DROP_OVERSIZE
 */
enum fragment_result fragment_begin(struct fragmenter *f, uint8_t *frame, size_t len_bytes, uint32_t id,
	size_t max_body_bytes) __attribute__((warn_unused_result));

/**
 * fragment_next() - the next fragment record's body, fragment header included, as one run
 * @body:	valid until the next call; the caller may write RECORD_MAX_HEADER_BYTES in front of it, nothing else
 *
 * Return: false after the last
 */
bool fragment_next(struct fragmenter *f, uint8_t **body, size_t *body_bytes) __attribute__((warn_unused_result));

struct reassembly_slot {
	uint64_t source;
	uint32_t network;
	uint32_t id;
	struct instant deadline;
	uint16_t cut_bytes;  /* of every fragment but the last; 0 until one came */
	uint16_t last_bytes; /* 0 until the last came, which waits at the end of the room */
	uint16_t have;       /* a bit per index */
	uint8_t count;       /* 0: free */
	bool partial;
};

/* The receiving side; owned by one worker; no _fini */
struct reassembler {
	struct counter drops[FRAGMENT_RESULTS]; /* its own: one frame may be lost while another's fragment is taken */
	uint8_t *room;
	unsigned int n_slots;
	unsigned int hint; /* the slot that was used last */
	struct reassembly_slot slots[REASSEMBLY_MAX_SLOTS];
};

struct reassembled {
	uint8_t *frame; /* borrowed until the next reassembly_add() */
	size_t bytes;
	bool partial;
};

/* Return: the bytes of memory that @n_slots (1 to REASSEMBLY_MAX_SLOTS) want */
static inline size_t reassembly_room_bytes(unsigned int n_slots)
{
	return (size_t)n_slots * FRAGMENT_MAX_FRAME_BYTES;
}

/* @room: the caller's, of reassembly_room_bytes(@n_slots), for as long as @r is used */
void reassembly_init(struct reassembler *r, void *room, unsigned int n_slots);

/**
 * reassembly_add() - one fragment record
 * @source:	who numbered the frame: session and lane, as the caller likes, never the same for two senders
 * @partial:	the record's P
 * @body:	the record's, copied
 * @out:	written only on FRAGMENT_OK
 *
 * Return: FRAGMENT_OK (the frame is whole), FRAGMENT_HELD, or a drop, which is counted in @r->drops already
 */
enum fragment_result reassembly_add(struct reassembler *r, uint64_t source, uint32_t network, bool partial,
	const uint8_t *body, size_t body_bytes, struct instant now, struct reassembled *out)
	__attribute__((warn_unused_result));

/* Give up what is overdue: now and then, so that losses are counted even when nothing more comes */
void reassembly_expire(struct reassembler *r, struct instant now);

#endif /* ENCAP_FRAGMENT_H */
