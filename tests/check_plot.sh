#!/bin/bash
# check_plot.sh PNNC: figures of all kinds in every kind of file. gnuplot takes each without a complaint and the file is
# what its ending says; equal runs give equal bytes; names with quotes, blanks and commands in titles do no harm; without
# gnuplot the run goes on with W0006 and leaves the commands; a gnuplot that fails is quoted.
set -u
pnnc=$(realpath "$1") || exit 2
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
bad=0 figures=0
fail() { echo "FAILED $1"; bad=$((bad + 1)); }

sed '/^# >>>/,$d' "$here/plot/gallery.pnn" > all.pnn
if ! command -v gnuplot > /dev/null; then
	echo 'check_plot: gnuplot is not here (make testdeps)'
	exit 1
fi
for ending in svg png pdf; do
	sed "s/\.gp\"/.$ending\"/" all.pnn > "$ending.pnn"
	for out in first second; do
		said=$("$pnnc" run -q "$ending.pnn" --out "$ending.$out" 2>&1) && [ -z "$said" ] || fail "$ending: $said"
	done
	for file in "$ending".first/*; do
		figures=$((figures + 1))
		cmp -s "$file" "$ending.second/${file#*/}" || fail "$file: two runs, two files"
		case $ending in
		svg) head -c 200 "$file" | grep -q '<svg' && tail -c 20 "$file" | grep -q '</svg>' ;;
		png) [ "$(head -c 4 "$file" | tail -c 3)" = PNG ] ;;
		pdf) [ "$(head -c 5 "$file")" = %PDF- ] ;;
		esac || fail "$file is no $ending"
		[ "$(wc -c < "$file")" -gt 3000 ] || fail "$file has $(wc -c < "$file") bytes"
	done
done
[ "$figures" -ge 36 ] || fail "only $figures figures"
[ ! -e pwned ] || fail 'a title was carried out'

# The commands left beside a figure give it too.
"$pnnc" run -q svg.pnn --out kept --plots keep 2>&1 || fail 'keep'
(cd kept && mkdir ../again && for f in *.gp; do (cd ../again && gnuplot "../kept/$f") || exit 1; done) || fail 'kept commands'
for f in kept/*.svg; do cmp -s "$f" "again/${f#*/}" || fail "again/${f#*/} differs"; done

said=$(PATH=$dir/empty "$pnnc" run -q svg.pnn --out missing 2>&1) || fail 'no gnuplot ends the run'
echo "$said" | grep -q 'warning\[W0006\].*gnuplot is not here' || fail "no gnuplot: $said"
[ -s missing/heat.svg.gp ] && [ ! -e missing/heat.svg ] || fail 'no commands left'
mkdir bin
printf '#!/bin/sh\necho "line 3: no such terminal" >&2\nexit 1\n' > bin/gnuplot
chmod +x bin/gnuplot
said=$(PATH=$dir/bin:$PATH "$pnnc" run -q svg.pnn --out failing 2>&1) || fail 'a failing gnuplot ends the run'
echo "$said" | grep -q 'W0006.*gnuplot failed: no such terminal' || fail "failing: $said"
"$pnnc" run -q svg.pnn --out nothing --plots none || fail 'none'
[ -z "$(ls nothing)" ] || fail 'something was drawn'
echo "figures: $figures drawn, $bad faults"
[ $bad -eq 0 ]
