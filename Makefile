# "make" prints what there is. Everything works with Go and make; what needs more says so.

MODULES := bff-mobile bff-partner bff-web devstack mockservices shared
PACKAGES := $(addsuffix /...,$(addprefix ./,$(MODULES)))
# These wait for deadlines on a real clock, so nothing else runs beside them.
END_TO_END := bff.internal/devstack/e2e
TOOLS := $(CURDIR)/.bin
GOLANGCI_LINT_VERSION := v2.15.0
CADDY_VERSION := v2.11.9

# The race detector needs a C compiler.
CC := $(shell go env CC)
RACE := $(if $(shell command -v $(CC) 2>/dev/null),-race,)
export CGO_ENABLED := $(if $(RACE),1,0)

.PHONY: help
help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## start everything in one process, on the usual ports
	@go build -o $(TOOLS)/devstack ./devstack && exec $(TOOLS)/devstack

.PHONY: test
test: ## run every test; in CI a skipped test is a failure
	@$(if $(RACE),,echo 'no C compiler ($(CC)): testing without the race detector';)
	@command -v redis-server >/dev/null || echo 'no redis-server: skipping the tests that need a real Redis'
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || echo 'no Chromium: skipping the tests in a real browser'
	@.ci/test $(RACE) $(filter-out $(END_TO_END),$(shell go list $(PACKAGES)))
	@.ci/test $(RACE) $(END_TO_END)

.PHONY: up
up: ## start everything in containers, on the same ports (wants Docker)
	@.ci/images
	@docker compose up --build --detach --wait
	@echo "the page: http://localhost:$${EDGE_PORT:-8080}/web/"

.PHONY: down
down: ## stop the containers; "docker compose down -v" also forgets their data
	@docker compose down

.PHONY: compose-test
compose-test: ## try docker-compose.yml in earnest: replicas, outages, kills (minutes; wants Docker, or root and apt)
	@go build -o $(TOOLS)/compose ./devstack/compose && exec $(TOOLS)/compose

.PHONY: faults
faults: $(TOOLS)/caddy ## break things under load and count what clients notice (minutes; FAULTS=-short is what CI runs)
	@go build -o $(TOOLS)/faults ./devstack/faults && exec $(TOOLS)/faults $(FAULTS)

.PHONY: schedules
schedules: ## play two thousand random schedules of faults (half a minute)
	@CGO_ENABLED=0 .ci/test -run RandomSchedule ./bff-mobile/mobile

.PHONY: check
check: export CI := true
check: export FAULTS := -short
check: test schedules faults compose-test verify ## exactly what CI runs

.PHONY: verify
verify: fmt-check vet lint tidy-check alone ## everything of check but the tests

.PHONY: fmt
fmt: $(TOOLS)/golangci-lint ## format the code
	@$(TOOLS)/golangci-lint fmt $(MODULES)

.PHONY: fmt-check
fmt-check: $(TOOLS)/golangci-lint
	@echo 'format'
	@$(TOOLS)/golangci-lint fmt --diff $(MODULES)

.PHONY: vet
vet:
	@echo 'vet'
	@go vet $(PACKAGES)

.PHONY: lint
lint: $(TOOLS)/golangci-lint ## run the linters
	@echo 'lint'
	@$(TOOLS)/golangci-lint run $(PACKAGES)

.PHONY: tidy
tidy: ## tidy every go.mod
	@for module in $(MODULES); do (cd $$module && GOWORK=off go mod tidy) || exit 1; done

.PHONY: tidy-check
tidy-check:
	@echo 'go.mod is tidy'
	@for module in $(MODULES); do (cd $$module && GOWORK=off go mod tidy -diff) || exit 1; done

# A workspace compiles imports that go.mod never required: here each module stands by itself.
.PHONY: alone
alone: ## build every module without the workspace
	@for module in $(MODULES); do echo "GOWORK=off go build ./... in $$module"; (cd $$module && GOWORK=off go build ./...) || exit 1; done

.PHONY: bench
bench: ## measure /mobile/dashboard beside a bare aggregator (minutes)
	@go run ./devstack/bench

.PHONY: tools
tools: $(TOOLS)/golangci-lint $(TOOLS)/caddy ## install the pinned tools into .bin

$(TOOLS)/golangci-lint: Makefile
	@echo 'installing golangci-lint $(GOLANGCI_LINT_VERSION) (some minutes, once)'
	@GOBIN=$(TOOLS) CGO_ENABLED=0 go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@touch $@

# The balancer of the faults.
$(TOOLS)/caddy: Makefile
	@echo 'installing Caddy $(CADDY_VERSION) (some minutes, once)'
	@GOBIN=$(TOOLS) CGO_ENABLED=0 go install github.com/caddyserver/caddy/v2/cmd/caddy@$(CADDY_VERSION)
	@touch $@
