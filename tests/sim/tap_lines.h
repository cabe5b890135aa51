/*
 * tap_lines.h - results in the Test Anything Protocol, as tests/check.sh counts them
 */
#ifndef TESTS_SIM_TAP_LINES_H
#define TESTS_SIM_TAP_LINES_H

#include <stdbool.h>

/* "ok 3 - ..." or "not ok 3 - ..." */
__attribute__((format(printf, 2, 3))) void tap_line(bool ok, const char *format, ...);

/* The plan, behind the last one.  Return: whether all were ok */
bool tap_plan(void);

#endif /* TESTS_SIM_TAP_LINES_H */
