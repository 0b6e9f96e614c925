# raw.tsv (workload, system, variant, precision, threads, least wall, median wall, least processor time) -> a table.
# With one thread the least of wall and processor time counts, which other work on the machine does not disturb.
BEGIN {
	FS = "\t"
	n = split("W1 W2-burgers W2-poisson W2-beam W3-rnn W3-gru W4-vae W5-ising W6-atoms W7-shift W7-backprop W8-fwd W8-fwdgrad W9-start W9-cached", order, " ")
	# Operations of the cheapest method known, in matrix products alone.
	flop["W1"] = 6*(3*4096 + 64)*1024 + 4*128*1024
	flop["W2-burgers"] = 24*2820*10000 + 6*2860*100
	flop["W2-poisson"] = 24*(3*4096 + 64)*4096 + 6*12480*256
	flop["W2-beam"] = 30*2080*1026
	flop["W3-rnn"] = 60*128*6*4096
	flop["W3-gru"] = 3*60*128*6*4096
	flop["W4-vae"] = 256*6*1536
	flop["W5-ising"] = 4*10000*10000
	flop["W8-fwd"] = 2*4352
	flop["W8-fwdgrad"] = 4*4352
	# What is wanted of one thread: c, at most so many times the hand-written C; t, so many times faster than PyTorch;
	# s, at most so many seconds.
	split("W1 c 1;W2-burgers c 1;W2-poisson t 5;W2-beam t 10;W3-rnn t 3;W3-gru t 4;W4-vae t 6;W5-ising t 2.5;W6-atoms t 10;W7-shift t 5;W7-backprop t 20;W8-fwd c 1.5;W8-fwdgrad c 1.5;W9-start s 0.05;W9-cached s 0.01", goal, ";")
	for (k in goal) { split(goal[k], part, " "); kind[part[1]] = part[2]; want[part[1]] = part[3] }
	want64["W5-ising"] = 3
}
$1 == "limits" { if ($3 == "peak_fma" && $7/$5 > peak[$4]) peak[$4] = $7/$5; next }
NF >= 8 {
	key = $1 SUBSEP $4 SUBSEP $5
	t = $5 == 1 && $8 + 0 > 0 && $8 < $6 ? $8 : $6
	if (!((key, $2) in best) || t < best[key, $2]) { best[key, $2] = t; variant[key, $2] = $3 }
	if (!((key, $2) in median) || $7 < median[key, $2]) median[key, $2] = $7
	seen[key] = 1
}
function time(s) {
	if (s == "") return "–"
	return s < 1e-3 ? sprintf("%.3g µs", s*1e6) : s < 1 ? sprintf("%.3g ms", s*1e3) : sprintf("%.3g s", s)
}
function verdict(w, p, ours, torch, c,    goal, ratio) {
	if (!(w in kind) || ours == "") return "| – | – |"
	goal = p == "f64" && (w in want64) ? want64[w] : want[w]
	if (kind[w] == "c") return c == "" ? "| ≤ " goal " C | – |" : sprintf("| ≤ %g C | %s |", goal, ours <= goal*c ? "met" : "missed")
	if (kind[w] == "t") return torch == "" ? "| " goal " × PyTorch | – |" : sprintf("| %g × PyTorch | %s |", goal, torch >= goal*ours ? "met" : "missed")
	return sprintf("| ≤ %s | %s |", time(goal), ours <= goal ? "met" : "missed")
}
END {
	for (p in peak) if (peak[p] > 0) printf "limit of one core, %s: %.4g GFLOP/s\n", p, peak[p]
	print ""
	print "| workload | precision | threads | ours, best | ours, median | PyTorch | C by hand | PyTorch/ours | ours/C | GFLOP/s (of the limit) | wanted | |"
	print "|---|---|---|---|---|---|---|---|---|---|---|---|"
	for (k = 1; k <= n; k++) for (th = 1; th <= 64; th++) for (d = 32; d <= 64; d += 32) {
		w = order[k]; p = "f" d; key = w SUBSEP p SUBSEP th
		if (!(key in seen)) continue
		o = best[key, "pnn"]; t = best[key, "torch"]; c = best[key, "cref"]
		g = o != "" && w in flop ? flop[w]/o*1e-9 : ""
		rate = g == "" ? "–" : sprintf("%.3g", g) (peak[p] > 0 ? sprintf(" (%.0f %%)", 100*g/peak[p]/th) : "")
		printf "| %s | %s | %d | %s | %s | %s | %s | %s | %s | %s %s\n", w, p, th, time(o), time(median[key, "pnn"]), time(t), time(c), \
			o != "" && t != "" ? sprintf("%.3g", t/o) : "–", o != "" && c != "" ? sprintf("%.2f", o/c) : "–", rate, \
			th == 1 ? verdict(w, p, o, t, c) : "| – | – |"
	}
}
