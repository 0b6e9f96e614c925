#!/bin/bash
# run_golden.sh [--bless | --show] PNNC [FILE...]: runs programs and compares what they say with what is written in
# them. --show prints what each said instead, under its name; --list prints the names of all tests.
#
# A test is one .pnn file (or a .transcript for the prompt, fed to standard input):
#   # run: check                 first line: arguments; {} stands for the file, by default it comes last
#   # with: table.csv other.npy  optional second line: files of the test's folder that are copied along
#   program
#   # >>>
#   # expected standard output and standard error, as they come
#   # <<<
#   # exit: 3
# Each runs alone in an empty folder, so messages show base names. --bless writes the blocks anew; it refuses when a
# file to be blessed has uncommitted changes, so that what is blessed can be reviewed alone.
set -u
here=$(cd "$(dirname "$0")" && pwd)
mode=check
case ${1:-} in --bless | --show | --list) mode=${1#--}; shift ;; esac
if [ $mode != list ]; then
	pnnc=$(realpath "$1") || exit 2
	shift
fi

# Prints the program without its expectation block.
program_of() { awk '/^# >>>$/ { exit } { print }' "$1"; }
expected_of() { awk '/^# <<<$/ { on = 0 } on { sub(/^# ?/, ""); print } /^# >>>$/ { on = 1 }' "$1"; }

# Runs one test: its output on stdout, "exit: N" as the last line.
run_one() {
	local file=$1 dir args base status
	dir=$(mktemp -d) || return 1
	base=$(basename "$file")
	program_of "$file" > "$dir/$base"
	args=$(sed -n '1s/^# run: *//p' "$file")
	for extra in $(sed -n '2s/^# with: *//p' "$file"); do
		cp -r "$(dirname "$file")/$extra" "$dir/" || return 1
	done
	case $args in
	*'{}'*) args=${args//'{}'/$base} ;;
	*) case $base in *.transcript) ;; *) args="$args $base" ;; esac ;;
	esac
	(
		cd "$dir" || exit 1
		export NO_COLOR=1 TERM=dumb LC_ALL=C.UTF-8 XDG_STATE_HOME=$dir HOME=$dir
		export ASAN_OPTIONS=${ASAN_OPTIONS:-exitcode=99} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
		input=/dev/null
		case $base in *.transcript) sed -e 1d -e '/^# with:/d' "$base" > input; input=input ;; esac
		eval "timeout ${GOLDEN_TIMEOUT:-120} \"\$pnnc\" $args" < $input > out 2>&1
		echo "exit: $?" > status
	)
	cat "$dir/out"
	[ -z "$(tail -c 1 "$dir/out")" ] || echo
	cat "$dir/status"
	rm -rf "$dir"
}

# Compares one test with its block; a line "ok" or "FAILED" and the difference.
check_one() {
	local file=$1 want
	if ! grep -q '^# run: ' <(head -n 1 "$file") || ! grep -q '^# >>>$' "$file"; then
		echo "FAILED ${file#"$here"/}: no run line or no expected block"
		return
	fi
	want=$(expected_of "$file"; echo "exit: $(sed -n 's/^# exit: *//p' "$file" | tail -n 1)")
	if difference=$(diff <(echo "$want") <(run_one "$file")); then
		echo "ok ${file#"$here"/}"
	else
		printf 'FAILED %s\n%s\n' "${file#"$here"/}" "$difference"
	fi
}

show_one() {
	local said
	said=$(run_one "$1")
	printf '== %s\n%s\n' "${1#"$here"/}" "$said"
}

bless_one() {
	local file=$1 result
	result=$(run_one "$file")
	{
		program_of "$file"
		echo '# >>>'
		printf '%s\n' "$result" | sed '$d' | sed -e 's/^/# /' -e 's/^# $/#/'
		echo '# <<<'
		printf '%s\n' "$result" | sed -n '$s/^/# /p'
	} > "$file.new"
	if ! cmp -s "$file" "$file.new"; then
		echo "blessed ${file#"$here"/}"
		diff "$file" "$file.new"
	fi
	mv "$file.new" "$file"
}

if [ $# -gt 0 ]; then
	mapfile -t files < <(realpath "$@")
else
	mapfile -t files < <(find "$here"/{parse,fmt,elab,deriv,plan,run,diag,programs,pde,repl,plot} \
		\( -name '*.pnn' -o -name '*.transcript' \) 2>/dev/null | LC_ALL=C sort)
	mapfile -t files < <(grep -l '^# run: ' "${files[@]}")
fi
export -f run_one check_one show_one bless_one program_of expected_of
export here pnnc
if [ $mode = list ]; then
	printf '%s\n' "${files[@]}"
	exit 0
fi
if [ $mode = show ]; then
	for file in "${files[@]}"; do show_one "$file"; done
	exit 0
fi
if [ $mode = bless ]; then
	if changed=$(git -C "$here" diff --name-only HEAD -- "${files[@]}" 2> /dev/null) && [ -n "$changed" ]; then
		printf 'commit these first, so that what is blessed can be reviewed alone:\n%s\n' "$changed"
		exit 1
	fi
	for file in "${files[@]}"; do bless_one "$file"; done
	exit 0
fi
result=$(printf '%s\0' "${files[@]}" | xargs -0 -P "${JOBS:-2}" -I{} bash -c 'check_one "$1"' _ {})
printf '%s\n' "$result" | grep -v '^ok '
passed=$(printf '%s\n' "$result" | grep -c '^ok ')
failed=$(printf '%s\n' "$result" | grep -c '^FAILED ')
echo "golden programs: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
