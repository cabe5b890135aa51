/*
 * rcu.h - liburcu (memory-barrier flavour), so that ThreadSanitizer sees what it orders
 *
 * Readers wrap a burst in rcu_enter() and rcu_leave().  Pointers are published with rcu_publish() and read with
 * rcu_get(): C11 release and acquire, which the sanitizer understands, unlike liburcu's inline assembly.
 * What was unlinked is freed after rcu_wait().
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
#endif

#define rcu_publish(where, pointer) __atomic_store_n((where), (pointer), __ATOMIC_RELEASE)
#define rcu_get(where) __atomic_load_n((where), __ATOMIC_ACQUIRE)

static inline void rcu_enter(void)
{
	urcu_memb_read_lock();
}

static inline void rcu_leave(void)
{
#ifdef RCU_TSAN
	__tsan_release(&rcu_tsan_grace);
#endif
	urcu_memb_read_unlock();
}

/* Blocks until every reader that could hold an unlinked object has left.  Never from a reader. */
static inline void rcu_wait(void)
{
	urcu_memb_synchronize_rcu();
#ifdef RCU_TSAN
	__tsan_acquire(&rcu_tsan_grace);
#endif
}

static inline void rcu_thread_begin(void)
{
	urcu_memb_register_thread();
}

static inline void rcu_thread_end(void)
{
	urcu_memb_unregister_thread();
}

#endif /* BASE_RCU_H */
