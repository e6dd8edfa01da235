#!/bin/bash
# What nested virtualization costs on nestbox.elf, beside KVM as L0 in the same
# run: the rows that nestbox is held to ("must", "aim"), and what each feature
# of SVM that nestbox.elf makes for L1 is worth. L1 is Debian's KVM and QEMU,
# or a payload. All figures are instructions, counted exactly, or world
# switches; none is a time.
#
# L2's boot: the run of a stack whose L2 is Debian (boot, `true`, power-off)
# less the run of the same stack, with the same memory, whose L2 is a payload
# that ends at once. What L0 and L1 do before L2 starts and behind its end
# is in both and drops out, L1's own boot as well; what is left is L0's and
# L1's work for L2's boot. L2's own instructions are not in it.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
	cat <<-'END'
	Usage: bench/nested.sh [OPTION]...
	  --cpu LIST         CPU models, a block for each (default EPYC,max)
	  --parts LIST       of ops,payload,boot,features (default all)
	  --long             L3 as well: an hour more
	  --iterations N     of each operation (default 200; L3: 50)
	  --timeout SECONDS  for each run (default 3600)
	  --json FILE        the rows as JSON, beside the tables
	  --help             this text
	The status is 1 if a run failed or a row misses its "must".
	END
}

cpus=EPYC,max parts=ops,payload,boot,features long='' json='' n=200 limit=3600
while (($#)); do
	case $1 in
	--long) long=1 ;;
	--help) usage && exit ;;
	--cpu | --parts | --iterations | --timeout | --json)
		(($# > 1)) || { usage >&2 && exit 2; }
		case $1 in
		--cpu) cpus=$2 ;;
		--parts) parts=$2 ;;
		--iterations) n=$2 ;;
		--timeout) limit=$2 ;;
		--json) json=$2 ;;
		esac
		shift ;;
	*) usage >&2 && exit 2 ;;
	esac
	shift
done

nestbox=${NESTBOX:-build/nestbox}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
declare -A csv insns cost

has_part() { [[ ,$parts, == *,$1,* ]]; }

# step OUT COMMAND...: runs it, its output to OUT; says how it ended.
step() {
	local out=$1 start=$SECONDS status=0
	shift
	printf 'nested: %s ... ' "${*#build/}" >&2
	timeout "$((limit + 60))" "$@" >"$out" 2>"$dir/err" || status=$?
	printf '%d s, status %d\n' "$((SECONDS - start))" "$status" >&2
	((status == 0)) && return
	tail -n 3 "$dir/err" >&2
	failures=$((failures + 1))
}

# micro KEY CPU STACK OPS [ARGUMENT...]: the CSV to csv[KEY].
micro() {
	local key=$1 cpu=$2 stack=$3 ops=$4 out
	shift 4
	out=$(mktemp "$dir/XXXXXX")
	step "$out" "$nestbox" bench micro --cpu "$cpu" --stacks "$stack" \
		--ops "$ops" --timeout "$limit" --csv "$@"
	csv[$key]=$out
}

# column KEY OP NAME: from the CSV; "-" if there is none.
column() {
	awk -F, -v op="$2" -v name="$3" '
		NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i }
		$column["op"] == op { value = $column[name] }
		END { print value == "" ? "-" : value }' "${csv[$1]:-/dev/null}"
}

# boot KEY CPU STACK ARGUMENT...: insns[KEY] = L0's and L1's, in 1000s.
boot() {
	local key=$1 cpu=$2 stack=$3

	shift 3
	rm -f "$dir/counts"
	step /dev/null "$nestbox" run --exact --cpu "$cpu" --stack "$stack" \
		--timeout "$limit" --json "$dir/boot.json" \
		--counts "$dir/counts" "$@"
	insns[$key]=$(awk '
		/^columns/ { for (i = 2; i <= NF; i++) column[$i] = i + 1 }
		/^end/ { end = 1 }
		end && /^cpu/ { n += $column["insns.0"] + $column["insns.1"] }
		END { print n ? int(n / 1000) : "-" }' \
		"$dir/counts" || echo -)
}

# less A B: the difference, "-" if one is unknown.
less() {
	if [[ $1 == - || $2 == - ]]; then echo -; else echo $(($1 - $2)); fi
}

# row CPU NAME KVM NESTBOX KIND MUST AIM: KIND abs (of nestbox's value), ratio
# (of nestbox's to KVM's) or none.
row() { (IFS=$'\t' && echo "$*") >>"$dir/rows"; }

# The parts: each measures on both, then adds its rows ************************

ops() {
	local cpu=$1 s op name must aim kind
	for s in 2kk 2nk; do
		micro $s "$cpu" $s cpuid,hypercall,cr0_wp,page_fault \
			--iterations "$n"
	done
	while read -r op kind must aim name; do
		row "$cpu" "$name" "$(column 2kk "$op" insns_median)" \
			"$(column 2nk "$op" insns_median)" "$kind" "$must" \
			"$aim"
	done <<-'END'
	cpuid abs 2600 2000 L2 CPUID
	hypercall abs 2500 1850 L2 hypercall
	cr0_wp abs 8000 6000 L2 toggles CR0.WP
	page_fault ratio 1/5 1/10 L2 page fault, fresh memory
	END
	row "$cpu" "world switches, an L2 exit" "$(column 2kk cpuid switches)" \
		"$(column 2nk cpuid switches)" abs 5 2
}

payload() {
	local cpu=$1 s name value kind must aim
	for s in 1k 1n; do
		step "$dir/cost" "$nestbox" run --exact --cpu "$cpu" \
			--stack $s --timeout "$limit" \
			--guest build/guest/bench/svm_cost.elf
		while read -r name value; do
			cost[$s.$name]=$value
		done < <(sed -n 's/^.*cost \([^ ]*\) \([0-9]*\) .*/\1 \2/p' \
			"$dir/cost")
	done
	while read -r name kind must aim; do
		row "$cpu" "payload as L1: $name" "${cost[1k.$name]:--}" \
			"${cost[1n.$name]:--}" "$kind" "$must" "$aim"
	done <<-'END'
	vmrun abs 900 600
	exit abs 450 350
	vmrun-clean none - -
	exit-clean none - -
	vmsave none - -
	vmload none - -
	clgi none - -
	stgi none - -
	END
}

l2_boot() {
	local cpu=$1 s mem
	for s in 2kk 2nk; do
		boot $s.linux "$cpu" $s -- true
		mem=$(jq -r '.stack.mem_mib | map("\(.)M") | join(",")' \
			"$dir/boot.json")
		boot $s.none "$cpu" $s --mem "$mem" \
			--guest build/guest/test/exitcode.elf
	done
	row "$cpu" "L0 + L1 in L2's boot, 1000s" \
		"$(less "${insns[2kk.linux]}" "${insns[2kk.none]}")" \
		"$(less "${insns[2nk.linux]}" "${insns[2nk.none]}")" \
		ratio 0.5 0.3
	row "$cpu" "L0 + L1 in all of that run" \
		"${insns[2kk.linux]}" "${insns[2nk.linux]}" none - -
}

l3() {
	local cpu=$1 s
	for s in 3kkk 3nkk; do
		micro $s "$cpu" $s cpuid --iterations 50
	done
	row "$cpu" "L3 CPUID" "$(column 3kkk cpuid insns_median)" \
		"$(column 3nkk cpuid insns_median)" ratio 1/6 1/12
	row "$cpu" "world switches, an L3 exit" \
		"$(column 3kkk cpuid switches)" \
		"$(column 3nkk cpuid switches)" none - -
}

# The features of nestbox.elf's CPUID 8000000Ah EDX, each left out in turn.
features() {
	local cpu=$1 name bit hv
	while read -r bit name; do
		hv=$(printf 'svm=%#x' $((0xffffffff & ~bit)))
		micro without "$cpu" 2nk cpuid,cr0_wp,page_fault \
			--iterations "$n" --hv "$hv"
		[[ -z $long ]] ||
			micro without3 "$cpu" 3nkk cpuid --iterations 50 \
				--hv "$hv"
		(
			IFS=$'\t'
			figures=("$(column without cpuid insns_median)"
				"$(column without cr0_wp insns_median)"
				"$(column without page_fault insns_median)"
				"$(column without3 cpuid insns_median)")
			echo "$cpu	$name	${figures[*]}"
		) >>"$dir/features"
	done <<-'END'
	0 none
	0x1 nested paging
	0x8 NRIP save
	0x20 VMCB clean bits
	0x40 flush by ASID
	0x80 DecodeAssists
	0x8000 virtual VMLOAD/VMSAVE
	0x10000 vGIF
	END
}

# Output **********************************************************************

# Adds to each row: the ratio, and whether "must" and "aim" are met.
judge() {
	awk -F'\t' -v OFS='\t' '
		function number(text, part) {
			return split(text, part, "/") == 2 ? \
				part[1] / part[2] : text + 0
		}
		function met(value, bound) {
			if (bound == "-" || value == "-")
				return "-"
			return value <= number(bound) ? "yes" : "no"
		}
		{
			known = $3 != "-" && $4 != "-" && $3 > 0
			ratio = known ? sprintf("%.4f", $4 / $3) : "-"
			value = $5 == "ratio" ? ratio : $4
			print $0, ratio, met(value, $6), met(value, $7)
		}' "$dir/rows"
}

grouping='function grouped(v, end) {
	if (v !~ /^[0-9]+$/)
		return v
	for (end = ""; length(v) > 3; v = substr(v, 1, length(v) - 3))
		end = "," substr(v, length(v) - 2) end
	return v end
}'

print_rows() {
	awk -F'\t' "$grouping"'
		function bound(kind, text, met) {
			if (text == "-")
				return ""
			return (kind == "ratio" ? text : grouped(text)) " " met
		}
		$1 != cpu {
			cpu = $1
			printf "\nCPU %s (must and aim: at most)\n\n  %-27s " \
				"%11s %11s %5s  %-9s %s\n", cpu, "figure",
				"KVM", "nestbox", "ratio", "must", "aim"
		}
		{
			line = sprintf("  %-27s %11s %11s %5s  %-9s %s", $2,
				grouped($3), grouped($4),
				$8 == "-" ? $8 : sprintf("%.3f", $8),
				bound($5, $6, $9), bound($5, $7, $10))
			sub(/ +$/, "", line)
			print line
		}' "$dir/judged"
}

# Beside each figure how many times it is that with all features.
print_features() {
	awk -F'\t' "$grouping"'
		function cell(i) {
			if ($i == "-" || all[i] == "-" || !all[i])
				return sprintf(" %7s %5s", $i, "")
			return sprintf(" %7s %5.2f", grouped($i), $i / all[i])
		}
		$1 != cpu {
			cpu = $1
			printf "\nnestbox.elf, CPU %s: without a feature of " \
				"SVM\n\n  %-22s %13s %13s %13s %13s\n", cpu,
				"left out", "L2 CPUID", "CR0.WP", "page fault",
				"L3 CPUID"
			for (i = 3; i <= 6; i++)
				all[i] = $i
		}
		{
			printf "  %-22s%s%s%s%s\n", $2, cell(3), cell(4),
				cell(5), cell(6)
		}
	' "$dir/features"
}

save_json() {
	jq -R -s --rawfile features "$dir/features" '
		def number: if . == "-" then null else tonumber end;
		def word: if . == "-" then null else . end;
		def lines: split("\n") | map(select(. != "") | split("\t"));
		{rows: lines | map({cpu: .[0], figure: .[1],
			kvm: .[2] | number, nestbox: .[3] | number,
			ratio: .[7] | number, kind: .[4], must: .[5] | word,
			must_met: .[8] | word, aim: .[6] | word,
			aim_met: .[9] | word}),
		without: $features | lines | map({cpu: .[0], feature: .[1],
			cpuid: .[2] | number, cr0_wp: .[3] | number,
			page_fault: .[4] | number, l3_cpuid: .[5] | number})}' \
		"$dir/judged" >"$json"
}

: >"$dir/rows" && : >"$dir/features"
for cpu in ${cpus//,/ }; do
	! has_part ops || ops "$cpu"
	! has_part payload || payload "$cpu"
	! has_part boot || l2_boot "$cpu"
	[[ -z $long ]] || l3 "$cpu"
	! has_part features || features "$cpu"
done
judge >"$dir/judged"
print_rows
print_features
[[ -z $json ]] || save_json
echo
missed=$(awk -F'\t' '$9 == "no"' "$dir/judged" | wc -l)
echo "$failures runs failed, $missed rows miss their must"
((failures == 0 && missed == 0))
