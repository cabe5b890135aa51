/*
 * burst.c - see burst.h
 */
#include "overlay/datapath/burst.h"

#include "base/rcu.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/deliver.h"
#include "overlay/datapath/dispatch.h"
#include "overlay/datapath/worker.h"

void burst_begin(struct worker *worker)
{
	worker->now = instant_now();
	worker->decision.network = NULL;
	rcu_enter();
	worker->forwarding = rcu_get(&worker->datapath->forwarding);
}

void burst_end(struct worker *worker)
{
	deliver_flush(worker);
	dispatch_flush(worker);
	rcu_leave();
}
