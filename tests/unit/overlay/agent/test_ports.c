/*
 * test_ports.c - the table of ports against a naive model
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "overlay/agent/ports.h"

#define IDS 200U
#define LEAVING 64U

static struct port *add(struct ports *ports, uint32_t id)
{
	return ports_add(ports, &(struct lab_port){ .id = id }, 1500);
}

static uint32_t idle_count(const struct ports *ports)
{
	uint32_t count = 0;

	for (const struct port *port = ports->idle; port; port = port->idle_after) {
		assert_null(port->open);
		assert_ptr_equal(port->idle_after ? port->idle_after->idle_before : port, port);
		count++;
	}
	return count;
}

static void a_slot_waits_for_what_leaves_it(void **state)
{
	struct ports ports = { 0 };
	struct port *port = add(&ports, 7);
	struct vport device = { .id = 7 };
	uint32_t slot = port->slot;

	(void)state;
	ports_opened(&ports, port, &device);
	assert_int_equal(idle_count(&ports), 0);
	assert_ptr_equal(ports_idle(&ports, port), &device);
	ports_remove(&ports, port);
	assert_null(ports_lookup(&ports, 7));
	assert_null(ports_at(&ports, slot));
	port = add(&ports, 7);
	assert_int_not_equal(port->slot, slot);
	assert_true(ports_release(&ports, slot));
	assert_int_equal(add(&ports, 8)->slot, slot);
	ports_fini(&ports);
}

static void as_many_as_there_are_slots(void **state)
{
	struct ports ports = { 0 };

	(void)state;
	for (uint32_t id = 0; id < PORTS_MAX; id++)
		assert_int_equal(add(&ports, id * 4096)->slot, id);
	assert_null(add(&ports, 1));
	ports_remove(&ports, ports_lookup(&ports, 17 * 4096));
	assert_int_equal(add(&ports, 1)->slot, 17);
	assert_null(add(&ports, 2));
	ports_fini(&ports);
}

/* Any sequence: who is there is found, by id and by slot, and no slot has two owners */
static void any_sequence(void **state)
{
	struct ports ports = { 0 };
	struct port *model[IDS] = { NULL };
	uint32_t leaving[LEAVING], leaving_count = 0, open = 0, count = 0;
	struct vport device = { 0 };

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint32_t id = random_u32() % IDS;

		if (!model[id]) {
			model[id] = add(&ports, id);
			count++;
			for (uint32_t i = 0; i < leaving_count; i++)
				assert_int_not_equal(model[id]->slot, leaving[i]);
		} else if (!model[id]->open) {
			if (random_u32() % 2) {
				ports_opened(&ports, model[id], &device);
				open++;
			} else {
				ports_remove(&ports, model[id]);
				model[id] = NULL;
				count--;
			}
		} else if (leaving_count < LEAVING) {
			leaving[leaving_count++] = model[id]->slot;
			assert_ptr_equal(ports_idle(&ports, model[id]), &device);
			open--;
		} else {
			while (leaving_count)
				(void)ports_release(&ports, leaving[--leaving_count]);
		}
		assert_int_equal(ports.count, count);
		assert_int_equal(idle_count(&ports), count - open);
		id = random_u32() % IDS;
		assert_ptr_equal(ports_lookup(&ports, id), model[id]);
		if (model[id])
			assert_ptr_equal(ports_at(&ports, model[id]->slot), model[id]);
	}
	ports_fini(&ports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slot_waits_for_what_leaves_it),
		cmocka_unit_test(as_many_as_there_are_slots),
		cmocka_unit_test(any_sequence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
