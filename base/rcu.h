/*
 * rcu.h - liburcu (memory-barrier flavour), so that ThreadSanitizer sees what it orders
 *
 * Readers wrap a burst in rcu_enter() and rcu_leave().  Pointers are published with rcu_publish() and read with
 * rcu_get(): C11 release and acquire, which the sanitizer understands, unlike liburcu's inline assembly.
 * What was unlinked is freed after a grace period: rcu_defer() gives it to liburcu's reclaiming thread and goes on at once,
 * which is what a loop that answers others wants; rcu_wait() blocks for one, and is for start and stop.
 */
#ifndef BASE_RCU_H
#define BASE_RCU_H

#include <urcu/urcu-memb.h>

#if defined(__SANITIZE_THREAD__)
#define RCU_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RCU_TSAN 1
#endif
#endif

#ifdef RCU_TSAN
void __tsan_acquire(void *at);
void __tsan_release(void *at);
extern char rcu_tsan_grace; /* the grace period as an object: readers release it, the reclaimer acquires it */
#define RCU_TSAN_RELEASE() __tsan_release(&rcu_tsan_grace)
#define RCU_TSAN_ACQUIRE() __tsan_acquire(&rcu_tsan_grace)
#else
#define RCU_TSAN_RELEASE() ((void)0)
#define RCU_TSAN_ACQUIRE() ((void)0)
#endif

#define rcu_publish(where, pointer) __atomic_store_n((where), (pointer), __ATOMIC_RELEASE)
#define rcu_get(where) __atomic_load_n((where), __ATOMIC_ACQUIRE)

static inline void rcu_enter(void)
{
	urcu_memb_read_lock();
}

static inline void rcu_leave(void)
{
	RCU_TSAN_RELEASE();
	urcu_memb_read_unlock();
}

/* Blocks until every reader that could hold an unlinked object has left.  Never from a reader. */
static inline void rcu_wait(void)
{
	urcu_memb_synchronize_rcu();
	RCU_TSAN_ACQUIRE();
}

static inline void rcu_thread_begin(void)
{
	urcu_memb_register_thread();
}

static inline void rcu_thread_end(void)
{
	urcu_memb_unregister_thread();
}

/**
 * rcu_defer() - call @free_arg(@arg) once every reader that could hold @arg has left
 * @free_arg:	runs on another thread: it may free and wipe, and touches nothing else
 *
 * Never from a reader, and only from threads that have begun.  Without memory for the note it waits instead.
 */
void rcu_defer(void (*free_arg)(void *arg), void *arg);

/* Blocks until all that was deferred has been freed: at stop, before what frees it is gone.  Never from a reader. */
void rcu_drain(void);

#endif /* BASE_RCU_H */
