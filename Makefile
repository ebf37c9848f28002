# make help tells what there is.
GO ?= go
TAGS = urfave_cli_no_docs
PROGRAMS = postinst header_postinst prerm dkms-hooks
FUZZTIME ?= 3s

.PHONY: help build test lint check install clean $(PROGRAMS)

help:
	@echo 'build    the programs, into bin/'
	@echo 'test     the fast tests, without root'
	@echo 'lint     gofmt, go vet'
	@echo 'check    lint and test'
	@echo 'install  into DESTDIR, without the diversions that the package makes'
	@echo 'clean    take away what was built'

build: $(PROGRAMS)

$(PROGRAMS):
	CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS) -o bin/$@ ./cmd/$@

lint:
	@unformatted=$$(gofmt -l cmd hooks debpkg dkmsstate); \
	if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi
	$(GO) vet ./...

# Each fuzz target runs on its own, since go test takes one at a time; the
# whole of the tests comes last, so that its summary is the last thing said.
test:
	@for package in ./debpkg ./dkmsstate; do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done
	$(GO) test -count=1 ./...

check: lint test

install: build
	install -d $(DESTDIR)/usr/libexec/dkms-hooks $(DESTDIR)/usr/sbin
	install -m 755 bin/dkms-hooks $(DESTDIR)/usr/sbin/dkms-hooks
	for hook in postinst header_postinst prerm; do \
		install -m 755 bin/$$hook $(DESTDIR)/usr/libexec/dkms-hooks/$$hook && \
		install -d $(DESTDIR)/etc/kernel/$$hook.d && \
		ln -sfn ../../../usr/libexec/dkms-hooks/$$hook $(DESTDIR)/etc/kernel/$$hook.d/dkms || exit 1; \
	done

clean:
	rm -rf bin dist
