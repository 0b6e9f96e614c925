#!/bin/bash
# bench_growth.sh PNNC: how times grow with records, depth, length of a recurrence, order of derivatives and threads; what
# compiling takes; start-up; memory. Programs are made here, so that nothing else is needed.
# GROWTH="records depth length order threads compile start memory"   BUDGET=0.3   PRECISION=f32   BACKEND=jit   OUT=dir
pnnc=$(realpath "$1") || exit 2
cd "$(dirname "$0")/.." || exit 2
mkdir -p "${OUT:=build/bench}" && OUT=$(realpath "$OUT") || exit 6
: "${GROWTH:=records depth length order threads compile start memory}" "${BUDGET:=0.3}" "${PRECISION:=f32}" "${BACKEND:=jit}"
mkdir -p "$OUT/growth"

# ---- programs ----------------------------------------------------------------------------------------------
layers() { # number, width: the body of a net
	local k
	for k in $(seq "$1"); do printf 'dense[%s] |> tanh |> ' "$2"; done
}
regression() { # layers, width
	cat << PNN
const records = 1024
data d = simulate(records) { x : real ~ uniform(-1, 1); y : real = sin(3*x) }
net u(x) -> real = [x, x^2] |> $(layers "$1" "$2")readout
loss L = mean[s in d] (u(s.x) - s.y)^2
train t {
  minimize L
  use adam(lr = 1e-3) for 10 steps
}
PNN
}
derivative() { # order in one variable
	local k name=u text=""
	for k in $(seq "$1"); do
		text+="fn u$k(x) = ∂$name(x)/∂x"$'\n'
		name=u$k
	done
	cat << PNN
domain D { x in [-1, 1] }
points P = sobol(D, n = 2048)
net u(x) -> real = [x] |> $(layers 3 32)readout
$text
loss L = mean[p in P] ($name(p.x) - 1)^2
train t {
  minimize L
  use adam(lr = 1e-3) for 10 steps
}
PNN
}

# ---- measuring ---------------------------------------------------------------------------------------------
field() { sed -n 's/.*"'"$1"'":\([^,}]*\).*/\1/p'; }
bench() { # options and program: one object
	"$pnnc" bench --json --for "$BUDGET" --backend "$BACKEND" --precision "$PRECISION" ${CACHE---no-cache} "$@" 2> "$OUT/err" ||
		{ echo "bench: $* : $(head -n 1 "$OUT/err")" >&2; echo '{}'; }
}
# A table: title, name of the quantity; then lines "value object".
table() {
	awk -v title="$1" -v what="$2" '
		function number(name,    at) { at = match($0, "\"" name "\":[^,}]*"); return at ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0 : 0 }
		BEGIN {
			printf "\n%s\n\n| %s | a step | times before | per unit | MFLOP a step | GFLOP/s in contractions | until the first step, processor time | instructions | plan | process |\n", title, what
			print "|---|---|---|---|---|---|---|---|---|---|"
		}
		{
			t = number("best"); f = number("contraction_flops")
			printf "| %s | %s | %s | %.3g µs | %.4g | %.3g | %.3g ms | %d | %.3g MB | %.3g MB |\n", $1, t < 1e-3 ? sprintf("%.3g µs", t*1e6) : sprintf("%.3g ms", t*1e3), \
				last ? sprintf("%.2f", t/last) : "–", $1 + 0 ? t/$1*1e6 : 0, number("flops")*1e-6, t ? f/t*1e-9 : 0, number("first_cpu")*1e3, number("instructions"), \
				number("plan_bytes")*1e-6, number("resident_kb")*1.024e-3
			last = t
		}'
}

records() {
	regression 4 64 > "$OUT/growth/records.pnn"
	for n in 256 1024 4096 16384 65536 262144; do echo "$n $(bench "$OUT/growth/records.pnn" --set records=$n)"; done |
		table "Records: regression, 4 layers of 64, all records in each step" records
}
depth() {
	for n in 1 2 4 8 16 32 64; do
		regression "$n" 64 > "$OUT/growth/depth.pnn"
		echo "$n $(bench "$OUT/growth/depth.pnn")"
	done | table "Depth: layers of 64, 1024 records" layers
}
length() {
	for n in 15 30 60 120 240 480; do echo "$n $(bench examples/bench/w3_rnn.pnn --of run1 --set records=128 --set pos=$n)"; done |
		table "Length of a recurrence: W3-rnn, 128 sequences" length
}
order() {
	for n in 0 1 2 3 4 5 6; do
		derivative "$n" > "$OUT/growth/order.pnn"
		echo "$n $(bench "$OUT/growth/order.pnn")"
	done | table "Order of the derivative in the loss: 3 layers of 32, 2048 points" order
}
threads() {
	for w in "w1 records=1024" "w2_burgers records=10000"; do
		set -- $w
		for n in 1 2 3 4; do
			[ "$n" -le "$(nproc)" ] && echo "$n $(bench "examples/bench/$1.pnn" --of run1 --set "$2" --threads "$n")"
		done | table "Threads: $1" threads
	done
}
# Programs with and without the cache of compiled code.
compile() {
	export PNN_CACHE_DIR=$OUT/growth/cache
	rm -rf "$PNN_CACHE_DIR"
	printf '\nCompiling: processor time of plans, code and first step of a training\n\n| program | first step, nothing cached | from the cache | code alone | instructions |\n|---|---|---|---|---|\n'
	for w in w1 w2_burgers w2_poisson w2_beam w3_rnn w3_gru w4_vae w5_ising w6_atoms; do
		cold=$(BUDGET=0.01 bench "examples/bench/$w.pnn")
		CACHE='' BUDGET=0.01 bench "examples/bench/$w.pnn" > /dev/null
		warm=$(CACHE='' BUDGET=0.01 bench "examples/bench/$w.pnn")
		awk -v w="$w" -v a="$(field first_cpu <<< "$cold")" -v b="$(field first_cpu <<< "$warm")" -v c="$(field compile <<< "$cold")" -v i="$(field instructions <<< "$cold")" \
			'BEGIN { printf "| %s | %.3g ms | %.3g ms | %.3g ms | %d |\n", w, a*1e3, b*1e3, c*1e3, i }'
	done
}
# Seconds of processor time of a command, the least of several; awk reads what `times` would say of children.
least() { # times, command...
	local n=$1 TIMEFORMAT='%U %S'
	shift
	for _ in $(seq "$n"); do { time "$@" > /dev/null 2>&1 < /dev/null; } 2>&1; done | awk '{ t = ($1 + $2)*1e3 } NR == 1 || t < b { b = t } END { printf "%d ms", b }'
}
start() {
	{
		echo 'axis h = 4'
		for k in $(seq 99); do printf 'param w%d : real[h] ~ normal(0, 1)\nf%d(x) = sum[j] w%d[j]*tanh(x)\n' "$k" "$k" "$k"; done
	} | sed 's/^f/fn f/' > "$OUT/growth/long.pnn"
	printf '\nStart: least processor time of 10\n\n| command | time |\n|---|---|\n'
	printf '| version | %s |\n' "$(least 10 "$pnnc" version)"
	printf '| check, a program of %d lines | %s |\n' "$(wc -l < "$OUT/growth/long.pnn")" "$(least 10 "$pnnc" check "$OUT/growth/long.pnn")"
	printf '| check examples/burgers.pnn | %s |\n' "$(least 10 "$pnnc" check examples/burgers.pnn)"
	printf '| eval 1 + 1 | %s |\n' "$(echo 'a = 1' > "$OUT/growth/one.pnn"; least 10 "$pnnc" eval "$OUT/growth/one.pnn" -e '1 + 1')"
}
memory() {
	printf '\nMemory: largest resident size while training\n\n| program | plan | process |\n|---|---|---|\n'
	for w in "w1 records=1024" "w2_burgers records=10000" "w2_burgers records=100000" "w2_poisson records=4096" "w5_ising records=10000"; do
		set -- $w
		j=$(bench "examples/bench/$1.pnn" --of run1 --set "$2")
		awk -v w="$1, $2" -v p="$(field plan_bytes <<< "$j")" -v r="$(field resident_kb <<< "$j")" 'BEGIN { printf "| %s | %.3g MB | %.3g MB |\n", w, p*1e-6, r*1.024e-3 }'
	done
}

for part in $GROWTH; do
	case $part in
	records | depth | length | order | threads | compile | start | memory) "$part" ;;
	*) echo "bench_growth: no part $part" >&2; exit 2 ;;
	esac
done | tee "$OUT/growth.md"
