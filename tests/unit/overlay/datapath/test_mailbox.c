/*
 * test_mailbox.c - the mailbox alone and between two threads; under ThreadSanitizer too
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "overlay/datapath/mailbox.h"

#define MESSAGES 300000U

static struct mailbox box;

static struct mail message(uint32_t n)
{
	struct mail mail = { .kind = n % 6, .session = n, .peer = n * 3, .bytes = ~n, .token = (uint64_t)n << 20 };

	memset(&mail.from, (int)(n & 0xff), sizeof(mail.from));
	return mail;
}

static void assert_is(const struct mail *mail, uint32_t n)
{
	struct mail expected = message(n);

	assert_int_equal(mail->kind, expected.kind);
	assert_int_equal(mail->session, expected.session);
	assert_int_equal(mail->peer, expected.peer);
	assert_int_equal(mail->bytes, expected.bytes);
	assert_int_equal(mail->token, expected.token);
	assert_true(endpoint_equal(&mail->from, &expected.from));
}

/* Filled and emptied from every place of the ring, also where its counts wrap */
static void holds_what_it_says(void **state)
{
	(void)state;
	for (uint32_t start = 0; start < 2 * MAILBOX_SLOTS; start++) {
		struct mail mail;

		memset(&box, 0, sizeof(box));
		box.head = box.tail = UINT32_MAX - MAILBOX_SLOTS + start;
		assert_false(mailbox_take(&box, &mail));
		for (uint32_t n = 0; n < MAILBOX_SLOTS; n++) {
			mail = message(n);
			assert_true(mailbox_put(&box, &mail));
		}
		mail = message(9999);
		assert_false(mailbox_put(&box, &mail));
		for (uint32_t n = 0; n < MAILBOX_SLOTS; n++) {
			assert_true(mailbox_take(&box, &mail));
			assert_is(&mail, n);
		}
		assert_false(mailbox_take(&box, &mail));
	}
}

static void *produce(void *arg)
{
	(void)arg;
	for (uint32_t n = 0; n < MESSAGES; n++) {
		struct mail mail = message(n);

		while (!mailbox_put(&box, &mail))
			sched_yield();
	}
	return NULL;
}

static void two_threads(void **state)
{
	pthread_t producer;

	(void)state;
	memset(&box, 0, sizeof(box));
	assert_int_equal(pthread_create(&producer, NULL, produce, NULL), 0);
	for (uint32_t n = 0; n < MESSAGES; n++) {
		struct mail mail;

		while (!mailbox_take(&box, &mail))
			sched_yield();
		assert_is(&mail, n);
	}
	pthread_join(producer, NULL);
	assert_int_equal(box.head, box.tail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_what_it_says),
		cmocka_unit_test(two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
