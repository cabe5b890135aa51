/*
 * test_cookie.c - mac1, mac2 and cookie replies between two sides, their lives, tampering and truncation
 */
#include "crypto/cookie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/random.h"

#define BODY_BYTES 100U

struct sides {
	struct x25519_keypair receiver;
	struct cookie_checker checker;
	struct cookie_jar jar;
	struct endpoint source;
	uint8_t body[BODY_BYTES + COOKIE_MACS_BYTES];
	uint8_t reply[COOKIE_REPLY_BYTES];
};

static struct instant ms(uint64_t t)
{
	return (struct instant){ 1 + t * 1000000 };
}

static void sides_init(struct sides *s)
{
	assert_true(x25519_generate(&s->receiver));
	assert_true(cookie_checker_init(&s->checker, &s->receiver.public));
	assert_true(cookie_jar_init(&s->jar, &s->receiver.public));
	assert_true(endpoint_parse("192.0.2.1:4754", 1, &s->source));
	random_fill(s->body, sizeof(s->body));
	s->body[0] = 1;
}

static void sides_fini(struct sides *s)
{
	cookie_checker_fini(&s->checker);
	cookie_jar_fini(&s->jar);
}

static enum cookie_result check(struct sides *s, uint64_t at_ms)
{
	return cookie_check(&s->checker, s->body, sizeof(s->body), &s->source, ms(at_ms));
}

static void close_body(struct sides *s, uint64_t at_ms)
{
	assert_true(cookie_close(&s->jar, s->body, BODY_BYTES, ms(at_ms)));
}

static void fetch_cookie(struct sides *s, uint64_t at_ms)
{
	close_body(s, at_ms);
	assert_true(cookie_reply_create(&s->checker, s->body, sizeof(s->body), &s->source, ms(at_ms), s->reply));
	assert_true(cookie_reply_consume(&s->jar, s->reply, sizeof(s->reply), ms(at_ms)));
}

static void whole_way(void **state)
{
	struct sides s;
	uint32_t receiver;

	(void)state;
	sides_init(&s);
	close_body(&s, 0);
	assert_int_equal(check(&s, 0), COOKIE_ONLY_MAC1);
	assert_true(cookie_reply_create(&s.checker, s.body, sizeof(s.body), &s.source, ms(0), s.reply));
	assert_true(cookie_reply_receiver(s.reply, sizeof(s.reply), &receiver));
	assert_int_equal(receiver, s.body[1] << 16 | s.body[2] << 8 | s.body[3]);
	assert_true(cookie_reply_consume(&s.jar, s.reply, sizeof(s.reply), ms(0)));
	assert_int_equal(check(&s, 0), COOKIE_ONLY_MAC1);
	close_body(&s, 1);
	assert_int_equal(check(&s, 1), COOKIE_BOTH);
	s.source.port++;
	assert_int_equal(check(&s, 1), COOKIE_ONLY_MAC1);
	s.source.port--;
	s.source.ip[15]++;
	assert_int_equal(check(&s, 1), COOKIE_ONLY_MAC1);
	sides_fini(&s);
}

static void only_the_right_receiver(void **state)
{
	struct sides s;
	struct x25519_keypair other;
	struct cookie_checker checker;

	(void)state;
	sides_init(&s);
	assert_true(x25519_generate(&other));
	assert_true(cookie_checker_init(&checker, &other.public));
	close_body(&s, 0);
	assert_int_equal(cookie_check(&checker, s.body, sizeof(s.body), &s.source, ms(0)), COOKIE_BAD);
	cookie_checker_fini(&checker);
	sides_fini(&s);
}

static void every_byte_flipped(void **state)
{
	struct sides s;

	(void)state;
	sides_init(&s);
	fetch_cookie(&s, 0);
	close_body(&s, 1);
	for (size_t bit = 0; bit < 8 * sizeof(s.body); bit++) {
		bool in_mac2 = bit / 8 >= BODY_BYTES + COOKIE_MAC_BYTES;

		s.body[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(check(&s, 1), in_mac2 ? COOKIE_ONLY_MAC1 : COOKIE_BAD);
		s.body[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(check(&s, 1), COOKIE_BOTH);
	sides_fini(&s);
}

static void every_length(void **state)
{
	struct sides s;

	(void)state;
	sides_init(&s);
	for (size_t len = 0; len <= 600; len++) {
		uint8_t *body = calloc(1, len + COOKIE_MACS_BYTES);
		size_t whole = len + COOKIE_MACS_BYTES;

		assert_non_null(body);
		assert_true(cookie_close(&s.jar, body, len, ms(0)));
		assert_int_equal(cookie_check(&s.checker, body, whole, &s.source, ms(0)),
			whole < COOKIE_BODY_MIN_BYTES || whole > COOKIE_BODY_MAX_BYTES ? COOKIE_BAD : COOKIE_ONLY_MAC1);
		assert_int_equal(cookie_reply_create(&s.checker, body, whole, &s.source, ms(0), s.reply),
			whole >= COOKIE_BODY_MIN_BYTES && whole <= COOKIE_BODY_MAX_BYTES);
		free(body);
	}
	close_body(&s, 0);
	for (size_t len = 0; len < sizeof(s.body); len++)
		assert_int_equal(cookie_check(&s.checker, s.body, len, &s.source, ms(0)), COOKIE_BAD);
	sides_fini(&s);
}

static void replies_tampered_and_cut(void **state)
{
	struct sides s;
	uint8_t longer[COOKIE_REPLY_BYTES + 1] = { 0 };

	(void)state;
	sides_init(&s);
	close_body(&s, 0);
	assert_true(cookie_reply_create(&s.checker, s.body, sizeof(s.body), &s.source, ms(0), s.reply));
	for (size_t i = 0; i < sizeof(s.reply); i++) {
		if (i >= 1 && i <= 3)
			continue; /* the receiver's index: finds the jar, and only that */
		s.reply[i] ^= 0x10;
		assert_false(cookie_reply_consume(&s.jar, s.reply, sizeof(s.reply), ms(0)));
		s.reply[i] ^= 0x10;
	}
	for (size_t len = 0; len < sizeof(s.reply); len++) {
		uint8_t *cut = malloc(len + 1);

		assert_non_null(cut);
		memcpy(cut, s.reply, len);
		assert_false(cookie_reply_consume(&s.jar, cut, len, ms(0)));
		free(cut);
	}
	memcpy(longer, s.reply, sizeof(s.reply));
	assert_false(cookie_reply_consume(&s.jar, longer, sizeof(longer), ms(0)));
	assert_int_equal(s.jar.received.ns, 0);
	assert_true(cookie_reply_consume(&s.jar, s.reply, sizeof(s.reply), ms(0)));
	assert_false(cookie_reply_consume(&s.jar, s.reply, sizeof(s.reply), ms(0))); /* once */
	sides_fini(&s);
}

static void a_reply_answers_one_message(void **state)
{
	struct sides s;

	(void)state;
	sides_init(&s);
	assert_false(cookie_reply_consume(&s.jar, s.reply, sizeof(s.reply), ms(0))); /* nothing was sent */
	close_body(&s, 0);
	assert_true(cookie_reply_create(&s.checker, s.body, sizeof(s.body), &s.source, ms(0), s.reply));
	s.body[10] ^= 1;
	close_body(&s, 0);
	assert_false(cookie_reply_consume(&s.jar, s.reply, sizeof(s.reply), ms(0)));
	sides_fini(&s);
}

static void lives(void **state)
{
	struct sides s;

	(void)state;
	sides_init(&s);
	fetch_cookie(&s, 0);
	close_body(&s, COOKIE_LIFE_MS - 1);
	assert_int_equal(check(&s, COOKIE_LIFE_MS - 1), COOKIE_BOTH);
	close_body(&s, COOKIE_LIFE_MS); /* the sender's end of it */
	assert_int_equal(check(&s, COOKIE_LIFE_MS), COOKIE_ONLY_MAC1);
	fetch_cookie(&s, COOKIE_LIFE_MS); /* the secret turns here */
	close_body(&s, COOKIE_LIFE_MS);
	assert_int_equal(check(&s, COOKIE_LIFE_MS), COOKIE_BOTH);
	sides_fini(&s);

	/* given just before the secret turned, and good for all of its life */
	sides_init(&s);
	fetch_cookie(&s, 0);
	fetch_cookie(&s, COOKIE_LIFE_MS - 1);
	assert_true(cookie_reply_create(&s.checker, s.body, sizeof(s.body), &s.source, ms(COOKIE_LIFE_MS), s.reply));
	close_body(&s, 2 * COOKIE_LIFE_MS - 2);
	assert_int_equal(check(&s, 2 * COOKIE_LIFE_MS - 2), COOKIE_BOTH);
	assert_int_equal(check(&s, 2 * COOKIE_LIFE_MS), COOKIE_ONLY_MAC1);
	sides_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_way),
		cmocka_unit_test(only_the_right_receiver),
		cmocka_unit_test(every_byte_flipped),
		cmocka_unit_test(every_length),
		cmocka_unit_test(replies_tampered_and_cut),
		cmocka_unit_test(a_reply_answers_one_message),
		cmocka_unit_test(lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
