# How `sam build` makes the layers. It hands a Makefile nothing but ARTIFACTS_DIR, so the template names a Makefile
# by runtime and architecture (`ContextPath`), and the folder's name says what to build for: python3.13-arm64.
# HUB_LAYER_PLATFORM=host takes packages for this machine instead: the local stack runs the functions on it.

TARGET := $(notdir $(patsubst %/,%,$(dir $(abspath $(firstword $(MAKEFILE_LIST))))))
RUNTIME := $(firstword $(subst -, ,$(TARGET)))
ARCHITECTURE := $(subst $(RUNTIME)-,,$(TARGET))
PROCESSOR := $(if $(filter arm64,$(ARCHITECTURE)),aarch64,x86_64)
# The oldest glibc of Lambda's runtimes is 2.26 (Amazon Linux 2, python3.11).
WHEELS := --platform manylinux_2_26_$(PROCESSOR) --platform manylinux2014_$(PROCESSOR)
VERSION := $(subst python,,$(RUNTIME))
FOREIGN := $(WHEELS) --implementation cp --python-version $(VERSION) --abi cp$(subst .,,$(VERSION)) --abi abi3 --abi none
PLATFORM := $(if $(filter host,$(HUB_LAYER_PLATFORM)),,$(FOREIGN))

# Unchecked hashes: the files never change once they are in a layer, so Python need not look at the sources at all.
PRECOMPILE = $(RUNTIME) -m compileall -q -s "$(ARTIFACTS_DIR)" -p /opt --invalidation-mode unchecked-hash "$(ARTIFACTS_DIR)/python"

.PHONY: build-DependenciesLayer build-ConsoleLayer build-ExporterLayer build-HubLayer

build-DependenciesLayer build-ConsoleLayer build-ExporterLayer:
	$(RUNTIME) -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --only-binary=:all: --require-hashes \
		$(PLATFORM) --target "$(ARTIFACTS_DIR)/python" --requirement requirements.txt
	rm -rf "$(ARTIFACTS_DIR)/python/bin"
	$(PRECOMPILE)

build-HubLayer:
	mkdir -p "$(ARTIFACTS_DIR)/python"
	cp -R python/gitlab_hub "$(ARTIFACTS_DIR)/python/"
	find "$(ARTIFACTS_DIR)/python" -name __pycache__ -prune -exec rm -rf {} +
	if [ -d ca ]; then cp -R ca "$(ARTIFACTS_DIR)/"; fi
	$(PRECOMPILE)
