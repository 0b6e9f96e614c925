#!/bin/bash
# doc_examples.sh PNNC FILE.md...: the programs in documents are programs.
#
# A block fenced ```pnn is checked, ```pnn run is run, ```pnn fails E0203 must give that code. Pages of doc/errors are
# also looked at: the first program of a page must give its code, those behind it must be right.
pnnc=$(realpath "$1") || exit 2
shift
cd "$(dirname "$0")/.." || exit 2
root=$PWD
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# Writes block N of a document to $dir/block-N-LINE.pnn and its fence line to .how.
split_blocks() {
	awk -v dir="$dir" '
		/^```pnn/ && !on { on = 1; n++; file = sprintf("%s/block-%03d-line-%d.pnn", dir, n, NR)
			how = $0; sub(/^```pnn */, "", how); print how > (file ".how"); printf "" > file; next }
		/^```/ { on = 0; next }
		on { print > file }' "$1"
}
passed=0 failed=0
for doc in "$@" doc/errors/*.md; do
	[ -e "$doc" ] || continue
	rm -rf "${dir:?}"/*
	case $doc in doc/errors/*) cp tests/diag/*.csv tests/diag/*.npy "$dir" ;; esac # the files that pages speak of
	split_blocks "$root/$doc"
	for file in "$dir"/block-*.pnn; do
		[ -e "$file" ] || continue
		how=$(cat "$file.how")
		case $doc:$file in doc/errors/*:*block-001-*) how="fails $(basename "$doc" .md)" ;; esac
		command=check want=0 code=
		case $how in
		run*) command=run ;;
		fails*) code=${how#fails }; want=any ;;
		esac
		case $code in C*|E04*|E05*|W*) command="run --out ." ;; esac
		case $code in E0412|E0502|E0504|E0505|E0590|W0005) code= ;; esac # no single program gives these
		case $code in W*) want=0 ;; esac
		out=$(cd "$dir" && NO_COLOR=1 timeout 60 "$pnnc" $command "$(basename "$file")" 2>&1 < /dev/null)
		status=$?
		good=yes
		[ $want = any ] || [ $status -eq $want ] || good=no
		[ -z "$code" ] || printf '%s' "$out" | grep -q "\[$code\]" || good=no
		if [ $good = yes ]; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			line=${file##*-line-}
			printf '%s:%s: %s gives exit %s\n%s\n' "$doc" "${line%.pnn}" "${how:-check}" $status "$out"
		fi
	done
done
echo "examples in documents: $passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
