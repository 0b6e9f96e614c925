#!/bin/bash
# check_examples.sh PNNC: every program of examples/ is in canonical format; the small ones run with all claims held, the
# large ones too, but for Burgers' equation (make demo), which is checked. What stands behind a name is given to pnnc run.
pnnc=$(realpath "$1") || exit 2
cd "$(dirname "$0")/.." || exit 2
export pnnc
one() {
	local how=$1 file=$2 dir out status
	shift 2
	dir=$(mktemp -d)
	case $how in
	run) out=$("$pnnc" run -q "$file" --out "$dir" "$@" 2>&1) ;;
	check) out=$("$pnnc" check "$file" 2>&1) ;;
	fmt) out=$("$pnnc" fmt --check "$file" 2>&1) ;;
	esac
	status=$?
	rm -rf "$dir"
	if [ $status -eq 0 ]; then echo "ok $how $file $*"; else printf 'FAILED %s %s (exit %s)\n%s\n' "$how" "$file $*" $status "$out"; fi
}
export -f one
result=$(
	{
		for file in examples/small/*.pnn; do printf 'run %s\n' "$file"; done
		printf "run %s\n" examples/airfoil.pnn examples/ethanol.pnn
		printf "check %s\n" examples/burgers.pnn
		# the applications with the sizes, seeds and constants of their claims
		printf "run %s\n" examples/symmetry_breaking.pnn \
			"examples/symmetry_breaking.pnn --set neuron=17 --set p=63 --set κ=1 --set seed=4" \
			"examples/symmetry_breaking.pnn --set neuron=3 --set s1=2 --set s2=0.8 --seed 3 --threads 2"
		printf "run %s\n" examples/phase_transition.pnn \
			"examples/phase_transition.pnn --set h=3 --set κ=1.5 --set i=5 --set s1=1.2 --set s2=0.7 --seed 5"
		printf "run %s\n" examples/cellular_automaton.pnn \
			"examples/cellular_automaton.pnn --set cell=50 --set h=12 --set ε=0.05 --set ring=100 --seed 3"
		printf "run %s\n" "examples/ising.pnn --set snaps=2000 --set M=3000" \
			"examples/ising.pnn --set site=8 --set T=1 --set x=6 --set y=6 --set heat=5 --set snaps=2000 --seed 1"
		for file in stdlib/*.pnn examples/*.pnn examples/*/*.pnn; do printf 'fmt %s\n' "$file"; done
	} | xargs -P "${JOBS:-2}" -L1 bash -c 'one "$@"' _
)
printf '%s\n' "$result" | grep -v '^ok '
failed=$(printf '%s\n' "$result" | grep -c '^FAILED ')
echo "examples: $(printf '%s\n' "$result" | grep -c '^ok ') passed, $failed failed"
[ "$failed" -eq 0 ]
