/*
 * filter.h - what of this machine's netfilter concerns frames inside bridges, as it is now
 *
 * Neighbours: filter_rules.h, which reads and judges; view.h, of which this is a part.  Rules are asked for only where br_netfilter is
 * there and switched on, or where bridges have rules of their own, and anew only when the kernel counts another generation of them.
 */
#ifndef TAP_FILTER_H
#define TAP_FILTER_H

#include "tap/filter_rules.h"

#include <stdbool.h>
#include <stdint.h>

/* All zeros: nothing is filtered */
struct filter {
	bool calls_iptables, calls_ip6tables; /* of every bridge: net.bridge.bridge-nf-call-... */
	uint32_t generation;                  /* of the rules */
	struct filter_rules rules;
};

/* Read all that there is.  Without it, and without memory, nothing is filtered as far as is known */
void filter_take(struct filter *filter);

/* Return: whether switches or rules are others than in @filter */
bool filter_has_changed(const struct filter *filter);

/* All zeros are fine */
void filter_fini(struct filter *filter);

#endif /* TAP_FILTER_H */
