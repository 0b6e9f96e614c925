#!/bin/bash
# check_random.sh [programs|derivatives|all]: random valid programs, whose values are also computed by plain loops in 113-bit
# arithmetic, and random derivatives against extrapolated difference quotients (a table of the worst errors by order).
#
#   N=       how many programs (100 and 12)    SEED=  of the first one; the next has SEED + 1
#   PNNC=    build/pnnc                        KEEP=  folder for programs that fail, build/random
# Every program is run as it stands, with two threads and renamed (the same bits), and with its expressions cut into parts and
# its lines in another order (the same values). One that fails is kept; SEED=n N=1 tests/check_random.sh tries it again.
set -u
here=$(cd "$(dirname "$0")" && pwd)
pnnc=$(realpath "${PNNC:-$here/../build/pnnc}") || exit 2
kind=${1:-all}
keep=${KEEP:-$here/../build/random}
mkdir -p "$keep" || exit 2
keep=$(realpath "$keep")
tool=$(mktemp -d) || exit 2
trap 'rm -rf "$tool"' EXIT
${CC:-gcc} -std=c11 -D_GNU_SOURCE -O2 -Wall -I"$here/.." -o "$tool/random" "$here"/random/*.c -lquadmath -lm || exit 2
export NO_COLOR=1 TERM=dumb LC_ALL=C.UTF-8
status=0
case $kind in
programs) "$tool/random" programs "$pnnc" "$keep" "${N:-100}" "${SEED:-1}" || status=1 ;;
derivatives) "$tool/random" derivatives "$pnnc" "$keep" "${N:-12}" "${SEED:-1}" || status=1 ;;
all)
	"$tool/random" programs "$pnnc" "$keep" "${N:-100}" "${SEED:-1}" || status=1
	"$tool/random" derivatives "$pnnc" "$keep" "${N:-12}" "${SEED:-1}" || status=1
	;;
*)
	echo "usage: [N=n] [SEED=s] check_random.sh [programs|derivatives|all]" >&2
	exit 2
	;;
esac
exit $status
