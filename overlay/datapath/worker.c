/*
 * worker.c - a worker's thread: its loop, its memory, and how it takes up a forwarding (datapath.c has the protocol)
 */
#include "overlay/datapath/worker.h"

#include "base/rcu.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/deliver.h"
#include "overlay/datapath/receive.h"
#include "overlay/datapath/transmit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define REASSEMBLY_SLOTS 64U

static void detach(struct worker *worker, uint32_t slot)
{
	struct worker_port *wport = worker->ports[slot];

	if (!wport)
		return;
	event_free(wport->event);
	free(wport);
	worker->ports[slot] = NULL;
}

/* A port that comes into the slot begins to count at zero */
static void zero_counters(struct port_counters *counters)
{
	counter_set(&counters->rx_frames, 0);
	counter_set(&counters->rx_bytes, 0);
	counter_set(&counters->tx_frames, 0);
	counter_set(&counters->tx_bytes, 0);
}

/* Return: 0 or -errno: then this worker neither reads nor writes the port */
static int attach(struct worker *worker, struct vport *port)
{
	struct worker_port *wport = calloc(1, sizeof(*wport));

	if (!wport)
		return -ENOMEM;
	wport->worker = worker;
	wport->port = port;
	coalesce_init(&wport->coalescer, tap_port_caps(port->tap), deliver_emit, wport);
	wport->event = event_new(worker->base, tap_queue_fd(port->tap, worker->id), EV_READ | EV_PERSIST,
		transmit_ready, wport);
	errno = ENOMEM; /* what libevent does not say */
	if (!wport->event || event_add(wport->event, NULL) < 0) {
		int err = -errno;

		if (wport->event)
			event_free(wport->event);
		free(wport);
		return err;
	}
	zero_counters(&worker->port_counters[port->slot]);
	worker->ports[port->slot] = wport;
	return 0;
}

/* Peers have higher slots than ever before.  Return: 0, or -ENOMEM: those cannot be sent to */
static int grow_peers(struct worker *worker, uint32_t capacity)
{
	struct worker_peer *peers;

	if (capacity <= worker->peers_capacity)
		return 0;
	peers = realloc(worker->peers, capacity * sizeof(*peers));
	if (!peers)
		return -ENOMEM;
	memset(peers + worker->peers_capacity, 0, (capacity - worker->peers_capacity) * sizeof(*peers));
	worker->peers = peers;
	worker->peers_capacity = capacity;
	return 0;
}

/* Between two bursts, so that from here on nothing of this worker refers to an older forwarding */
static void take_up(struct worker *worker)
{
	struct datapath *datapath = worker->datapath;
	const struct forwarding *forwarding;
	uint32_t generation;

	rcu_enter();
	forwarding = rcu_get(&datapath->forwarding);
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++) {
		struct vport *wanted = forwarding->ports[slot];

		if (worker->ports[slot] && worker->ports[slot]->port != wanted)
			detach(worker, slot);
		worker->attach_errors[slot] =
			wanted && wanted->tap && !worker->ports[slot] ? attach(worker, wanted) : 0;
	}
	worker->peers_error = grow_peers(worker, forwarding->peers_capacity);
	generation = forwarding->generation;
	rcu_leave();
	pthread_mutex_lock(&datapath->generation_lock);
	worker->generation = generation;
	pthread_cond_signal(&datapath->generation_taken);
	pthread_mutex_unlock(&datapath->generation_lock);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	uint64_t count;
	uint32_t pulse;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	pulse = __atomic_load_n(&worker->datapath->pulse, __ATOMIC_RELAXED);
	if (!__atomic_load_n(&worker->stop, __ATOMIC_ACQUIRE))
		take_up(worker);
	__atomic_store_n(&worker->pulse, pulse, __ATOMIC_RELAXED);
}

/* Look for work without sleeping until there has been none for busy_poll_us: lowest latency, for a core */
static void poll_busily(struct worker *worker)
{
	const uint64_t patience_ns = worker->datapath->busy_poll_us * 1000ULL;

	do
		event_base_loop(worker->base, EVLOOP_NONBLOCK);
	while (!__atomic_load_n(&worker->stop, __ATOMIC_ACQUIRE) && instant_now().ns - worker->now.ns < patience_ns);
}

static void *run(void *arg)
{
	struct worker *worker = arg;

	rcu_thread_begin();
	while (!__atomic_load_n(&worker->stop, __ATOMIC_ACQUIRE)) {
		if (worker->datapath->busy_poll_us)
			poll_busily(worker);
		event_base_loop(worker->base, EVLOOP_ONCE);
	}
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++)
		detach(worker, slot);
	rcu_thread_end();
	return NULL;
}

static void free_worker(struct worker *worker)
{
	if (worker->udp_event)
		event_free(worker->udp_event);
	if (worker->wake_event)
		event_free(worker->wake_event);
	if (worker->base)
		event_base_free(worker->base);
	if (worker->wake_fd >= 0)
		close(worker->wake_fd);
	free(worker->burst.memory);
	packet_pool_fini(&worker->pool);
	free(worker->peers);
	free(worker->train_memory);
	free(worker->reassembly_memory);
	free(worker);
}

static bool make_memory(struct worker *worker)
{
	worker->burst.memory = malloc(PACKET_BURST_BYTES);
	worker->burst.memory_bytes = PACKET_BURST_BYTES;
	worker->train_memory = malloc((size_t)DISPATCHES_MAX * TRAIN_BYTES_MAX);
	worker->reassembly_memory = malloc(reassembly_room_bytes(REASSEMBLY_SLOTS));
	if (!worker->burst.memory || !worker->train_memory || !worker->reassembly_memory ||
		packet_pool_init(&worker->pool, WORKER_POOL_PKTS) < 0)
		return false;
	reassembly_init(&worker->reassembler, worker->reassembly_memory, REASSEMBLY_SLOTS);
	return true;
}

/* One thread to a loop, so libevent needs no locks: all that others do is write to wake_fd.  Nor does it need the time */
static struct event_base *unlocked_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (!config)
		return NULL;
	if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_NO_CACHE_TIME) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static bool make_events(struct worker *worker)
{
	worker->base = unlocked_base();
	if (!worker->base)
		return false;
	worker->udp_event = event_new(worker->base, underlay_descriptor(worker->datapath->underlay, worker->id),
		EV_READ | EV_PERSIST, receive_ready, worker);
	worker->wake_event = event_new(worker->base, worker->wake_fd, EV_READ | EV_PERSIST, on_wake, worker);
	return worker->udp_event && worker->wake_event && event_add(worker->udp_event, NULL) == 0 &&
		event_add(worker->wake_event, NULL) == 0;
}

/* Signals are the control thread's */
static int start_thread(struct worker *worker)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&worker->thread, NULL, run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

int worker_start(struct datapath *datapath, uint32_t id, struct worker **out)
{
	struct worker *worker = aligned_alloc(64, (sizeof(*worker) + 63) / 64 * 64);
	int err = -ENOMEM;

	if (!worker)
		return -ENOMEM;
	memset(worker, 0, sizeof(*worker));
	worker->id = id;
	worker->datapath = datapath;
	worker->receive_count = UNDERLAY_RECEIVE_MAX;
	worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->wake_fd >= 0 && make_memory(worker) && make_events(worker))
		err = start_thread(worker);
	if (err) {
		free_worker(worker);
		return err;
	}
	*out = worker;
	return 0;
}

void worker_wake(struct worker *worker)
{
	const uint64_t one = 1;

	(void)!write(worker->wake_fd, &one, sizeof(one)); /* fails only where it was woken 2^64 times over */
}

void worker_stop(struct worker *worker)
{
	if (!worker)
		return;
	__atomic_store_n(&worker->stop, true, __ATOMIC_RELEASE);
	worker_wake(worker);
	pthread_join(worker->thread, NULL);
	free_worker(worker);
}
