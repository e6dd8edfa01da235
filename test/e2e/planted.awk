# Joins what the payload "planted" printed (first file) with the instrument's
# counts (second file): one line "NAME WANTED SWITCHES TICKS PARTS CONSTANT" for
# each window. PARTS is 1 if the parts of every total add up. CONSTANT is how
# far the TSC went beyond the instructions counted, without the trapped ones
# (-icount does not count an instruction that does not complete, the plugin
# does): the same in every window.
FNR == NR {
	sub(/\r/, "")
	if ($1 ~ /^L[0-9]\|$/)
		$0 = substr($0, 5)
	if ($1 == "planted") {
		n++
		name[n] = $2
		wanted[n] = $3
		tsc[n] = $4
	}
	next
}

$1 == "columns" {
	for (i = 2; i <= NF; i++)
		column[i + 1] = $i
}

$1 == "mark" {
	code = $2
}

$1 == "cpu" && code == 2 {
	for (i = 3; i <= NF; i++)
		begin[column[i]] = $i
}

$1 == "cpu" && code == 3 {
	w++
	total = l0 = work = causes = ticks = 0
	for (i = 3; i <= NF; i++) {
		d[column[i]] = $i - begin[column[i]]
		if (column[i] ~ /^insns/) total += d[column[i]]
		if (column[i] ~ /^work/) work += d[column[i]]
		if (column[i] ~ /^count/) causes += d[column[i]]
		if (column[i] ~ /^ticks/) ticks += d[column[i]]
	}
	parts = d["insns.0"] == work && causes == d["vmruns.0"] &&
		d["vmruns.0"] == d["exits.0"] &&
		total == d["insns.0"] + d["insns.1"]
	print name[w], wanted[w], d["vmruns.0"], ticks, parts,
		tsc[w] - (total - wanted[w])
	code = 0
}
