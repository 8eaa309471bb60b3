# GenLevel. `make` lists what there is; `make demo` and `make test` each work alone from a fresh clone.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
UV := .uv/bin/uv
PACKAGES := protos services/common services/language services/image services/video services/audio services/three_d orchestrator
INSTALLED := $(VENV)/.installed
ORACLES := $(patsubst requirements/oracles-%.lock,.oracles/%/.installed,$(wildcard requirements/oracles-*.lock))
DEMO := build/demo
# Most tests wait for others (servers, Ray, databases); a file's tests stay in one process.
TEST_PROCESSES ?= 2
CLUSTER = $(BIN)/python -m k8s.cluster
# A variable counts only when it is given to make: what the environment happens to hold must not remove data.
given = $(if $(filter command,$(firstword $(origin $1))),$($1))
TO_CONTEXT = $(if $(CONTEXT),--context $(CONTEXT))

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(INSTALLED) ## make .venv with everything (hash-pinned)

$(UV): requirements/uv.txt
	@command -v $(PYTHON) >/dev/null || { echo "no $(PYTHON) here: install Python 3.11 with venv, or run 'make PYTHON=/path/to/python3.11 ...'" >&2; exit 1; }
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	touch $@

$(INSTALLED): requirements.lock $(UV) $(foreach p,$(PACKAGES),$(p)/pyproject.toml)
	@echo "Installing the Python packages: about 4 GB to download, 9 GB on disk in .venv and uv's cache."
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(foreach p,$(PACKAGES),-e $(p))
	touch $@

weights: $(INSTALLED) ## fetch and verify the offline weights
	@echo "Fetching weights that are not in the cache yet: at most 370 MB to download, 400 MB on disk in the cache."
	$(BIN)/genlevel weights fetch

$(DEMO)/bundle.sha256: $(INSTALLED) $(wildcard demo/*.py demo/*.json demo/*/*.py)
	@echo "Building the demo bundle: at most 250 MB of sample packages to download once, 60 MB on disk in $(DEMO)."
	$(BIN)/python -m demo.build --output $(DEMO)
	touch $@

demo-bundle: $(DEMO)/bundle.sha256 ## build the demo bundle

demo: weights $(DEMO)/bundle.sha256 ## score the demo bundle through the five evaluators; rank the published models
	$(BIN)/genlevel rank published
	$(BIN)/genlevel run $(DEMO)/predictions --references $(DEMO)/references --model demo-baselines --output build/demo-report

oracles: $(ORACLES) ## make the venvs of oracles that clash with ours

.oracles/%/.installed: requirements/oracles-%.lock $(UV)
	@echo "Installing the oracle '$*' in a venv of its own: see the head of requirements/oracles-$*.in for its size."
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .oracles/$*
	$(UV) pip install --quiet --python .oracles/$*/bin/python --require-hashes --no-deps --no-build-isolation-package pyworld -r $<
	touch $@

speech: $(INSTALLED) ## fetch and verify real speech for the tests (Debian packages, CC BY-SA 3.0)
	@echo "Fetching two Debian packages of recorded speech that are not in the cache yet: 18 MB to download, 2 MB on disk in the cache."
	$(BIN)/python tests/audio/real_speech.py

test: weights $(DEMO)/bundle.sha256 oracles speech ## run all tests, oracles included
	@echo "The Node client fetches 33 npm packages once, 12 MB on disk in tests/clients/node_modules."
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile

test-containers: weights $(DEMO)/bundle.sha256 ## build the images and test the whole system in containers (needs a Docker engine)
	@echo "Building the images downloads about 4 GB and takes 15 GB of the Docker engine's disk, once; the tests take their containers away again."
	scripts/container_engine.sh
	$(BIN)/python -m pytest tests/containers

lint: $(INSTALLED) ## style, types, imports, sizes, generated code
	$(BIN)/ruff check .
	$(BIN)/mypy --no-error-summary $(foreach p,common language image video audio three_d,services/$(p)) orchestrator scripts demo k8s
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/check_sizes.py
	cd protos && ../$(BIN)/buf lint
	scripts/protos.sh --check

protos: $(INSTALLED) ## generate the Python of the contract
	scripts/protos.sh

# OVERLAY=local|gpu|kuberay|DIR, CONTEXT=NAME, REGISTRY=..., TAG=..., REPLICAS="eval-video=2 ...", HOSTS="NAME ...", LOAD=1 copies images into a
# local cluster, FORCE=1 takes over fields that others have set; `.venv/bin/python -m k8s.cluster up --help` lists the rest for UP.
up: $(INSTALLED) ## start on Kubernetes and wait until all is ready (OVERLAY, CONTEXT, REGISTRY, TAG ...)
	$(CLUSTER) up $(TO_CONTEXT) $(if $(OVERLAY),--overlay $(OVERLAY)) $(if $(REGISTRY),--registry $(REGISTRY)) $(if $(TAG),--tag $(TAG)) \
	  $(foreach r,$(REPLICAS),--replicas $r) $(foreach h,$(HOSTS),--host $h) $(if $(call given,LOAD),--load-images) $(if $(call given,FORCE),--force) $(UP)

down: $(INSTALLED) ## remove it from Kubernetes; data stay, but with DATA=1 (YES=1: do not ask)
	$(CLUSTER) down $(TO_CONTEXT) $(if $(call given,DATA),--data) $(if $(call given,YES),--yes)

smoke: weights $(DEMO)/bundle.sha256 ## score the demo bundle there and compare with the embedded run (ENDPOINT=grpcs://HOST:PORT)
	$(CLUSTER) smoke $(TO_CONTEXT) $(if $(ENDPOINT),--endpoint $(ENDPOINT))

status: $(INSTALLED) ## what runs there, and why not (JSON=1)
	@$(CLUSTER) status $(TO_CONTEXT) $(if $(JSON),--json)

logs: $(INSTALLED) ## its logs (COMPONENT=video, FOLLOW=1, PREVIOUS=1)
	@$(CLUSTER) logs $(TO_CONTEXT) $(COMPONENT) $(if $(FOLLOW),--follow) $(if $(PREVIOUS),--previous)

bench: weights ## compare with the other tools, as ratios
	$(BIN)/python -m benchmarks.run

images: ## build the container images; IMAGES_OPTIONS are those of docker/build.py
	@echo "Building the images: about 6 GB to download, 12 GB in Docker's store; what is there already is not built again."
	$(PYTHON) docker/build.py $(IMAGES_OPTIONS)

compose-up: ## start the whole system in containers on this machine; COMPOSE_OPTIONS are those of docker/up.sh
	docker/up.sh up $(COMPOSE_OPTIONS)

compose-down: ## end it; COMPOSE_OPTIONS=--volumes removes its runs and weights too
	docker/up.sh down $(COMPOSE_OPTIONS)

lock: $(UV) ## compile requirements.lock, and the locks of oracles and images
	for input in requirements/all.in $(wildcard requirements/oracles-*.in); do \
	  output=requirements.lock; [ $$input = requirements/all.in ] || output=$${input%.in}.lock; \
	  $(UV) pip compile --quiet --python-version 3.11 --python-platform x86_64-manylinux_2_31 --generate-hashes --no-emit-index-url --no-annotate $$(sed -n 's/^# compile with: //p' $$input) $$input -o $$output; done
	$(PYTHON) docker/lock.py

clean: ## remove what was built (not .venv)
	rm -rf build .pytest_cache .mypy_cache .ruff_cache

.PHONY: help install weights demo-bundle demo oracles speech test test-containers lint protos up down smoke status logs bench images compose-up compose-down lock clean
