/*
 * rcu.c - reclamation after a grace period, and the one object behind rcu.h's annotations for ThreadSanitizer
 */
#include "base/rcu.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#ifdef RCU_TSAN
char rcu_tsan_grace;
#endif

static pthread_once_t started = PTHREAD_ONCE_INIT;

struct deferred {
	struct rcu_head head;
	void (*free)(void *arg);
	void *arg;
};

/* The reclaiming thread is made by the first caller.  Signals are not its affair */
static void start_reclaimer(void)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	(void)urcu_memb_get_default_call_rcu_data();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void reclaim(struct rcu_head *head)
{
	struct deferred *deferred = caa_container_of(head, struct deferred, head);

	RCU_TSAN_ACQUIRE();
	deferred->free(deferred->arg);
	free(deferred);
	RCU_TSAN_RELEASE();
}

void rcu_defer(void (*free_arg)(void *arg), void *arg)
{
	struct deferred *deferred = malloc(sizeof(*deferred));

	if (!deferred) {
		rcu_wait();
		free_arg(arg);
		return;
	}
	pthread_once(&started, start_reclaimer);
	deferred->free = free_arg;
	deferred->arg = arg;
	RCU_TSAN_RELEASE();
	urcu_memb_call_rcu(&deferred->head, reclaim);
}

/* ---- waiting for all of it --------------------------------------------------------------------------------- */

/* The last in the queue: liburcu's own barrier says the same, but ThreadSanitizer cannot see how */
struct drained {
	struct rcu_head head;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is;
};

static void note_drained(struct rcu_head *head)
{
	struct drained *drained = caa_container_of(head, struct drained, head);

	RCU_TSAN_ACQUIRE();
	pthread_mutex_lock(&drained->lock);
	drained->is = true;
	pthread_cond_signal(&drained->changed);
	pthread_mutex_unlock(&drained->lock);
}

void rcu_drain(void)
{
	struct drained drained = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

	pthread_once(&started, start_reclaimer);
	RCU_TSAN_RELEASE();
	urcu_memb_call_rcu(&drained.head, note_drained);
	pthread_mutex_lock(&drained.lock);
	while (!drained.is)
		pthread_cond_wait(&drained.changed, &drained.lock);
	pthread_mutex_unlock(&drained.lock);
	RCU_TSAN_ACQUIRE();
}
