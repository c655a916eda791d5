# parley: make run starts it, make test runs every test. Both set up what they need.

export GOFLAGS := -tags=nolibopusfile
SHELL := /bin/bash
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
ARGS ?=
PAGE := $(shell find webclient/src webclient/public webclient/index.html webclient/vite.config.ts webclient/package-lock.json -type f 2>/dev/null)

.PHONY: help run build test test-page test-go setup bench fuzz fmt clean
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## set up, build and start on http://127.0.0.1:8080 (ARGS="--listen 0.0.0.0:8080")
	@exec bin/parley serve $(ARGS)

build: setup bin/.page ## set up and build bin/parley
	@[ -f bin/parley ] || echo "make: building bin/parley (the first time takes about a minute) ..." >&2
	@go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/parley ./cmd/parley

setup:
	@scripts/setup.sh run

bin/.page: $(PAGE)
	@mkdir -p bin
	@if (cd webclient && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build); then touch $@; \
	 else echo "make: the page could not be built; using the one that is committed" >&2; fi

test: ## set up and run every test
	@scripts/setup.sh test
	@$(MAKE) --no-print-directory test-page
	@$(MAKE) --no-print-directory test-go

test-page: # lint, type check and unit tests of the page; its committed build must match its source
	cd webclient && npm ci --no-audit --no-fund --loglevel=error
	cd webclient && npm run --silent lint && npm run --silent typecheck && npm test --silent
	cd webclient && npm run --silent build && git diff --exit-code --stat -- dist

test-go: # vet, then all Go tests with the race detector
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt wants changes in:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go test -race -timeout 15m ./...

bench: build ## measure latency, CPU and memory beside a bare Pion echo, then the micro-benchmarks
	go run ./loadtest/voicebench
	go test -run '^$$' -bench . -benchmem ./audio/... ./media/... ./conversation/... ./llm/builtin

fuzz: ## fuzz every target for FUZZTIME (default 30s) each
	@for p in $$(go list -f '{{.ImportPath}}' ./...); do \
	  for f in $$(go test -list '^Fuzz' $$p 2>/dev/null | grep '^Fuzz'); do \
	    echo "== $$p $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(or $(FUZZTIME),30s) $$p || exit 1; done; done

fmt: ## format the Go code
	gofmt -w $$(git ls-files '*.go')

clean: ## remove what was built
	rm -rf bin
