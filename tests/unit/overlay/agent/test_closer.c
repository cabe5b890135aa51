/*
 * test_closer.c - ports whose closing waits at a gate, as a packet socket's waits for the kernel
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "overlay/agent/closer.h"
#include "tap/port_ops.h"

#define PORTS 200U

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static bool gate_open;
static unsigned int at_gate, most_at_gate, closed;

static void close_at_gate(struct tap_port *port)
{
	pthread_mutex_lock(&lock);
	at_gate++;
	if (at_gate > most_at_gate)
		most_at_gate = at_gate;
	pthread_cond_broadcast(&moved);
	while (!gate_open)
		pthread_cond_wait(&moved, &lock);
	at_gate--;
	closed++;
	pthread_mutex_unlock(&lock);
	free(port);
}

static const struct tap_ops gated = { .close = close_at_gate };

static struct tap_port *new_port(void)
{
	struct tap_port *port = calloc(1, sizeof(*port));

	assert_non_null(port);
	port->ops = &gated;
	return port;
}

static void set_gate(bool open)
{
	pthread_mutex_lock(&lock);
	gate_open = open;
	pthread_cond_broadcast(&moved);
	pthread_mutex_unlock(&lock);
}

static int start(void **state)
{
	(void)state;
	at_gate = most_at_gate = closed = 0;
	gate_open = false;
	return 0;
}

static void wait_for_crowd(unsigned int count)
{
	pthread_mutex_lock(&lock);
	while (at_gate < count)
		pthread_cond_wait(&moved, &lock);
	pthread_mutex_unlock(&lock);
}

static void nobody_waits_and_all_come_back(void **state)
{
	struct closer *closer = closer_new();
	static int tokens[PORTS];
	unsigned int told = 0;
	void *token;

	(void)state;
	assert_non_null(closer);
	for (unsigned int i = 0; i < PORTS; i++)
		assert_true(closer_close(closer, new_port(), &tokens[i])); /* with the gate closed: it did not wait */
	assert_false(closer_take(closer, &token));
	wait_for_crowd(100); /* side by side */
	set_gate(true);
	while (told < PORTS) {
		struct pollfd ready = { .fd = closer_descriptor(closer), .events = POLLIN };

		assert_int_equal(poll(&ready, 1, 10000), 1);
		while (closer_take(closer, &token)) {
			int *which = token;

			assert_true(which >= tokens && which < tokens + PORTS && !*which);
			*which = 1;
			told++;
		}
	}
	assert_true(most_at_gate <= 128);
	assert_true(closer_free(closer, 10000));
}

static void the_end_waits_for_all_but_not_for_ever(void **state)
{
	struct closer *closer = closer_new();

	(void)state;
	for (unsigned int i = 0; i < PORTS; i++)
		assert_true(closer_close(closer, new_port(), NULL));
	assert_false(closer_free(closer, 20));
	set_gate(true);
	assert_true(closer_free(closer, 10000));
	assert_int_equal(closed, PORTS);
	assert_true(closer_free(NULL, 0));
}

static void one_without_work(void **state)
{
	(void)state;
	assert_true(closer_free(closer_new(), 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nobody_waits_and_all_come_back, start),
		cmocka_unit_test_setup(the_end_waits_for_all_but_not_for_ever, start),
		cmocka_unit_test(one_without_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
