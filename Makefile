# What a checkout can do. `make` alone lists it; longer work is in deploy/tools.

VULNDB   ?= https://vuln.go.dev
FUZZTIME ?= 30s
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

LINT := .tools/golangci-lint-$(shell awk '$$1 ~ /golangci-lint\/v2$$/ {print $$2}' deploy/tools/go.mod)
VULN := .tools/govulncheck-$(shell awk '$$1 == "golang.org/x/vuln" {print $$2}' deploy/tools/go.mod)

# The race detector needs a C compiler.
RACE := $(if $(shell command -v "$$(go env CC)"),-race)

.PHONY: help run build test postgres pgbouncer curl node chromium check format vet floors lint vuln bench drill fuzz image

help: ## list what can be made (this)
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## serve the demo on http://127.0.0.1:8080
	go run ./cmd/keyport serve --demo

build: ## build the static binary bin/keyport
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X github.com/keyport-go/keyport/app.version=$(VERSION)" -o bin/keyport ./cmd/keyport

test: postgres pgbouncer curl node chromium ## run all tests, on PostgreSQL too, with the race detector
	$(if $(RACE),,@echo "no C compiler here: the tests run without the race detector")
	CGO_ENABLED=$(if $(RACE),1,0) go test $(RACE) -count=1 ./...

postgres: ## get a PostgreSQL server for the tests, where there is none
	@deploy/tools/postgres

pgbouncer: ## get PgBouncer for the tests, where there is none
	@deploy/tools/pgbouncer

curl: ## get curl for the tests, where there is none
	@deploy/tools/curl

node: ## get Node.js and npm for the tests, where there are none
	@deploy/tools/node

chromium: ## get Chromium for the tests, where there is none
	@deploy/tools/chromium

check: format vet lint vuln floors ## all that needs no running server: format, vet, lint, known vulnerabilities, floors

format: ## fail where gofmt would change a file
	@files=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')) && test -z "$$files" || { echo "gofmt -w" $$files; exit 1; }

vet: ## look for what the compiler lets pass
	go vet ./...

floors: ## hold every import against the table of who may import whom
	go test -count=1 ./app/floors_test.go

lint: $(LINT) ## run the linters of .golangci.yml
	$(LINT) run --allow-serial-runners ./...

vuln: $(VULN) ## look for known vulnerabilities (VULNDB=https://vuln.go.dev)
	$(VULN) -db $(VULNDB) ./...

bench: ## measure requests per second and CPU a request, and what a million records change
	go run ./cmd/bench
	go run ./cmd/bench -million

drill: postgres pgbouncer ## kill Keyport and PostgreSQL in mid-write, and look for what was lost
	go run ./cmd/drill

fuzz: ## run each fuzz target for a while (FUZZTIME=30s)
	@deploy/tools/fuzz $(FUZZTIME)

image: ## build the container image keyport:VERSION
	docker build --file deploy/Dockerfile --build-arg VERSION=$(VERSION) --tag keyport:$(VERSION) .

# Built once for each version named in deploy/tools/go.mod: minutes, then kept.
.tools/golangci-lint-%:
	go -C deploy/tools build -trimpath -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.tools/govulncheck-%:
	go -C deploy/tools build -trimpath -o ../../$@ golang.org/x/vuln/cmd/govulncheck
