#!/bin/bash
# unit.sh BINARY LOG - runs one unit test binary; its output goes to LOG, its exit status and milliseconds to LOG.status
LIMIT_S=180
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1

rm -f "$2.status"
started=${EPOCHREALTIME/./}
timeout --foreground -k 5 $LIMIT_S "$1" >"$2" 2>&1 </dev/null
echo "$? $(((${EPOCHREALTIME/./} - started) / 1000))" >"$2.status"
