#compdef dkms-hooks
# Completion of dkms-hooks for zsh: the program itself knows what may follow.
local -a candidates
if [[ ${words[CURRENT-1]} == --root ]]; then
	_files -/
	return
fi
candidates=("${(@f)$(dkms-hooks complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
compadd -a candidates
