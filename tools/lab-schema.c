/*
 * lab-schema.c - prints the JSON Schema of the lab file: make schema writes docs/weft-lab.schema.json with it
 */
#include "lab/lab_document.h"

#include <stdio.h>

int main(void)
{
	json_t *schema = lab_schema();
	int failed =
		!schema || json_dumpf(schema, stdout, JSON_INDENT(2) | JSON_SORT_KEYS) != 0 || putchar('\n') == EOF;

	json_decref(schema);
	return failed;
}
