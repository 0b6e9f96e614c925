#!/bin/bash
# check_bits.sh PNNC: bits of compiled code do not depend on what stands beside them: the value and the derivative of a record
# in batches of 1 to 70, wherever it stands there, of nets 1 to 33 wide; L-BFGS and draws with any number of threads; a
# training that is interrupted and resumed.
pnnc=$(realpath "$1") || exit 2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export NO_COLOR=1 TERM=dumb LC_ALL=C.UTF-8 PNN_CACHE_DIR=$dir/cache
cd "$dir" || exit 1
passed=0 failed=0
check() { # title, one file, other file
	if [ -s "$2" ] && cmp -s "$2" "$3"; then passed=$((passed + 1)); else
		failed=$((failed + 1))
		echo "FAILED $1"
		diff "$2" "$3" | cut -c 1-200 | head -n 4
	fi
}

# ---- batches ----
{
	echo 'axis f = 3'
	for w in $(seq 33); do
		echo "axis h$w = $w"
		echo "param V$w : real[h$w, f] ~ normal(0, 0.8)"
		echo "param W$w : real[h$w, h$w] ~ glorot"
		echo "fn u$w(x: real, y: real) {"
		echo "  p[i] = tanh(V$w[i,0]*x + V$w[i,1]*y + V$w[i,2])"
		echo "  q[i] = sin(sum[j] W$w[i,j]*p[j])"
		echo "  return [i in h$w -> q[i]]"
		echo '}'
		# the largest element has the bits of a contraction's, whichever it is
		echo "fn m$w(x: real, y: real) = max[i](u$w(x, y)[i])"
		echo "fn s$w(x: real, y: real) = sum[i] u$w(x, y)[i]"
	done
} > nets.pnn
awk 'BEGIN { srand(7); for (i = 0; i < 70; i++) printf "%.3f,%.3f\n", 4*rand() - 2, 4*rand() - 2 }' > rows.csv
# A line for each of the records FIRST to LAST, computed as one batch. RANGES="1,5 …" tries others.
ask=()
for w in $(seq 33); do
	ask+=(-e "digits(m$w(a, b), 17)" -e "digits(s$w(a, b), 17)")
done
values() { # first, last
	{ echo a,b; sed -n "$1,$2p" rows.csv; } > part.csv
	"$pnnc" eval -q nets.pnn "${ask[@]}" --csv part.csv --backend jit 2>&1 | tail -n +2
}
values 1 70 > all
[ "$(wc -l < all)" = 70 ] && [ "$(head -n 1 all | tr -cd , | wc -c)" = 67 ] || {
	echo "check_bits: the nets do not run"
	head -n 3 all
	exit 1
}
for range in ${RANGES:-1,1 8,12 30,45 54,70 5,37 1,63}; do
	values "${range%,*}" "${range#*,}" > part
	sed -n "${range}p" all > want
	check "records $range" want part
done

# ---- threads ----
cat > draw.pnn << 'END'
axis f = 5
axis h = 19
axis z = 3
data d = simulate(700) {
  x : real[f] ~ normal(0, 1)
  y : real = sin(x[0]) + x[1]*x[2]
}
param V : real[h, f] ~ glorot
param W : real[h] ~ normal(0, 1)
param s : real = 0.3
fn u(x: real[f]) = sum[j] W[j]*tanh(sum[i] V[j,i]*x[i])
loss L = mean[r in d] (u(r.x) - r.y)^2
loss N = mean[r in d] expect[e ~ normal(z), n = 3] (u(r.x) + s*(sum[k] e[k]) - r.y)^2
train fit { minimize L; use lbfgs(memory = 7) for 25 steps }
print digits(W, 17), digits(V, 17)
train noisy { minimize N; use adam(lr = 1e-2, batch = 50) for 30 steps }
print digits(W, 17), digits(V, 17), digits(s, 17)
END
for p in f64 f32; do
	for t in 1 2 3 7; do "$pnnc" run -q draw.pnn --backend jit --precision $p --threads $t > threads$t 2>&1; done
	for t in 2 3 7; do check "L-BFGS and draws, $p, 1 and $t threads" threads1 threads$t; done
done

# ---- interrupted and resumed ----
sed -e 's/for 25 steps/for 60 steps/; s/for 30 steps/for 3000 steps/' draw.pnn > long.pnn
"$pnnc" run -q long.pnn --backend jit > whole 2>&1
turns=0
for pause in 0.2 0.3; do
	"$pnnc" run -q long.pnn --backend jit --threads 2 --resume state --save-every 7 >> resumed 2>&1 &
	sleep $pause
	kill -INT $! 2> /dev/null && turns=$((turns + 1))
	wait $!
done
[ $turns -gt 0 ] || echo 'check_bits: nothing was interrupted'
"$pnnc" run -q long.pnn --backend jit --resume state >> resumed 2>&1 # says nothing if all is done
tail -n 1 whole > want
tail -n 1 resumed > got
check 'a training interrupted and resumed' want got

echo "bits: $passed passed, $failed failed"
[ $failed -eq 0 ]
