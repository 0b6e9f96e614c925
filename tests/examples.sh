#!/bin/bash
# examples.sh PNNC [NAME…]: every acceptance check of the applications: runs the programs of tests/examples.tsv (those whose
# name begins with one of the given), as many at a time as there are processors, and prints a table of their named claims: what
# was measured beside its bound, and the verdict. A claim that is judged several times (in a sweep) shows the worst
# of them. PAGE=file also writes the table as Markdown. DATA=dir: also the rows with measured data,
# which lie there. OUT=dir keeps the figures and tables that the programs write, each in its folder.
pnnc=$(realpath "$1") || exit 2
shift
cd "$(dirname "$0")/.." || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -n "$OUT" ] && mkdir -p "$OUT" && OUT=$(realpath "$OUT")
[ -n "$DATA" ] && DATA=$(realpath "$DATA")
export pnnc work OUT DATA

one() {
	local number=$1 name=$2 arguments=$3 start=$EPOCHREALTIME folder
	folder=${OUT:-$work/out}/$(printf '%s' "$name" | tr -c 'A-Za-z0-9_\n' _)
	mkdir -p "$folder"
	# shellcheck disable=SC2086 # the arguments are words
	"$pnnc" run -q ${arguments//DATA\//$DATA/} --threads 1 --out "$folder" --metrics "$work/$number.json" >"$work/$number.out" 2>&1
	printf '%s\t%s\t%s\t%s\t%s\n' "$number" "$name" "$?" "$(awk "BEGIN { print $EPOCHREALTIME - $start }")" "$arguments" >"$work/$number.end"
	printf '%s: %.0f s\n' "$name" "$(awk "BEGIN { print $EPOCHREALTIME - $start }")" >&2
}
export -f one

wanted() {
	[ $# -eq 1 ] && return 0
	local name=$1 w
	shift
	for w in "${@:1:$#}"; do case $name in "$w"*) return 0 ;; esac done
	return 1
}
number=100
while IFS=$'\t' read -r name arguments; do
	case $name in '#'* | '') continue ;; esac
	case $arguments in *DATA/*) [ -n "$DATA" ] || continue ;; esac
	if [ $# -gt 0 ]; then wanted "$name" "$@" || continue; fi
	number=$((number + 1))
	printf '%s\0%s\0%s\0' $number "$name" "$arguments"
done <tests/examples.tsv >"$work/list"
[ -s "$work/list" ] || { echo "no row of tests/examples.tsv begins with: $*" >&2; exit 2; }
start=$EPOCHREALTIME
xargs -0 -n 3 -P "${JOBS:-$(nproc)}" bash -c 'one "$@"' _ <"$work/list"
total=$(awk "BEGIN { print $EPOCHREALTIME - $start }")

# Of several verdicts under one name: one that does not hold, else the largest value (the least where it must exceed).
claims='[inputs | select(.event == "claim" and .name)] | to_entries | map(.value + {place: .key}) | group_by(.name) |
	map(sort_by(if .pass then 1 else 0 end, (if .value == null then 0 elif (.shown | test(" >=? ")) then .value else -.value end)) |
		.[0] + {times: length, place: (map(.place) | min)}) | sort_by(.place) | .[] |
	[.name, (if (.shown // "") == "" then (if .pass then "true" else "false" end) else .shown end) + (if .times > 1 then "  (worst of \(.times))" else "" end), (if .pass then "holds" else "FAILS" end)] | @tsv'
others='[inputs | select(.event == "claim" and (.name | not))] | "\(length)\t\(map(select(.pass | not)) | length)"'
failed=0 held=0 controls=0
pages=$work/page
row() { # name shown verdict: a line of the terminal, and one of the page
	jq -rn --arg c "$1" --arg s "$2" --arg v "$3" 'def wide(n): . + (" " * (n - length) // ""); "  \($c | wide(62))  \($s | wide(44))  \($v)"'
	printf '| %s | %s | %s |\n' "${1//|/\\|}" "${2//|/\\|}" "$3" >>"$pages"
}
lines() { # of a program without comments and blank lines
	[ -f "$1" ] && grep -vcE '^[[:space:]]*(#|$)' "$1" || echo –
}
for end in "$work"/*.end; do
	IFS=$'\t' read -r number name status seconds arguments <"$end"
	json=$work/$number.json program=${arguments%% *}
	: >>"$json"
	python=tests/pytorch/$(basename "$program" .pnn).py
	printf '\n%s   %.1f s   %s lines%s%s\n' "$name" "$seconds" "$(lines "$program")" \
		"$([ -f "$python" ] && echo ", in PyTorch $(lines "$python")")" "$([ "$status" -eq 0 ] || echo "   exit $status")"
	printf '\n### %s\n\n`%s`, %.0f s, %s lines%s\n\n| Check | Measured | |\n|---|---|---|\n' "$name" "$arguments" "$seconds" \
		"$(lines "$program")" "$([ -f "$python" ] && echo " (in PyTorch $(lines "$python"))")" >>"$pages"
	while IFS=$'\t' read -r claim shown verdict; do
		row "$claim" "$shown" "$verdict"
		[ "$verdict" = holds ] && held=$((held + 1)) || failed=$((failed + 1))
		case $claim in *control*) controls=$((controls + 1)) ;; esac
	done < <(jq -rn "$claims" "$json")
	IFS=$'\t' read -r unnamed wrong < <(jq -rn "$others" "$json")
	[ "${unnamed:-0}" -gt 0 ] && echo "  and $unnamed claims without a name, $wrong of them do not hold"
	if [ "$status" -gt 1 ]; then
		failed=$((failed + 1))
		cat "$work/$number.out"
	fi
	[ "${wrong:-0}" -gt 0 ] && failed=$((failed + wrong)) && cat "$work/$number.out"
done
summary=$(printf '%d checks hold (%d of them that a control fails as it must), %d do not; %.0f s' "$held" "$controls" "$failed" "$total")
printf '\n%s\n' "$summary"
[ -n "$PAGE" ] && { printf '# Checks\n\n%s\n' "$summary"; cat "$pages"; } >"$PAGE"
[ "$failed" -eq 0 ]
