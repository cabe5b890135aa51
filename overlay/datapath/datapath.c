/*
 * datapath.c - see datapath.h
 *
 * Theory of operation.  datapath_publish() publishes a forwarding, wakes every worker and waits.  A worker compares its
 * ports with those that it listens on, lets go of what is gone, attaches what is new (worker.c), and says so under the
 * generation's lock, together with what it could not attach.  A worker reads the forwarding anew with every burst and takes
 * up a generation between two bursts, so once all have, nobody reads the old one: that is its grace period.  This is the one
 * lock that a worker takes, once a topology.
 */
#include "overlay/datapath/datapath.h"

#include "base/rcu.h"
#include "overlay/datapath/worker.h"
#include "underlay/udp.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int start_workers(struct datapath *datapath, uint32_t workers, struct error *error)
{
	/* The number is needed by every worker from its first datagram on, so it is set before any starts */
	datapath->workers_count = workers;
	for (uint32_t i = 0; i < workers; i++) {
		int err = worker_start(datapath, i, &datapath->workers[i]);

		if (err)
			return error_fail(error, err, "worker %u: %s", i, strerror(-err));
	}
	return 0;
}

int datapath_init(struct datapath *datapath, const struct datapath_config *config, struct error *error)
{
	const struct fdb_config fdb = {
		.capacity = config->macs,
		.locations = config->macs_locations,
		.location_limit = config->macs_per_location,
		.aging_ms = FDB_AGING_MS,
		.seed = hash_seed_random(),
	};
	int err;

	memset(datapath, 0, sizeof(*datapath));
	datapath->time_scale = config->time_scale;
	datapath->busy_poll_us = config->busy_poll_us;
	pthread_mutex_init(&datapath->generation_lock, NULL);
	pthread_cond_init(&datapath->generation_taken, NULL);
	datapath->control_wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	datapath->fdb = fdb_new(&fdb);
	datapath->forwarding = forwarding_new(0, 0);
	if (datapath->control_wake_fd < 0 || !datapath->fdb || !datapath->forwarding)
		err = error_fail(error, -ENOMEM, "out of memory");
	else
		err = udp_open(config->udp_port, config->workers, &datapath->underlay, error);
	if (!err)
		err = start_workers(datapath, config->workers, error);
	if (err)
		datapath_fini(datapath);
	return err;
}

void datapath_stop(struct datapath *datapath)
{
	for (uint32_t i = 0; i < datapath->workers_count; i++)
		worker_stop(datapath->workers[i]);
	datapath->workers_count = 0;
}

void datapath_fini(struct datapath *datapath)
{
	if (!datapath->time_scale) /* never begun */
		return;
	datapath_stop(datapath);
	underlay_close(datapath->underlay);
	if (datapath->control_wake_fd >= 0)
		close(datapath->control_wake_fd);
	forwarding_free(datapath->forwarding);
	session_table_fini(&datapath->sessions);
	fdb_free(datapath->fdb);
	pthread_cond_destroy(&datapath->generation_taken);
	pthread_mutex_destroy(&datapath->generation_lock);
	memset(datapath, 0, sizeof(*datapath));
}

static void collect_faults(const struct worker *worker, struct attach_faults *faults)
{
	if (worker->peers_error)
		faults->peers_error = worker->peers_error;
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++) {
		bool told = false;

		if (!worker->attach_errors[slot])
			continue;
		for (uint32_t i = 0; i < faults->count; i++)
			told |= faults->faults[i].slot == slot;
		if (!told)
			faults->faults[faults->count++] = (struct attach_fault){ .slot = slot,
				.worker = worker->id,
				.err = worker->attach_errors[slot] };
	}
}

struct forwarding *datapath_publish(struct datapath *datapath, struct forwarding *forwarding,
	struct attach_faults *faults)
{
	struct forwarding *old = datapath->forwarding;

	faults->count = 0;
	faults->peers_error = 0;
	rcu_publish(&datapath->forwarding, forwarding);
	for (uint32_t i = 0; i < datapath->workers_count; i++)
		worker_wake(datapath->workers[i]);
	pthread_mutex_lock(&datapath->generation_lock);
	for (uint32_t i = 0; i < datapath->workers_count; i++) {
		while (datapath->workers[i]->generation != forwarding->generation)
			pthread_cond_wait(&datapath->generation_taken, &datapath->generation_lock);
		collect_faults(datapath->workers[i], faults);
	}
	pthread_mutex_unlock(&datapath->generation_lock);
	return old;
}

bool datapath_is_alive(struct datapath *datapath)
{
	for (uint32_t i = 0; i < datapath->workers_count; i++)
		if (__atomic_load_n(&datapath->workers[i]->pulse, __ATOMIC_RELAXED) != datapath->pulse)
			return false;
	__atomic_store_n(&datapath->pulse, datapath->pulse + 1, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < datapath->workers_count; i++)
		worker_wake(datapath->workers[i]);
	return true;
}

const struct attach_fault *attach_fault_of(const struct attach_faults *faults, uint32_t slot)
{
	for (uint32_t i = 0; i < faults->count; i++)
		if (faults->faults[i].slot == slot)
			return &faults->faults[i];
	return NULL;
}

void attach_fault_tell(const struct attach_fault *fault, struct error *error)
{
	error_set(error, "worker %u does not listen on its queue of the port: %s; weftd tries again by itself",
		fault->worker, strerror(-fault->err));
}
