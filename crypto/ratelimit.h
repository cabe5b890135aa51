/*
 * ratelimit.h - token buckets: one alone, and a bounded table of them by source address
 *
 * For handshakes, whose cost a stranger causes.  One bucket for all of them tells when the agent is under load (then
 * cookie.h asks for mac2); the table then holds back each address that has proven itself.  IPv6 counts by /64,
 * since whoever has one address there has them all.
 *
 * The table is RATELIMIT_SETS sets of RATELIMIT_WAYS entries.  A new address takes the entry of its set that was idle
 * longest; whoever lost it starts again with a full bucket.  Thread: the control thread.
 */
#ifndef CRYPTO_RATELIMIT_H
#define CRYPTO_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/hash.h"

#define RATELIMIT_SETS 512U
#define RATELIMIT_WAYS 8U

struct ratelimit_bucket {
	uint64_t tokens_micro;  /* millionths of a token */
	struct instant updated; /* 0: never used, which means full */
};

struct ratelimit_rate {
	uint32_t per_second; /* at least 1 */
	uint32_t burst;      /* at least 1 */
};

struct ratelimit;

/* Return: false where the bucket is empty.  A bucket begins as all zeros. */
bool ratelimit_bucket_take(struct ratelimit_bucket *bucket, struct ratelimit_rate rate, struct instant now)
	__attribute__((warn_unused_result));

/* @seed: so that no stranger can aim at one set */
struct ratelimit *ratelimit_new(struct ratelimit_rate rate, struct hash_seed seed) __attribute__((warn_unused_result));
void ratelimit_free(struct ratelimit *limit);

/* Return: false where @source has used up its share.  Ports do not count. */
bool ratelimit_take(struct ratelimit *limit, const struct endpoint *source, struct instant now)
	__attribute__((warn_unused_result));

#endif /* CRYPTO_RATELIMIT_H */
