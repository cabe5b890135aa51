/*
 * rcu.c - the one object behind rcu.h's annotations; empty without ThreadSanitizer
 */
#include "base/rcu.h"

#ifdef RCU_TSAN
char rcu_tsan_grace;
#endif
