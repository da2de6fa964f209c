# How a hash-locked requirements file becomes a layer. Included by every <layer>/Makefile and by layers/Makefile.
# Every layer has a link to this file, because sam builds a layer again only when something in its own folder has changed.
#
# sam runs a layer's Makefile in a copy of its folder and tells it ARTIFACTS_DIR and nothing else; the way back to the repository
# is the path of the Makefile itself, and the architecture comes from the environment (default: the template's).
.SILENT:
ARCHITECTURE ?= arm64
ROOT := $(abspath $(dir $(realpath $(lastword $(MAKEFILE_LIST))))..)
SAM ?= sam
# uv is looked for from the root, where a version manager of Python finds it too.
UV := $(shell cd $(ROOT) && (uv --version >/dev/null 2>&1 && echo uv || echo python3 -m uv))
CPU := $(subst arm64,aarch64,$(ARCHITECTURE))
PLATFORM := $(CPU)-manylinux_2_28
PACKAGES = $(ARTIFACTS_DIR)/python
COMPILE = $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.12 --generate-hashes --no-annotate \
  --no-emit-index-url --no-header

# Every wheel is checked against its hash; nothing is resolved and nothing built from source. Copies, because strip writes into
# a file that has other names, and uv would give it those of its cache and of every environment on the machine.
define install
	cd $(ROOT) && $(UV) pip install --quiet --link-mode copy --require-hashes --no-deps --only-binary :all: --no-compile-bytecode \
	  --python-version 3.12 --python-platform $(PLATFORM) --target $(PACKAGES) -r $(HERE)requirements.txt
	@pth=$$(find $(PACKAGES) -name '*.pth'); if [ -n "$$pth" ]; then echo "a .pth file runs code at every start: $$pth" >&2; exit 1; fi
	rm -rf $(PACKAGES)/bin
	find $(PACKAGES) -type d \( -name tests -o -name test -o -name __pycache__ \) -prune -exec rm -rf {} +
	find $(PACKAGES) \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.c' -o -name '*.cpp' \) -delete
	find $(PACKAGES) -path '*.dist-info/*' \( -name RECORD -o -name INSTALLER -o -name REQUESTED \) -delete
endef

# Symbols that nothing at run time looks up: a fifth of the weight. What auditwheel rewrote to carry its libraries along is left
# alone: llvm-strip shifts the parts of such files, and they no longer open. A strip that does not know the architecture is worth
# a note, not a failed build.
define strip
	@tool=$$({ [ "$$(uname -m)" = $(CPU) ] && command -v strip; } || command -v $(CPU)-linux-gnu-strip || command -v llvm-strip || true); \
	if [ -z "$$tool" ]; then echo "note: no strip for $(ARCHITECTURE) here; the layer stays larger"; \
	else find $(PACKAGES) -name '*.so*' -type f -not -path '*.libs/*' -not -path '*/psycopg_binary/*' \
	  -exec $$tool --strip-unneeded {} +; fi
endef

# Lambda's disk is read-only: what is not compiled here is compiled at every cold start. sam sets every date in the archive to
# 1980, which would make dated bytecode stale; hence "unchecked".
BYTECODE = cd $(ROOT) && $(UV) run --quiet --no-sync python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
  -s $(ARTIFACTS_DIR) -p /opt
define compile
	$(BYTECODE) $(PACKAGES)
endef

# For other people's packages the bytecode takes the place of the sources: a third of the weight less. Their frames in a traceback
# still name file and line.
define compile_only
	$(BYTECODE) -b $(PACKAGES)
	find $(PACKAGES) -name '*.py' -delete
endef

define weigh
	@find $(ARTIFACTS_DIR) -type f -printf '%s\n' | awk '{sum += $$1} END {printf "$(@:build-%=%) for $(ARCHITECTURE): %.1f MB\n", sum / 1e6}'
endef
