# Every habit of the project. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help chaos model demo live bench-browser cluster test check build clean format sim planted figures failover compare profile docs bench

FLIGHTS ?= 300000

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

node_modules/.installed: package.json package-lock.json
	@# Not `npm ci`: it refuses a lockfile that lacks optional binaries of other platforms. This installs what the lockfile says.
	npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

dist/.built: node_modules/.installed tsconfig.json tsconfig.build.json $(shell find src -name '*.ts')
	@rm -rf dist
	npm run --silent build
	@touch $@

build: dist/.built ## Install the dependencies and compile to dist/ (half a minute the first time)

demo: build ## Replay real flights through three nodes while leaders are killed (a quarter of a minute; FLIGHTS=3000000 for all)
	bin/demo --flights $(FLIGHTS)

live: build ## Flights departing live on a map in the browser, straight from three nodes (Ctrl-C ends it)
	@bin/live

cluster: build ## Start a three-node cluster on ports 7001 to 7003 (bin/cluster down stops it)
	bin/cluster up

check: node_modules/.installed ## Types, lint, format, unused code, layer and platform rules (half a minute)
	@echo "types";   npx --no-install tsc -p tsconfig.json --noEmit || { echo "make check: fix the types above."; exit 1; }
	@echo "lint and format"; npx --no-install biome check . || { echo "make check: 'make format' repairs most of the above; fix the rest by hand."; exit 1; }
	@echo "unused";  npx --no-install knip --no-progress || { echo "make check: delete what is listed above, or use it."; exit 1; }
	@echo "layers and platform"; npx --no-install vitest run test/tidy || { echo "make check: each line above says what to use instead."; exit 1; }

SEEDS ?= 200
SEED_BASE ?= 1
sim_args = $(if $(PLAN),--plan '$(PLAN)',$(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --base $(SEED_BASE))$(if $(SCENARIO), --scenario $(SCENARIO)))$(if $(SHRINK), --shrink)$(if $(TRACE), --trace $(TRACE))

sim: node_modules/.installed ## Simulated clusters under random faults, on all cores (SEEDS=200 [SEED_BASE=1], or SEED=7 to repeat one)
	@npx --no-install esbuild chaos/sim/main.ts --bundle --platform=node --format=esm --packages=external \
		--log-level=warning --sourcemap=inline --outfile=node_modules/.cache/odradek/sim.mjs
	@node --enable-source-maps node_modules/.cache/odradek/sim.mjs $(sim_args) $(SIM_FLAGS)

sim-long: SIM_FLAGS += --minutes $(or $(MINUTES),10)
sim-long: sim ## The same for a given time (MINUTES=10 [SEED_BASE=1])

planted: node_modules/.installed ## Plant known bugs and count the seeds until each is caught (ONLY=text, SEEDS=2000, DOCS=docs/testing.md writes the rows; hours for all)
	@npx --no-install esbuild chaos/planted/main.ts --bundle --platform=node --format=esm --packages=external \
		--log-level=warning --outfile=dist/chaos/planted.js
	@node dist/chaos/planted.js --only '$(ONLY)' $(if $(filter command line,$(origin SEEDS)),--seeds $(SEEDS)) $(if $(DOCS),--docs $(DOCS)) $(if $(JOBS),--jobs $(JOBS))

figures: build ## Cold start, idle memory, and a scrape of the metrics, on real processes (two minutes)
	@npx --no-install esbuild chaos/real/main.ts --bundle --platform=node --target=node20 --format=esm --packages=external \
		--log-level=warning --outfile=dist/chaos/real/main.js
	@node dist/chaos/real/main.js

ROUNDS ?= 20
STRIKE ?=

failover: build ## How long writes pause when nodes are killed, stopped or cut off (ROUNDS=20, STRIKE='stop leader' for one kind; a quarter of an hour)
	@npx --no-install esbuild chaos/real/failover-figures.ts --bundle --platform=node --target=node20 --format=esm --packages=external \
		--log-level=warning --outfile=dist/chaos/real/failover-figures.js
	@node dist/chaos/real/failover-figures.js $(ROUNDS) '$(STRIKE)'

MINUTES ?= 5

model: build ## Commands that fast-check draws, on real processes; a failure is shrunk (RUNS=50, MINUTES=5, SEED=1)
	@MODEL_RUNS=$(or $(RUNS),50) MODEL_SEED=$(SEED) MODEL_MINUTES=$(MINUTES) MODEL_PATH='$(RUN_PATH)' MODEL_REPLAY='$(REPLAY)' \
		npx --no-install vitest run test/chaos/real-model.test.ts

chaos: build ## Torture a cluster of real processes with faults of every kind, and judge what clients saw (MINUTES=5, SEED=1, ONLY=name)
	@npx --no-install esbuild chaos/real/chaos.ts --bundle --platform=node --target=node20 --format=esm --packages=external \
		--log-level=warning --sourcemap=inline --outfile=dist/chaos/real/chaos.js
	@node --enable-source-maps dist/chaos/real/chaos.js --minutes $(MINUTES) --seed $(or $(SEED),1) $(if $(ONLY),--only '$(ONLY)') $(CHAOS_FLAGS)

RECORDS ?= 1000000

compare: build ## kcat writes to Odradek and to Apache Kafka in turn, three nodes each (needs kcat, java, maven; two minutes)
	@npx --no-install esbuild chaos/real/compare.ts --bundle --platform=node --format=esm --packages=external \
		--log-level=warning --outfile=dist/chaos/real/compare.js
	@node dist/chaos/real/compare.js $(RECORDS)

profile: build ## Where a broker's CPU goes while bulk bytes pass through it (half a minute)
	@npx --no-install esbuild chaos/real/profile.ts --bundle --platform=node --format=esm --packages=external \
		--log-level=warning --outfile=dist/chaos/real/profile.js
	@node dist/chaos/real/profile.js

docs: node_modules/.installed ## Write the generated tables of docs/ anew: configs, commands, metrics (a few seconds)
	@npx --no-install esbuild docs/generate/main.ts --bundle --platform=node --format=esm --packages=external \
		--log-level=warning --outfile=dist/docs/generate.js
	@node dist/docs/generate.js docs

bench: build ## Records a second that this client produces and consumes, acks=all on three nodes (RECORDS=1000000; a minute)
	@npx --no-install esbuild chaos/real/throughput.ts --bundle --platform=node --target=node20 --format=esm --packages=external \
		--log-level=warning --outfile=dist/chaos/real/throughput.js
	@node dist/chaos/real/throughput.js $(RECORDS)

bench-browser: build ## What a page in Chromium can produce, acks=all on three nodes (a quarter of a minute)
	@npx --no-install esbuild chaos/real/browser.ts --bundle --platform=node --target=node20 --format=esm --packages=external \
		--log-level=warning --outfile=dist/chaos/real/browser.js
	@node dist/chaos/real/browser.js

format: node_modules/.installed ## Format and apply safe lint fixes
	npx --no-install biome check --write .

test: build check ## Every test: units, properties, simulated chaos, real processes (a quarter of an hour)
	npx --no-install vitest run

clean: ## Remove what was built and installed
	rm -rf dist node_modules coverage
