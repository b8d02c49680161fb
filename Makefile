# Everything a person types; what it does is in CMake and tools/.
.DEFAULT_GOAL := help
.PHONY: help run build test bench fmt lint fuzz soak clean deps

RELEASE := build/release

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | awk -F '\t' '{printf "  make %-7s %s\n", $$1, $$2}'

run: build ## scan the sample incident and print the report; the quickest way to see it work
	@tools/run_example.sh

build: deps ## build the program, build/release/vedette
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build $(RELEASE) --target vedette

test: deps ## all tests; VEDETTE_TEST_STAGES="unit golden" for some
	@tools/run_tests.py

bench: deps ## how fast each part is, on logs made for it
	@cmake --preset release --log-level=WARNING -DVEDETTE_BENCH=ON >/dev/null
	@cmake --build $(RELEASE) --target vedette vedette_bench
	@bench/run.py

fmt: ## format all C++ with clang-format-19
	@git ls-files -co --exclude-standard -- '*.cpp' '*.hpp' | xargs -r clang-format-19 -i

lint: ## formatting, who includes whom, banned calls, links in documents
	@tools/lint.py

fuzz: deps ## fuzz every decoder and parser for ten minutes; FUZZ_SECONDS=n for another time
	@VEDETTE_FUZZ_SECONDS=$${FUZZ_SECONDS:-600} tools/run_tests.py fuzz

soak: deps ## hours of it: full clang-tidy and the long tests
	@tools/run_tests.py soak

clean: ## remove build/
	@rm -rf build

deps: ## install what is missing from apt (nothing from npm is needed yet)
	@tools/deps.sh
