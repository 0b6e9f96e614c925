#!/bin/bash
# check_diags.sh: every row of lang/diags.def has a page, the page shows an example, a test shows the code, and the
# other way round: no page and no test without a row. The tests that cannot be a program are listed with their place.
cd "$(dirname "$0")/.." || exit 2
bad=0
complain() { echo "$1"; bad=$((bad + 1)); }
codes=$(sed -n 's/^DIAG(\([A-Z][0-9]*\),.*/\1/p' lang/diags.def)

# Codes whose cause lies outside a program: tested by a unit test or by a shell test that must name the code.
outside() { grep -ls "$1" tests/unit/*.c tests/*.sh 2>/dev/null | grep -v check_diags.sh | head -n 1; }

tested=0
for code in $codes; do
	page=doc/errors/$code.md
	if [ ! -f "$page" ]; then
		complain "$code has no page $page"
	elif ! head -n 1 "$page" | grep -q "^# $code: "; then
		complain "$page does not begin with '# $code: title'"
	fi
	if ls tests/diag/"$code"_*.pnn > /dev/null 2>&1; then
		for file in tests/diag/"$code"_*.pnn; do
			awk '/^# >>>/ { on = 1 } on' "$file" | grep -q "\[$code\]" || complain "$file does not show $code"
		done
		tested=$((tested + 1))
	elif [ -n "$(outside "$code")" ]; then
		tested=$((tested + 1))
	else
		complain "$code has no test tests/diag/${code}_*.pnn"
	fi
	grep -rqE "diag_$(sed -n "s/^DIAG($code, [A-Z]*, [0-9]*, \([a-z0-9_]*\),.*/\1/p" lang/diags.def)\>" \
		lang compiler --include='*.[chly]' || complain "$code is never given"
done
for file in doc/errors/*.md tests/diag/*.pnn; do
	[ -e "$file" ] || continue
	code=$(basename "$file" | sed 's/[_.].*//')
	echo "$codes" | grep -qx "$code" || complain "$file: there is no row $code"
done
sorted=$(echo "$codes" | sort -u | wc -l)
[ "$sorted" -eq "$(echo "$codes" | wc -l)" ] || complain 'a code stands twice in diags.def'
echo "diagnostics: $(echo "$codes" | wc -l) rows, $tested with a test, $(ls tests/diag/*.pnn 2>/dev/null | wc -l) programs, $bad faults"
[ $bad -eq 0 ]
