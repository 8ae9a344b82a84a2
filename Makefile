# SPDX-License-Identifier: GPL-2.0-or-later
# NuConntrack. `make help` lists the targets.

export CGO_ENABLED = 0

GO          ?= go
BIN         := bin
PROGRAMS    := nuconntrack-privd nuconntrack-frontd nuctl
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
TESTFLAGS   ?=
CLIENTS     ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/nuconntrack-clients
BROWSER     ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/nuconntrack-browser

.DEFAULT_GOAL := build

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the three programs into bin/
	$(GO) build -trimpath -o $(BIN)/ $(PROGRAMS:%=./cmd/%)

.PHONY: run
run: build ## start the demo: a firewall of its own, no root needed, Ctrl-C ends it
	$(BIN)/nuctl demo $(DEMOFLAGS)

.PHONY: run-host
run-host: build ## serve this machine's own table on loopback (as root)
	$(BIN)/nuctl host $(HOSTFLAGS)

.PHONY: test
test: build ## run all tests, those against the kernel in namespaces of their own
	$(GO) test -trimpath -count=1 $(TESTFLAGS) ./...

.PHONY: soak
soak: ## a million packets against the helper, and the daemons killed a hundred times (SOAK_*)
	NUCONNTRACK_ATTACK_PACKETS=$(SOAK_PACKETS) NUCONNTRACK_ATTACK_SEED=$(SOAK_SEED) \
		$(GO) test -count=1 -timeout 60m -v -run TestTakenOverFrontd ./cmd/attacker
	NUCONNTRACK_KILL_ROUNDS=$(SOAK_KILLS) $(GO) test -tags system -count=1 -timeout 60m -v -run TestBooted ./systemd
SOAK_KILLS   ?= 100
SOAK_PACKETS ?= 1000000
SOAK_SEED    ?=

.PHONY: test-clients
test-clients: ## install other people's XML-RPC clients, as root, and run them against the daemons
	cmd/clients/install.sh $(CLIENTS)
	NODE_PATH=$(CLIENTS)/node_modules $(GO) test -tags clients -count=1 -run TestClients $(TESTFLAGS) ./cmd/clients

.PHONY: test-ways
test-ways: ## install slapd, apache2 and nginx, as root, and log in by way of them
	cmd/ways/install.sh
	$(GO) test -tags ways -count=1 -timeout 5m $(TESTFLAGS) ./cmd/ways

.PHONY: test-browser
test-browser: ## install chromium and what drives it, as root, and use the page by it
	cmd/browser/install.sh $(BROWSER)
	NODE_PATH=$(BROWSER)/node_modules $(GO) test -tags browser -count=1 -parallel 4 -timeout 9m $(TESTFLAGS) ./cmd/browser

.PHONY: test-system
test-system: build ## boot systemd in a container, as root, and look at the services there
	$(GO) test -tags system -count=1 -timeout 15m $(TESTFLAGS) ./systemd

.PHONY: test-packages
test-packages: build ## build the packages, as root, and install, upgrade and purge them in a container
	$(GO) test -tags packages -count=1 -timeout 15m $(TESTFLAGS) -run TestPackages ./systemd

.PHONY: bench
bench: ## measure against what else reads the table, as root (BENCH_SIZES)
	$(GO) test -tags bench -count=1 -timeout 60m -v ./cmd/bench -args -sizes $(BENCH_SIZES)
BENCH_SIZES ?= 10000,100000,1000000

.PHONY: race
race: ## run the tests that need no kernel with the race detector (wants a C compiler)
	CGO_ENABLED=1 $(GO) test -race -short ./ipc/... ./policy/... ./frontd/... ./privd

.PHONY: lint
lint: ## gofmt, vet, staticcheck
	@out="$$(gofmt -l .)"; if [ -n "$$out" ]; then echo "not gofmt'ed:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags clients ./cmd/clients ./cmd/clients/testdata/kolo
	$(GO) vet -tags system ./systemd
	$(GO) vet -tags packages ./systemd
	$(GO) vet -tags bench ./cmd/bench
	$(GO) vet -tags ways ./cmd/ways
	$(GO) vet -tags browser ./cmd/browser
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(STATICCHECK) -tags system,packages ./systemd
	$(GO) run $(STATICCHECK) -tags ways ./cmd/ways
	$(GO) run $(STATICCHECK) -tags browser ./cmd/browser

.PHONY: manuals
manuals: build ## write manual pages and completions into bin/
	$(GO) run ./cmd/manual -bin $(BIN) -out $(BIN) -date "$$(git log -1 --format=%cs 2>/dev/null || date +%F)"

.PHONY: api
api: ## write docs/api.md, the XML-RPC interface out of the program's tables
	$(GO) run ./cmd/manual -api docs/api.md

.PHONY: licences
licences: ## write docs/licences.md, the list of linked modules with their licences
	$(GO) run ./cmd/licences >docs/licences.md.new
	mv docs/licences.md.new docs/licences.md

.PHONY: vuln
vuln: ## look for known vulnerabilities, in the database of vuln.go.dev or GOVULNDB
	.ci/vuln

.PHONY: packages
packages: ## build deb and rpm for amd64 and arm64 into bin/packages
	rm -rf $(BIN)/packages
	systemd/package/build.sh $(BIN)/packages

.PHONY: install
install: manuals install-files ## build and install all (PREFIX=/usr, SYSCONFDIR=/etc, DESTDIR)

# What is installed, and where: packages have it from here too.
.PHONY: install-files
install-files: ## install programs, units, manuals and configuration that are built
	install -d $(TO)/bin $(TO)/sbin $(TO)/lib/systemd/system $(TO)/lib/systemd/system-preset \
		$(TO)/lib/systemd/catalog $(TO)/lib/sysusers.d $(TO)/lib/tmpfiles.d $(DESTDIR)$(SYSCONFDIR)/nuconntrack
	install -d -m 0700 $(DESTDIR)$(SYSCONFDIR)/nuconntrack/secrets
	install -m 0755 $(BIN)/nuctl $(TO)/bin/nuctl
	install -m 0755 $(BIN)/nuconntrack-privd $(BIN)/nuconntrack-frontd $(TO)/sbin/
	install -m 0644 systemd/*.socket systemd/*.service $(TO)/lib/systemd/system/
	sed -i 's,=/usr/sbin/,=$(PREFIX)/sbin/,' $(TO)/lib/systemd/system/nuconntrack-*.service
	install -m 0644 systemd/nuconntrack.preset $(TO)/lib/systemd/system-preset/80-nuconntrack.preset
	install -m 0644 systemd/*.catalog $(TO)/lib/systemd/catalog/
	install -m 0644 systemd/nuconntrack.sysusers $(TO)/lib/sysusers.d/nuconntrack.conf
	install -m 0644 systemd/nuconntrack.tmpfiles $(TO)/lib/tmpfiles.d/nuconntrack.conf
	install -D -m 0644 $(MANUALS)/completions/bash/nuctl $(TO)/share/bash-completion/completions/nuctl
	install -D -m 0644 $(MANUALS)/completions/zsh/_nuctl $(TO)/share/zsh/site-functions/_nuctl
	install -D -m 0644 $(MANUALS)/completions/fish/nuctl.fish $(TO)/share/fish/vendor_completions.d/nuctl.fish
	@for page in $(MANUALS)/man/man*/*; do \
		to=$(TO)/share/man/man$${page##*.}; install -d $$to && \
		gzip -9nc $$page >$$to/$${page##*/}.gz && chmod 0644 $$to/$${page##*/}.gz || exit 1; done
	install -D -m 0644 -t $(TO)/share/doc/nuconntrack README.md SECURITY.md systemd/directory.conf docs/*
	@# One folder has them all there: links say so.
	sed -i -E 's,\]\((\.\./)?(docs|systemd)/,](,g; s,\]\((\.\./)?(frontd/config|policy)/,](examples/,g; s,\]\(\.\./,](,g; s,\]\(CHANGELOG.md,](changelog.gz,g' \
		$(TO)/share/doc/nuconntrack/*.md
	gzip -9nc CHANGELOG.md >$(TO)/share/doc/nuconntrack/changelog.gz
	install -D -m 0644 frontd/config/frontd.toml $(TO)/share/doc/nuconntrack/examples/frontd.toml
	install -D -m 0644 policy/policy.toml $(TO)/share/doc/nuconntrack/examples/policy.toml
	@# What the administrator has written stays.
	@for f in policy.toml frontd.toml; do \
		test -e $(DESTDIR)$(SYSCONFDIR)/nuconntrack/$$f || \
		install -m 0644 systemd/$$f $(DESTDIR)$(SYSCONFDIR)/nuconntrack/$$f || exit 1; done
MANUALS    ?= $(BIN)
PREFIX     ?= /usr
SYSCONFDIR ?= /etc
TO          = $(DESTDIR)$(PREFIX)

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN)
