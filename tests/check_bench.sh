#!/bin/bash
# check_bench.sh PNNC: the programs of examples/bench on small weights and data that they make themselves: each runs, and
# its derived gradients agree with central differences (pnnc grad exits 1 where they do not).
pnnc=$(realpath "$1") || exit 2
cd "$(dirname "$0")/.." || exit 2
passed=0 failed=0
note() { # status, text, output
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED %s (exit %s)\n%s\n' "$2" "$1" "$3"
	fi
}
while read -r name loss params settings; do
	[ -n "$name" ] || continue
	args=()
	for s in $settings; do args+=(--set "$s"); done
	out=$("$pnnc" run -q "examples/bench/$name.pnn" "${args[@]}" 2>&1)
	note $? "run $name" "$(printf '%s' "$out" | tail -n 20)"
	for p in ${params//,/ }; do
		out=$("$pnnc" grad "examples/bench/$name.pnn" "$loss" --wrt "$p" "${args[@]}" 2>&1)
		note $? "grad $name $loss --wrt $p" "$(printf '%s' "$out" | tail -n 5)"
	done
done << 'LIST'
w1          L  W0,b1,W2,W4,b4            h=5
w2_burgers  L  W0,b3,W8                  h=3
w2_poisson  L  W0,b1,W3,b4               h=4
w2_beam     L  W0,b0,W2,b3               h=3
w3_rnn      L  Wx,Wh,b,Wo,bo             h=3 pos=6
w3_gru      L  Wx,Wh,bx,bh,Wo,bo         h=3 g=9 pos=5
w4_vae      L  We,be,Wv,bv,Wd,bd,ls      d=5 z=2
w5_ising    L  A,h                       site=6
w6_atoms    L  n0_W0,n1_b1,n2_W2,n0_b2   atom=4 h=3
w7_pqc      V  theta
w8_mlp      V  X,W1                      h=5 row=3
LIST
# A step that reads values of the program is timed with those that stand before it, of data made by a value too.
dir=$(mktemp -d)
cat > "$dir/let.pnn" << 'PNN'
param w : real = 1
let a = 3*w
data d = simulate(5) { x : real = a }
loss L = mean[s in d] (w - s.x/a*2)^2
train fit { minimize L; use gd(lr = 0.1) for 100000000 steps }
let b = w
PNN
out=$("$pnnc" bench "$dir/let.pnn" --for 0.05 2>&1)
note $? "bench of a step that reads a let" "$out"
out=$("$pnnc" bench "$dir/let.pnn" --of b --for 0.05 2>&1)
note $? "bench of a let behind the training" "$out"
rm -rf "$dir"
echo "benchmark programs: $passed passed, $failed failed"
[ $failed -eq 0 ]
