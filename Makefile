# semidual: `make help` lists what there is. Everything is built under build/.
#
# PRECISION=double computes in double, SANITIZE=address checks addresses and undefined behaviour, SANITIZE=thread what
# threads share, WERROR=1 makes warnings errors, CXX=clang++ (with libomp) compiles with clang, BUILD=build/NAME builds
# there.

PRECISION ?= float
SANITIZE  ?=
WERROR    ?=
BUILD     := build/$(PRECISION)$(SANITIZE:%=-%)
# The everyday program stands at the top of build/, every other build's in its own folder.
PROGRAM   := $(if $(filter build/float,$(BUILD)),build/semidual,$(BUILD)/semidual)
FLOORS    := engine data models ot apps

CXXFLAGS  ?= -O3 -g1
override CXXFLAGS += -std=c++20 -fPIC -fopenmp -Wall -Wextra -Wshadow $(if $(WERROR),-Werror)
override CPPFLAGS += -I. -MMD -MP $(if $(filter double,$(PRECISION)),-DSEMIDUAL_DOUBLE)
override CPPFLAGS += $(shell pkg-config --cflags openblas 2>/dev/null)
override LDFLAGS  += -fopenmp
override LDLIBS   += $(shell pkg-config --libs openblas 2>/dev/null || echo -lopenblas)
# A buffer that is written beyond its end ends the program; the sanitizers see more.
ifeq ($(SANITIZE),)
override CPPFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
override CXXFLAGS += -fstack-protector-strong
ifeq ($(shell uname -s),Linux)
override LDFLAGS  += -Wl,-z,relro,-z,now
endif
else
CHECKS            := -fsanitize=$(SANITIZE:address=address,undefined)
override CXXFLAGS += -O1 $(CHECKS) -fno-sanitize-recover=undefined -fno-omit-frame-pointer
override LDFLAGS  += $(CHECKS)
endif

# What lies in $(BUILD) was made by one compiler with one set of flags: by others everything is made anew.
MADE_BY := $(strip $(CXX) $(CPPFLAGS) $(CXXFLAGS) $(LDFLAGS) $(LDLIBS))
ifneq ($(MADE_BY),$(strip $(shell cat $(BUILD)/made_by 2>/dev/null)))
$(shell mkdir -p $(BUILD) && printf '%s\n' '$(MADE_BY)' >$(BUILD)/made_by)
endif

# Instruction sets go on kernel files alone; which of them runs is chosen by the CPU at run time.
ifneq ($(filter x86_64%,$(shell $(CXX) -dumpmachine 2>/dev/null)),)
KERNELS := baseline avx2 avx512 $(if $(filter float,$(PRECISION)),vnni bf16)
else
KERNELS := neon
endif
avx512 := -mavx2 -mfma -mavx512f -mavx512cd -mavx512dq -mavx512bw -mavx512vl
$(BUILD)/engine/simd/avx2.o:   override CXXFLAGS += -mavx2 -mfma
$(BUILD)/engine/simd/avx512.o: override CXXFLAGS += $(avx512)
$(BUILD)/engine/simd/vnni.o:   override CXXFLAGS += $(avx512) -mavx512vnni
$(BUILD)/engine/simd/bf16.o:   override CXXFLAGS += $(avx512) -mavx512bf16

# Tests and the command line take longer to compile than to run.
QUICK ?= $(if $(SANITIZE),-O0,-O1)
$(BUILD)/apps/%.o $(FLOORS:%=$(BUILD)/tests/%/%.o): override CXXFLAGS += $(QUICK)

# With MPI=1 the program is linked once more, build/mpi/semidual, with engine/cluster/mpi.cpp in place of alone.cpp, by
# the compiler of that MPI.
MPI         ?=
MPICXX      ?= mpicxx
MPI_PROGRAM := $(dir $(PROGRAM))mpi/semidual
BY_MPI      := $(dir $(MPI_PROGRAM))$(notdir $(MPICXX))
BY_CXX      := OMPI_CXX="$(CXX)" MPICH_CXX="$(CXX)"

kernels  = $(patsubst %,engine/simd/%.cpp,$(1))
sources  = $(filter-out engine/cluster/mpi.cpp $(call kernels,$(filter-out $(KERNELS),baseline avx2 avx512 vnni bf16 neon)),$(shell find $(1) -name '*.cpp'))
objects  = $(patsubst %.cpp,$(BUILD)/%.o,$(1))
library  = $(BUILD)/$(1).a
# What each floor may use: the floors below it.
below_engine :=
below_data   := engine
below_models := engine
below_ot     := engine
below_apps   := ot models data engine
LIBRARIES    := $(foreach f,apps $(below_apps),$(call library,$(f)))

.PHONY: all
all: $(PROGRAM) $(if $(filter 1,$(MPI)),$(MPI_PROGRAM)) ## build the program, build/semidual; with MPI=1 build/mpi/semidual for mpirun too

$(BUILD)/%.o: %.cpp $(BUILD)/made_by
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -c $< -o $@

# A floor's library, and the tests of that floor linked against it and the floors below alone.
define floor
$(call library,$(1)): $(call objects,$(filter-out apps/main.cpp,$(call sources,$(1))))
	@rm -f $$@
	$(AR) rcs $$@ $$^
$(BUILD)/tests/$(1)_tests: $(call objects,tests/main.cpp $(shell find tests/$(1) -name '*.cpp')) \
                           $(call library,$(1)) $(foreach b,$(below_$(1)),$(call library,$(b)))
	$(CXX) $(LDFLAGS) $$^ -o $$@ $$(LDLIBS)
endef
$(foreach f,$(FLOORS),$(eval $(call floor,$(f))))

# Only data reads and writes compressed files.
COMPRESSED := -lz -lzip -lgif
$(PROGRAM) $(BUILD)/tests/bench/bench $(foreach f,data apps,$(BUILD)/tests/$(f)_tests): override LDLIBS += $(COMPRESSED)

$(PROGRAM): $(call objects,apps/main.cpp) $(LIBRARIES)
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) $^ -o $@ $(LDLIBS)

$(BY_MPI)/mpi.o: engine/cluster/mpi.cpp $(BUILD)/made_by
	@mkdir -p $(@D)
	$(BY_CXX) $(MPICXX) $(CPPFLAGS) -DOMPI_SKIP_MPICXX -DMPICH_SKIP_MPICXX $(CXXFLAGS) -c $< -o $@
$(BY_MPI)/semidual: override LDLIBS += $(COMPRESSED)
$(BY_MPI)/semidual: $(BY_MPI)/mpi.o $(call objects,apps/main.cpp) $(LIBRARIES)
	$(BY_CXX) $(MPICXX) $(LDFLAGS) $^ -o $@ $(LDLIBS)
.PHONY: $(MPI_PROGRAM)
$(MPI_PROGRAM): $(BY_MPI)/semidual
	@ln -sf $(notdir $(BY_MPI))/semidual $@

# What is laid over an MPI is built by its own script.
$(BUILD)/tests/bench/bench: $(call objects,$(shell find tests/bench -name '*.cpp' -not -path '*/ranks/*')) $(LIBRARIES)
	$(CXX) $(LDFLAGS) $^ -o $@ $(LDLIBS)

$(BUILD)/tests/demo/check_grid: $(call objects,tests/demo/check_grid.cpp)
	$(CXX) $(LDFLAGS) $^ -o $@ $(LDLIBS)

# The C interface, with all that it needs but what the system has; nothing else in it can be seen from outside. Where there
# is a static OpenBLAS it is in it, so that it is not the host's: `make library STATIC_BLAS=` shares that.
SONAME      := libsemidual.so.0
LIBRARY     := $(if $(filter build/float,$(BUILD)),build,$(BUILD))/libsemidual.so
ARCHIVE     := $(LIBRARY:.so=.a)
IN_LIBRARY  := $(call objects,$(wildcard apps/library/*.cpp)) $(LIBRARIES)
STATIC_BLAS ?= $(wildcard $(shell pkg-config --variable=libdir openblas 2>/dev/null)/libopenblas.a)
SHARED_BLAS := $(LDLIBS)

$(LIBRARY): $(IN_LIBRARY) apps/library/exported.map
	$(CXX) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=apps/library/exported.map -Wl,--strip-debug $(LDFLAGS) \
	  $(IN_LIBRARY) -o $@ $(or $(STATIC_BLAS),$(SHARED_BLAS)) $(COMPRESSED)

# The same in one object, without OpenBLAS. Symbols that are unique in a process can't be hidden: they get other names.
$(ARCHIVE): $(IN_LIBRARY)
	$(CXX) -r -nostdlib -Wl,--force-group-allocation $(IN_LIBRARY) -o $(@:.a=.o)
	@nm $(@:.a=.o) | awk '$$2 == "u" { print $$3, "semidual_" $$3 }' >$(@:.a=.unique)
	@objcopy --redefine-syms=$(@:.a=.unique) $(@:.a=.o)
	@objcopy --strip-debug --wildcard --keep-global-symbol='semidual_*' $(@:.a=.o)
	@rm -f $@
	$(AR) rcs $@ $(@:.a=.o)
	@rm $(@:.a=.o) $(@:.a=.unique)

.PHONY: library wheel install uninstall
library: deps ## build build/libsemidual.so, the C interface of apps/library/semidual.h
	@$(again) $(LIBRARY)

wheel: library ## pack the library and apps/python for pip, in build/wheel
	@python3 apps/python/make_wheel.py $(LIBRARY) build/wheel

PREFIX   ?= /usr/local
INSTALLED = $(DESTDIR)$(PREFIX)
VERSION  := $(shell sed -n 's/.*version = "\(.*\)".*/\1/p' apps/version.h)
# What is installed where under PREFIX: a file and its mode, or what a link leads to, and the place.
define PLACES
$(PROGRAM) 755 bin/semidual
$(LIBRARY) 755 lib/$(SONAME)
$(SONAME) link lib/libsemidual.so
$(ARCHIVE) 644 lib/libsemidual.a
apps/library/semidual.h 644 include/semidual.h
apps/library/semidual.hpp 644 include/semidual.hpp
build/installed/semidual.pc 644 lib/pkgconfig/semidual.pc
build/installed/semidualConfig.cmake 644 lib/cmake/semidual/semidualConfig.cmake
build/installed/semidualConfigVersion.cmake 644 lib/cmake/semidual/semidualConfigVersion.cmake
build/installed/semidual.1 644 share/man/man1/semidual.1
apps/completion.bash 644 share/bash-completion/completions/semidual
endef
export PLACES

build/installed/%: apps/library/%.in apps/version.h $(BUILD)/made_by
	@mkdir -p $(@D)
	@sed 's|@VERSION@|$(VERSION)|; s|@SONAME@|$(SONAME)|; s|@NEEDED@|$(NEEDED)|' $< >$@
# What the archive needs.
NEEDED = $(SHARED_BLAS) $(COMPRESSED) -l$(if $(findstring clang,$(CXX)),omp,gomp) -lstdc++ -lm

build/installed/semidual.1: apps/man_page.sh $(PROGRAM)
	@mkdir -p $(@D)
	@sh apps/man_page.sh $(PROGRAM) >$@

install: deps ## install program, manual, library, headers and what finds them under PREFIX (and DESTDIR)
	@$(again) $(filter build/%,$(PLACES))
	@echo "$$PLACES" | while read -r file mode place; do \
	  case $$mode in \
	    link) ln -sf "$$file" "$(INSTALLED)/$$place" ;; \
	    *) install -D -m $$mode "$$file" "$(INSTALLED)/$$place" ;; \
	  esac || exit; \
	done

uninstall: ## take away what install has put there
	@echo "$$PLACES" | while read -r _ _ place; do rm -f "$(INSTALLED)/$$place"; done
	@rm -df "$(INSTALLED)/lib/cmake/semidual"

.PHONY: tests demo deps test test-arm bench asan tsan torture soak format clean help
tests: $(PROGRAM) $(foreach f,$(FLOORS),$(BUILD)/tests/$(f)_tests)

# The rest runs make again once everything needed is installed, on all cores unless told otherwise.
again = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN))
# About a minute on two cores.
DEMO_POINTS     ?= 10000
DEMO_ITERATIONS ?= 1300

demo: deps ## install what is missing, train on the built-in digits for about a minute, name the picture
	@$(again) all
	@$(PROGRAM) train --data digits --points $(DEMO_POINTS) --iterations $(DEMO_ITERATIONS) --out build/demo --force
	@$(PROGRAM) sample build/demo --grid 10x10 --out build/demo.png
	@$(PROGRAM) evaluate build/demo --assignment off | grep '^classes'
	@echo "The picture of the generated digits is $(CURDIR)/build/demo.png, the report $(CURDIR)/build/demo/report.html"

deps: ## install what is missing (apt), or say what to install
	@CXX="$(CXX)" sh .ci/deps.sh

test: deps ## run every test in float and double, at every SIMD level; with MPI=1 those of ranks too
	@$(again) tests PRECISION=float BUILD=build/float
	@$(again) tests PRECISION=double BUILD=build/double
	@$(again) PRECISION=float BUILD=build/float build/libsemidual.so
	@sh tests/report/check_page.sh $(PROGRAM) || [ $$? = 77 ]
	@sh tests/python/check.sh || [ $$? = 77 ]
	@$(again) $(SHIMS)
	@$(foreach mpi,$(if $(filter 1,$(MPI)),openmpi mpich),$(again) MPICXX=mpicxx.$(mpi) build/mpi/mpicxx.$(mpi)/semidual &&) true
	@! command -v python3 >/dev/null || python3 tests/torture/torture.py --short; tortured=$$?; \
	  sh tests/run.sh build/float build/double && [ $$tortured = 0 ]

# The floors whose tests run at every SIMD level. Linked statically, so that the emulator needs no Arm libraries; of that
# the linker warns where libgomp would load plug-ins for accelerators. A limit on memory would be the emulator's own.
ARM_FLOORS := engine ot
ARM := CXX=aarch64-linux-gnu-g++ AR=aarch64-linux-gnu-ar LDFLAGS="-static -Wl,--no-warnings" \
       PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig

test-arm: ## cross-compile to 64-bit Arm and run the tests of the NEON kernels in an emulator (Debian)
	@$(ARM) $(MAKE) --no-print-directory deps
	@$(ARM) $(again) $(ARM_FLOORS:%=build/arm/tests/%_tests) BUILD=build/arm
	@RUNNER=qemu-aarch64 FLOORS="$(ARM_FLOORS)" LEVELS= TESTS_OPTIONS=-tce=*ulimit* sh tests/run.sh build/arm

asan: deps ## run the tests under the address and undefined-behaviour sanitizers
	@$(again) tests SANITIZE=address BUILD=$(BUILD)-asan
	@! { $(CXX) --version | grep -q clang && command -v python3; } >/dev/null || \
	  { $(again) $(FUZZERS:%=$(BUILD)-asan/tests/torture/%) SANITIZE=address BUILD=$(BUILD)-asan && PROGRAM=$(BUILD)-asan/semidual \
	    FUZZED=$(BUILD)-asan/tests/torture python3 tests/torture/torture.py --short fuzz handles; }
	@LEVELS= sh tests/run.sh $(BUILD)-asan

# Archer, which libomp loads, knows OpenMP's order; OpenBLAS and libomp itself are not followed.
TSAN_FLOORS  := engine models ot
TSAN_OPTIONS := ignore_noninstrumented_modules=1:allocator_may_return_null=1

tsan: ## run the tests of what computes on 4 threads under clang's thread sanitizer
	@CXX=clang++ sh .ci/deps.sh
	@$(again) $(TSAN_FLOORS:%=build/tsan/tests/%_tests) CXX=clang++ SANITIZE=thread BUILD=build/tsan
	@OMP_NUM_THREADS=4 TSAN_OPTIONS=$(TSAN_OPTIONS) FLOORS="$(TSAN_FLOORS)" LEVELS= sh tests/run.sh build/tsan

# Libraries that make calls fail, and readers and the C interface for libFuzzer, which only clang has.
$(BUILD)/tests/torture/%.so: tests/torture/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -shared $< -o $@ -ldl
# Of apps they take what reads a run's files, the C interface also what it calls; of ot, the readers take the costs.
READ   := $(patsubst %,apps/%.cpp,checkpoint config control_groups costs method_presets methods options out_folder resources \
            run_folder scaling)
CALLED := $(READ) $(patsubst %,apps/%.cpp,generators latents measure source_law \
            $(patsubst %,library/%,calls generators point_transport transport))
$(BUILD)/tests/torture/readers: $(call objects,tests/torture/readers.cpp $(READ) \
                                  $(patsubst %,ot/%.cpp,cityblock_cost ground_cost power_cost)) \
                                $(foreach f,models data engine,$(call library,$(f)))
$(BUILD)/tests/torture/handles: $(call objects,tests/torture/handles.cpp $(CALLED)) \
                                $(foreach f,$(below_apps),$(call library,$(f)))
FUZZERS := readers handles
$(FUZZERS:%=$(BUILD)/tests/torture/%.o): override CXXFLAGS += -fsanitize=fuzzer-no-link
$(FUZZERS:%=$(BUILD)/tests/torture/%):
	$(CXX) $(LDFLAGS) -fsanitize=fuzzer $^ -o $@ $(LDLIBS) $(COMPRESSED)
SHIMS  := build/float/tests/torture/faults.so build/float/tests/torture/allocations.so
FUZZED := CXX=clang++ BUILD=build/fuzz SANITIZE=address QUICK= CXXFLAGS="-O1 -g1 -fsanitize=fuzzer-no-link"

torture: deps ## fail calls and allocations, kill, cut, fuzz and mutate for some hours; tests/torture/README.md
	@$(again) all $(SHIMS)
	@! command -v clang++ >/dev/null || $(again) $(FUZZERS:%=build/fuzz/tests/torture/%) $(FUZZED)
	@python3 tests/torture/torture.py $(TORTURE)

SOAK ?= 180

soak: deps ## train for 180 minutes, or SOAK, and see that memory and speed stay, and that no file is left open
	@$(again) all
	@SOAK=$(SOAK) python3 tests/torture/soak.py

# make bench BENCH="--until 100 threads" measures a part, on a shorter run: tests/bench/main.cpp names the parts.
BENCH ?=

bench: deps ## measure, print a table and write build/bench.json
	@$(again) $(BUILD)/tests/bench/bench
	@unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE; $(BUILD)/tests/bench/bench build/bench.json $(BENCH)

format: ## lay out the code by .clang-format
	clang-format -i $(shell git ls-files '*.h' '*.hpp' '*.cpp' '*.inl')

clean: ## remove everything that was built
	rm -rf build

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 17

.SECONDARY:

-include $(shell find $(BUILD) $(BY_MPI) -name '*.d' 2>/dev/null)
