#!/bin/bash
# spec_tables.sh --write | --check: the tables of SPEC.md that stand between GENERATED markers are made from lang/ops.def
# and lang/diags.def. --check says whether SPEC.md has them as they are now.
cd "$(dirname "$0")/.." || exit 2

ops() {
	echo '| Name | Takes → gives | ∂/∂a | ∂/∂b | Meaning |'
	echo '|---|---|---|---|---|'
	grep '^OP(' lang/ops.def | awk '
		# Splits the arguments of OP at commas outside quotes and brackets.
		function split_row(s,   i, c, depth, quoted, n) {
			n = 1; part[1] = ""
			for (i = 1; i <= length(s); i++) {
				c = substr(s, i, 1)
				if (c == "\"") quoted = !quoted
				if (!quoted && c == "(") depth++
				if (!quoted && c == ")") depth--
				if (c == "," && !quoted && depth == 0) { part[++n] = ""; continue }
				part[n] = part[n] c
			}
			return n
		}
		function text(s) { gsub(/^ *"?|"? *$/, "", s); gsub(/\|/, "\\|", s); return s }
		function kinds(s,   r, i, c, name) {
			sub(/^ *SIG_/, "", s); r = ""
			name["R"] = "real"; name["I"] = "int"; name["B"] = "bool"
			for (i = 1; i <= length(s); i++) {
				c = substr(s, i, 1)
				if (c == "_") r = r " → "
				else r = r (r == "" || r ~ / → $/ ? "" : ", ") name[c]
			}
			return r
		}
		function code(s) { s = text(s); return s == "" ? "" : s == "NONE" ? "none" : "`" s "`" }
		{
			sub(/^OP\(/, ""); sub(/\) *$/, "")
			n = split_row($0)
			printf "| `%s` | %s | %s | %s | %s |\n", text(part[2]), kinds(part[4]), code(part[7]), code(part[8]), text(part[10])
		}'
}

diags() {
	echo '| Code | Exit | Says |'
	echo '|---|---|---|'
	sed -n 's/^DIAG(\([A-Z0-9]*\), *\([A-Z]*\), *\([0-9]*\), *[a-z0-9_]*, *P([^)]*), *"\(\([^"\\]\|\\.\)*\)".*/| \1 | \3 | \4 |/p' lang/diags.def |
		sed -e 's/%[a-z]*/…/g' -e 's/\\"/"/g'
}

made() {
	awk '
		/<!-- GENERATED ops -->/ { print; system("'"$0"' --ops"); skip = 1; next }
		/<!-- GENERATED diags -->/ { print; system("'"$0"' --diags"); skip = 1; next }
		/<!-- END -->/ { skip = 0 }
		!skip { print }' SPEC.md
}

case ${1:-} in
--ops) ops ;;
--diags) diags ;;
--write) made > SPEC.md.new && mv SPEC.md.new SPEC.md ;;
--check)
	if difference=$(diff SPEC.md <(made)); then
		echo "SPEC.md: tables of $(ops | tail -n +3 | wc -l) operations and $(diags | tail -n +3 | wc -l) diagnostics are up to date"
	else
		printf '%s\nSPEC.md is stale: make spec\n' "$difference"
		exit 1
	fi
	;;
*) echo 'usage: spec_tables.sh --write | --check'; exit 2 ;;
esac
