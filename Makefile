# pnn: compiler, interpreter and library of a small language for neural-network experiments.
# `make help` lists the targets. Everything that is made lies under build/.

SHELL   := /bin/bash
comma   := ,
MAKEFLAGS += --no-builtin-rules --no-print-directory
# V=1 shows the commands.
Q       := $(if $(V),,@)
JOBS    ?= 2
PREFIX  ?= /usr/local
T       ?= 60
SEED    ?= 1

# Three builds of the same sources, each in its own folder: plain, SAN=1 (address and undefined sanitisers),
# FUZZ=1 (clang, libFuzzer).
ROOT    := build
ifdef SAN
  BUILD ?= $(ROOT)/san
  OPT   := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else ifdef FUZZ
  BUILD ?= $(ROOT)/fuzz
  CC    := clang
  OPT   := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined
else
  BUILD ?= $(ROOT)
  OPT   := -O2 -g
endif
ifeq ($(origin CC),default)
  CC    := gcc
endif
GEN     := $(BUILD)/gen
LLVM    := /usr/lib/llvm-19
STD     := -std=c11 -D_GNU_SOURCE -I. -I$(GEN) -isystem $(LLVM)/include
WARN    := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Werror
ifdef FUZZ
  WARN  := -w
endif
CFLAGS  ?=
# pnnc has LLVM and the small libraries in itself and stands at a fixed address: it starts in a few milliseconds
# (with shared libraries: 27). STATIC= and the builds for tests, which are linked often, take the shared ones.
STATIC  ?= $(if $(SAN)$(FUZZ),,1)
LDLIBS  := -Wl,--as-needed -ledit -ljansson -lzip -lz -lnettle -lutf8proc -L$(LLVM)/lib -lLLVM-19 -lpthread -lm
LLVMLIBS = $(shell $(LLVM)/bin/llvm-config --link-static --libs orcjit x86codegen aarch64codegen)
PNNLIBS  = $(if $(STATIC),-no-pie -static-libgcc -Wl$(comma)--gc-sections -Wl$(comma)-Bstatic -ledit -ltinfo -lbsd -lmd \
           -ljansson -lnettle -lutf8proc -L$(LLVM)/lib $(LLVMLIBS) -lstdc++ -lz -lzstd -Wl$(comma)-Bdynamic \
           -lzip -lpthread -lm,$(LDLIBS))
comma   := ,

# The fuzzers reach into lang/ and runtime/ only.
SRC     := $(wildcard lang/*.c $(if $(FUZZ),,compiler/*.c) runtime/*.c)
GENSRC  := $(GEN)/parse.c $(GEN)/scan.c $(GEN)/stdlib.c $(GEN)/explain.c
OBJ     := $(SRC:%.c=$(BUILD)/obj/%.o) $(GENSRC:$(GEN)/%.c=$(BUILD)/obj/gen/%.o)
LIBOBJ  := $(filter-out $(BUILD)/obj/compiler/main.o,$(OBJ))
UNITSRC := $(wildcard tests/unit/*.c)
# tests/unit/test_*.c is one test program each; the other files there are shared by them.
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(filter tests/unit/test_%,$(UNITSRC)))
UNITAID := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out tests/unit/test_%,$(UNITSRC)))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
PNNC    := $(BUILD)/pnnc

DEPS    := flex bison gcc g++ libc6-dev pkg-config libedit-dev libjansson-dev zlib1g-dev libzstd-dev libzip-dev \
           liblapacke-dev libopenblas-dev libmatio-dev libutf8proc-dev nettle-dev llvm-19-dev
TESTDEPS := $(DEPS) libcriterion-dev clang libclang-rt-14-dev man-db gfortran python3 qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross gnuplot-nox jq

.PHONY: all help deps testdeps demo examples doc-examples test bless spec install uninstall check-unit check-golden check-backends check-layers \
        check-plot check-diags check-doc check-limits check-mutants check-random check-bench check-examples check-build check-jit check-bits check-arm check-san check-fuzz check-ops check-reference bench bench-growth fuzz clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PNNC)

help:
	@echo 'make                        build $(PNNC)'
	@echo 'make demo                   install what is missing, build, train Burgers'"'"' equation and judge it'
	@echo 'make test                   everything that is checked before a commit (about ten minutes)'
	@echo 'make examples                the applications with all their checks: what was measured, bound, verdict (ONLY=name: those; DATA=dir: on measured data too)'
	@echo 'make check-unit             unit tests               make check-golden   programs with their output'
	@echo 'make check-san              the golden programs under address and undefined sanitisers'
	@echo 'make check-ops              the table of operations against finite differences and 50-digit tables'
	@echo 'make check-reference DIR=d  examples/bench on the data in d/data against d/REFERENCE.tsv'
	@echo 'make bench PEERS=dir BENCH="W1 …"   times of examples/bench beside other systems (tests/bench.sh)   make bench-growth'
	@echo 'make fuzz T=60              each fuzzer for T seconds   make check-mutants MUTANTS=2000 SEED=1   changed programs'
	@echo 'make check-random PROGRAMS=1000 DERIVATIVES=200 SEED=1   random programs and models against other evaluators'
	@echo 'make bless                  accept the present output of the golden programs'
	@echo 'make spec                   write the generated tables of SPEC.md and doc/library.md'
	@echo 'make doc-examples           run the examples for doc/checks.md and the figures in doc/figures'
	@echo 'make install PREFIX=/usr/local     make uninstall     make clean     make deps'
	@echo 'SAN=1 builds with sanitisers in build/san; BUILD=dir builds elsewhere; STATIC= links shared libraries.'

# ---- what must be installed ---------------------------------------------------------------------------------
define install_missing
	@missing=""; for p in $(1); do \
	  dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing$$missing"; \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -q && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing; fi
endef
deps:
	$(call install_missing,$(DEPS))
testdeps:
	$(call install_missing,$(TESTDEPS))

# ---- building -----------------------------------------------------------------------------------------------
$(PNNC): $(OBJ)
	@echo '  link $@'
	$(Q)$(CC) $(OPT) -o $@ $(OBJ) $(PNNLIBS)
$(BUILD)/libpnn.a: $(LIBOBJ)
	@rm -f $@
	$(Q)ar rcs $@ $(LIBOBJ)

$(BUILD)/obj/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	@echo '  cc $<'
	$(Q)$(CC) $(STD) $(OPT) -Wall -Wno-unused-function -MMD -MP $(CFLAGS) -c -o $@ $<
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo '  cc $<'
	$(Q)$(CC) $(STD) $(OPT) $(WARN) -MMD -MP $(CFLAGS) -c -o $@ $<

$(filter $(BUILD)/obj/lang/%,$(OBJ)) $(BUILD)/obj/gen/scan.o: | $(GEN)/parse.h $(GEN)/scan.h

$(GEN)/parse.c $(GEN)/parse.h &: lang/parse.y
	@mkdir -p $(GEN)
	$(Q)bison -Wall -Werror --header=$(GEN)/parse.h -o $(GEN)/parse.c $<
# -Cf with -8 has no compressed tables, so flex can prove that the scanner never backs up.
$(GEN)/scan.c $(GEN)/scan.h &: lang/scan.l
	@mkdir -p $(GEN)
	$(Q)cd $(GEN) && flex -8 -b -Cf --header-file=scan.h -o scan.c $(CURDIR)/$<
	@grep -q '^No backing up\.' $(GEN)/lex.backup || { cat $(GEN)/lex.backup; rm -f $(GEN)/scan.c; exit 1; }
	@echo 'flex: No backing up.'
$(GEN)/stdlib.c: $(wildcard stdlib/*.pnn) tests/embed.sh
	@mkdir -p $(GEN)
	$(Q)tests/embed.sh stdlib_text $(wildcard stdlib/*.pnn) > $@
$(GEN)/explain.c: $(wildcard doc/errors/*.md) tests/embed.sh
	@mkdir -p $(GEN)
	$(Q)tests/embed.sh explain_text $(wildcard doc/errors/*.md) > $@

# ---- the demonstration --------------------------------------------------------------------------------------
demo: deps
	@$(MAKE) -j$(JOBS) all
	@mkdir -p $(ROOT)/demo
	$(PNNC) run examples/burgers.pnn --out $(ROOT)/demo --metrics $(ROOT)/demo/metrics.jsonl
	@echo "The result lies in $(ROOT)/demo:"; ls -l $(ROOT)/demo | sed -n '2,$$p'

# ---- tests --------------------------------------------------------------------------------------------------
test: testdeps
	@$(MAKE) -j$(JOBS) all
	@$(MAKE) -j$(JOBS) $(UNIT)
	@$(MAKE) -k check-unit check-golden check-backends check-layers check-diags check-doc check-limits check-mutants \
	  check-random check-bench check-examples check-build check-jit check-bits check-arm check-plot check-fuzz check-san MUTANTS=400 T=10
	@echo 'make test: all parts passed'

check-unit: $(UNIT)
	@tests/run_unit.sh $(UNIT)
# A test is linked with the shared files whose headers it includes, then with what those need.
$(BUILD)/libaid.a: $(UNITAID)
	@rm -f $@
	$(Q)ar rcs $@ $(UNITAID)
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libaid.a $(BUILD)/libpnn.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPT) -o $@ $< $(addprefix $(BUILD)/obj/tests/unit/,$(shell sed -n \
	  's/^#include "tests\/unit\/\(.*\)\.h"/\1.o/p' tests/unit/$*.c)) $(BUILD)/libaid.a $(BUILD)/libpnn.a $(LDLIBS) -lcriterion
$(BUILD)/obj/tests/unit/%.o: WARN += -Wno-missing-prototypes
# Counts what the interpreter does, where its files call each other.
$(BUILD)/unit/test_cost: LDLIBS += $(addprefix -Wl$(comma)--wrap=,vm_run nest_run red_join access_pointer gemm_kernels matrix_run)
# Does as if libmatio were not installed.
$(BUILD)/unit/test_rt_mat: LDLIBS += -Wl,--wrap=dlopen

check-golden: $(PNNC)
	@JOBS=$(JOBS) tests/run_golden.sh $(PNNC)
bless: $(PNNC)
	@tests/run_golden.sh --bless $(PNNC)
# Compiled and interpreted programs say the same; the same bytes on any number of threads.
check-backends: $(PNNC)
	@JOBS=$(JOBS) tests/check_backends.sh $(PNNC)
check-layers:
	@tests/check_layers.sh
check-diags:
	@tests/check_diags.sh
spec:
	@tests/spec_tables.sh --write && tests/library_doc.sh --write
check-doc: $(PNNC)
	@tests/spec_tables.sh --check && tests/library_doc.sh --check
	@tests/doc_examples.sh $(PNNC) SPEC.md README.md
check-limits: $(PNNC)
	@tests/check_limits.sh $(PNNC)
check-bench: $(PNNC)
	@tests/check_bench.sh $(PNNC)
examples: testdeps
	@$(MAKE) -j$(JOBS) all
	@tests/examples.sh $(PNNC) $(ONLY)
# doc/checks.md and the figures that doc/applications.md and README.md show, from a run of all examples.
doc-examples: testdeps
	@$(MAKE) -j$(JOBS) all
	@mkdir -p doc/figures
	@OUT=$(ROOT)/examples PAGE=doc/checks.md tests/examples.sh $(PNNC)
	@for f in $$(grep -ho 'figures/[a-z_0-9]*\.svg' README.md doc/applications.md | sort -u); do \
	  cp $$(find $(ROOT)/examples -name $$(basename $$f) | sort | head -1) doc/$$f || exit 1; done
check-examples: $(PNNC)
	@JOBS=$(JOBS) tests/check_examples.sh $(PNNC)
check-build: $(PNNC)
	@tests/check_build.sh $(PNNC)
# The cache of compiled code, processors of all levels, texts of emit.
check-jit: $(PNNC)
	@tests/check_jit.sh $(PNNC)
# Code for arm64 under qemu-user.
check-arm: $(PNNC)
	@tests/check_arm.sh $(PNNC)
# Figures of all kinds, drawn by gnuplot in every kind of file.
check-plot: $(PNNC)
	@tests/check_plot.sh $(PNNC)
# The bits of compiled code do not depend on the batch, the threads, or an interruption.
check-bits: $(PNNC)
	@tests/check_bits.sh $(PNNC)
check-san:
	@$(MAKE) SAN=1 -j$(JOBS) all
	@echo 'golden programs under address and undefined sanitisers:'
	@JOBS=$(JOBS) tests/run_golden.sh $(ROOT)/san/pnnc
check-ops: $(filter $(BUILD)/unit/test_ops%,$(UNIT))
	@tests/run_unit.sh $^
check-reference: $(PNNC)
	@test -n "$(DIR)" || { echo 'usage: make check-reference DIR=folder with REFERENCE.tsv and data/'; exit 2; }
	@tests/check_reference.sh $(PNNC) $(DIR)

# Settings of tests/bench.sh are taken from the command line too: make bench PEERS=dir THREADS=1.
bench: $(PNNC)
	@OUT=$(or $(OUT),$(BUILD)/bench) tests/bench.sh $(PNNC)
bench-growth: $(PNNC)
	@OUT=$(or $(OUT),$(BUILD)/bench) tests/bench_growth.sh $(PNNC)

fuzz: check-fuzz
check-mutants: $(PNNC)
	@tests/mutate.sh $(or $(MUTANTS),2000) $(SEED) $(PNNC)
# Random programs against an evaluator of their own, and their derivatives against quadruple precision.
check-random: $(PNNC)
	@PNNC=$(PNNC) KEEP=$(BUILD)/found tests/check_random.sh
check-fuzz:
	@$(MAKE) FUZZ=1 -j$(JOBS) run-fuzz T=$(T)
run-fuzz: $(FUZZERS)
	@tests/run_fuzz.sh $(T) $(FUZZERS)
$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(BUILD)/libpnn.a
	$(Q)$(CC) $(STD) $(OPT) -fsanitize=fuzzer -o $@ $< $(BUILD)/libpnn.a $(LDLIBS)

# ---- installing, cleaning -----------------------------------------------------------------------------------
install: $(PNNC)
	install -D -m 755 $(PNNC) $(DESTDIR)$(PREFIX)/bin/pnnc
	for m in doc/man/*.1; do install -D -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man1/$$(basename $$m); done
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/pnnc
	for m in doc/man/*.1; do rm -f $(DESTDIR)$(PREFIX)/share/man/man1/$$(basename $$m); done
clean:
	rm -rf $(ROOT)

-include $(OBJ:.o=.d) $(wildcard $(BUILD)/obj/tests/unit/*.d)
