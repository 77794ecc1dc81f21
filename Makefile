# What people run. `make help` lists it; the work is in scripts/.

GAMBIT := .build/release/gambit
DEMO   := artifacts/smollm2-demo
SWIFT_SOURCES := Package.swift Sources Tests Documentation/examples

.DEFAULT_GOAL := help
.PHONY: help demo test cluster-test torture fuzz handoff-check build docs bench bench-calibration oracles format lint clean bootstrap

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Turns SmolLM2-135M into a verified sparse bundle and prints a table
	model=$$(scripts/fetch-model) && $(GAMBIT) run pipelines/smollm2-demo.yaml --output $(DEMO) --set "model.path=$$model"

test: bootstrap ## Runs unit tests, then the demo's pipeline and its checks on the real model
	scripts/test

cluster-test: build ## Runs the demo by Snakemake on a one-node Slurm, with jobs killed and cancelled on the way (installs Slurm)
	scripts/cluster-test

torture: build ## Damages bundles and kills runs many times; writes the table of Documentation/reliability.md
	scripts/torture

handoff-check: demo ## Runs llama.cpp and transformers on what `gambit handoff` writes (installs PyTorch: gigabytes)
	model=$$(scripts/fetch-model) && python=$$(scripts/python-environment peers) \
	  && "$$python" scripts/handoffs/check_gguf.py "$$model"
	python=$$(scripts/python-environment oracles) \
	  && "$$python" scripts/handoffs/check_transformers.py $(DEMO)/bundle --families \
	  && "$$python" scripts/handoffs/check_chess.py $(DEMO)/bundle

SECONDS ?= 600
fuzz: bootstrap ## Feeds every reader with mutated files for SECONDS in all; writes the table of Documentation/reliability.md
	scripts/fuzz --seconds $(SECONDS)

build: bootstrap ## Builds the program, .build/release/gambit
	swift build -c release --product gambit
	swift build -c release --product GambitRuntime

docs: bootstrap ## Builds the documentation of the Swift products, with DocC
	scripts/documentation

bench-calibration: build ## Measures the forward pass beside PyTorch's (installs PyTorch: gigabytes)
	model=$$(scripts/fetch-model) && python=$$(scripts/python-environment oracles) \
	  && "$$python" Benchmarks/compare.py "$$model"

bench: build ## Measures decoding, dense and sparse, beside llama.cpp's (installs it, prebuilt)
	python=$$(scripts/python-environment peers) && "$$python" Benchmarks/decode.py

oracles: ## Makes the tests' expected numbers anew (installs PyTorch: gigabytes)
	model=$$(scripts/fetch-model) && python=$$(scripts/python-environment oracles) \
	  && "$$python" Tests/Fixtures/make_tiny_models.py \
	  && "$$python" Tests/Fixtures/make_statistics_oracle.py \
	  && "$$python" Tests/Fixtures/make_energy_oracle.py \
	  && "$$python" Tests/Fixtures/make_confidence_oracle.py \
	  && "$$python" Tests/Fixtures/make_inputs_oracle.py \
	  && "$$python" Tests/Fixtures/make_planes_oracle.py \
	  && "$$python" Tests/Fixtures/make_sampling_oracle.py \
	  && "$$python" Tests/Fixtures/make_quantization_oracle.py \
	  && "$$python" Tests/Fixtures/make_task_oracle.py \
	  && "$$python" Tests/Fixtures/make_signature_oracle.py \
	  && "$$python" Tests/Fixtures/make_chess_dictionary.py \
	  && "$$python" scripts/oracles/make_real_model_oracle.py "$$model"

format: ## Formats the Swift sources in place
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

lint: ## Fails where a Swift source is not formatted or breaks a rule
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

clean: ## Removes what was built and what runs wrote; keeps the model and the Python environments
	rm -rf .build .build-tests .build-fuzz
	find artifacts -mindepth 1 ! -name README.md -delete

bootstrap: ## Installs what this machine lacks
	scripts/bootstrap
