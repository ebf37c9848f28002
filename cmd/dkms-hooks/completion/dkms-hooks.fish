# Completion of dkms-hooks for fish: the program itself knows what may follow.
function __dkms_hooks_candidates
    set -l words (commandline -opc) (commandline -ct)
    dkms-hooks complete -- $words[2..-1] 2>/dev/null
end
complete -c dkms-hooks -f -a '(__dkms_hooks_candidates)'
complete -c dkms-hooks -l root -r -a '(__fish_complete_directories)'
