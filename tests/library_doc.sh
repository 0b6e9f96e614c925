#!/bin/bash
# library_doc.sh --write | --check: doc/library.md is made from stdlib/*.pnn: for each module what its head says, then each
# definition with the comment above it or behind it. --check says whether the page is as the modules are now.
cd "$(dirname "$0")/.." || exit 2
page() {
	echo '# The library'
	echo
	echo 'What `use NAME` brings into scope; the prelude is always there. Made from `stdlib/` by `make spec`.'
	for module in stdlib/prelude.pnn $(printf '%s\n' stdlib/*.pnn | grep -v prelude | LC_ALL=C sort); do
		printf '\n## %s\n\n' "$(basename "$module" .pnn)"
		awk '
			function said() { if (above != "") { print ""; print above }; above = "" }
			NR == 1 { sub(/^# [a-z]*\.pnn: /, ""); $0 = "# " toupper(substr($0, 1, 1)) substr($0, 2); head = 1 }
			{ if (!/^(fn|layer|net|activation|optimizer|const|group) / && !/^[ }]/) listed = 0 }
			head && /^#   / { print "    " substr($0, 5); next }
			head && /^#/ { sub(/^# ?/, ""); print; next }
			head { head = 0; above = "" }
			/^# -+ / { sub(/^# -+ /, ""); sub(/ -+$/, ""); print "\n**" toupper(substr($0, 1, 1)) substr($0, 2) "**"; above = ""; next }
			/^#/ { sub(/^# ?/, ""); above = above (above == "" ? "" : " ") $0; next }
			/^(fn|layer|net|activation|optimizer|const|group) / {
				line = $0; behind = ""
				if (match(line, /  # /)) { behind = substr(line, RSTART + 4); line = substr(line, 1, RSTART - 1) }
				sub(/ *\{.*$/, "", line)
				sub(/ +$/, "", line)
				if (above != "" || !listed) { said(); print "" }
				listed = 1
				print "    " line (behind == "" ? "" : "    # " behind)
				next
			}
			/^$/ { above = "" }
		' "$module"
	done
}
case $1 in
--write) page >doc/library.md ;;
--check) page | diff -u doc/library.md - || { echo 'doc/library.md is not what stdlib/ says: make spec'; exit 1; } ;;
*) echo 'usage: library_doc.sh --write | --check'; exit 2 ;;
esac
