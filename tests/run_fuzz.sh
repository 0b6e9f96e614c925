#!/bin/bash
# run_fuzz.sh SECONDS PROGRAM...: runs each fuzzer that long on its seeds (tests/fuzz/seeds/NAME and all test programs).
# A finding is kept in tests/fuzz/found/ with the command that replays it.
cd "$(dirname "$0")/.." || exit 2
seconds=$1
shift
[ $# -gt 0 ] || { echo 'fuzz: no fuzzers built'; exit 1; }
failed=0
for program in "$@"; do
	name=$(basename "$program")
	corpus=$(mktemp -d)
	mkdir -p tests/fuzz/found
	[ -d "tests/fuzz/seeds/$name" ] && cp tests/fuzz/seeds/"$name"/* "$corpus"/ 2> /dev/null
	case $name in
	*parse* | *check* | *repl*) cp examples/*.pnn examples/small/*.pnn tests/parse/*.pnn tests/diag/*.pnn "$corpus"/ 2> /dev/null ;;
	esac
	out=$("$program" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix=tests/fuzz/found/"$name"- "$corpus" 2>&1)
	status=$?
	runs=$(printf '%s\n' "$out" | sed -n 's/^stat::number_of_executed_units: *//p')
	edges=$(printf '%s\n' "$out" | sed -n 's/.* cov: \([0-9]*\) .*/\1/p' | tail -n 1)
	printf '%-24s %s runs, %s edges' "$name" "${runs:-?}" "${edges:-?}"
	if [ $status -ne 0 ]; then
		printf ', FAILED\n%s\n' "$(printf '%s\n' "$out" | tail -n 40)"
		failed=$((failed + 1))
	else
		echo
	fi
	rm -rf "$corpus"
done
rmdir tests/fuzz/found 2> /dev/null
echo "fuzzers: $(($# - failed)) passed, $failed failed"
[ $failed -eq 0 ]
