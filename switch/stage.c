/*
 * stage.c - see stage.h
 */
#include "switch/stage.h"

static const struct {
	stage_ingress *run;
	bool (*used)(const struct network *network, const struct network_port *port);
	uint32_t looks;
} ingress[] = {
#define X(name, looks) { stage_##name, stage_##name##_used, (looks) },
	STAGES_INGRESS(X)
#undef X
};

static const struct {
	stage_egress *run;
	bool (*used)(const struct network *network, const struct network_port *port);
	uint32_t looks;
} egress[] = {
#define X(name, looks) { stage_##name, stage_##name##_used, (looks) },
	STAGES_EGRESS(X)
#undef X
};

void stage_list_build(struct stage_list *list, const struct network *network, const struct network_port *port)
{
	*list = (struct stage_list){ 0 };
	for (int i = 0; i < STAGES_INGRESS_COUNT; i++) {
		if (!ingress[i].used(network, port))
			continue;
		// cppcheck-suppress AssignmentAddressToInteger ; it does not see that stage_ingress is a function's type
		list->ingress[list->ingress_count++] = ingress[i].run;
		list->looks |= ingress[i].looks;
	}
	for (int i = 0; i < STAGES_EGRESS_COUNT; i++) {
		if (!egress[i].used(network, port))
			continue;
		// cppcheck-suppress AssignmentAddressToInteger ; it does not see that stage_egress is a function's type
		list->egress[list->egress_count++] = egress[i].run;
		list->looks |= egress[i].looks;
	}
}
