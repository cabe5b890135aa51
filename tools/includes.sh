#!/bin/bash
# Fails on an include that points up or sideways, and on a controller core that helps itself to time, chance or sockets.
#
# Floors: base < {packet, lab} < {client, crypto, encap, switch, tap, underlay} < the programs.  Within weftd: overlay's peer < datapath <
# agent; within the controller: {store, ca, http} < the rest.  A room may include itself and any room on a floor below it,
# but for what `apart` lists.  Rooms on one floor never include each other.
set -u
cd "$(dirname "$0")/.." || exit 1

declare -A floor=(
	[base]=0
	[packet]=1 [lab]=1
	[client]=2 [crypto]=2 [encap]=2 [switch]=2 [tap]=2 [underlay]=2
	[overlay/peer]=3 [overlay/datapath]=4 [overlay/agent]=5
	[controller/store]=3 [controller/ca]=3 [controller/http]=3 [controller]=4
	[cli]=3 [measure]=3
)
# the wire and its keys know nothing of what guests send; sockets and HTTP know nothing of either, nor of labs
apart="client>packet client>lab crypto>packet crypto>lab encap>packet encap>lab underlay>packet underlay>lab"

# room FILE: the longest folder of its path that has a floor
room() {
	local folder=$1
	while [[ $folder == */* ]]; do
		folder=${folder%/*}
		[ -n "${floor[$folder]:-}" ] && echo "$folder" && return
	done
}

bad=0
while IFS=: read -r file line text; do
	from=$(room "$file")
	header=$(sed -n 's/.*"\([^"]*\)".*/\1/p' <<<"$text")
	to=$(room "$header")
	if [ -z "$to" ]; then
		echo "$file:$line: include our own headers as \"folder/file.h\": $text"
	elif [ "$from" = "$to" ]; then
		continue
	elif [ "${floor[$to]}" -ge "${floor[$from]}" ]; then
		echo "$file:$line: $from/ must not include $to/: includes point down only"
	elif [ "${from%%/*}" != "${to%%/*}" ] && [ "${floor[$to]}" -ge 3 ]; then
		echo "$file:$line: $from/ must not include $to/: that is another program's"
	elif [[ " $apart " == *" $from>$to "* ]]; then
		echo "$file:$line: $from/ must not include $to/"
	else
		continue
	fi
	bad=1
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' --include='*.[ch]' base packet lab client crypto encap switch tap underlay overlay controller cli measure)

# The controller's core is given time and chance, and knows no sockets and no loop, so that a simulation can run it
# (controller/machine.h); only what composes it does
own='include ["<](event2|controller/http)/|\<(time\(NULL|(clock_gettime|gettimeofday|instant_now|random_fill|random_u32)\()'
for file in controller/*.[ch] controller/store/store.[ch] controller/store/store_memory.[ch]; do
	case $file in
	controller/main.c | controller/daemon.* | controller/gateway.* | controller/resolver.* | controller/authority_*) continue ;;
	esac
	if grep -nHE "$own" "$file"; then
		echo "$file: the controller's core takes time, chance and I/O from its caller"
		bad=1
	fi
done
exit $bad
