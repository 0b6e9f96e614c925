#!/bin/bash
# bench_call.sh PNNC OUT [PEERS]: time of one call of a built library, its value and its value with gradient, beside the
# hand-written C. Rows as bench.sh writes them.
pnnc=$1 out=$2 peers=$3 settings=()
[ -n "$peers" ] && settings=(--set dir="$out/peers/data")
for p in ${PRECISION:-f32 f64}; do
	real=float
	[ "$p" = f64 ] && real=double
	mkdir -p "$out/call_$p"
	if "$pnnc" build -q examples/bench/w8_call.pnn --precision "$p" "${settings[@]}" -o "$out/call_$p/w8_call.o" 2> "$out/err" &&
		cc -O2 -DREAL=$real -I"$out/call_$p" -o "$out/call_$p/call" tests/bench_call.c "$out/call_$p/w8_call.o" -lm 2>> "$out/err"; then
		"$out/call_$p/call"
	else
		echo "bench: W8 $p: $(head -n 1 "$out/err")" >&2
	fi
	[ -x "$out/bin/cref_w8_$p" ] && (cd "$out/peers" && "$out/bin/cref_w8_$p" time 1)
	[ -x "$out/call_$p/call" ] && "$out/call_$p/call"
done
exit 0
