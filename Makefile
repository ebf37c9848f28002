# make help lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)
ARCH = $(shell dpkg --print-architecture)
DEB = dist/dkms-hooks_$(VERSION)_$(ARCH).deb

# Release 2025.1.1, by the version that a module proxy serves.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.6.1
# A number of inputs and not a time: at the end of a time go test now and then fails
# with "context deadline exceeded" and nothing else (golang/go issue 75804).
FUZZTIME ?= 20000x
DESTDIR ?=

# urfave/cli without its generator of documentation, which needs more modules.
TAGS := urfave_cli_no_docs
HOOKS := postinst header_postinst prerm postrm
PROGRAMS := $(HOOKS) dkms-hooks

export LC_ALL := C.UTF-8
export CGO_ENABLED := 0
export DEBIAN_FRONTEND := noninteractive

# need PACKAGES: installs by apt what is missing. Somebody else's source that
# cannot be updated is no reason to stop, as long as the install works.
define need
missing=$$(for p in $(1); do \
	dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || echo $$p; \
done); \
if [ -n "$$missing" ]; then \
	echo "installing" $$missing; \
	as_root=; [ "$$(id -u)" -eq 0 ] || as_root=sudo; \
	quiet="-qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120"; \
	$$as_root apt-get $$quiet install -y --no-install-recommends $$missing </dev/null >/dev/null 2>&1 || { \
		$$as_root apt-get $$quiet update </dev/null || echo "some apt sources failed to update, going on"; \
		$$as_root apt-get $$quiet install -y --no-install-recommends $$missing </dev/null >/dev/null; \
	}; \
fi
endef

# has PROGRAMS: says which are missing, and how to get them.
define has
missing=$$(for p in $(1); do command -v $$p >/dev/null || echo $$p; done); \
[ -z "$$missing" ] || { echo "missing:" $$missing "(make deps installs them)" >&2; exit 1; }
endef

# needgo: says in one line what is missing.
define needgo
version=$$(go env GOVERSION 2>/dev/null) || { \
	echo "this needs Go 1.24 or newer, and there is no go in PATH (Debian: apt install golang-go; \
make demo and make deb need none)" >&2; exit 1; }; \
[ "$$(printf '%s\n' go1.24 "$${version%% *}" | sort -V | head -n 1)" = go1.24 ] || { \
	echo "this needs Go 1.24 or newer, and go is $$version" >&2; exit 1; }
endef

.PHONY: help build test unit fuzz fast deps lint integration matrix callers walk stockwise compare engines engines-sources worst bench oracle deb package boot-proof upgrade pictures cross autopkgtest install demo kernels check clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

build: ## the programs, static, in bin/
	@$(needgo)
	@for program in $(PROGRAMS); do \
		go build -trimpath -tags $(TAGS) -o bin/$$program ./cmd/$$program; \
	done

test: unit fuzz ## the fast tests, without root, then each fuzz target for some thousand inputs

# The race detector needs a C compiler with its library. Vet is a part of lint.
unit:
	@$(needgo)
	@race=; if echo '#include <stdlib.h>' | $$(go env CC) -E -x c - >/dev/null 2>&1; then export CGO_ENABLED=1; race=-race; fi; \
	echo go test $$race ./...; \
	go test $$race -vet=off -tags $(TAGS) ./...

# The targets are found in the sources: go test -list would link the tests of every package.
fuzz:
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' cmd debpkg dkmsstate hooks | \
		sed 's,/[^/]*:func , ,' | sort | while read -r dir target; do \
			echo "fuzz $$dir $$target $(FUZZTIME)"; \
			go test -vet=off -tags $(TAGS) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) ./$$dir >"$$log" 2>&1 </dev/null || \
				{ cat "$$log"; exit 1; }; \
		done

deps: ## install by apt what make lint runs
	@$(call need,shellcheck mandoc ca-certificates)

lint: ## gofmt, vet, staticcheck, shellcheck, tidy and verified modules
	@$(needgo)
	@$(call has,shellcheck mandoc)
	@unformatted=$$(gofmt -l cmd hooks debpkg dkmsstate); \
	[ -z "$$unformatted" ] || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	go vet -tags $(TAGS),integration ./...
	go run $(STATICCHECK) -tags $(TAGS),integration ./...
	@echo shellcheck; $(scripts) | xargs -0 shellcheck -x
	@echo mandoc -Tlint; found=$$(for page in docs/man/*; do mandoc -Tlint $$page; done 2>&1 | \
		grep -v -e 'referenced manual not found' -e 'outdated mandoc.db') || true; \
	[ -z "$$found" ] || { echo "$$found"; exit 1; }
	go mod tidy -diff
	go mod verify

# Every shell script, told by its first line.
scripts = find . -path ./.git -prune -o -path ./bin -prune -o -path ./dist -prune -o -path ./debian/rules -prune \
	-o -type f ! -name '*.go' ! -name '*.deb' -print0 | \
	xargs -0 awk 'FNR == 1 && /^\#! *\/(usr\/)?bin\/(env )?(ba|da)?sh/ { printf "%s%c", FILENAME, 0 } { nextfile }'

integration: deb ## as root: real dpkg, dkms and kernels in disposable roots, every part in each suite
	@$(call systemtest,TestSystem,$(if $(QUICK),-quick))

matrix: deb ## of these the transition matrix alone, into testdata/matrix; SUITES="bullseye sid" for others
	@$(call systemtest,TestSystem/suite/.*/matrix,-stock -matrix $(CURDIR)/testdata/matrix)

callers: deb ## of these kernel packages of other styles (Proxmox, Armbian, Ubuntu, …), into testdata/callers; SUITES as above
	@$(call systemtest,TestSystem/suite/.*/(callers|split),-stock -callers $(CURDIR)/testdata/callers)

callers: LIMIT = 4h

walk: deb ## of these the random walk alone, with the stock hooks beside ours; STEPS=200 SEED=7 for another, SUITES as above
	@$(call systemtest,TestSystem/suite/.*/walk,-walk-steps $(STEPS) -walk-seed $(SEED))

stockwise: deb ## as root: scenarios played with the stock hooks and with ours, into testdata/stockwise; PACKAGES=zfs-dkms for some of Debian's alone
	@$(call systemtest,TestSystem/suite/.*/stockwise$(if $(PACKAGES),/of/packages),-stockwise $(CURDIR)/testdata/stockwise -packages "$(PACKAGES)")

stockwise: LIMIT = 8h

compare: deb ## of these what is compared with stock, beside the matrix
	@$(call systemtest,TestSystem/suite/.*/(troubles|fresh|stock|boot),-stock)

engines: engines-sources deb ## as root: some transitions with the dkms of DKMS=DIR, a source tree of dkms or a directory of several, stock and ours, into testdata/engines
	@$(call systemtest,TestSystem/suite/.*/engines,-engines "$(abspath $(DKMS))" -engines-table $(CURDIR)/testdata/engines)

DKMS ?=

engines-sources:
	@[ -d "$(DKMS)" ] || { echo "make engines needs DKMS=DIR, a directory with the sources of dkms" >&2; exit 1; }

worst: deb ## of these the worst days alone: every call of the hooks, KILLS=50 other calls and instants each, full disks
	@$(call systemtest,TestSystem/suite/.*/(bounds|eight|space|kill|initramfs),-kills $(KILLS))

oracle: deb ## as root: what status predicts about the next boot, judged by booting in qemu, into testdata/oracle; an hour; CELLS=pattern for some, whose rows alone change
	@$(call systemtest,TestSystem/suite/.*/oracle$$,-oracle $(CURDIR)/testdata/oracle/TABLE.md -oracle-cells "$(CELLS)")

oracle: LIMIT = 8h
oracle: SUITES = trixie

CELLS ?=

bench: deb ## what the hooks and whole runs of apt cost, stock and ours in turn, into testdata/bench; hours; a part, as with ROWS=mixture or ROUNDS=1, into dist/bench
	@$(systemneeds)
	@go run -tags $(TAGS) ./hooks/systemtest/bench -out $(if $(ROWS)$(filter-out 0,$(ROUNDS)),dist,testdata)/bench -deb $(DEB) \
		-roots "$(abspath $(DKMS_HOOKS_ROOTS))" $(if $(SUITES),-suites "$(SUITES)") -rows "$(ROWS)" -rounds $(ROUNDS) </dev/null

ROWS ?=
ROUNDS ?= 0
SUITES ?=
QUICK ?=
PACKAGES ?=
KILLS ?= 50
LIMIT ?= 90m
STEPS ?= 200
SEED ?= 1

# Where the roots are kept for the next run, and where real kernels lie beside those
# of make kernels.
DKMS_HOOKS_ROOTS ?=
DKMS_HOOKS_KERNELS ?=

# systemneeds PACKAGES: what making roots needs, and these packages.
define systemneeds
[ "$$(id -u)" -eq 0 ] || { echo "this needs root: its roots are chroots" >&2; exit 1; }; \
$(needgo); \
$(call need,mmdebstrap debian-archive-keyring kmod xz-utils zstd gcc libc6-dev $(1))
endef

# systemtest PATTERN, FLAGS: the tests of real systems that are called so.
define systemtest
$(call systemneeds,qemu-system-x86 cpio busybox-static e2fsprogs); \
log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
go test -tags $(TAGS),integration -count=1 -parallel 4 -timeout $(LIMIT) -v -run '$(1)' \
	./hooks/systemtest/ -args -deb $(CURDIR)/$(DEB) -roots "$(abspath $(DKMS_HOOKS_ROOTS))" -kernels "$(abspath $(DKMS_HOOKS_KERNELS))" \
	$(if $(SUITES),-suites "$(SUITES)") $(2) </dev/null 2>&1 | tee "$$log" || { $(failures) "$$log"; $(skipped) "$$log"; exit 1; }; \
$(skipped) "$$log"
endef

# failures LOG: what failed and its words once more, where the end of a long log
# is read, and the test runner's own last lines.
failures = what_failed() { echo; echo "what failed:"; \
	awk '/_test\.go:[0-9]+: *$$|^panic:/ { words = 60 } /^ *(=== |--- |ok |FAIL)/ { words = 0 } \
		/--- FAIL/ || words-- > 0' "$$1"; tail -n 3 "$$1"; }; what_failed

# skipped LOG: how many tests were, the last line of all.
skipped = awk '/_test\.go:[0-9]+: for want of kernels: / { kernels++ } /_test\.go:[0-9]+: left to make integration: / { left++ } \
	/^ *--- SKIP/ { all++ } \
	END { printf "skipped for want of kernels: %d, for other reasons: %d", kernels, all - kernels - left; \
		if (left) printf "; left to make integration: %d", left; print "" }'

deb: ## the Debian package, built in a clean trixie root, in dist/
	@if [ -e $(DEB) ] && [ -z "$$($(newer))" ]; then echo "$(DEB) is up to date"; else $(MAKE) --no-print-directory $(DEB); fi

# What goes into the package and is newer than it.
newer = find cmd hooks debpkg dkmsstate debian docs testdata go.mod LICENSE \
	\( -path hooks/systemtest -o -path testdata/lab -o -path testdata/matrix -o -path testdata/callers -o -path testdata/bench -o -path testdata/oracle -o -path testdata/stockwise -o -path testdata/engines \) -prune -o -newer $(DEB) -print -quit

.PHONY: $(DEB)
$(DEB):
	@[ "$$(id -u)" -eq 0 ] || { echo "make deb needs root: its clean root is a chroot" >&2; exit 1; }
	@$(call need,mmdebstrap debian-archive-keyring)
	@debian/build/mkdeb trixie dist
	@touch $(DEB)
	@dpkg-deb --info $(DEB) | grep -E '^ (Package|Version|Installed-Size)'; ls -l $(DEB)

package: ## as root: the package built twice and looked over by lintian, in SUITES="trixie sid"
	@[ "$$(id -u)" -eq 0 ] || { echo "make package needs root: its clean roots are chroots" >&2; exit 1; }
	@$(call need,mmdebstrap debian-archive-keyring)
	@for suite in $(or $(SUITES),trixie sid); do debian/build/mkdeb $$suite dist/$$suite --check; done

boot-proof: deb ## as root: a whole machine in qemu; apt installs a newer kernel, it boots, the module loads
	@$(call need,mmdebstrap debian-archive-keyring qemu-system-x86 e2fsprogs)
	@testdata/lab/bootproof $(DEB)

upgrade: deb ## as root: bookworm becomes trixie with the package in place, kernels coming and going
	@$(call need,mmdebstrap debian-archive-keyring)
	@testdata/lab/releaseupgrade $(DEB)

pictures: deb ## as root: the pictures of a terminal in docs, from a real system
	@$(call need,mmdebstrap debian-archive-keyring ansifilter)
	@testdata/lab/pictures $(DEB) docs

cross: ## as root: the package for arm64 and armhf, and the fast tests of both by qemu
	@$(needgo)
	@$(call need,mmdebstrap debian-archive-keyring qemu-user-static)
	GOARCH=arm go vet -tags $(TAGS) ./...
	GOARCH=arm64 go test -tags $(TAGS) -exec qemu-aarch64-static ./debpkg ./dkmsstate/... ./hooks
	GOARCH=arm go test -tags $(TAGS) -exec qemu-arm-static ./debpkg ./dkmsstate/... ./hooks
	@for arch in arm64 armhf; do debian/build/crossdeb $$arch dist/cross; done

autopkgtest: deb ## as root: the tests in debian/tests, in fresh roots of SUITES=trixie
	@$(call need,mmdebstrap debian-archive-keyring autopkgtest uidmap)
	@for suite in $(or $(SUITES),trixie); do testdata/lab/autopkgtest $$suite dist; done

# The layout of the package, for a root of your own or another packager's. It
# diverts nothing: hooks of dkms that are in the way are replaced here, while
# the package sets them aside and gives them back.
install: build ## the layout of the package below DESTDIR, without its diversions
	install -d $(DESTDIR)/usr/libexec/dkms-hooks $(DESTDIR)/usr/sbin
	install -m 755 bin/dkms-hooks $(DESTDIR)/usr/libexec/dkms-hooks/
	ln -sfn ../libexec/dkms-hooks/dkms-hooks $(DESTDIR)/usr/sbin/dkms-hooks
	for page in docs/man/*; do \
		install -D -m 644 $$page $(DESTDIR)/usr/share/man/man$${page##*.}/$${page##*/}; \
	done
	install -D -m 644 cmd/dkms-hooks/completion/dkms-hooks.bash $(DESTDIR)/usr/share/bash-completion/completions/dkms-hooks
	install -D -m 644 cmd/dkms-hooks/completion/dkms-hooks.zsh $(DESTDIR)/usr/share/zsh/vendor-completions/_dkms-hooks
	install -D -m 644 cmd/dkms-hooks/completion/dkms-hooks.fish $(DESTDIR)/usr/share/fish/vendor_completions.d/dkms-hooks.fish
	for hook in $(HOOKS); do \
		install -d $(DESTDIR)/etc/kernel/$$hook.d; \
		sed "s/@HOOK@/$$hook/" debian/hook >$(DESTDIR)/usr/libexec/dkms-hooks/$$hook; \
		chmod 755 $(DESTDIR)/usr/libexec/dkms-hooks/$$hook; \
		ln -sfn ../../../usr/libexec/dkms-hooks/$$hook $(DESTDIR)/etc/kernel/$$hook.d/dkms; \
	done

demo: ## as root: the stock hooks and ours side by side, in a disposable root
	@testdata/lab/demo.sh

kernels: ## as root: real kernels by make bindeb-pkg from Debian's source, some minutes each
	@$(call need,mmdebstrap debian-archive-keyring)
	@testdata/lab/mkkernels

# What need not be played in each suite is played in one, and fewer inputs are tried. The
# package is built beside the fast tests: its clean root waits for the network and the disk.
check: ## deps, lint, test, and integration with each part in at least one suite
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line fast deb
	@$(MAKE) --no-print-directory integration QUICK=yes

fast:
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test FUZZTIME=4000x

clean: ## what was built, the kernels of make kernels apart
	rm -rf bin dist/dkms-hooks_* dist/trixie dist/sid dist/cross
