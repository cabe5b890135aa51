#!/bin/bash
# Fails on an include that points up or sideways: base < {crypto, encap, switch, tap} < {overlay, controller, cli, measure}.
set -u
cd "$(dirname "$0")/.." || exit 1

declare -A floor=([base]=0 [crypto]=1 [encap]=1 [switch]=1 [tap]=1 [overlay]=2 [controller]=2 [cli]=2 [measure]=2)
bad=0
while IFS=: read -r file line text; do
	from=${file%%/*}
	to=$(sed -n 's/.*"\([^/"]*\)\/.*/\1/p' <<<"$text")
	if [ -z "$to" ] || [ -z "${floor[$to]:-}" ]; then
		echo "$file:$line: include our own headers as \"folder/file.h\": $text"
		bad=1
	elif [ "$from" != "$to" ] && [ "${floor[$to]}" -ge "${floor[$from]}" ]; then
		echo "$file:$line: $from/ must not include $to/: includes point down only"
		bad=1
	fi
done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "${!floor[@]}" -r --include='*.[ch]')
exit $bad
