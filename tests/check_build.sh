#!/bin/bash
# check_build.sh PNNC: libraries built, linked and called from C, Fortran and Python; what they need; what goes wrong.
pnnc=$(realpath "$1") || exit 2
cd "$(dirname "$0")/.." || exit 2
root=$PWD
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export NO_COLOR=1 TERM=dumb LC_ALL=C.UTF-8
passed=0 failed=0
check() { # name, then a command that must succeed
	local name=$1
	shift
	if "$@" > "$dir/said" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $name"
		sed 's/^/  /' "$dir/said" | tail -n 20
	fi
}
refused() { # name, exit code, text, then a pnnc command that must end so
	local name=$1 want=$2 text=$3 out
	shift 3
	out=$("$@" 2>&1 < /dev/null)
	local code=$?
	if [ $code -eq "$want" ] && grep -qF -- "$text" <<< "$out"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $name: exit $code, wanted $want and '$text'"
		sed 's/^/  /' <<< "$out" | head -n 8
	fi
}
cd "$dir" || exit 1
cp "$root"/examples/embed/* "$root"/tests/embed/* .
cflags='-O1 -std=c99 -Wall -Wextra -Werror -pedantic'
rpath='-Wl,-rpath,$ORIGIN'

cat > near.py <<'END'
import sys
a, b = ([float(w) for w in open(name).read().split()] for name in sys.argv[1:3])
sys.exit(len(a) != len(b) or any(abs(x - y) > 1e-12 for x, y in zip(a, b)))
END
mkdir bad
printf '#!/bin/sh\necho something is wrong >&2\nexit 3\n' > bad/cc
chmod +x bad/cc

# ---- the example: one model, three languages, the same numbers
check 'build ff' "$pnnc" build -q ff.pnn --set rounds=60 -o libff.so --fortran --python
check 'C' gcc $cflags md.c -o md -L. -l:libff.so "$rpath" -lm
check 'C runs, energy is conserved' bash -c './md > c.txt'
check 'Fortran' gfortran -Wall -Werror ff.f90 ff_demo.f90 -o ff_demo libff.so "$rpath"
check 'Fortran runs' bash -c './ff_demo > f.txt'
check 'Python runs' bash -c 'python3 ff_demo.py > p.txt'
check 'the same numbers' python3 -c '
import sys
read = lambda name: [float(w) for w in open(name).read().split()]
c, f, p = read("c.txt"), read("f.txt"), read("p.txt")
sys.exit(not (len(c) == 25 and c == f == p))'
check 'C++' g++ -x c++ -fsyntax-only -Wall -Wextra -Werror ff.h

# ---- the forms of a library: an object and an archive, built from saved weights, give the same numbers
for form in a o; do
	check "build .$form" "$pnnc" build -q ff.pnn --params ff.safetensors -o libff.$form
	check ".$form" gcc $cflags md.c -o md_$form libff.$form -lm
	check ".$form runs" bash -c "./md_$form > $form.txt && python3 near.py c.txt $form.txt"
done
check 'ar reads the archive' bash -c 'ar t libff.a | grep -qx ff.o && nm -s libff.a | grep -q "ff_energy in ff.o"'
check 'two builds, the same bytes' bash -c 'cp libff.o first.o && "$0" build -q ff.pnn --params ff.safetensors -o libff.o &&
	cmp first.o libff.o' "$pnnc"
check 'nothing but libc and libm' bash -c '! ldd libff.so | grep -vE "linux-vdso|ld-linux|libc\.so|libm\.so"'
check 'no other symbol is seen' bash -c '! nm -D --defined-only libff.so | grep -vE " T ff_(energy|energy_grad|force)(_batch)?$| T ff_(version|hash)$"'
check 'no writable data' bash -c '! nm libff.o | grep -E " [bBdDC] "'
check 'no allocation' bash -c '! nm -u libff.o | grep -E "malloc|calloc|realloc|alloca"'

# ---- parameters at run time
check 'build with external parameters' "$pnnc" build -q ff.pnn --params ff.safetensors --external-params -o libffx.so --python --fortran
head -c 200 ff.safetensors > cut.safetensors
check 'params' gcc $cflags params.c -o params -L. -l:libff.so -l:libffx.so "$rpath" -lm
check 'params run' ./params ff.safetensors ff.pnn cut.safetensors
check 'Fortran module of parameters' gfortran -Wall -c ffx.f90
check 'Python parameters' python3 -c '
import ff, ffx, ff_demo
p = ffx.Params.load("ff.safetensors")
assert ffx.energy(p, ff_demo.R) == ff.energy(ff_demo.R)
assert ffx.force_batch(p, [ff_demo.R] * 3) == ff.force_batch([ff_demo.R] * 3)'

# ---- every kind of argument and result, in both precisions
check 'build kinds' "$pnnc" build -q kinds.pnn --python --fortran
check 'kinds' python3 values.py "$pnnc" kinds.pnn kinds.safetensors
check 'Fortran module of kinds' gfortran -Wall -c kinds.f90
check 'C++ of kinds' g++ -x c++ -fsyntax-only -Wall -Wextra -Werror kinds.h
mkdir single
check 'build kinds in f32' "$pnnc" build -q kinds.pnn --python --precision f32 -o single/libkinds.so
check 'kinds in f32' python3 -c '
import sys
import kinds as double
sys.path.insert(0, "single")
del sys.modules["kinds"]
import kinds as single
x = [0.125, -0.5, 1.75]
assert single is not double
assert 0 < abs(single.u(x) - double.u(x)) < 1e-5
assert abs(single.wave(1 + 2j, [1, 2, 3], 3)[0] - double.wave(1 + 2j, [1, 2, 3], 3)[0]) < 1e-4'
if [ -x /usr/bin/aarch64-linux-gnu-gcc ] && [ -x /usr/bin/qemu-aarch64 ]; then
	mkdir arm
	check 'build for arm64' "$pnnc" build -q ff.pnn --params ff.safetensors --cpu aarch64 -o arm/libff.so
	check 'arm64' aarch64-linux-gnu-gcc $cflags md.c -Iarm -o arm/md -Larm -l:libff.so "$rpath" -lm
	check 'arm64 runs' bash -c 'qemu-aarch64 -L /usr/aarch64-linux-gnu arm/md > arm.txt && python3 near.py c.txt arm.txt'
fi
check 'plain x86-64' bash -c '"$0" build -q ff.pnn --params ff.safetensors --cpu x86-64 -o plain.a && gcc -O1 -include plain.h -c -x c /dev/null -o /dev/null' "$pnnc"

# ---- what goes wrong
printf 'fn f(x: real) = x^2\n' > none.pnn
printf 'fn f(x: real) = x^2\nexport f to "liba.a"\nexport f to "libb.a"\n' > two.pnn
printf 'param w : real = 2\nfn f(x: real) = w*x^2\n' > w.pnn
refused 'nothing exported' 2 'exports nothing' "$pnnc" build none.pnn
refused 'no -o' 2 'need -o' "$pnnc" build none.pnn f
refused 'unknown function' 3 'g is not defined' "$pnnc" build none.pnn g -o libg.a
refused 'unknown ending' 2 '.so, .a or .o, not f.dll' "$pnnc" build none.pnn f -o f.dll
refused 'one name for two libraries' 2 'exports 2' "$pnnc" build two.pnn -o libc.a
refused 'no such folder' 6 'E0501' "$pnnc" build none.pnn f -o nowhere/libf.a
refused 'not writable' 6 'E0501' "$pnnc" build none.pnn f -o /proc/libf.a
refused 'no compiler' 6 'E0505' env PATH=/nonexistent "$pnnc" build none.pnn f -o libf.so
refused 'no cross compiler' 6 'aarch64-linux-gnu-gcc' env PATH=/nonexistent "$pnnc" build none.pnn f --cpu aarch64 -o libf.so
refused 'the compiler fails' 6 'cc failed: something is wrong' env PATH="$dir/bad" "$pnnc" build none.pnn f -o libf.so
refused 'missing weights' 4 'missing.safetensors' "$pnnc" build w.pnn f --params missing.safetensors -o libf.a
refused 'other weights' 4 'E0408' "$pnnc" build w.pnn f --params ff.safetensors -o libf.a
refused 'no parameters' 2 'have no parameters' "$pnnc" build none.pnn f --external-params -o libf.a
refused 'unknown processor' 2 '--cpu takes' "$pnnc" build none.pnn f --cpu z80 -o libf.a
refused 'python of an archive' 2 '--python needs' "$pnnc" build none.pnn f --python -o libf.a
check 'an archive needs no compiler' env PATH=/nonexistent "$pnnc" build -q none.pnn f -o libf.a
check 'nothing is left behind' bash -c '! ls | grep -E "^libf\.so|\.[0-9]+\.(o|so|txt)$"'
echo "libraries: $passed checks passed, $failed failed"
[ $failed -eq 0 ]
