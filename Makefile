# semidual: `make help` lists what there is. Everything is built under build/.

PRECISION ?= float
SANITIZE  ?=
WERROR    ?=
BUILD     := build/$(PRECISION)$(if $(SANITIZE),-asan)
PROGRAM   := $(if $(SANITIZE),$(BUILD)/semidual,$(if $(filter double,$(PRECISION)),build/double/semidual,build/semidual))
FLOORS    := engine data models ot apps

CXXFLAGS  ?= -O3 -g1
override CXXFLAGS += -std=c++20 -fopenmp -Wall -Wextra -Wshadow $(if $(WERROR),-Werror)
override CPPFLAGS += -I. -MMD -MP $(if $(filter double,$(PRECISION)),-DSEMIDUAL_DOUBLE)
override LDFLAGS  += -fopenmp
override LDLIBS   += $(shell pkg-config --libs openblas 2>/dev/null || echo -lopenblas) -lz
override CPPFLAGS += $(shell pkg-config --cflags openblas 2>/dev/null)
ifneq ($(SANITIZE),)
override CXXFLAGS += -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
override LDFLAGS  += -fsanitize=address,undefined
endif

# Instruction sets go on kernel files alone; which of them runs is chosen by the CPU at run time.
MACHINE := $(shell $(CXX) -dumpmachine)
ifneq ($(findstring x86_64,$(MACHINE)),)
KERNEL_FILES := engine/simd/baseline.cpp engine/simd/avx2.cpp engine/simd/avx512.cpp
else ifneq ($(findstring aarch64,$(MACHINE))$(findstring arm64,$(MACHINE)),)
KERNEL_FILES := engine/simd/neon.cpp
else
KERNEL_FILES := engine/simd/baseline.cpp
endif
$(BUILD)/engine/simd/avx2.o:   override CXXFLAGS += -mavx2 -mfma
$(BUILD)/engine/simd/avx512.o: override CXXFLAGS += -mavx2 -mfma -mavx512f -mavx512cd -mavx512dq -mavx512bw -mavx512vl

sources  = $(filter-out engine/simd/baseline.cpp engine/simd/avx2.cpp engine/simd/avx512.cpp engine/simd/neon.cpp,\
             $(shell find $(1) -name '*.cpp')) $(if $(filter engine,$(1)),$(KERNEL_FILES))
objects  = $(patsubst %.cpp,$(BUILD)/%.o,$(1))
library  = $(BUILD)/$(1).a
# What each floor may use: the floors below it.
below_engine :=
below_data   := engine
below_models := engine
below_ot     := engine
below_apps   := ot models data engine

all: $(PROGRAM)

$(BUILD)/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -c $< -o $@

# A floor's library, and the tests of that floor linked against it and the floors below alone.
define floor
$(call library,$(1)): $(call objects,$(filter-out apps/main.cpp,$(call sources,$(1))))
	@rm -f $$@
	$(AR) rcs $$@ $$^
$(BUILD)/tests/$(1)_tests: $(call objects,tests/main.cpp $(shell find tests/$(1) -name '*.cpp')) \
                           $(call library,$(1)) $(foreach b,$(below_$(1)),$(call library,$(b)))
	$(CXX) $(LDFLAGS) $$^ -o $$@ $(LDLIBS)
endef
$(foreach f,$(FLOORS),$(eval $(call floor,$(f))))

$(PROGRAM): $(call objects,apps/main.cpp) $(foreach f,apps ot models data engine,$(call library,$(f)))
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) $^ -o $@ $(LDLIBS)

clean:
	rm -rf build

format:
	clang-format -i $(shell git ls-files '*.h' '*.cpp' '*.inl')

.PHONY: all clean format
.SECONDARY:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
