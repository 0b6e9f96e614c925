#!/bin/bash
# check_reference.sh PNNC DIR [NAME...]: runs examples/bench on DIR/data and compares each number that DIR/REFERENCE.tsv
# (workload, quantity, value) has with ours, to 1e-9 relative (TOLERANCE). ARGS: further options; LAST: the last step that
# counts (all).
pnnc=$(realpath "$1") && ref=$(realpath "$2") || exit 2
shift 2
cd "$(dirname "$0")/.." || exit 2
names=${*:-w1 w2_burgers w2_poisson w2_beam w3_rnn w3_gru w4_vae w5_ising w6_atoms w7_pqc w8_mlp}
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
bad=0
for name in $names; do
	start=$(date +%s)
	if ! "$pnnc" run -q $ARGS "examples/bench/$name.pnn" --set dir="$ref/data" > "$out.one"; then
		echo "$name: the run failed"
		bad=1
	fi
	echo "$name: $(($(date +%s) - start)) s"
	cat "$out.one" >> "$out"
	rm -f "$out.one"
done
awk -F'\t' -v tol="${TOLERANCE:-1e-9}" -v partial="$*" -v last="${LAST:-1000000}" '
	function abs(x) { return x < 0 ? -x : x }
	{ gsub(/^ +| +$/, "", $2); gsub(/ /, "", $3) }
	FNR == NR { ours[$1, $2] = $3; ran[$1] = 1; next }
	FNR == 1 { next }
	!($1 in ran) && partial != "" { next }
	match($2, /@[0-9]+/) && substr($2, RSTART + 1, RLENGTH - 1) + 0 > last { next }
	{
		n++
		if (!(($1, $2) in ours)) { printf "%s %s: missing\n", $1, $2; bad++; next }
		r = $3 == 0 ? abs(ours[$1, $2]) : abs(ours[$1, $2]/$3 - 1)
		if (r > worst[$1]) worst[$1] = r
		if (!(r <= tol)) { printf "%s %s: %s, reference %s, relative %.2e\n", $1, $2, ours[$1, $2], $3, r; bad++ }
		seen[$1] = 1
	}
	END {
		for (w in seen) printf "%-12s worst relative difference %.1e\n", w, worst[w] | "sort"
		close("sort")
		printf "reference: %d of %d values agree to %g\n", n - bad, n, tol
		exit bad > 0 || n == 0
	}' "$out" "$ref/REFERENCE.tsv" || bad=1
exit $bad
