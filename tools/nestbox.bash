# shellcheck shell=bash
# Completion of nestbox(1) for bash: source this file.
_nestbox() {
	local word=${COMP_WORDS[COMP_CWORD]}
	local previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} words=""

	if [ "$previous" = "=" ]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	[ "$word" = "=" ] && word=""
	case $previous in
	--stack | --stacks) words="0 1k 1n 2kk 2nk 2nn 3kkk 3nkk 3nnk" ;;
	--accel) words="auto tcg kvm" ;;
	--cpu) words="EPYC max" ;;
	--machine) words="pc q35 microvm" ;;
	--arch) words="amd64 i386" ;;
	--env) words="native virt nested all" ;;
	--pages) words="4k thp 2m all" ;;
	--frames) words="computed buddy" ;;
	--design) words="radix shadow dmt pvdmt perfect-tlb one-ref all" ;;
	--profile)
		words="skylake-dmt zen4 golden-cove"
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		;;
	--guest)
		words="micro linux"
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		;;
	--json | --serial | --counts | --put | --module | --perf | --resume)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	*)
		case $COMP_CWORD/$command in
		1/*) words="run bench capture walk doctor --help" ;;
		*/run) words="--stack= --guest= --module= --append=
			--machine= --arch= --bios= --hv= --cpus= --mem=
			--exact --fast --accel= --cpu= --json= --serial=
			--counts= --put= --get= --timeout= --qemu-arg=
			--guest-arg= --help" ;;
		*/bench) words="micro --stacks= --ops= --iterations= --cpu=
			--cpus= --hv= --json= --csv --timeout= --help" ;;
		*/capture) words="-o --hooks --raw --skip --limit --window
			--every --marked --import --synth --info --verify
			--dump --snapshot --perf --json --help" ;;
		*/walk)
			words="--design= --env= --pages= --profile= --frames=
			--cores= --skip= --limit= --seed= --perf= --jobs=
			--resume --json= --csv --anatomy --list --quiet --help"
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			;;
		*/doctor) words="--json --help" ;;
		esac
		;;
	esac
	mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY \
		< <(compgen -W "$words" -- "$word")
	[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
}
complete -F _nestbox nestbox
