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
	--stack | --stacks) words="0 1k 2kk 3kkk" ;;
	--accel) words="auto tcg kvm" ;;
	--cpu) words="EPYC max" ;;
	--guest)
		words="micro linux"
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		;;
	--json | --serial | --counts | --put)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	*)
		case $COMP_CWORD/$command in
		1/*) words="run bench doctor --help" ;;
		*/run) words="--stack= --guest= --append= --bios= --cpus=
			--mem= --exact --fast --accel= --cpu= --json=
			--serial= --counts= --put= --get= --timeout=
			--qemu-arg= --help" ;;
		*/bench) words="micro --stacks= --ops= --iterations= --cpu=
			--cpus= --json= --csv --timeout= --help" ;;
		*/doctor) words="--json --help" ;;
		esac
		;;
	esac
	mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY \
		< <(compgen -W "$words" -- "$word")
	[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
}
complete -F _nestbox nestbox
