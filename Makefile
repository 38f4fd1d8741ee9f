.DEFAULT_GOAL := help
.PHONY: help setup run test check bench requirements lock format

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## All of it: Python environment, Node packages, the built app, and PostgreSQL, Redis and Chromium for the tests
	@scripts/setup --dev
	@scripts/system-packages

run: ## Set up and serve the demo at http://127.0.0.1:8000
	@scripts/run

test: ## Set up what the tests need and run everything
	@scripts/test

check: ## Format, lint, types and layers
	@scripts/check

bench: ## The benchmarks, as a table with ratios
	@scripts/bench

requirements: ## The rows of the law, their tests and results, into docs/requirements.md
	@scripts/requirements

lock: ## Write requirements*.txt anew from requirements*.in
	@scripts/lock

format: ## Put Python and TypeScript into the common form
	@scripts/format
