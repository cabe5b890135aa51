/*
 * printout.h - what was measured, as a table for people or as JSON
 *
 * Neighbours: meter.c counts, main.c says when to report.  The JSON's fields are described in
 * weft-measure.1; adding one there is fine, renaming one is not.
 */
#ifndef MEASURE_PRINTOUT_H
#define MEASURE_PRINTOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "measure/capture.h"
#include "measure/meter.h"

#define REPORT_COLUMNS 80U
#define REPORT_SCALED_BYTES 8U

struct report {
	const struct meter *meter;
	struct capture_stats capture;
	struct instant start; /* of the capture; Unix time, as the packets' */
	struct instant from;  /* of the interval; the same as start in a summary */
	struct instant to;
	bool summary; /* every lane since the start, rather than those that were active in the interval */
};

void printout_text(FILE *out, const struct report *report);

/* One JSON object on one line.  Return: 0, or -EIO where memory or @out did not take it */
int printout_json(FILE *out, const struct report *report) __attribute__((warn_unused_result));

/* @value in at most 6 characters: "12345", "1.23M", "45.6G" */
void printout_scale(double value, char out[REPORT_SCALED_BYTES]);

#endif /* MEASURE_PRINTOUT_H */
