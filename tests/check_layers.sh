#!/bin/bash
# check_layers.sh: who may include whom, who may speak and who may exit, and how long lines, functions and files are.
cd "$(dirname "$0")/.." || exit 2
bad=0
count=$(mktemp) || exit 1
trap 'rm -f "$count"' EXIT
complain() { echo "$1"; bad=$((bad + 1)); }

# Folders that a folder may include from; libraries that it may use.
rule() { # folder, own headers allowed, system headers allowed
	local file line header
	for file in "$1"/*.[chly]; do
		[ -e "$file" ] || continue
		while read -r line; do
			header=$(echo "$line" | sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p')
			if [ -n "$header" ] && ! echo "$header" | grep -Eq "$2"; then
				complain "$file: $1 may not include \"$header\""
			fi
			header=$(echo "$line" | sed -n 's/^[ \t]*#[ \t]*include[ \t]*<\([^>]*\)>.*/\1/p')
			if [ -n "$header" ] && ! echo "$header" | grep -Eq "^($libc|$3)$"; then
				complain "$file: $1 may not include <$header>"
			fi
		done < <(grep -E '^[ \t]*#[ \t]*include' "$file")
	done
}
libc='assert\.h|ctype\.h|errno\.h|fcntl\.h|fenv\.h|float\.h|getopt\.h|inttypes\.h|limits\.h|locale\.h|math\.h|setjmp\.h|signal\.h'
libc="$libc|stdalign\.h|stdarg\.h|stdatomic\.h|stdbool\.h|stddef\.h|stdint\.h|stdio\.h|stdlib\.h|stdnoreturn\.h|string\.h|time\.h|unistd\.h"
libc="$libc|dlfcn\.h|spawn\.h|sys/(ioctl|mman|resource|stat|time|types|wait)\.h|dirent\.h|strings\.h|pthread\.h|emmintrin\.h|immintrin\.h|xmmintrin\.h"
rule lang '^(lang/.*|parse\.h|scan\.h)$' 'utf8proc\.h|jansson\.h'
rule runtime '^runtime/.*$' 'jansson\.h|zip\.h|zlib\.h|nettle/sha2\.h|lapacke\.h|matio\.h|cblas\.h|openblas/.*|utf8proc\.h'
rule compiler '^(lang|compiler|runtime)/.*$' 'llvm-c/.*|jansson\.h|editline/readline\.h|histedit\.h|utf8proc\.h'

# Only the command line and the prompt end the process or write to the process's own streams.
for file in lang/*.[cly] compiler/*.c runtime/*.c; do
	case $file in compiler/main.c | compiler/repl*.c) continue ;; esac
	while read -r line; do
		complain "$file:$line: only main.c and repl*.c print or exit"
	done < <(sed -e 's:/\*.*\*/::' -e 's:"[^"]*"::g' "$file" |
		grep -nE '(^|[^A-Za-z0-9_.>])(exit|_exit|quick_exit|printf|puts|putchar|perror)[ ]*\(|[^A-Za-z0-9_](stdout|stderr)[^A-Za-z0-9_]')
done

# Names: the one table of operations and the one of diagnostics.
for file in compiler/*.c runtime/*.c lang/*.c; do
	if grep -nE '"E0[0-9]{3}"' "$file" /dev/null | grep -v 'diag'; then complain "$file: codes live in diags.def"; fi
done

# Size. Generated text is not in these folders.
for file in lang/*.[chly] compiler/*.[ch] runtime/*.[ch]; do
	lines=$(wc -l < "$file")
	[ "$lines" -le 700 ] || complain "$file: $lines lines"
	awk -v file="$file" '{ gsub(/\t/, "        "); n = length($0) } n > 100 { long++ }
		n > 160 { printf "%s:%d: %d columns\n", file, NR, n; bad = 1 } END { print long + 0 > "/dev/stderr"; exit bad }' \
		"$file" 2>> "$count" || bad=$((bad + 1))
done

# Mutable state of a file: objects in .data or .bss (constant tables with pointers lie in .data.rel.ro). LLVM keeps
# state for the whole process, which is set up once.
build=${BUILD:-build}
if [ -d "$build/obj/lang" ]; then
	while read -r line; do
		complain "writable file-level data: $line"
	done < <(for o in "$build"/obj/{lang,compiler,runtime}/*.o; do
		objdump -t "$o" 2> /dev/null | awk -v o="${o#"$build"/obj/}" '
			/ O / && !/ llvm_once$/ && $0 ~ / \.(data|bss|tdata|tbss)[ \t]/ { print o ": " $NF }'
	done)
fi
echo "layers: $(ls lang/*.[chly] compiler/*.[ch] runtime/*.[ch] | wc -l) files, $(awk '{ n += $1 } END { print n + 0 }' "$count") lines over 100 columns, $bad violations"
[ $bad -eq 0 ]
