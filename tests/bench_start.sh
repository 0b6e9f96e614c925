#!/bin/bash
# bench_start.sh PNNC OUT [PEERS]: seconds from the start of a process to its first line of output, after one step of W1 in
# single precision with the data read from files; the least and the median of several, and processor time of whole runs. Rows as bench.sh writes them.
pnnc=$1 out=$2 peers=$3 times=${TIMES:-15}
settings=(--set records=1024)
[ -n "$peers" ] && settings=(--set dir="$out/peers/data")
row() { # workload, system, variant, times, command...
	local w=$1 who=$2 variant=$3 n=$4 from to line TIMEFORMAT='%3U %3S'
	shift 4
	for _ in $(seq "$n"); do
		from=${EPOCHREALTIME/./}
		IFS= read -r line < <("$@" 2> /dev/null)
		to=${EPOCHREALTIME/./}
		[ -n "$line" ] || { echo "bench: no line from $1" >&2; return; }
		echo "$((to - from)) $({ time "$@" > /dev/null 2>&1; } 2>&1)"
	done | sort -n | awk -v OFS='\t' -v w="$w" -v who="$who" -v v="$variant" '
		{ t[NR] = $1*1e-6; c = $2 + $3; if (NR == 1 || c < cpu) cpu = c }
		END { if (NR) print w, who, v, "f32", 1, t[1], t[int((NR + 1)/2)], cpu }'
}
run=("$pnnc" run -q examples/bench/w9_start.pnn --precision f32 --backend "${BACKEND:-jit}" "${settings[@]}")
export XDG_CACHE_HOME=$out/cache
rm -rf "$out/cache"
row W9-start pnn compiling "$times" "${run[@]}" --no-cache
"${run[@]}" > /dev/null 2>&1
row W9-cached pnn cached "$times" "${run[@]}"
if [ -n "$peers" ]; then
	cd "$out/peers" || exit
	[ -x "$out/bin/cref_w1_f32" ] && row W9-start cref binary "$times" "$out/bin/cref_w1_f32" first 1
	"${PY:-python3}" -c 'import torch' 2> /dev/null && row W9-start torch import+first_step 3 "${PY:-python3}" torch_first.py
fi
exit 0
