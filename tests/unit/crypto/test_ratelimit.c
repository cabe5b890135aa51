/*
 * test_ratelimit.c - buckets against a naive model, and the table's bound
 */
#include "crypto/ratelimit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const struct hash_seed seed = { 1, 2 };

static struct endpoint at(const char *text)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse(text, 4754, &endpoint));
	return endpoint;
}

static struct instant ms(uint64_t t)
{
	return (struct instant){ 1 + t * 1000000 };
}

static void bucket_burst_and_rate(void **state)
{
	const struct ratelimit_rate rate = { .per_second = 10, .burst = 5 };
	struct ratelimit_bucket bucket = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_true(ratelimit_bucket_take(&bucket, rate, ms(0)));
	assert_false(ratelimit_bucket_take(&bucket, rate, ms(0)));
	assert_false(ratelimit_bucket_take(&bucket, rate, ms(99)));
	assert_true(ratelimit_bucket_take(&bucket, rate, ms(100)));
	assert_false(ratelimit_bucket_take(&bucket, rate, ms(199)));
	assert_true(ratelimit_bucket_take(&bucket, rate, ms(200)));
	for (int i = 0; i < 5; i++) /* a long rest fills it, and no more */
		assert_true(ratelimit_bucket_take(&bucket, rate, ms(1000000)));
	assert_false(ratelimit_bucket_take(&bucket, rate, ms(1000000)));
}

/* Over a long time nobody gets more than burst + rate * time, nor much less when he keeps asking */
static void bucket_against_the_formula(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 50; run++) {
		struct ratelimit_rate rate = { .per_second = 1 + (uint32_t)random() % 3000,
			.burst = 2 + (uint32_t)random() % 100 }; /* 1 would lose what comes while it is full */
		struct ratelimit_bucket bucket = { 0 };
		uint64_t ns = 1;
		uint64_t taken = 0;
		uint64_t allowed;

		for (int i = 0; i < 20000; i++) {
			taken += ratelimit_bucket_take(&bucket, rate, (struct instant){ ns });
			ns += (uint64_t)random() % 150000; /* always faster than the rate */
		}
		allowed = rate.burst + (ns - 1) * rate.per_second / 1000000000U;
		assert_true(taken <= allowed);
		assert_true(taken + 2 >= allowed);
	}
}

static void clock_that_stands_or_jumps(void **state)
{
	const struct ratelimit_rate rate = { .per_second = UINT32_MAX, .burst = UINT32_MAX };
	struct ratelimit_bucket bucket = { 0 };

	(void)state;
	assert_true(ratelimit_bucket_take(&bucket, rate, (struct instant){ 1000000 }));
	assert_true(ratelimit_bucket_take(&bucket, rate, (struct instant){ 5 }));
	assert_true(ratelimit_bucket_take(&bucket, rate, (struct instant){ UINT64_MAX }));
}

static void addresses_do_not_share(void **state)
{
	struct ratelimit *limit = ratelimit_new((struct ratelimit_rate){ .per_second = 1, .burst = 2 }, seed);
	struct endpoint a = at("192.0.2.1:1000");
	struct endpoint a2 = at("192.0.2.1:2000");
	struct endpoint b = at("192.0.2.2:1000");
	struct endpoint c = at("[2001:db8:0:1::1]:1000");
	struct endpoint c2 = at("[2001:db8:0:1:ffff::1]:1000");
	struct endpoint d = at("[2001:db8:0:2::1]:1000");

	(void)state;
	assert_non_null(limit);
	assert_true(ratelimit_take(limit, &a, ms(0)));
	assert_true(ratelimit_take(limit, &a2, ms(0)));
	assert_false(ratelimit_take(limit, &a, ms(0)));
	assert_true(ratelimit_take(limit, &b, ms(0)));
	assert_true(ratelimit_take(limit, &c, ms(0)));
	assert_true(ratelimit_take(limit, &c2, ms(0)));
	assert_false(ratelimit_take(limit, &c, ms(0)));
	assert_true(ratelimit_take(limit, &d, ms(0)));
	assert_true(ratelimit_take(limit, &a, ms(1001)));
	ratelimit_free(limit);
	ratelimit_free(NULL);
}

/* A million addresses: the table stays what it is, and a newcomer is let in */
static void bounded(void **state)
{
	struct ratelimit *limit = ratelimit_new((struct ratelimit_rate){ .per_second = 1, .burst = 1 }, seed);
	struct endpoint source = at("10.0.0.0");

	(void)state;
	assert_non_null(limit);
	for (uint32_t i = 0; i < 1000000; i++) {
		memcpy(source.ip + 12, &i, 4);
		assert_true(ratelimit_take(limit, &source, ms(i / 1000)));
		assert_false(ratelimit_take(limit, &source, ms(i / 1000)));
	}
	ratelimit_free(limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bucket_burst_and_rate),
		cmocka_unit_test(bucket_against_the_formula),
		cmocka_unit_test(clock_that_stands_or_jumps),
		cmocka_unit_test(addresses_do_not_share),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
