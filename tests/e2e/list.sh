# shellcheck shell=bash
# The end-to-end tests, a script and its arguments a line, in the order in which make check runs them.
# shellcheck disable=SC2034
E2E_TESTS="
tokens.sh
store-crash.sh
"
