/*
 * cursor.h - bounds-checked reading and writing of big-endian bytes
 *
 * The one way in which weft parses and builds wire formats.  A cursor that was asked for more than it
 * has turns bad, yields zeros from then on and never touches memory outside its span; callers check
 * once, at the end, with rd_ok() or wr_ok().  No allocation.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd {
	const uint8_t *at;
	size_t left_bytes;
	bool bad;
};

struct wr {
	uint8_t *start;
	size_t used_bytes;
	size_t cap_bytes;
	bool bad;
};

static inline struct rd rd_init(const void *bytes, size_t len_bytes)
{
	return (struct rd){ .at = bytes, .left_bytes = len_bytes, .bad = false };
}

/* Return: the next @n bytes, borrowed from the span, or NULL and a bad cursor */
static inline const uint8_t *rd_bytes(struct rd *r, size_t n)
{
	const uint8_t *at = r->at;

	if (r->bad || r->left_bytes < n) {
		r->bad = true;
		return NULL;
	}
	if (n) /* an empty span may have no address */
		r->at += n;
	r->left_bytes -= n;
	return at;
}

static inline bool rd_copy(struct rd *r, void *out, size_t n)
{
	const uint8_t *at = rd_bytes(r, n);

	if (n == 0)
		return !r->bad;
	if (at)
		memcpy(out, at, n);
	else
		memset(out, 0, n);
	return at != NULL;
}

/* An unsigned integer of @n <= 8 bytes, most significant first */
static inline uint64_t rd_uint(struct rd *r, size_t n)
{
	const uint8_t *at = rd_bytes(r, n);
	uint64_t value = 0;

	for (size_t i = 0; at && i < n; i++)
		value = value << 8 | at[i];
	return value;
}

static inline uint8_t rd_u8(struct rd *r)
{
	return (uint8_t)rd_uint(r, 1);
}

static inline uint16_t rd_u16(struct rd *r)
{
	return (uint16_t)rd_uint(r, 2);
}

static inline uint32_t rd_u24(struct rd *r)
{
	return (uint32_t)rd_uint(r, 3);
}

static inline uint32_t rd_u32(struct rd *r)
{
	return (uint32_t)rd_uint(r, 4);
}

static inline uint64_t rd_u64(struct rd *r)
{
	return rd_uint(r, 8);
}

static inline bool rd_ok(const struct rd *r)
{
	return !r->bad;
}

static inline struct wr wr_init(void *bytes, size_t cap_bytes)
{
	return (struct wr){ .start = bytes, .used_bytes = 0, .cap_bytes = cap_bytes, .bad = false };
}

/* Return: room for @n bytes that the caller fills, or NULL and a bad cursor */
static inline uint8_t *wr_reserve(struct wr *w, size_t n)
{
	uint8_t *at;

	if (w->bad || w->cap_bytes - w->used_bytes < n) {
		w->bad = true;
		return NULL;
	}
	at = w->start ? w->start + w->used_bytes : NULL;
	w->used_bytes += n;
	return at;
}

static inline void wr_bytes(struct wr *w, const void *bytes, size_t n)
{
	uint8_t *at = wr_reserve(w, n);

	if (at && n)
		memcpy(at, bytes, n);
}

static inline void wr_uint(struct wr *w, uint64_t value, size_t n)
{
	uint8_t *at = wr_reserve(w, n);

	for (size_t i = n; at && i-- > 0; value >>= 8)
		at[i] = (uint8_t)value;
}

static inline void wr_u8(struct wr *w, uint8_t value)
{
	wr_uint(w, value, 1);
}

static inline void wr_u16(struct wr *w, uint16_t value)
{
	wr_uint(w, value, 2);
}

static inline void wr_u24(struct wr *w, uint32_t value)
{
	wr_uint(w, value, 3);
}

static inline void wr_u32(struct wr *w, uint32_t value)
{
	wr_uint(w, value, 4);
}

static inline void wr_u64(struct wr *w, uint64_t value)
{
	wr_uint(w, value, 8);
}

static inline bool wr_ok(const struct wr *w)
{
	return !w->bad;
}

#endif /* BASE_CURSOR_H */
