#!/bin/bash
# check_random.sh [programs|derivatives|models|all]: random valid programs, whose values are also computed by plain loops in 113-bit
# arithmetic, random derivatives against extrapolated difference quotients (a table of the worst errors by order), and
# random models (records, nets, recurrences, gathers, rings, forces, trainings) that say the same interpreted and compiled.
#
#   N=       how many (100, 12 and 6)          SEED=  of the first one; the next has SEED + 1
#   PNNC=    build/pnnc                        KEEP=  folder for programs that fail, build/random
# Every program is run as it stands, with two threads and renamed (the same bits), and with its expressions cut into parts and
# its lines in another order (the same values). Every COMPILED-th (16, 4; 1 with N=) is compiled too: the same values, and the
# same bits with 1, 2, 3 and 7 threads. One that fails is kept; SEED=n N=1 tests/check_random.sh tries it again.
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
export PNN_CACHE_DIR=$tool/cache
status=0
random() { # kind
	local n=6 every=1
	case $1 in programs) n=100 every=16 ;; derivatives) n=12 every=4 ;; esac
	[ -z "${N:-}" ] || every=1
	RANDOM_COMPILED=${COMPILED:-$every} "$tool/random" "$1" "$pnnc" "$keep" "${N:-$n}" "${SEED:-1}" || status=1
}
case $kind in
programs | derivatives | models) random "$kind" ;;
all) for k in programs derivatives models; do random $k; done ;;
*)
	echo "usage: [N=n] [SEED=s] check_random.sh [programs|derivatives|models|all]" >&2
	exit 2
	;;
esac
exit $status
