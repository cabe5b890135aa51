#!/bin/bash
# make lint: clang-format's layout, cppcheck over the C sources and shellcheck over the scripts; no finding is tolerated.
#
# What is suppressed, and why:
#   missingIncludeSystem   we do not analyse libraries' headers
#   uninit...              it does not see what is written through our cursors; both compilers and ASan look for these
#   unmatchedSuppression   an inline suppression may concern one configuration only
# A finding that is wrong is silenced where it stands, with `// cppcheck-suppress ID` and the reason.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
folders="base packet lab client crypto encap switch tap underlay overlay controller cli measure"

for tool in clang-format cppcheck shellcheck; do
	command -v $tool >/dev/null || { echo "$tool is missing: run make deps" >&2; exit 1; }
done

# shellcheck disable=SC2086
find $folders tests -name '*.[ch]' -print0 |
	xargs -0 clang-format --dry-run -Werror || status=1

# what it found last time is kept by source, but depends on the configuration as well
[ build/lint -nt tools/cppcheck.cfg ] && [ build/lint -nt tools/lint.sh ] || rm -rf build/lint
mkdir -p build/lint
# the headers' include guards and HAVE_IPSEC_MB aside there are no configurations worth trying one by one
# shellcheck disable=SC2086
cppcheck -q -j"$(nproc)" --std=c11 --platform=unix64 -D_GNU_SOURCE -D__linux__ -DHAVE_IPSEC_MB -I. \
	--enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	--library=tools/cppcheck.cfg \
	--suppress=missingIncludeSystem --suppress=unmatchedSuppression --suppress=uninitvar --suppress=legacyUninitvar --suppress=uninitStructMember --suppress=ctuuninitvar \
	--cppcheck-build-dir=build/lint --template='{file}:{line}: {severity}: {message} [{id}]' \
	$folders tests || status=1

mapfile -t scripts < <(grep -rlE '^#!.*\b(ba)?sh\b|^# shellcheck shell=' .ci tests tools)
shellcheck -x -S warning "${scripts[@]}" || status=1
exit $status
