# What a checkout can do. `make` alone lists it; longer work is in deploy/tools.

VULNDB   ?= https://vuln.go.dev
FUZZTIME ?= 30s
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

LINT := .tools/golangci-lint-$(shell awk '$$1 ~ /golangci-lint\/v2$$/ {print $$2}' deploy/tools/go.mod)
VULN := .tools/govulncheck-$(shell awk '$$1 == "golang.org/x/vuln" {print $$2}' deploy/tools/go.mod)
KUBECTL := .tools/kubectl-$(shell awk '$$1 == "k8s.io/kubectl" {print $$2}' deploy/tools/kubectl/go.mod)

# What the manifests in deploy/k8s call the image.
IMAGE := keyport

# The same commit gives the same bytes, wherever and whenever it is built.
BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X github.com/keyport-go/keyport/app.version=$(VERSION)"

# The race detector needs a C compiler. It does not watch SQLite, which is C in the words of
# Go: watched, the tests of adapters/sqlite take seven times as long, and find no more of ours.
UNWATCHED := modernc.org/sqlite/lib modernc.org/libc modernc.org/memory
RACE := $(if $(shell command -v "$$(go env CC)"),-race $(UNWATCHED:%=-gcflags=%=-race=false))

.PHONY: help run build test postgres pgbouncer curl node chromium check format vet floors lint vuln bench drill fuzz image drill-image bubblewrap kubectl

help: ## list what can be made (this)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## serve the demo on http://127.0.0.1:8080
	go run ./cmd/keyport serve --demo

build: ## build the static binary bin/keyport
	$(BUILD) -o bin/keyport ./cmd/keyport

test: postgres pgbouncer curl node chromium kubectl ## run all tests, on PostgreSQL too, with the race detector
	$(if $(RACE),,@echo "no C compiler here: the tests run without the race detector")
	CGO_ENABLED=$(if $(RACE),1,0) go test $(RACE) -count=1 -timeout 30m ./...

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

bubblewrap: ## get bubblewrap for the image's drill, where there is none
	@deploy/tools/bubblewrap

kubectl: $(KUBECTL) ## build the kubectl that the tests build the manifests with

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

image: ## make the container image as an OCI layout, bin/image, with no engine
	GOOS=linux $(BUILD) -o bin/linux/keyport ./cmd/keyport
	go run ./cmd/image build -version $(VERSION) bin/linux/keyport bin/image

drill-image: bubblewrap image ## start the image as its user on a read-only root, ask it how it is, and stop it
	go run ./cmd/image drill bin/image

# Built once for each version named in deploy/tools/go.mod: minutes, then kept.
.tools/golangci-lint-%:
	go -C deploy/tools build -trimpath -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.tools/govulncheck-%:
	go -C deploy/tools build -trimpath -o ../../$@ golang.org/x/vuln/cmd/govulncheck

.tools/kubectl-%:
	CGO_ENABLED=0 go -C deploy/tools/kubectl build -trimpath -ldflags "-s -w" -o ../../../$@ .
