#!/bin/bash
# mutate.sh [N [SEED [PNNC]]]: N programs with tokens deleted, doubled, swapped or replaced, each given to `pnnc check`.
#
# Every one must be accepted (exit 0), refuted (1), diagnosed at a place (3) or lack its data (4, 5) within 2 s of
# processor time and 1 GB: no crash, no assertion, no fault of our own. Where the claims are too large to be tried
# within that, elaboration alone must be. The programs that are changed are those of examples/ and tests/; the same SEED
# changes them in the same way. Texts that fail are kept in build/mutants, with the reason.
# MUTATE_RUN=1 runs them instead; what is then not done in time is let be.
# With a sanitised pnnc set MUTATE_NO_MEMORY_LIMIT=1: it reserves far more addresses than it uses.
set -u
here=$(cd "$(dirname "$0")" && pwd)
count=${1:-2000}
seed=${2:-1}
pnnc=$(realpath "${3:-$here/../build/pnnc}") || exit 2
folder=${MUTATE_OUT:-$here/../build/mutants}
mkdir -p "$folder" && folder=$(realpath "$folder") || exit 2
program=$(mktemp) || exit 2
trap 'rm -f "$program"' EXIT
${CC:-gcc} -std=c11 -D_GNU_SOURCE -O1 -Wall -o "$program" "$here/mutate.c" || exit 2
mapfile -t files < <(find "$here/../examples" "$here"/{parse,elab,programs,deriv,run} -name '*.pnn' 2>/dev/null | LC_ALL=C sort)
export NO_COLOR=1 TERM=dumb LC_ALL=C.UTF-8
"$program" "$pnnc" "$count" "$seed" "$folder" "${files[@]}"
