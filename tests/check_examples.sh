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
# Tables for the programs that take measured data: nations and years one below the other, with names in quotes, aggregates and
# gaps; samples with a column for each of 353 genes.
tables=$(mktemp -d) || exit 2
trap 'rm -rf "$tables"' EXIT
awk 'BEGIN {
	print "country,iso_code,year,population,gdp,co2"
	for (n = 1; n <= 45; n++) {
		g = 0.03; size = 100 + 37*n; money = 50*n; state = n*7919
		for (y = 1965; y <= 2018; y++) {
			state = (state*16807) % 2147483647; z = 0.05*(state/2147483647 - 0.3)
			state = (state*16807) % 2147483647; g = 0.3*g + z + 0.02*(state/2147483647 - 0.5)
			size *= exp(g); money *= exp(z)
			gap = n == 3 && y == 1980
			printf "\"Nation, %d\",N%02d,%d,%d,%s,%.6g\n", n, n, y, 1000*n, gap ? "" : money, size
			if (n == 1) printf "World,,%d,,%.6g,%.6g\n", y, 1e5, 1e6
		}
	}
}' > "$tables/nations.csv"
awk 'BEGIN {
	printf "sample,age"; for (g = 1; g <= 353; g++) printf ",cg%08d", g; print ""
	state = 4711
	for (s = 1; s <= 5; s++) {
		printf "S%d,%d", s, 20 + s
		for (g = 1; g <= 353; g++) { state = (state*16807) % 2147483647; printf ",%.6f", (g*89 % 353)/353 + 0.001*state/2147483647 - 0.0005 }
		print ""
	}
}' > "$tables/betas.csv"
result=$(
	{
		for file in examples/small/*.pnn; do printf 'run %s\n' "$file"; done
		printf "run %s\n" examples/airfoil.pnn "examples/ethanol.pnn --set steps=300" \
			"examples/ethanol.pnn --set steps=300 --set L=2 --set atom=6 --set frames=200 --seed 2"
		printf "check %s\n" examples/burgers.pnn
		# the applications with the sizes, seeds and constants of their claims
		printf "run %s\n" examples/symmetry_breaking.pnn \
			"examples/symmetry_breaking.pnn --precision f32 --set neuron=5 --set seed=2" \
			"examples/symmetry_breaking.pnn --set neuron=17 --set p=63 --set κ=1 --set seed=4" \
			"examples/symmetry_breaking.pnn --set neuron=3 --set s1=2 --set s2=0.8 --seed 3 --threads 2" \
			"examples/symmetry_breaking.pnn --set s1=0.5 --set s2=1 --set κ=0.5 --set ε=1e-9"
		printf "run %s\n" "examples/rotation.pnn --set steps=2500 --set h=20 --seed 5" \
			"examples/rotation.pnn --set steps=3000 --set width=0.3 --set whole=11 --set part=3 --seed 7"
		printf "run %s\n" "examples/force_field.pnn --set dim=6 --set class=4 --set h=24 --seed 6" \
			"examples/force_field.pnn --set steps=600 --set bend=3 --set piece=7 --seed 9" \
			"examples/force_field.pnn --set dim=2 --set label=2 --set goal=0 --set node=12" \
			"examples/force_field.pnn --set steps=1200 --set n=300 --set tries=500"
		printf "run %s\n" examples/phase_transition.pnn \
			"examples/phase_transition.pnn --set h=3 --set κ=1.5 --set i=5 --set s1=1.2 --set s2=0.7 --seed 5" \
			"examples/phase_transition.pnn --set h=1 --set κ=0.3 --set m=21" "examples/phase_transition.pnn --set h=12 --set i=5" \
			"examples/phase_transition.pnn --set o=4 --set n=31 --set h=5" \
			"examples/phase_transition.pnn --set s2=2 --set rest=2000 --set κ=4 --set seed=7 --set h=5"
		printf "run %s\n" examples/cellular_automaton.pnn \
			"examples/cellular_automaton.pnn --set steps=8 --set starts=8 --set views=300 --seed 2" \
			"examples/cellular_automaton.pnn --set cell=50 --set h=12 --set ε=0.05 --set ring=100 --seed 3" \
			"examples/cellular_automaton.pnn --set cell=3 --set h=4 --set s=50"
		printf "run %s\n" "examples/ising.pnn --set chains=100 --set M=3000" \
			"examples/ising.pnn --set chains=100 --set shots=20 --set heat=2.269185 --set site=8 --seed 1" \
			"examples/ising.pnn --set chains=100 --set shots=20 --set heat=1.8 --set site=6 --set T=1" \
			"examples/ising.pnn --set chains=100 --set glass=0.5 --set heat=1.5 --set site=6 --seed 2" \
			"examples/ising.pnn --set chains=100 --set shots=20 --set x=5 --set y=7 --set site=9 --set heat=5"
		printf "run %s\n" "examples/vae_rg.pnn --set site=32 --set m2=0.1 --set z=9 --set x=5 --set y=12 --seed 1" \
			"examples/vae_rg.pnn --set site=20 --set z=3 --set x=4 --set y=4 --set z2=5 --seed 9" \
			"examples/vae_rg.pnn --set z=4 --set x=7 --set y=7 --set z2=6 --set m2_plane=0.3 --set M=2000"
		# equations and their networks, with fewer steps
		printf "run examples/pinn/%s\n" "poisson.pnn --set rough=300 --set fine=250 --set inner=400 --seed 2" \
			"beam.pnn --set places=20 --seed 4" \
			"oscillator.pnn --set k=300.0 --set μ0=3.0 --set rough=1000 --set fine=1000" \
			"diffusion.pnn --set rough=500 --set fine=500 --set C2=0.5" \
			"schroedinger.pnn --set rough=500 --set fine=400" "hamiltonian.pnn --seed 1" \
			"hamiltonian.pnn --set noise=0.02 --set n=1000" \
			"burgers_soft.pnn --set rough=300 --set fine=1200 --set ν=0.01 --set inner=800 --seed 1" "heat.pnn --set rough=400 --set fine=400 --set κ=0.2 --set n=2 --seed 1" \
			"helmholtz.pnn --set waves=1 --set rough=50 --set fine=400" \
			"hamiltonian.pnn --set dt=0.1 --set n=600" "schroedinger.pnn --set rough=500 --set fine=400 --set node=100" \
			"allen_cahn.pnn --set d=0.004 --set fine=3000 --set inner=1500"
		printf "run examples/splice/%s\n" "memory.pnn --set t=14 --set seeds=1 --seed 2" \
			"memory.pnn --set unit=5 --set class=2 --set h=7 --set t=20 --set cap=50" \
			"sites.pnn --set lessons=1000 --set exam=1000 --set epochs=3 --set flank=20 --seed 1" \
			"jitter.pnn --set lessons=1000 --set exam=1000 --set epochs=3 --set jitter=5 --set h=20"
		printf "run %s\n" examples/methylation.pnn \
			"examples/methylation.pnn --set gene=30 --set h=8 --set η=0.03 --seed 3" \
			"examples/methylation.pnn --set table=$tables/betas.csv" \
			"examples/methylation.pnn --set gene=2 --set case=5 --set steps=200" \
			"examples/carbon.pnn --set table=$tables/nations.csv --set steps=600 --set seeds=3" \
			"examples/carbon.pnn --set company=7 --set seeds=2 --set steps=600 --set σ=0.03" \
			"examples/carbon.pnn --set steps=600 --set seeds=3" \
			"examples/carbon.pnn --set steps=600 --set seeds=1 --set ahead=5 --set sector=6 --set company=3" \
			"examples/carbon.pnn --set company=60 --set steps=1000 --set seeds=3"
		printf "run %s\n" \
			"examples/gto.pnn --set steps=150 --set rows=200 --set tests=100 --set atom=4 --set L=4 --seed 5" \
			"examples/gto.pnn --set steps=200 --set rows=100 --set tests=50 --set ν=0 --set L=1 --set n=3 --set a=5 --set h=16" \
			"examples/gto.pnn --set steps=200 --set rows=150 --set tests=60 --set atom=7 --set kT=0.2 --set L=2 --seed 8"
		printf "run examples/quantum/%s\n" gradient.pnn "gradient.pnn --set wire=4 --set layer=3 --seed 5" \
			ground.pnn "ground.pnn --set h=0.6 --set J=1.3 --set site=5 --set seeds=2 --seed 2" \
			"ground.pnn --set nuclear=0.5 --set site=7 --set seeds=1" \
			noise.pnn "noise.pnn --set wire=9 --set samples=20000 --set angle=2.5 --set shots=70 --seed 4" \
			disc.pnn "disc.pnn --set points=150 --seed 6"
		for file in stdlib/*.pnn examples/*.pnn examples/*/*.pnn; do printf 'fmt %s\n' "$file"; done
	} | xargs -P "${JOBS:-2}" -L1 bash -c 'one "$@"' _
)
printf '%s\n' "$result" | grep -v '^ok '
failed=$(printf '%s\n' "$result" | grep -c '^FAILED ')
echo "examples: $(printf '%s\n' "$result" | grep -c '^ok ') passed, $failed failed"
[ "$failed" -eq 0 ]
