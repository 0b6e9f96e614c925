#!/bin/bash
# embed.sh FUNCTION FILE... > out.c: a C function from the stem of a file's name to its text, or NULL.
# `?` is escaped because C11 still has trigraphs.
set -eu
function=$1
shift
printf '/* Made by tests/embed.sh. */\n#include <stddef.h>\n#include <string.h>\n'
printf 'const char *%s(const char *name);\n\nstatic const struct { const char *name, *text; } entry[] = {\n' "$function"
for file in "$@"; do
	stem=$(basename "$file")
	printf '{"%s",\n' "${stem%.*}"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/\t/\\t/g' -e 's/.*/"&\\n"/' "$file"
	printf '""},\n'
done
printf '{NULL, NULL}};\n\nconst char *%s(const char *name)\n{\n' "$function"
printf '\tfor (size_t i = 0; entry[i].name; i++) {\n\t\tif (strcmp(entry[i].name, name) == 0) {\n'
printf '\t\t\treturn entry[i].text;\n\t\t}\n\t}\n\treturn NULL;\n}\n'
