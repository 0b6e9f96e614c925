#!/bin/bash
# check_limits.sh PNNC: texts, files and machines that are larger, shorter or fuller than they should be. Each case has its
# exit code and a word of its message; nothing may crash, take longer than 10 s, or leave a partial file.
pnnc=$(realpath "$1") || exit 2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export NO_COLOR=1
passed=0 failed=0

# Program on standard input. Arguments: title, exit code, text that the output must contain, arguments of pnnc.
expect() {
	local title=$1 want=$2 text=$3 out status
	shift 3
	out=$(timeout 10 "$pnnc" "$@" 2>&1)
	status=$?
	if [ $status -eq "$want" ] && { [ -z "$text" ] || printf '%s' "$out" | grep -qa -- "$text"; }; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED %s: exit %s where %s is expected\n%s\n' "$title" $status "$want" "$(printf '%s' "$out" | head -c 600)"
	fi
}
many() { head -c "$1" /dev/zero | tr '\0' "$2"; }

# ---- texts ----
{ printf 'print '; many 100000 '('; printf '1'; many 100000 ')'; echo; } > deep.pnn
expect '10^5 brackets' 3 E0108 check deep.pnn
{ printf 'print '; many 100000 '['; echo; } > open.pnn
expect '10^5 open brackets' 3 'error\[' check open.pnn
{ printf '# '; many 10000000 x; printf '\nprint 1\n'; } > comment.pnn
expect 'a comment of 10 MB' 0 '^1' run -q comment.pnn
{ printf 'print "'; many 10000000 x; printf '" + 1\n'; } > line.pnn
expect 'a line of 10 MB with a mistake' 3 E0208 check line.pnn
{ printf 'const '; many 1000000 a; printf ' = 1\n'; } > name.pnn
expect 'a name of 1 MB' 0 '' check name.pnn
{ printf 'print 1'; for _ in 1 2 3 4 5 6 7 8 9 10; do many 100000 '@' | sed 's/@/ + 1/g'; done; echo; } > sum.pnn
expect 'a sum of 10^6 terms' 3 E0108 check sum.pnn
{ for i in $(seq 1 30); do echo "print unknown$i"; done; } > errors.pnn
expect '30 mistakes' 3 '10 ' check errors.pnn
printf 'print 1\0\n' > nul.pnn
expect 'a NUL byte' 3 'error\[' check nul.pnn
printf 'print "\xff"\n' > latin.pnn
expect 'not UTF-8' 3 E0101 check latin.pnn
printf 'print 1' > short.pnn
expect 'no end of line' 0 '^1' run -q short.pnn
: > empty.pnn
expect 'an empty file' 0 '' run -q empty.pnn
expect 'no such file' 6 E0502 check nowhere.pnn
expect 'a folder' 6 E0502 check .

cat > huge.pnn << 'EOF'
axis i = 1000000
param x : real[i, i, i] = 0
loss L = sum[a,b,c] x[a,b,c]^2
train t { minimize L; use gd() for 1 steps }
EOF
expect 'parameters of 8 exabytes' 6 E0503 run -q huge.pnn

# ---- data ----
cat > data.pnn << 'EOF'
const file = "x.csv"
data d from file { x : real from "x"; y : real from "y" }
print mean[s in d] (s.x + s.y)
EOF
data() { # title, exit code, text, printf format of the file
	printf "$4" > x.csv
	expect "$1" "$2" "$3" run -q data.pnn
}
data 'a table' 0 '^3' 'x,y\n1,2\n'
data 'a table with CRLF, BOM and comments' 0 '^3' '\xef\xbb\xbf# c\r\n"x",y\r\n1,2\r\n'
rm -f x.csv
expect 'a table that is not there' 4 E0401 run -q data.pnn
data 'an empty table' 4 'error\[E04' ''
data 'a header alone' 4 'error\[E04' 'x,y\n'
data 'a ragged table' 4 'line 3' 'x,y\n1,2\n3\n'
data 'a missing column' 4 E0402 'x,z\n1,2\n'
data 'an empty cell' 4 E0404 'x,y\n1,2\n3,\n'
data 'nan' 4 E0404 'x,y\n1,2\n3,nan\n'
data 'a word for a number' 4 'error\[E04' 'x,y\n1,2\n3,four\n'
data 'a table that is not UTF-8' 4 'error\[E04' 'x,y,\xff\n1,2,3\n'
data 'an open quote' 4 'error\[E04' 'x,y\n1,"2\n'
data 'a decimal comma' 4 'error\[E04' 'x;y\n1,5;2\n'
data 'a number beyond all' 4 'error\[E04' 'x,y\n1e999,2\n'
data 'a NUL byte in a table' 4 'error\[E04' 'x,y\n1,\0\n'
cat > npy.pnn << 'EOF'
const file = "x.npy"
data d from file { x : real from "x" }
print mean[s in d] s.x
EOF
header() { # shape text; the header of a NPY file of doubles, 128 bytes
	printf '\x93NUMPY\x01\x00\x76\x00'
	printf "%-117s\n" "{'descr': '<f8', 'fortran_order': False, 'shape': ($1), }"
}
one='\x00\x00\x00\x00\x00\x00\xf0\x3f'
{ header '2,'; printf "$one$one"; } > x.npy
expect 'a NPY file' 0 '^1' run -q npy.pnn
{ header '3,'; printf "$one$one"; } > x.npy
expect 'a NPY file that ends early' 4 'error\[E04' run -q npy.pnn
{ header '1000000000000000,'; printf "$one"; } > x.npy
expect 'a NPY file that lies about its size' 4 'error\[E04' run -q npy.pnn
{ header '4294967296, 4294967296'; printf "$one"; } > x.npy
expect 'a NPY file whose size overflows' 4 'error\[E04' run -q npy.pnn
{ header '2, 2'; printf "$one$one$one$one"; } > x.npy
expect 'a NPY file of another shape' 4 E0403 run -q npy.pnn
printf '\x93NUMPY' > x.npy
expect 'a NPY file of six bytes' 4 'error\[E04' run -q npy.pnn

# ---- the machine ----
cat > save.pnn << 'EOF'
axis i = 1000
param w : real[i] = 1
print "before"
save to "w.safetensors"
EOF
mkdir -p full kept
expect 'a good place' 0 '' run -q save.pnn --out kept
if [ -w /dev/full ]; then
	out=$(timeout 10 "$pnnc" run -q save.pnn --out kept 2>&1 > /dev/full)
	status=$?
	if [ $status -eq 6 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED output on a full disk: exit $status: $out"; fi
fi
expect 'a place that is a file' 6 E0501 run -q save.pnn --out short.pnn
# A limit on the size of files stands for a full disk: the old file must stay, no piece of a new one.
before=$(sha256sum < kept/w.safetensors)
sed -i 's/1000/100000/' save.pnn
out=$(ulimit -f 8; trap '' XFSZ; timeout 10 "$pnnc" run -q save.pnn --out kept 2>&1)
status=$?
if [ $status -eq 6 ] && [ "$before" = "$(sha256sum < kept/w.safetensors)" ] && [ "$(ls kept | wc -l)" -eq 1 ]; then
	passed=$((passed + 1))
else
	failed=$((failed + 1))
	printf 'FAILED a disk that fills while weights are written: exit %s, files %s\n%s\n' $status "$(ls kept)" "$out"
fi
expect 'an unknown command' 2 'did you mean run' runn save.pnn
expect 'an unknown option' 2 'did you mean\|unknown\|no option' run --sett n=1 save.pnn

# ---- signals and memory ----
# Outside of a training a signal ends the process at once, within one after its step, and a second one always.
{
	echo 'fn f0(x) = x'
	for k in $(seq 1 40); do printf 'fn f%d(x) {\n a = f%d(x)\n return a*f%d(a + 1)\n}\n' $k $((k - 1)) $((k - 1)); done
	echo 'param p : real = 1'
	echo 'print f40(p)'
} > doubling.pnn
cat > train.pnn << 'EOF'
param a : real = 3
print "before"
train t { minimize a^2; use gd(lr = 1e-9) for 2000000000 steps }
print "after"
EOF
ends() { # title, exit code, text, signal, seconds before it, arguments of pnnc
	local title=$1 want=$2 text=$3 number=$4 after=$5 begin=$SECONDS status
	shift 5
	timeout -s KILL 20 timeout --preserve-status -s "$number" "$after" "$pnnc" "$@" > said 2>&1
	status=$?
	if [ $status -eq "$want" ] && [ $((SECONDS - begin)) -lt 8 ] && { [ -z "$text" ] || grep -qa -- "$text" said; }; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED %s: exit %s where %s is expected\n%s\n' "$title" $status "$want" "$(head -c 600 said)"
	fi
}
ends 'SIGTERM while a program is elaborated' 143 '' TERM 1 check doubling.pnn
ends 'SIGINT while a program is elaborated' 130 '' INT 1 check doubling.pnn
ends 'SIGTERM in a training' 130 '^before' TERM 3 run -q train.pnn
printf 'print "before"\naxis i = 2000000000\nprint (sum[i] sin(i))\n' > long.pnn
ends 'SIGTERM in a long value' 143 '^before' TERM 1 run -q long.pnn --backend interpret
{ echo 'const s0 = "abcdefgh"'; for k in $(seq 1 40); do echo "const s$k = s$((k - 1)) + s$((k - 1))"; done; echo 'print s40'; } > text.pnn
out=$(ulimit -v 300000; timeout 20 "$pnnc" check text.pnn 2>&1)
status=$?
if [ $status -eq 6 ] && printf '%s' "$out" | grep -q E0503; then
	passed=$((passed + 1))
else
	failed=$((failed + 1))
	echo "FAILED texts that double: exit $status: $out"
fi

echo "limits: $passed passed, $failed failed"
[ $failed -eq 0 ]
