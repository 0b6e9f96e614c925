#!/bin/bash
# check_jit.sh PNNC: compiled code as seen from the command line: what the cache keeps and what it survives, processors
# of several levels, texts of emit.
pnnc=$(realpath "$1") || exit 2
dir=$(mktemp -d) || exit 1
trap 'chmod -R u+rwx "$dir"; rm -rf "$dir"' EXIT
export NO_COLOR=1 TERM=dumb LC_ALL=C.UTF-8 PNN_CACHE_DIR=$dir/cache
cd "$dir" || exit 1
passed=0 failed=0
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAILED $1"; printf '%s\n' "${2:-}" | tail -n 8 | sed 's/^/  /'; }

cat > net.pnn <<'END'
axis in = 3
axis h = 9
param V : real[in, h] ~ glorot
param W : real[h] ~ normal(0, 1)
data d = simulate(70) {
  x : real[in] ~ uniform(-1, 1)
  y : real = sin(x[0]) + x[1]*x[2]
}
fn u(x: real[in]) = sum[j] W[j]*tanh(sum[i] V[i,j]*x[i])
loss L = mean[s in d] (u(s.x) - s.y)^2
train fit { minimize L; use adam(lr = 1e-2) for 5 steps; print loss every 1 }
END
run() { "$pnnc" run net.pnn -v --backend jit "$@" 2>&1; }
values() { grep -E '^[0-9.e+-]+$|^train' | sed 's/, [0-9.]* s$//'; } # what does not depend on time
want=$(run --no-cache | values)
[ -n "$want" ] || { bad 'the program runs' "$(run --no-cache)"; exit 1; }

# expect NAME TEXT|'' COMMAND...: ends with 0, gives the values, says the text (or never speaks of the cache).
expect() {
	local name=$1 text=$2 out
	shift 2
	out=$("$@" 2>&1)
	local code=$?
	if [ $code -ne 0 ] || [ "$(values <<< "$out")" != "$want" ]; then
		bad "$name: exit $code" "$out"
	elif [ -n "$text" ] && ! grep -qF -- "$text" <<< "$out"; then
		bad "$name: says nothing of '$text'" "$out"
	elif [ -z "$text" ] && grep -qE 'cache|compiled code' <<< "$out"; then
		bad "$name: speaks of the cache" "$out"
	else
		ok
	fi
}
entries() { find cache -type f 2> /dev/null | wc -l; }
holds() { # NAME, NUMBER of entries ("some": at least one)
	local n
	n=$(entries)
	if [ "$n" = "$2" ] || { [ "$2" = some ] && [ "$n" -gt 0 ]; }; then ok; else bad "$1: $n entries"; fi
}

# ---- the cache
expect 'without the cache' '' run --no-cache
holds 'nothing is kept without the cache' 0
expect 'a first run' '' run
holds 'code is kept' some
n=$(entries)
expect 'a second run' 'from the cache' run
holds 'nothing is kept twice' "$n"
f32=$(run --precision f32)
grep -q 'plan .*: compiled in [0-9.]* ms,' <<< "$f32" && ok || bad 'f32 is other code' "$f32"
[ "$(stat -c %a cache)" = 700 ] && ok || bad 'the folder is for its owner alone'
[ -z "$(find cache -type f ! -perm 600)" ] && ok || bad 'entries are for their owner alone'

spoil() { for f in cache/*; do "$@" "$f"; done; }
flip() { printf '\377' | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - 100)) conv=notrunc 2> /dev/null; }
cut() { truncate -s 300 "$1"; }
empty() { : > "$1"; }
older() { printf '0.0.1\0' | dd of="$1" bs=1 seek=144 conv=notrunc 2> /dev/null; }
for how in flip cut empty older; do
	spoil $how
	expect "entries spoiled by $how" 'is not used' run
	expect "entries spoiled by $how are replaced" 'from the cache' run
	spoil $how
	expect "entries spoiled by $how, without -v" '' "$pnnc" run net.pnn --backend jit
done

# ---- folders that cannot be used
nobody=() # permissions do not bind the superuser
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$dir" && chmod 644 net.pnn
	nobody=(setpriv --reuid=65534 --clear-groups)
	mkdir theirs && chown 65534 theirs
else
	mkdir theirs
fi
as_nobody() { PNN_CACHE_DIR=$dir/theirs "${nobody[@]}" "$pnnc" run net.pnn -v --backend jit --out "$dir/theirs" 2>&1; }
chmod 500 theirs
expect 'a folder that is read only' 'cannot keep compiled code' as_nobody
chmod 777 theirs
expect 'a folder that others can write' 'others can write there' as_nobody
elsewhere() { PNN_CACHE_DIR=/proc/pnn run; }
expect 'a folder that cannot be made' 'no cache of compiled code' elsewhere
homeless() { env -u PNN_CACHE_DIR -u XDG_CACHE_HOME -u HOME "$pnnc" run net.pnn -v --backend jit 2>&1; }
expect 'no HOME' 'no cache of compiled code' homeless
quiet() { PNN_CACHE_DIR=/proc/pnn "$pnnc" run net.pnn --backend jit 2>&1; }
expect 'said with -v only' '' quiet
full() { (trap '' XFSZ; ulimit -f 1; PNN_CACHE_DIR=$dir/full run) }
expect 'a disk that is full' 'cannot keep compiled code' full
[ -z "$(find full -type f -size +0 -name 'new.*')" ] && ok || bad 'half an entry stays'

# ---- several runs at once
rm -rf cache
for k in 1 2 3 4; do run > "out$k" & done
wait
for k in 1 2 3 4; do expect "run $k of four at once" 'compiled' cat "out$k"; done
holds 'four runs keep one copy' "$n"
[ "$(ls cache | grep -c '^new\.')" = 0 ] && ok || bad 'files on the way stay'

said=$("$pnnc" cache) && grep -q "^$dir/cache: $n entries, 0\.[0-9] of 256 MB$" <<< "$said" && ok || bad 'pnnc cache' "$said"
said=$("$pnnc" cache clear) && grep -q ': 0 entries' <<< "$said" && ok || bad 'pnnc cache clear' "$said"
holds 'clear removes all' 0
"$pnnc" cache all > /dev/null 2>&1
[ $? -eq 2 ] && ok || bad 'pnnc cache takes clear alone'

# ---- processors
near() { # the losses of two runs agree in all digits that are printed, or all but the last
	paste <(grep -E '^[0-9.e+-]+$' <<< "$1") <(grep -E '^[0-9.e+-]+$' <<< "$2") |
		awk '{ d = $1 - $2; if (d < 0) d = -d; if (NF != 2 || d > 1e-5*$1) bad = 1 } END { exit bad || NR != 5 }'
}
plain=$(run --cpu x86-64 --no-cache)
if [ "$(uname -m)" = x86_64 ]; then
	for cpu in x86-64 avx2 avx512; do
		out=$(run --cpu $cpu --no-cache)
		code=$?
		if [ $code -eq 6 ]; then
			grep -q "code for $cpu cannot run here: this processor lacks" <<< "$out" && ok || bad "--cpu $cpu" "$out"
		elif [ $code -eq 0 ] && near "$plain" "$out"; then
			ok
		else
			bad "--cpu $cpu: exit $code" "$out"
		fi
	done
	out=$(run --cpu aarch64)
	[ $? -eq 6 ] && grep -q 'cannot run here: this is a processor of the family x86_64' <<< "$out" && ok || bad '--cpu aarch64' "$out"
	# A processor without AVX: plain vectors by themselves, the others are refused.
	if qemu=$(command -v qemu-x86_64); then
		out=$("$qemu" -cpu Westmere "$pnnc" run net.pnn -v --backend jit --no-cache 2>&1)
		[ $? -eq 0 ] && near "$plain" "$out" && ok || bad 'a processor without AVX' "$out"
		[ "$(values <<< "$out")" = "$(values <<< "$plain")" ] && ok || bad 'plain code has the same bits anywhere' "$out"
		out=$("$qemu" -cpu Westmere "$pnnc" run net.pnn --cpu avx2 2>&1)
		[ $? -eq 6 ] && grep -q 'lacks avx ' <<< "$out" && ok || bad 'avx2 on a processor without it' "$out"
	else
		echo 'check_jit: without qemu-x86_64 no processor without AVX was tried'
	fi
fi
run --cpu vax > /dev/null
[ $? -eq 2 ] && ok || bad '--cpu vax is a mistake of use'

# ---- emit
emits() { # CPU, STAGE, MORE OPTIONS, what must be there, what must not
	local out
	out=$("$pnnc" emit net.pnn --stage "$2" --cpu "$1" $3 2>&1) || bad "emit $1 $2: exit $?" "$out"
	if grep -qE -- "$4" <<< "$out" && { [ -z "$5" ] || ! grep -qE -- "$5" <<< "$out"; }; then ok
	else bad "emit --cpu $1 --stage $2 $3: wanted $4, not $5" "$(grep -E -m 3 -- "${5:-$^}" <<< "$out")"; fi
}
emits x86-64 llvm '' '<2 x double>' 'llvm\.fma|<(4|8|16) x double>'
emits avx2 llvm '' 'llvm\.fma\.v4f64' 'v8f64|x86-64'
emits avx512 llvm '' 'llvm\.fma\.v8f64' ''
emits avx512 llvm '--precision f32' 'llvm\.fma\.v16f32' ''
emits aarch64 llvm '' 'target triple = "aarch64.*' 'x86_64'
emits x86-64 asm '' 'mulpd' 'vfm|ymm|zmm'
emits avx2 asm '' 'vfn?m[a-z]*[0-9]*pd.*ymm' 'zmm'
emits avx512 asm '' 'vfn?m[a-z]*[0-9]*pd.*zmm' ''
emits avx512 asm '--precision f32' 'vfn?m[a-z]*[0-9]*ps.*zmm' ''
emits aarch64 asm '' 'fmla.*\.2d' 'xmm'
emits aarch64 asm '--precision f32' 'fmla.*\.4s' ''
a=$("$pnnc" emit net.pnn --stage llvm --cpu avx2) b=$("$pnnc" emit net.pnn --stage llvm --cpu avx2)
[ "$a" = "$b" ] && ok || bad 'the module is the same each time'
[ "$(grep -c '^; train fit' <<< "$a")" = 1 ] && [ "$(grep -c '^define i32 @pnn_body' <<< "$a")" -ge 2 ] && ok || bad 'emit shows every plan'

echo "compiled code: $passed passed, $failed failed"
[ $failed -eq 0 ]
