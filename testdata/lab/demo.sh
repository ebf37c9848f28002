#!/bin/bash
# demo.sh shows the stock hooks of DKMS and ours side by side, on a real Debian
# in a disposable root: a kernel packaged as `make bindeb-pkg` does is installed,
# reinstalled, and reinstalled once more without its headers.
#
# It needs root and apt, and takes away what it made. DEMO_SUITE chooses the
# release, bookworm or trixie.
# shellcheck disable=SC2016 # many strings here are for a shell in a root
set -euo pipefail

# shellcheck source=testdata/lab/lib.sh
. "$(dirname "$0")/lib.sh"

suite=${DEMO_SUITE:-bookworm}
lab=$top/testdata/lab
step=0 steps=6

if [ -t 1 ]; then
	good=$'\e[32m' bad=$'\e[31m' bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m' wipe=$'\r\e[K'
else
	good='' bad='' bold='' dim='' plain='' wipe=''
fi

as_root 'make a root'
case $suite in bookworm | trixie) ;; *) fail "DEMO_SUITE is bookworm or trixie, not $suite" ;; esac

# What a step runs in a root ends with the step, since that holds their namespace.
make_work

# do_step TEXT COMMAND… runs a command with its output in a log. On a terminal
# it shows the time that goes by and the last thing that the command said.
do_step() {
	local text=$1 started=$SECONDS said
	step=$((step + 1))
	shift
	log=$work/step$step.log
	[ -t 1 ] || echo "[$step/$steps] $text …"
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	job=$!
	set +m
	while [ -t 1 ] && kill -0 "$job" 2>/dev/null; do
		said=$(tail -n 1 "$log" | tr -cd '[:print:]' | cut -c1-60)
		printf '%s[%d/%d] %s %s%d s  %s%s' "$wipe" "$step" "$steps" "$text" "$dim" $((SECONDS - started)) "$said" "$plain"
		sleep 0.3
	done
	if ! wait "$job"; then
		job=''
		printf '%s\n' "$wipe" >&2
		tail -n 30 "$log" >&2
		fail "cannot go on: $text failed"
	fi
	job=''
	printf '%s[%d/%d] %s %s%d s%s\n' "$wipe" "$step" "$steps" "$text" "$dim" $((SECONDS - started)) "$plain"
}

# have_go says whether the machine's own Go can build the programs.
have_go() {
	local version
	version=$(go env GOVERSION 2>/dev/null) || return 1
	[ "$(printf '%s\n' go1.24 "${version%% *}" | sort -V | head -n 1)" = go1.24 ]
}

tools() {
	command -v mmdebstrap >/dev/null && [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] && return 0
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -qy --no-install-recommends mmdebstrap debian-archive-keyring || {
		apt-get update -q || :
		apt-get install -qy --no-install-recommends mmdebstrap debian-archive-keyring
	}
}

# programs builds the four programs into $work/programs, laid out for a root:
# with the machine's Go, else in a root of trixie with Debian's own packages.
programs() {
	mkdir "$work/programs"
	copy_source "$work/source"
	# Go may be here and its modules out of reach.
	if have_go && make -C "$work/source" install DESTDIR="$work/programs"; then
		return
	fi
	local needs
	needs=$(sed -n 's/^ *\(golang-[a-z0-9-]*-dev\),\{0,1\}$/\1/p' "$top/debian/control" | paste -sd,)
	bootstrap --format=null \
		--include="golang-go,make,$needs" \
		--customize-hook='mkdir -p "$1/srv/go/src"' \
		--customize-hook="copy-in $work/source /srv/go/src" \
		--customize-hook='mv "$1/srv/go/src/source" "$1/srv/go/src/dkms-hooks"' \
		--customize-hook='chroot "$1" env GO111MODULE=off GOPATH=/srv/go:/usr/share/gocode GOCACHE=/srv/cache \
			make -C /srv/go/src/dkms-hooks install DESTDIR=/srv/out' \
		--customize-hook="copy-out /srv/out $work" \
		trixie /dev/null
	rm -rf "$work/programs"
	mv "$work/out" "$work/programs"
}

system() {
	"$lab/mkroot" "$suite" "$work/stock"
}

modules() {
	"$lab/mkmodule" "$work/stock" alpha 1.0
	"$lab/mkmodule" "$work/stock" beta 1.0
	"$lab/mkkernel" builddeb "$work/stock" "$(cat "$work/stock/kver")" 1 "$work/stock/srv"
}

# inside ROOT SCRIPT runs a shell script in a root; K is the kernel release.
inside() {
	in_root "$1" env K="$(cat "$1/kver")" sh -ec "$2"
}

# play ROOT installs the kernel and reinstalls it, noting after each step how
# long it took and what is there, in ROOT/srv/STEP.
play() {
	local image='dpkg -i /srv/linux-image-${K}_1_amd64.deb'
	inside "$1" 'dpkg -i /srv/linux-headers-${K}_1_amd64.deb'
	note "$1" installed "$image"
	note "$1" reinstalled "$image"
	inside "$1" 'dpkg -r linux-headers-$K'
	note "$1" headerless "$image"
}

# note ROOT STEP SCRIPT runs a script in a root and notes what came of it.
note() {
	local started ended
	started=$(date +%s.%N)
	inside "$1" "$3" 2>&1
	ended=$(date +%s.%N)
	inside "$1" '
		registered=0 installed=0 found=0
		for m in alpha beta; do
			if [ -e /var/lib/dkms/$m/1.0/source ]; then registered=$((registered + 1)); fi
			if dkms status -m $m -k $K | grep -q installed; then installed=$((installed + 1)); fi
			if modinfo -k $K $m >/dev/null 2>&1; then found=$((found + 1)); fi
		done
		echo $registered $installed $found' >"$1/srv/$2"
	awk -v a="$started" -v b="$ended" 'BEGIN { printf "%.1f\n", b - a }' >>"$1/srv/$2"
}

stock() {
	cp -a "$work/stock" "$work/ours"
	play "$work/stock"
}

# ours sets the stock hooks aside as the package does, and plays the same.
ours() {
	install -m 755 "$top/debian/dkms-hooks.postinst" "$work/ours/srv/postinst"
	cp -a "$work/programs/usr/." "$work/ours/usr/"
	inside "$work/ours" '/srv/postinst configure'
	play "$work/ours"
}

# row TEXT STOCK OURS BEST prints a line of the table, the best in green.
row() {
	local colour=$bad
	[ "$2" != "$4" ] || colour=$good
	printf '  %-34s %s%-14s%s' "$1" "$colour" "$2" "$plain"
	colour=$bad
	[ "$3" != "$4" ] || colour=$good
	printf '%s%s%s\n' "$colour" "$3" "$plain"
}

# outcome STEP TEXT prints what both came to after a step.
outcome() {
	local -a a b
	mapfile -t a < <(tr ' ' '\n' <"$work/stock/srv/$1")
	mapfile -t b < <(tr ' ' '\n' <"$work/ours/srv/$1")
	printf '\n%s%s%s\n' "$bold" "$2" "$plain"
	row 'modules registered with DKMS' "${a[0]} of 2" "${b[0]} of 2" '2 of 2'
	row 'installed, says dkms status' "${a[1]} of 2" "${b[1]} of 2" '2 of 2'
	row 'found by modinfo' "${a[2]} of 2" "${b[2]} of 2" '2 of 2'
	printf '  %-34s %-14s%s\n' 'seconds' "${a[3]}" "${b[3]}"
}

do_step 'tools to make a root' tools
do_step 'the programs' programs
do_step "a $suite root with dkms, a compiler and kernel headers" system
do_step 'two modules, and a kernel as make bindeb-pkg packages it' modules
do_step 'the kernel installed and reinstalled with the stock hooks' stock
do_step 'the same with dkms-hooks' ours

printf '\n%sDebian %s, dkms %s, Linux %s%s\n' "$bold" "$suite" \
	"$(inside "$work/stock" "dpkg-query -W -f '\${Version}' dkms")" "$(cat "$work/stock/kver")" "$plain"
printf '\n%-36s %s%-14s%s%s\n' '' "$bold" 'stock' 'dkms-hooks' "$plain"
outcome installed 'dpkg -i linux-image'
outcome reinstalled 'dpkg -i linux-image, the same again'
outcome headerless 'the same once more, its headers gone'
printf '\nwhy, by dkms-hooks explain:\n'
kver=$(cat "$work/stock/kver")
inside "$work/ours" "dkms-hooks --quiet explain prerm $kver --package linux-image-$kver --params 'upgrade 2'" | sed 's/^/  /'
