/*
 * fuzz_lab_file.c - any bytes as a lab file: a lab with a name and lines, or at least one fault
 */
#include "cli/lab_file.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct faults faults = { .count = 0 };
	struct lab_file *lab = lab_file_parse((const char *)data, size, &faults);
	char *text;

	if (!lab != faults_any(&faults))
		abort();
	if (!lab)
		return 0;
	text = json_dumps(lab_file_json(lab), JSON_COMPACT);
	if (!text || !lab_file_name(lab) || lab_file_line(lab, "ports.a-lan.vlan.trunk[1]") == 0)
		abort();
	free(text);
	lab_file_free(lab);
	return 0;
}
