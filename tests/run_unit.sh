#!/bin/bash
# run_unit.sh PROGRAM...: runs Criterion programs one after the other and adds up their counts.
tested=0 failed=0
for program in "$@"; do
	out=$("$program" --color=never 2>&1)
	status=$?
	line=$(printf '%s\n' "$out" | grep -a 'Synthesis:' | tail -n 1)
	t=$(printf '%s' "$line" | sed -n 's/.*Tested: \([0-9]*\).*/\1/p')
	f=$(printf '%s' "$line" | sed -n 's/.*Failing: \([0-9]*\).*/\1/p')
	c=$(printf '%s' "$line" | sed -n 's/.*Crashing: \([0-9]*\).*/\1/p')
	tested=$((tested + ${t:-0}))
	bad=$((${f:-0} + ${c:-0}))
	if [ $status -ne 0 ] || [ -z "$t" ]; then
		printf '%s\n' "$out"
		[ $bad -gt 0 ] || bad=1
	fi
	printf '%-40s %4s tests, %s failed\n' "$(basename "$program")" "${t:-0}" "$bad"
	failed=$((failed + bad))
done
echo "unit tests: $((tested - failed)) passed, $failed failed"
[ $failed -eq 0 ] && [ $tested -gt 0 ]
