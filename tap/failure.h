/*
 * failure.h - an errno of write() as a drop; for tap/ only
 */
#ifndef TAP_FAILURE_H
#define TAP_FAILURE_H

#include "tap/port.h"

/* Return: the drop that stands for an errno of write() or send() */
enum tap_result tap_write_failure(int error_number);

#endif /* TAP_FAILURE_H */
