#!/bin/bash
# check_backends.sh PNNC [FILE...]: programs compiled and interpreted say the same. All golden programs that compute (or
# FILEs of them) run with --backend jit and --backend interpret: texts are equal, numbers to TOLERANCE (1e-9) relative or
# the last digit shown. Of the examples that finish quickly, the first steps of each training agree and the claims hold;
# what comes after hundreds of steps is another rounding. Compiled with 1, 2, 3 and 7 threads all write the same bytes.
# Not compared: the figure of a claim's worst error, which is rounding itself; times; how plans ran.
set -u
pnnc=$(realpath "$1") || exit 2
shift
cd "$(dirname "$0")/.." || exit 2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export PNN_CACHE_DIR=$work/cache LC_ALL=C.UTF-8
jobs=${JOBS:-2}

# A pnnc that has some options already: what is compared must not depend on the line that calls it.
with() { # name, options
	printf '#!/bin/bash\nexec %q "$@" %s\n' "$pnnc" "$2" > "$work/$1"
	chmod +x "$work/$1"
}
with interpret '--backend interpret'
for t in 1 2 3 7; do with jit$t "--backend jit --threads $t"; done

# Each call writes a file of its own: what several write into one pipe may be mixed.
golden() { # name, files on stdin
	mkdir -p "$work/$1.parts"
	xargs -P "$jobs" -n 8 bash -c 'work=$1 pnnc=$2; shift 2
		tests/run_golden.sh --show "$pnnc" "$@" > "$(mktemp "$work/XXXXXX")"' _ "$work/$1.parts" "$work/$1"
	cat "$work/$1.parts"/*
}
# Outputs of programs side by side, each under "== name".
compare() { # one, other, exact?
	awk -v exact="$3" -v tol="${TOLERANCE:-1e-9}" '
	function abs(x) { return x < 0 ? -x : x }
	# one unit of the last digit that is shown
	function last(s,  e, d) {
		e = 0
		if (match(s, /[eE]/)) { e = substr(s, RSTART + 1) + 0; s = substr(s, 1, RSTART - 1) }
		d = index(s, ".") ? length(s) - index(s, ".") : 0
		return 10^(e - d)
	}
	function same(a, b,  x, y, nx, ny) {
		if (a == b) return 1
		if (exact) return 0
		gsub(/worst error [^ ]+ of/, "worst error of", a); gsub(/worst error [^ ]+ of/, "worst error of", b)
		while (a != "" || b != "") {
			nx = match(a, NUMBER); x = nx ? substr(a, 1, nx - 1) : a; lx = RLENGTH
			va = nx ? substr(a, nx, lx) : ""; a = nx ? substr(a, nx + lx) : ""
			ny = match(b, NUMBER); y = ny ? substr(b, 1, ny - 1) : b; ly = RLENGTH
			vb = ny ? substr(b, ny, ly) : ""; b = ny ? substr(b, ny + ly) : ""
			if (x != y || (nx > 0) != (ny > 0)) return 0
			if (va == vb) continue
			d = abs(va - vb); m = abs(va) > abs(vb) ? abs(va) : abs(vb)
			if (d > tol * m && d > 1.001 * last(va) && d > 1.001 * last(vb)) return 0
		}
		return 1
	}
	BEGIN { NUMBER = "[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?" }
	/^== / { name = $2 }
	NR == FNR { n[name]++; text[name, n[name]] = $0; next }
	/^== / { programs++ }
	{
		k[name]++
		if (!same(text[name, k[name]], $0) && !(name in bad)) {
			bad[name] = 1; nbad++
			printf "DIFFERS %s\n  - %s\n  + %s\n", name, text[name, k[name]], $0
		}
	}
	END {
		for (p in n) if (n[p] != k[p] && !(p in bad)) { nbad++; printf "DIFFERS %s: %d lines, %d lines\n", p, n[p], k[p] }
		printf "%s: %d programs, %d differ\n", TITLE, programs, nbad + 0
		exit nbad > 0 || programs == 0
	}' TITLE="$4" "$1" TITLE="$4" "$2"
}

if [ $# -gt 0 ]; then
	printf '%s\n' "$@" > "$work/list"
else
	tests/run_golden.sh --list | grep -v '/\(parse\|fmt\|diag\)/' |
		xargs grep -Lm1 '^# run: \(cost\|bench\|emit\|version\|help\)' > "$work/list"
fi
# In the order of the names, whoever finished first, without what is not compared.
in_order() {
	awk '/^== / { name = $2 } { print name "\t" $0 }' | sort -s -t "$(printf '\t')" -k 1,1 | cut -f 2- |
		grep -v -e '^plan .*: \(compiled\|interpreted\)' -e '^warning.W0005' -e '^$'
}
failed=0
for b in interpret jit1 jit2 jit3 jit7; do
	golden $b < "$work/list" | in_order > "$work/$b.out"
done
compare "$work/interpret.out" "$work/jit1.out" 0 "interpreted and compiled" || failed=1
for t in 2 3 7; do
	compare "$work/jit1.out" "$work/jit$t.out" 1 "1 and $t threads, same bytes" || failed=1
done
[ $# -gt 0 ] && exit $failed

# Examples: the first steps of their trainings for both; all they say and write for threads.
example() { # name of the backend
	mkdir -p "$work/$1.examples"
	printf '%s\n' examples/small/*.pnn examples/airfoil.pnn "examples/ethanol.pnn --set steps=300" | xargs -P "$jobs" -I{} bash -c '
		dir=$(mktemp -d)
		said=$("$1" run $2 --out "$dir" --metrics "$dir/metrics" 2>&1; echo "exit: $?")
		steps=$(sed -n "s/\"seconds\":[^,]*,//; /\"event\":\"step\"/p" "$dir/metrics")
		rm "$dir/metrics"
		printf "== %s\n%s\n%s\n%s\n" "$2" "$said" "$(cd "$dir" && find . -type f | sort | xargs -r md5sum)" "$steps" \
			> "$3/$(basename "${2%% *}")"
		rm -rf "$dir"' _ "$work/$1" {} "$work/$1.examples"
	cat "$work/$1.examples"/* | in_order > "$work/$1.out"
}
first_steps() {
	grep -e '^==' -e '^exit:' -e '^ok ' -e '^FAIL' -e '"step":[1-5],' "$work/$1.out" |
		sed -e 's/^\(ok [^ ]* .*\)   .*/\1/' -e 's/,"grad":.*//' > "$work/$1.first"
}
for b in interpret jit1 jit2 jit3; do example $b; first_steps $b; done
TOLERANCE=${EXAMPLES_TOLERANCE:-1e-7} compare "$work/interpret.first" "$work/jit1.first" 0 \
	"examples interpreted and compiled" || failed=1
for t in 2 3; do
	compare "$work/jit1.out" "$work/jit$t.out" 1 "examples with 1 and $t threads, same bytes" || failed=1
done
exit $failed
