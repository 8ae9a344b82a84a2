# NuConntrack. `make help` lists the targets.

export CGO_ENABLED = 0

GO          ?= go
BIN         := bin
PROGRAMS    := nuconntrack-privd nuconntrack-frontd nuctl
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
TESTFLAGS   ?=

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
	$(GO) test $(TESTFLAGS) ./...

.PHONY: race
race: ## run the tests that need no kernel with the race detector (wants a C compiler)
	CGO_ENABLED=1 $(GO) test -race -short ./ipc/... ./policy/... ./frontd/... ./privd

.PHONY: lint
lint: ## gofmt, vet, staticcheck
	@out="$$(gofmt -l .)"; if [ -n "$$out" ]; then echo "not gofmt'ed:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

.PHONY: install
install: build ## install the programs into PREFIX (default /usr)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin
	install -m 0755 $(BIN)/nuctl $(DESTDIR)$(PREFIX)/bin/nuctl
	install -m 0755 $(BIN)/nuconntrack-privd $(BIN)/nuconntrack-frontd $(DESTDIR)$(PREFIX)/sbin/
PREFIX ?= /usr

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN)
