#!/bin/bash
# weft-drops(7) out of what `weft help drop --json` prints, from standard input to standard output; `make drops-manual` runs it.
set -eu
cat <<'HEAD'
.TH WEFT\-DROPS 7 "2026-11" "weft" "Miscellaneous"
.SH NAME
weft\-drops \- every name under which weft drops or refuses something, and what to do about it
.SH DESCRIPTION
Every frame and every datagram that weft does not pass on is counted under a name that says why.
.B weft get drops
shows them for all hosts,
.B weft status drops
for this one, and
.BI "weft help drop " NAME
explains one as below. Counters count from the start of
.BR weftd .
.SH DROPS
HEAD
jq -r '.[] | ".TP\n.B \(.name)\n\(.text)"' | sed -e '/^\.TP$/b' -e 's/-/\\-/g'
cat <<'TAIL'
.SH SEE ALSO
.BR weft (1),
.BR weftd (8)
TAIL
