#!/bin/bash
# bench.sh PNNC: times of the workloads of examples/bench, beside those of other systems where they are at hand.
#
# PEERS=dir       a folder with data/, torch_bench.py, src/cref_*.c and REFERENCE.tsv; it is copied, nothing is written
#                 there. Needs clang-19, libopenblas-dev and python3-torch; what is missing is left out and said.
# BENCH="W1 …"    the workloads (all)      PRECISION="f32 f64"    THREADS="1 2"
# BUDGET=0.3      seconds for each measurement (and for each of PyTorch's variants)      ROUNDS=1
# BACKEND=jit     or interpret             REFERENCE=no           leaves the check of the values out
# OUT=dir         where results go: raw.tsv, table.md, check.txt
# Without PEERS the programs make data of the same sizes themselves.
pnnc=$(realpath "$1") || exit 2
peers=${PEERS:+$(realpath "$PEERS")}
cd "$(dirname "$0")/.." || exit 2
mkdir -p "${OUT:=build/bench}" && OUT=$(realpath "$OUT") || exit 6
all="W1 W2-burgers W2-poisson W2-beam W3-rnn W3-gru W4-vae W5-ising W6-atoms W7-shift W7-backprop W8 W9"
: "${BENCH:=$all}" "${PRECISION:=f32 f64}" "${THREADS:=1 2}" "${BUDGET:=0.3}" "${ROUNDS:=1}" "${BACKEND:=jit}"
# The Makefile's CC is another one; a python3 of one's own may not see the system's packages.
CC=${PEERS_CC:-clang-19}
if [ -z "$PY" ]; then PY=python3; "$PY" -c 'import torch' 2> /dev/null || PY=/usr/bin/python3; fi
export PY PRECISION BACKEND
raw=$OUT/raw.tsv
: > "$raw"
say() { echo "bench: $*" >&2; }

# ---- the peers: a copy, compiled ---------------------------------------------------------------------------
torch="" have_c=""
if [ -n "$peers" ]; then
	mkdir -p "$OUT/peers" "$OUT/bin"
	cp -r "$peers"/{data,src,REFERENCE.tsv} "$peers"/*.py "$OUT/peers/" || exit 4
	if "$PY" -c 'import torch' 2> /dev/null; then torch=yes; else say "no PyTorch: $PY cannot import torch (python3-torch)"; fi
	if command -v "$CC" > /dev/null; then
		flags="-w -O3 -march=native -mprefer-vector-width=512 -ffast-math" have_c=yes
		for d in 32 64; do
			for w in w1 w8; do
				$CC $flags -DF$d -o "$OUT/bin/cref_${w}_f$d" "$OUT/peers/src/cref_$w.c" -lpthread -lm || have_c=""
			done
			$CC $flags -DF$d -DVPT=2 -o "$OUT/bin/cref_w2b_f$d" "$OUT/peers/src/cref_w2b.c" -lpthread -lm || have_c=""
		done 2> "$OUT/cc.log"
		[ -n "$have_c" ] || say "the hand-written C cannot be compiled: see $OUT/cc.log"
	else
		say "no hand-written C: $CC is missing (clang-19)"
	fi
else
	say "no peers: PEERS=dir names a folder with them; our times alone, on data of the same sizes"
fi

# ---- the workloads -----------------------------------------------------------------------------------------
program() { # file, what is timed, sizes of data that the program makes itself
	case $1 in
	W1) echo "w1 run1 records=1024" ;;
	W2-burgers) echo "w2_burgers run1 records=10000 rim_records=100" ;;
	W2-poisson) echo "w2_poisson run1 records=4096 rim_records=256" ;;
	W2-beam) echo "w2_beam run1 records=1024" ;;
	W3-rnn) echo "w3_rnn run1 records=128" ;;
	W3-gru) echo "w3_gru run1 records=128" ;;
	W4-vae) echo "w4_vae fresh records=256" ;;
	W5-ising) echo "w5_ising run1 records=10000" ;;
	W6-atoms) echo "w6_atoms run1 records=32" ;;
	W7-shift) echo "w7_shift dV" ;;
	W7-backprop) echo "w7_pqc V" ;;
	esac
}
field() { sed -n 's/.*"'"$1"'":\([^,}]*\).*/\1/p'; }
ours() { # workload, precision, threads
	local words settings=() json
	read -ra words <<< "$(program "$1")"
	[ ${#words[@]} -gt 0 ] || return
	if [ -n "$peers" ]; then
		settings=(--set dir="$OUT/peers/data")
	else
		for s in "${words[@]:2}"; do settings+=(--set "$s"); done
	fi
	[ "$1" = W7-shift ] && settings=(); [ "$1" = W7-backprop ] && [ -z "$peers" ] && settings=()
	json=$("$pnnc" bench "examples/bench/${words[0]}.pnn" --of "${words[1]}" --for "$BUDGET" --json --backend "$BACKEND" \
		--precision "$2" --threads "$3" "${settings[@]}" 2> "$OUT/err")
	if [ -z "$json" ]; then
		say "$1 $2, $3 threads: $(head -n 1 "$OUT/err")"
		return
	fi
	echo "$json" >> "$OUT/ours.json"
	printf '%s\tpnn\t%s\tf%s\t%s\t%s\t%s\t%s\n' "$1" "$BACKEND" "$(field bits <<< "$json")" "$3" "$(field best_wall <<< "$json")" \
		"$(field median_wall <<< "$json")" "$(field best_cpu <<< "$json")" >> "$raw"
	printf 'limits\tmachine\tpeak_fma\tf%s\t%s\tGFLOP/s\t%s\n' "$(field bits <<< "$json")" "$3" "$(field peak_gflops <<< "$json")" >> "$raw"
}
# PyTorch: memory kept by the allocator (no page faults); with two threads waiting must be passive, or its pools of
# threads spin against each other.
torch() { # workload, threads
	local keep="MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_TOP_PAD_=268435456"
	local passive="" name=$1
	[ "$2" -gt 1 ] && passive="OMP_WAIT_POLICY=PASSIVE"
	case $name in W7-*) name=W7 ;; esac
	[ -z "$torch" ] || (cd "$OUT/peers" && env $keep $passive BENCH_BUDGET="$BUDGET" timeout 300 "$PY" torch_bench.py time "$2" "$name") >> "$raw"
}
cref() { # workload, precision, threads
	local w
	case $1 in W1) w=w1 ;; W2-burgers) w=w2b ;; *) return ;; esac
	[ -z "$have_c" ] || (cd "$OUT/peers" && timeout 120 "$OUT/bin/cref_${w}_$2" time "$3") >> "$raw"
}

# ---- values first ------------------------------------------------------------------------------------------
bad=0
if [ -n "$peers" ] && [ "${REFERENCE:-yes}" = yes ]; then
	names=""
	for w in $BENCH; do
		case $w in W7-*) names="$names w7_pqc" ;; W8) names="$names w8_mlp" ;; W9) ;; *) names="$names $(program "$w" | cut -d' ' -f1)" ;; esac
	done
	names=$(tr ' ' '\n' <<< "$names" | sort -u)
	: > "$OUT/check.txt"
	for p in $PRECISION; do
		say "values against the reference, $p"
		if [ "$p" = f64 ]; then limits="TOLERANCE=1e-9"; else limits="TOLERANCE=1e-5 LAST=10"; fi
		env $limits ARGS="--backend $BACKEND --precision $p" tests/check_reference.sh "$pnnc" "$OUT/peers" $names 2> "$OUT/err" |
			sed "s/^/$p: /" | tee -a "$OUT/check.txt" >&2
		[ "${PIPESTATUS[0]}" -eq 0 ] || bad=1
	done
fi

# ---- times: ours and the peers' one after the other, in rounds ----------------------------------------------
: > "$OUT/ours.json"
for round in $(seq "$ROUNDS"); do
	for w in $BENCH; do
		say "round $round: $w"
		case $w in
		W8) tests/bench_call.sh "$pnnc" "$OUT" "$peers" >> "$raw"; [ -z "$torch" ] || torch W8 1 ;;
		W9) tests/bench_start.sh "$pnnc" "$OUT" "$peers" >> "$raw" ;;
		esac
		for t in $THREADS; do
			for p in $PRECISION; do
				ours "$w" "$p" "$t"
				cref "$w" "$p" "$t"
			done
			case $w in W8 | W9) ;; *) torch "$w" "$t" ;; esac
			[ -z "$torch$have_c" ] || for p in $PRECISION; do ours "$w" "$p" "$t"; done
		done
	done
done
awk -f tests/bench_table.awk "$raw" | tee "$OUT/table.md"
[ $bad -eq 0 ] || say "values do not agree with the reference: see $OUT/check.txt"
exit $bad
