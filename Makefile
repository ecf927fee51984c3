# Every target can be repeated; what is
# there already is left alone.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup setup-debian setup-rust setup-onnxruntime setup-tests setup-train setup-risk setup-peer build demo bench evaluate test lint train clean

# Cargo's own folder by default; set CARGO_TARGET_DIR to share one between checkouts.
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Photographs to measure with: never in this repository.
SETS ?= $(patsubst %/images,%,$(wildcard ../shared/data/plates/*/images))
# Declarations whose outcome is known.
RISK_DATA ?= $(wildcard ../shared/data/customs-declarations)
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

DEBIAN_BUILD := clang libclang-dev mold pkg-config git python3 python3-pip python3-venv
DEBIAN_GST := libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev \
  libgstrtspserver-1.0-dev gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-rtsp gstreamer1.0-x
DEBIAN_CV := libopencv-dev libopencv-contrib-dev
DEBIAN_TEST := python3-pymodbus python3-serial-asyncio mbpoll

help: ## What there is to do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: setup-debian setup-rust setup-onnxruntime ## Install what building and running need

setup-debian:
	@deploy/setup-debian.sh "compilers and the linker" $(DEBIAN_BUILD)
	@deploy/setup-debian.sh "camera streams (GStreamer)" $(DEBIAN_GST)
	@deploy/setup-debian.sh "camera geometry (OpenCV)" $(DEBIAN_CV)

setup-rust:
	@deploy/setup-rust.sh

setup-onnxruntime:
	@deploy/setup-onnxruntime.sh

setup-tests:
	@deploy/setup-debian.sh "Modbus peers that are not ours, for the tests" $(DEBIAN_TEST)
	@deploy/setup-debian.sh "network namespaces, for the tests" iproute2
	@deploy/setup-debian.sh "the other engine of central's store, for the tests" postgresql
	@deploy/setup-debian.sh "a browser for the console's tests, and letters for its Chinese pages" chromium fonts-noto-cjk
	@deploy/setup-node.sh
	@deploy/setup-schemathesis.sh

setup-train:
	@deploy/setup-train.sh

setup-risk: ## Python to train and measure the risk model (.venv-risk, 400 MB)
	@deploy/setup-risk.sh

setup-peer:
	@deploy/setup-peer.sh

build: setup ## Build the commands edge, central, datasets, calibration
	cargo build --workspace --bins

demo: setup ## Two lanes and a queue of trucks, with the console to open (ONCE=1: once, as JSON lines, without a person)
	cargo build --workspace --bins
	$(TARGET)/debug/demo $(if $(ONCE),--once)

# What is measured on, where nothing is named and the folders lie beside the checkout.
PHOTOGRAPHS = $(or $(SETS),$(wildcard $(addprefix ../shared/data/plates/,hk_cross_boundary_2019 openalpr_eu openalpr_us)))
DECLARATIONS = $(or $(RISK_DATA),$(wildcard ../shared/data/customs-declarations))

bench: setup setup-tests $(if $(BENCH),,setup-peer setup-risk) ## Figures, one JSON line each, beside a peer or a limit (SETS: photographs; RISK_DATA: declarations; BENCH=cache, BENCH="declarations 1000000"…: those alone)
	cargo build --release -p edge -p central -p risk -p tests --bins
	@# A part that fails is named at the end; the others are measured all the same.
	@failed=; \
	measure() { "$$@" || failed="$$failed $$1"; }; \
	measure $(TARGET)/release/bench $(BENCH); \
	if [ -z "$(BENCH)" ]; then \
	  measure $(TARGET)/release/risk-bench; \
	  if [ -n "$(DECLARATIONS)" ]; then measure $(TARGET)/release/risk evaluate --data $(DECLARATIONS); \
	    (cd central/risk/training && ../../../.venv-risk/bin/python -m riskmodel.stream --data $(abspath $(DECLARATIONS))) || failed="$$failed stream"; \
	  else echo "bench: no declarations (RISK_DATA=FOLDER): the risk model is not measured" >&2; fi; \
	  measure $(TARGET)/release/evaluate --peer --peer-limit 30 --rendered 8 --out work/evaluation $(PHOTOGRAPHS); \
	  measure $(TARGET)/release/evaluate --lane-model lane-v2-fp32 --rendered 8 --out work/evaluation-fp32 $(PHOTOGRAPHS); \
	  [ -n "$(PHOTOGRAPHS)" ] || echo "bench: no photographs (SETS=\"FOLDER...\"): only rendered trucks are read" >&2; \
	fi; \
	[ -z "$$failed" ] || { echo "bench: failed:$$failed" >&2; exit 1; }

evaluate: setup $(if $(PEER),setup-peer) ## Read labelled photographs: JSON lines and work/evaluation/index.html (SETS="FOLDER...", PEER=1: RapidOCR beside us)
	cargo build -p tests --bin evaluate
	$(TARGET)/debug/evaluate $(if $(PEER),--peer) --out work/evaluation $(SETS)

# In one build with the tests: a build of the binaries alone takes other features of shared crates, and builds zenoh twice.
test: setup setup-tests setup-risk ## The whole test suite
	cargo build --workspace --bins --tests
	cargo nextest run --workspace --no-tests=fail
	cd central/risk/training && ../../../.venv-risk/bin/python -m unittest discover -s tests

lint: setup ## Formatting, clippy with warnings denied, licences and sources of dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	@deploy/setup-rust.sh cargo-deny
	cargo deny check licenses bans sources

train: setup setup-train ## Render, train, evaluate and export bundles into work/train/bundle* (MINUTES=80, SHARE=1 of the sets, FROM=a 32-bit bundle, SEED of the first set)
	cargo build -p datasets
	cd models/training && ../../.venv/bin/python -m training.pipeline --render-bin $(abspath $(TARGET))/debug/datasets \
	  --work ../../work/train --out ../../work/train/bundle --minutes $(or $(MINUTES),80) --share $(or $(SHARE),1) \
	  $(if $(SEED),--seed $(SEED)) $(if $(FROM),--start-from $(abspath $(FROM)))

clean: ## Remove what was built (not what was installed)
	cargo clean
