# shellcheck shell=bash
# Completion of dkms-hooks for bash: the program itself knows what may follow.
_dkms_hooks() {
	mapfile -t COMPREPLY < <(dkms-hooks complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	case ${COMP_WORDS[COMP_CWORD - 1]} in
		--root) mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}") ;;
	esac
}
complete -F _dkms_hooks dkms-hooks
