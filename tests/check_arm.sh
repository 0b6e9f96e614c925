#!/bin/bash
# check_arm.sh PNNC: code for arm64, run by qemu-user, against the code for this processor and its levels: all functions,
# contractions, sums and recurrences in sizes with remainders, gradients, in both precisions.
pnnc=$(realpath "$1") || exit 2
cc=aarch64-linux-gnu-gcc
if ! command -v $cc > /dev/null || ! command -v qemu-aarch64 > /dev/null; then
	echo "check_arm: needs $cc and qemu-aarch64; nothing was tried"
	exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export NO_COLOR=1 TERM=dumb LC_ALL=C.UTF-8
cd "$dir" || exit 1
passed=0 failed=0

set -f
k=0 lines=
for e in 'exp(x[i]/10)' 'log(abs(x[i])+0.5)' 'log1p(abs(x[i]))' 'expm1(x[i]/4)' 'sqrt(abs(x[i]))' 'cbrt(x[i])' 'sin(x[i])' \
	'cos(30*x[i])' 'tan(x[i]/8)' 'asin(x[i]/9)' 'acos(x[i]/9)' 'atan(x[i])' 'sinh(x[i]/3)' 'cosh(x[i]/3)' 'tanh(x[i])' \
	'asinh(x[i])' 'acosh(1+abs(x[i]))' 'atanh(x[i]/9)' 'erf(x[i]/2)' 'erfc(x[i]/2)' 'lgamma(abs(x[i])+0.3)' \
	'digamma(abs(x[i])+0.3)' 'trigamma(abs(x[i])+0.3)' 'sigmoid(x[i])' 'softplus(x[i])' 'floor(x[i])' 'ceil(x[i])' \
	'round(x[i])' 'atan2(x[i],2)' '(abs(x[i])+0.1)^x[i]' 'min(x[i],1)' 'max(x[i],-1)' 'x[i] mod 3' 'sign(x[i])' \
	'(if x[i] > 1 then 1/x[i] else x[i])' 'x[i]^7'; do
	lines+="${lines:+,}"$'\n'"    [i -> $e]"
	k=$((k + 1))
done
set +f
cat > all.pnn << END
axis n = 37
axis h = 19
axis g = 33
axis t = 0..11
param U : real[h, n] ~ normal(0, 0.2)
param V : real[g, h] ~ normal(0, 0.3)
param R : real[h, h] ~ normal(0, 0.2)
fn ops(x: real[n]) = [$lines
  ]
fn net(x: real[n]) {
  a[j] = tanh(sum[i] U[j,i]*x[i])
  b[k] = sigmoid(sum[j] V[k,j]*a[j])
  return sum[k] b[k]^2 + sum[i] exp(-x[i]^2)
}
fn walk(x: real[n]) {
  s[0, j] = sum[i] U[j,i]*x[i]
  s[t, j] = tanh(s[t-1, j]/2 + sum[k] R[j,k]*s[t-1, k])
  return sum[j] s[11, j]*s[5, j]
}
END
cat > driver.c << 'END'
#include "all.h"
#include <math.h>
#include <stdio.h>

enum { OPS = sizeof_ops, N = 37, ROWS = 21 };
static real x[ROWS][N], y[ROWS][OPS][N], e[ROWS], d[ROWS][N];

#ifdef ALL_OPS_BATCH_WORK
static _Alignas(64) char work[ALL_OPS_BATCH_WORK];
#define WORK , work
#else
#define WORK
#endif

static void print(const real *v, int n)
{
	for (int k = 0; k < n; k++) {
		printf("%.17g\n", (double)v[k]);
	}
}

int main(void)
{
	for (int r = 0; r < ROWS; r++) {
		for (int i = 0; i < N; i++) {
			x[r][i] = (real)(4.3 * sin(1.7 * r + 0.61 * i * i));
		}
	}
	if (all_ops_batch(ROWS, &x[0][0], &y[0][0][0] WORK) || all_net_grad_batch(ROWS, &x[0][0], e, &d[0][0])) {
		return 1;
	}
	print(&y[0][0][0], ROWS * OPS * N);
	print(e, ROWS);
	print(&d[0][0], ROWS * N);
	for (int r = 0; r < ROWS; r++) {
		if (all_walk_grad(x[r], e, d[0])) {
			return 1;
		}
		print(e, 1);
		print(d[0], N);
	}
	return 0;
}
END

# build FOLDER CPU PRECISION CC: the library and the driver with it; the numbers in FOLDER/out.
build() {
	local real=double
	[ "$3" = f32 ] && real=float
	mkdir -p "$1"
	"$pnnc" build -q all.pnn ops net walk --gradient --cpu "$2" --precision "$3" -o "$1/liball.a" &&
		"$4" -O1 -ffp-contract=off -Dreal=$real -Dsizeof_ops="$k" -I"$1" driver.c -static -o "$1/driver" "$1/liball.a" -lm
}
# near A B ERROR: as many numbers, of the same kind (finite or not), with at most this error relative to 1 or the larger.
near() {
	paste "$1" "$2" | awk -v least="$3" -v want=$((21*(k + 1)*37 + 21 + 21*38)) '
		{ d = $1 - $2; if (d < 0) d = -d; m = $1 < 0 ? -$1 : $1; if (m < 1) m = 1 }
		NF != 2 || ($1 != $2 && !(d <= least*m)) { bad++; if (bad < 4) print "line " NR ": " $1 " " $2 }
		END { if (NR != want) print NR " numbers instead of " want; exit bad || NR != want }'
}
check() { # NAME, COMMAND...
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then passed=$((passed + 1)); else
		failed=$((failed + 1))
		echo "FAILED $name"
		printf '%s\n' "$out" | head -n 8 | sed 's/^/  /'
	fi
}
for precision in f64 f32; do
	error=1e-12
	[ $precision = f32 ] && error=1e-4
	check "build for this processor, $precision" build host-$precision host $precision cc
	check "build for arm64, $precision" build arm-$precision aarch64 $precision $cc
	check "run here, $precision" bash -c "host-$precision/driver > host-$precision/out"
	check "run by qemu, $precision" bash -c "qemu-aarch64 arm-$precision/driver > arm-$precision/out"
	check "the same numbers, $precision" near host-$precision/out arm-$precision/out $error
done
echo "arm64: $passed passed, $failed failed"
[ $failed -eq 0 ]
