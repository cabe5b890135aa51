#!/bin/bash
# `make install` into a folder: everything that a user's machine needs is there, runs, and goes away with `make uninstall`.
set -u
cd "$(dirname "$0")/.." || exit 1
where=$(mktemp -d)
trap 'rm -rf "$where"' EXIT
bad=0
fail() { echo "$*" && bad=1; }

make -s install DESTDIR="$where" PREFIX=/usr >/dev/null || exit 1
for program in /usr/sbin/weftd /usr/sbin/weft-controller /usr/bin/weft /usr/bin/weft-measure; do
	"$where$program" --help >/dev/null 2>"$where/said" || fail "$program --help: $(cat "$where/said")"
done
for page in man8/weftd.8 man8/weft-controller.8 man1/weft.1 man1/weft-measure.1 man5/weft-lab.5 man7/weft-drops.7; do
	[ -s "$where/usr/share/man/$page" ] || fail "no $page"
done
jq -e .properties.ports "$where/usr/share/weft/weft-lab.schema.json" >/dev/null || fail "no JSON Schema of the lab file"
for unit in weftd weft-controller; do
	grep -q "^ExecStart=/usr/sbin/$unit" "$where/etc/systemd/system/$unit.service" || fail "$unit.service starts something else"
done

# what people read stays within 80 columns, and every program tells its version
for program in /usr/sbin/weftd /usr/sbin/weft-controller /usr/bin/weft /usr/bin/weft-measure; do
	"$where$program" --version | grep -q '^weft[a-z-]* [0-9]' || fail "$program does not tell its version"
	"$where$program" --help >"$where/said"
	[ "$(wc -L <"$where/said")" -le 80 ] || fail "$program --help is wider than 80 columns"
done
export PATH=$where/usr/bin:$PATH
for command in $(weft help | sed -n '/^commands:/,/^$/s/^  \([a-z]\{1,\}\) .*/\1/p'); do
	weft help "$command" >"$where/said"
	[ "$(wc -L <"$where/said")" -le 80 ] || fail "weft help $command is wider than 80 columns"
done

# the shells' completions: commands, what a command takes, options
share=$where/usr/share
in_bash() {
	bash -c '. "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2)); _weft; echo "${COMPREPLY[@]}"' \
		bash "$share/bash-completion/completions/weft" "$@"
}
in_fish() { fish --no-config -c "source $share/fish/vendor_completions.d/weft.fish; complete -C '$*'" | cut -f 1 | xargs; }
# zsh completes only at a prompt, so it gets one
in_zsh() {
	zsh -f -c 'zmodload zsh/zpty; zpty z zsh -f -i
		zpty -w z "PS1=at-the-\"\"prompt; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; zstyle \":completion:*\" list-grouped no"
		zpty -w z "bindkey \"^I\" complete-word; echo r\"\"eady"
		zpty -r -m z text "*ready*at-the-prompt*"
		zpty -w -n z "$2"$'"'\t'"'" <"
		zpty -r -m z text "*$2*<" && print -r -- "${text##*$'"'\n'"'}"
		zpty -d z' zsh "$share/zsh/vendor-completions" "$*" | tr -d '\r\a'
}
for shell in bash fish zsh; do
	tell() { "in_$shell" "$@"; }
	case $(tell weft rev) in *revoke*) ;; *) fail "$shell completes weft rev to \"$(tell weft rev)\"" ;; esac
	case $(tell weft get netw) in *networks*) ;; *) fail "$shell completes weft get netw to \"$(tell weft get netw)\"" ;; esac
	case $(tell weft apply --tim) in *--timeout*) ;; *) fail "$shell completes weft apply --tim to \"$(tell weft apply --tim)\"" ;; esac
done

make -s uninstall DESTDIR="$where" PREFIX=/usr
left=$(find "$where" -type f ! -name said)
[ -z "$left" ] || fail "uninstall leaves $left"
exit $bad
