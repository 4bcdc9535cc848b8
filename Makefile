# libmqclient: `make help` lists the targets. Everything built goes under $(BUILD).
BUILD   ?= build
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
DESTDIR ?=
CC      ?= cc
LD      ?= ld
OBJCOPY ?= objcopy
VERSION := $(shell sed -n 's/^\#define MQC_VERSION  *"\(.*\)"/\1/p' include/mqclient/api.h)
SOVERSION := 0

# The layers, each only above those before it: an object may use its own layer and those to its left.
LAYERS          := base protocol net services stats client trace producer consumer admin
# The embedded cluster is a library of its own on the lower ones; the client knows nothing of it.
EMBEDDED_LAYERS := base protocol net services embedded

PACKAGES := openssl jansson zlib liblz4 libzstd
# Only its headers: it is loaded when name servers are asked for over HTTP.
LOADED   := libcurl
DLOPEN_LIBS := $(if $(filter Linux,$(shell uname -s)),-ldl)
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wpointer-arith -Wformat=2 -Wundef
# CI sets WERROR=-Werror: a newer compiler's new warning must not break a user's build.
WERROR   ?=
SANITIZE ?=
OPTIMIZE ?= -O2 -g
POLLER   ?= $(if $(filter Linux,$(shell uname -s)),epoll,poll)
DEBUG    ?=
CPPFLAGS_ALL := -D_GNU_SOURCE -DMQC_POLLER_$(POLLER) $(if $(DEBUG),-DMQC_DEBUG) -Iinclude -I. $(CPPFLAGS)
SANITIZE_FLAGS = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer) \
                 $(if $(findstring undefined,$(SANITIZE)),-fno-sanitize-recover=undefined)
CFLAGS_ALL    = -std=c11 -fPIC -fvisibility=hidden -pthread $(OPTIMIZE) $(WARNINGS) $(WERROR) \
                $(SANITIZE_FLAGS) $(PACKAGE_CFLAGS) $(CFLAGS)
LDFLAGS_ALL   = -pthread $(SANITIZE_FLAGS) $(LDFLAGS)
# A sanitizer's run time is in the program: its libraries leave those symbols undefined.
SHARED_FLAGS  = -shared $(if $(SANITIZE),,-Wl,-z,defs)
# V=1 shows the commands.
Q   := $(if $(V),,@)
say  = $(if $(V),,@printf '  %-8s %s\n' $1 $@)
# Looked up when a compiler runs, so that `make deps` and `make help` work on a bare machine.
PACKAGE_CFLAGS = $(eval PACKAGE_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) $(LOADED))$(all_there))$(PACKAGE_CFLAGS)
# After pkg-config; an old make does not say how it ended.
all_there = $(if $(filter-out 0,$(.SHELLSTATUS)),$(error packages are missing: "make deps" installs them))
PACKAGE_LIBS   = $(eval PACKAGE_LIBS := $(shell pkg-config --libs $(PACKAGES)) $(DLOPEN_LIBS))$(PACKAGE_LIBS)
CHECK_LIBS     = $(eval CHECK_LIBS := $(shell pkg-config --libs check))$(CHECK_LIBS)

layer_folder  = $(if $(filter services,$1),services,lib/$1)
layer_sources = $(wildcard $(call layer_folder,$1)/*.c)
layer_objects = $(patsubst %.c,$(BUILD)/%.o,$(call layer_sources,$1))
layer_archive = $(BUILD)/layers/$1.a
# A layer's archive and those of all layers below it, in link order.
layers_from   = $(foreach l,$(call reverse,$(call upto,$1)),$(call layer_archive,$l))
reverse       = $(if $1,$(call reverse,$(wordlist 2,$(words $1),$1)) $(firstword $1))
upto          = $(call upto_walk,$1,$(if $(filter embedded,$1),$(EMBEDDED_LAYERS),$(LAYERS)))
upto_walk     = $(firstword $2) $(if $(filter $1,$(firstword $2)),,$(call upto_walk,$1,$(wordlist 2,$(words $2),$2)))

CLIENT_OBJECTS   := $(foreach l,$(LAYERS),$(call layer_objects,$l))
EMBEDDED_OBJECTS := $(foreach l,$(EMBEDDED_LAYERS),$(call layer_objects,$l))
TOOL_OBJECTS     := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/*.c))
LIBRARIES        := $(foreach l,mqclient mqembedded,$(BUILD)/lib$l.so $(BUILD)/lib$l.a $(BUILD)/$l.pc)

.PHONY: all
all: $(LIBRARIES) $(BUILD)/mqc  ## build the libraries and the tool

.PHONY: deps
deps:  ## install the packages that building and testing need, where they are missing
	@.ci/deps

.PHONY: deps-ci
deps-ci:  ## install what .ci/run needs beyond that (clang, valgrind, Java, Maven, …)
	@.ci/deps ci

.PHONY: demo
demo: all  ## watch producers and consumers at work on an embedded cluster
	@$(BUILD)/mqc demo

# ---- the libraries ----
# With -j too, `make deps all` compiles when everything is installed.
FIRST := $(filter deps deps-ci deps-doc,$(MAKECMDGOALS))
$(BUILD)/%.o: %.c | $(FIRST)
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# $(call members_rule,file,objects): what the file is made of is written beside it, anew only when it is something else,
# so that the file is made again also when a source has gone.
define members_rule
$1: $2 $1.members
$1.members: FORCE
	@mkdir -p $$(@D)
	@echo '$2' | cmp -s - $$@ || echo '$2' >$$@
endef
define archive_rule
$(call members_rule,$1,$2)
$1:
	@rm -f $$@
	$$(Q)$(AR) rcs $$@ $$(filter %.o,$$^)
endef
$(foreach l,$(LAYERS) embedded,$(eval $(call archive_rule,$(call layer_archive,$l),$(call layer_objects,$l))))

# One relocatable object a library, with every private name made local: it can clash with nothing of
# a user's, and both libraries can be in one program although both contain the lower layers.
$(eval $(call members_rule,$(BUILD)/mqclient.o,$(CLIENT_OBJECTS)))
$(BUILD)/mqclient.o:
	$(call say,LD)
	$(Q)$(LD) -r -o $@ $(filter %.o,$^)
	$(Q)$(OBJCOPY) --localize-hidden $@
# The public names that are not its own (mqc_status_name, mqc_log_to, …) stay libmqclient's. It has a logger
# of its own, which mqc_embedded_log_to leads to a sink.
$(eval $(call members_rule,$(BUILD)/mqembedded.o,$(EMBEDDED_OBJECTS)))
$(BUILD)/mqembedded.o:
	$(call say,LD)
	$(Q)$(LD) -r -o $@ $(filter %.o,$^)
	$(Q)$(OBJCOPY) --wildcard --keep-global-symbol='mqc_embedded_*' $@

$(BUILD)/lib%.so.$(SOVERSION): $(BUILD)/%.o
	$(call say,LINK)
	$(Q)$(CC) $(SHARED_FLAGS) -Wl,-soname,$(@F) $(LDFLAGS_ALL) -o $@ $< $(PACKAGE_LIBS)
$(BUILD)/lib%.so: $(BUILD)/lib%.so.$(SOVERSION)
	$(Q)ln -sf $(<F) $@
$(BUILD)/lib%.a: $(BUILD)/%.o
	$(call say,AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $<

$(BUILD)/mqc: $(TOOL_OBJECTS) $(BUILD)/libmqclient.so $(BUILD)/libmqembedded.so
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(TOOL_OBJECTS) -L$(BUILD) -lmqembedded -lmqclient $(PACKAGE_LIBS) \
	  -Wl,-rpath,'$$ORIGIN:$$ORIGIN/../lib'

# $(call pc_file,name,description,fields of its own): written anew only when it says something new.
define pc_file
@mkdir -p $(@D)
@printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))' 'includedir=$${prefix}/include' '' \
  'Name: $1' 'Description: $2' 'Version: $(VERSION)' 'Libs: -L$${libdir} -l$1' \
  'Libs.private: -pthread $(DLOPEN_LIBS)' 'Requires.private: $(PACKAGES)' 'Cflags: -I$${includedir}' $3 >$@.new
@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
endef
$(BUILD)/mqclient.pc: FORCE
	$(call pc_file,mqclient,C client for Apache RocketMQ)
$(BUILD)/mqembedded.pc: FORCE
	$(call pc_file,mqembedded,Apache RocketMQ cluster inside the process for tests,'Requires: mqclient')

# ---- installation ----
HEADERS   := $(wildcard include/mqclient/*.h)
installed  = $(DESTDIR)$(PREFIX)/$1
libraries  = $(DESTDIR)$(LIBDIR)/$1

.PHONY: install
install: all man completion $(BUILD)/mqclient-config-version.cmake  ## install below $(DESTDIR)$(PREFIX), libraries below $(DESTDIR)$(LIBDIR)
	install -d $(foreach f,include/mqclient bin share/doc/libmqclient/docs share/doc/libmqclient/examples,'$(call installed,$f)') \
	  $(foreach f,pkgconfig cmake/mqclient,'$(call libraries,$f)')
	install -m 644 $(HEADERS) '$(call installed,include/mqclient)'
	install -m 644 $(BUILD)/libmqclient.a $(BUILD)/libmqembedded.a '$(call libraries,)'
	install -m 755 $(BUILD)/libmqclient.so.$(SOVERSION) $(BUILD)/libmqembedded.so.$(SOVERSION) '$(call libraries,)'
	ln -sf libmqclient.so.$(SOVERSION) '$(call libraries,libmqclient.so)'
	ln -sf libmqembedded.so.$(SOVERSION) '$(call libraries,libmqembedded.so)'
	install -m 644 $(BUILD)/mqclient.pc $(BUILD)/mqembedded.pc '$(call libraries,pkgconfig)'
	install -m 644 tools/packaging/mqclient-config.cmake $(BUILD)/mqclient-config-version.cmake '$(call libraries,cmake/mqclient)'
	install -m 755 $(BUILD)/mqc '$(call installed,bin)'
	install -m 644 COPYING README.md CHANGELOG.md '$(call installed,share/doc/libmqclient)'
	install -m 644 docs/*.md '$(call installed,share/doc/libmqclient/docs)'
	install -m 644 tools/examples/*.c '$(call installed,share/doc/libmqclient/examples)'
	install -d $(foreach n,1 3,'$(call installed,share/man/man$n)')
	install -m 644 $(BUILD)/man/*.1 '$(call installed,share/man/man1)'
	install -m 644 $(BUILD)/man/*.3 '$(call installed,share/man/man3)'
	install -d $(foreach c,$(COMPLETIONS),'$(dir $(call installed,$c))')
	$(foreach c,$(COMPLETIONS),install -m 644 $(BUILD)/completion/$(notdir $c) '$(call installed,$c)' &&) true
	$(if $(DESTDIR),,$(REFRESH_LOADER))

# Programs find a new library in /usr/local/lib by the loader's cache; who may not write it needs an rpath anyway.
REFRESH_LOADER := @ldconfig 2>/dev/null || true
COMPLETIONS := share/bash-completion/completions/mqc share/zsh/site-functions/_mqc

INSTALLED           := $(HEADERS) bin/mqc $(COMPLETIONS) \
                       $(addprefix share/doc/libmqclient/,COPYING README.md CHANGELOG.md $(wildcard docs/*.md) \
                         $(patsubst tools/%,%,$(wildcard tools/examples/*.c)))
INSTALLED_LIBRARIES := $(foreach l,mqclient mqembedded,lib$l.a lib$l.so.$(SOVERSION) lib$l.so pkgconfig/$l.pc) \
                       $(foreach f,config config-version,cmake/mqclient/mqclient-$f.cmake)

.PHONY: uninstall
uninstall:  ## remove what install has put there
	rm -f $(foreach f,$(INSTALLED),'$(call installed,$f)') $(foreach f,$(INSTALLED_LIBRARIES),'$(call libraries,$f)')
	rm -f '$(call installed,share/man/man1/mqc.1)' '$(call installed,share/man/man3)'/mqc_*.3
	-rmdir $(foreach f,include/mqclient share/doc/libmqclient/docs share/doc/libmqclient/examples share/doc/libmqclient,'$(call installed,$f)') '$(call libraries,cmake/mqclient)'

$(BUILD)/mqclient-config-version.cmake: FORCE
	@mkdir -p $(@D)
	@sed 's/@VERSION@/$(VERSION)/' tools/packaging/mqclient-config-version.cmake >$@

.PHONY: man
man: $(BUILD)/mqc  ## write manual pages of the tool and of every public function to $(BUILD)/man
	@tools/packaging/make-man '$(VERSION)' $(BUILD)/mqc $(BUILD)/man

# Written anew only with a new tool.
.PHONY: completion
completion: $(BUILD)/completion/mqc  ## write what bash and zsh complete the tool's command line with
$(BUILD)/completion/mqc: $(BUILD)/mqc tools/packaging/make-completion
	@tools/packaging/make-completion $(BUILD)/mqc $(@D)

.PHONY: deb
deb:  ## build the Debian packages into $(BUILD)/deb (debhelper)
	@tools/packaging/make-deb '$(VERSION)' '$(abspath $(BUILD))/deb'

.PHONY: check-deb
check-deb:  ## build the Debian packages twice, compare them, and have lintian look at them
	@tools/packaging/check-deb '$(VERSION)' '$(abspath $(BUILD))/check-deb'

.PHONY: deps-doc
deps-doc:  ## install doxygen, which `make doc` needs
	@.ci/deps doc

# A warning of doxygen's, or a link that leads nowhere, is an error.
.PHONY: doc
doc:  ## make a site of the API and of docs, with search: $(BUILD)/doc/index.html (doxygen)
	@command -v doxygen >/dev/null || { echo 'doc needs doxygen: make deps-doc'; exit 1; }
	@rm -rf $(BUILD)/doc && mkdir -p $(BUILD)/doc
	@VERSION=$(VERSION) OUTPUT=$(BUILD)/doc doxygen docs/site/Doxyfile
	@test/docs/check-site $(BUILD)/doc

# ---- tests ----
UNIT_SOURCES  := $(wildcard test/unit/*/check_*.c)
UNIT_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(UNIT_SOURCES)) $(BUILD)/test/unit/net/check_poller_poll \
                 $(BUILD)/test/unit/base/check_bell_poll
# The other files of a folder of tests are helpers: each program takes what it uses from those of its layer
# and of the layers below.
helper_objects = $(patsubst %.c,$(BUILD)/%.o,$(filter-out $1/check_%,$(wildcard $1/*.c)))

# A unit test sees its own layer and those below, nothing above: the layering is checked by the linker.
define unit_rule
$(call archive_rule,$(BUILD)/test/unit/$1/helpers.a,$(call helper_objects,test/unit/$1))
$(patsubst %.c,$(BUILD)/%,$(filter test/unit/$1/%,$(UNIT_SOURCES))): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/test/unit/unit.o \
    $(foreach l,$(call reverse,$(call upto,$1)),$(BUILD)/test/unit/$l/helpers.a) $(call layers_from,$1)
	$$(call say,LINK)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $$(PACKAGE_LIBS) $$(CHECK_LIBS)
endef
$(foreach l,$(LAYERS) embedded,$(eval $(call unit_rule,$l)))

# What is for systems without epoll and futexes, tested on those that have them too.
$(BUILD)/poll/%.o: %.c | $(FIRST)
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -UMQC_POLLER_epoll -DMQC_POLLER_poll $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
$(BUILD)/test/unit/net/check_poller_poll: $(BUILD)/poll/test/unit/net/check_poller.o $(BUILD)/poll/lib/net/poller_poll.o \
    $(BUILD)/test/unit/unit.o $(BUILD)/test/unit/net/helpers.a $(call layers_from,net)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PACKAGE_LIBS) $(CHECK_LIBS)
$(BUILD)/test/unit/base/check_bell_poll: $(BUILD)/poll/test/unit/base/check_bell.o $(BUILD)/poll/lib/base/bell.o \
    $(BUILD)/test/unit/unit.o $(BUILD)/test/unit/base/helpers.a $(call layers_from,base)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PACKAGE_LIBS) $(CHECK_LIBS)

# A contract test and an example are users' programs: they have the public API and nothing else.
CONTRACT_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard test/contract/check_*.c))
EXAMPLE_PROGRAMS  := $(patsubst %.c,$(BUILD)/%,$(wildcard test/examples/check_*.c))
$(CONTRACT_PROGRAMS): $(call helper_objects,test/contract)
$(EXAMPLE_PROGRAMS): $(call helper_objects,test/examples)
$(CONTRACT_PROGRAMS) $(EXAMPLE_PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libmqclient.so $(BUILD)/libmqembedded.so
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) -L$(BUILD) -lmqembedded -lmqclient $(CHECK_LIBS) \
	  -Wl,-rpath,'$(abspath $(BUILD))'

# The programs for users to copy. libuv is not needed for anything else.
EXAMPLES := $(patsubst %.c,$(BUILD)/%,$(filter-out $(if $(shell pkg-config --exists libuv 2>/dev/null || echo none),%_uv.c),\
              $(wildcard tools/examples/*.c)))
$(EXAMPLES): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libmqclient.so $(BUILD)/libmqembedded.so
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< -L$(BUILD) -lmqembedded -lmqclient $(if $(filter %_uv,$@),$$(pkg-config --libs libuv)) \
	  -Wl,-rpath,'$$ORIGIN/../..'

.PHONY: examples
examples: $(EXAMPLES)  ## build the programs of tools/examples

# The tool with the roles of test/tool/fake_*.c under it instead of the library's: of a function that
# both have, the linker takes the first.
FAKE_TOOL := $(BUILD)/test/tool/mqc-fake
$(FAKE_TOOL): $(TOOL_OBJECTS) $(patsubst %.c,$(BUILD)/%.o,$(wildcard test/tool/fake_*.c)) $(BUILD)/libmqembedded.a $(call layers_from,$(lastword $(LAYERS)))
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS_ALL) -Wl,-z,muldefs -o $@ $^ $(PACKAGE_LIBS)

# Programs of the public libraries alone that scripts run: a load for the real broker, lives for valgrind.
PUBLIC_PROGRAMS := $(BUILD)/test/broker/load $(BUILD)/test/leaks/lives \
                   $(BUILD)/test/instructions/paths
$(PUBLIC_PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libmqclient.so $(BUILD)/libmqembedded.so
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< -L$(BUILD) -lmqclient -lmqembedded -Wl,-rpath,'$(abspath $(BUILD))'

# What must hold when something fails: the insides of the client and, as a library of its own, the cluster.
FAULT_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard test/fault/check_*.c))
# Calls of the system that a test can make fail lead to test/fault/failing_calls.c.
FAILING_CALLS  := $(shell sed -nE 's/^CALL(_WHEN.[^,]*,|[^_])[^,]*, ([a-z0-9_]+),.*/-Wl,--wrap=\2/p' test/fault/failing_calls.def)
$(FAULT_PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(call helper_objects,test/fault) $(BUILD)/test/unit/unit.o \
    $(BUILD)/test/unit/net/certificates.o $(call layers_from,admin) \
    $(BUILD)/libmqembedded.so
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS_ALL) $(FAILING_CALLS) -o $@ $(filter-out %.so,$^) -L$(BUILD) -lmqembedded $(PACKAGE_LIBS) $(CHECK_LIBS) \
	  -Wl,-rpath,'$(abspath $(BUILD))'

# Processes that come, go and die while the cluster fails, and a ledger that judges it: see test/chaos/chaos.h.
CHAOS_OBJECTS  := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/main.c %/check_chaos.c,$(wildcard test/chaos/*.c)))
CHAOS_PROGRAMS := $(BUILD)/test/chaos/chaos $(BUILD)/test/chaos/check_chaos
$(BUILD)/test/chaos/chaos: $(BUILD)/test/chaos/main.o
$(BUILD)/test/chaos/check_chaos: $(BUILD)/test/chaos/check_chaos.o
$(CHAOS_PROGRAMS): $(CHAOS_OBJECTS) $(BUILD)/libmqclient.so $(BUILD)/libmqembedded.so
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) -L$(BUILD) -lmqembedded -lmqclient $(CHECK_LIBS) \
	  -Wl,-rpath,'$(abspath $(BUILD))'

# ---- fuzzing: each target in two programs, one that replays files and one with libFuzzer ----
FUZZ_SOURCES  := $(wildcard test/fuzz/*/fuzz_*.c)
FUZZ_TARGETS  := $(patsubst fuzz_%.c,%,$(notdir $(FUZZ_SOURCES)))
FUZZ_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(FUZZ_SOURCES))
FUZZ_SECONDS  ?= 60
# Set in the build folder of `make fuzz` only.
FUZZER        ?=
define fuzz_rule
$(patsubst %.c,$(BUILD)/%,$(filter test/fuzz/$1/%,$(FUZZ_SOURCES))): $(BUILD)/%: $(BUILD)/%.o \
    $(if $(FUZZER),,$(BUILD)/test/fuzz/replay.o) $(call layers_from,$1)
	$$(call say,LINK)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) $(if $(FUZZER),-fsanitize=fuzzer) -o $$@ $$^ $$(PACKAGE_LIBS)
endef
$(foreach l,$(LAYERS) embedded,$(eval $(call fuzz_rule,$l)))

.PHONY: check-fuzz
check-fuzz: $(FUZZ_PROGRAMS)  ## give the seeds and former findings of fuzzing to every decoder
	@test/fuzz/make-seeds $(BUILD)/fuzz/seeds
	@test/run-steps $(foreach p,$(FUZZ_PROGRAMS),'$(notdir $p)=$p $(wildcard test/fuzz/corpus/$(patsubst fuzz_%,%,$(notdir $p))/*) \
	  $$(find $(BUILD)/fuzz/seeds/$(patsubst fuzz_%,%,$(notdir $p)) -type f 2>/dev/null)')

.PHONY: fuzz
fuzz:  ## fuzz the decoders: FUZZ_SECONDS each, FUZZ_TARGETS="frames bodies …" (clang)
	+@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang FUZZER=1 OPTIMIZE="-O1 -g" \
	  SANITIZE=fuzzer-no-link,address,undefined fuzz-programs
	@BUILD=$(BUILD)/fuzz SECONDS_EACH=$(FUZZ_SECONDS) test/fuzz/run $(FUZZ_TARGETS)

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)

CHECKS := check-unit check-tool check-admin check-doctor check-completion check-contract check-examples check-fault check-fuzz check-symbols check-docs check-install

.PHONY: check
check: all tests  ## run all tests that need no broker; the last line counts them
	@+test/run-steps $(foreach c,$(CHECKS),'$c=$(MAKE) --no-print-directory $c')

.PHONY: tests
tests: $(UNIT_PROGRAMS) $(CONTRACT_PROGRAMS) $(EXAMPLE_PROGRAMS) $(PUBLIC_PROGRAMS) $(FAKE_TOOL) $(FAULT_PROGRAMS) $(CHAOS_PROGRAMS) $(FUZZ_PROGRAMS) $(EXAMPLES)  ## build all test programs

.PHONY: check-unit
check-unit: $(UNIT_PROGRAMS)  ## run the unit tests
	@test/run-suites $(UNIT_PROGRAMS)

.PHONY: check-contract
check-contract: $(CONTRACT_PROGRAMS)  ## run the contract suite on the embedded cluster
	@JOBS=$${JOBS:-$$((4 * $$(nproc)))} TEST_LOGS=$(BUILD)/contract/embedded test/run-suites $(CONTRACT_PROGRAMS)

.PHONY: contract-table
contract-table:  ## write docs/contract.md from what check-contract and check-broker have left
	@mkdir -p $(BUILD)/contract
	@test/contract-table $(BUILD)/contract/embedded $(BUILD)/contract/real >$(BUILD)/contract/table.md
	@cp $(BUILD)/contract/table.md docs/contract.md

.PHONY: check-examples
check-examples: $(EXAMPLE_PROGRAMS) $(EXAMPLES) $(BUILD)/mqc  ## run the examples, and the tests of the example application
	@test/examples/check-excerpts
	@test/examples/check-programs $(BUILD)
	@test/run-suites $(EXAMPLE_PROGRAMS)

.PHONY: check-fault
check-fault: $(FAULT_PROGRAMS) $(CHAOS_PROGRAMS)  ## run the tests of what must hold when something fails
	@test/run-suites $(FAULT_PROGRAMS) $(BUILD)/test/chaos/check_chaos

CHAOS_MODES := concurrent orderly pop
SEED        ?= 0
MINUTES     ?= 30
HOURS       ?= 1
.PHONY: chaos
chaos: $(CHAOS_PROGRAMS)  ## consumers that come, go and die on failing embedded brokers: MINUTES, at ten times the speed; SEED
	@test/run-steps $(foreach m,$(CHAOS_MODES),'$m=$(BUILD)/test/chaos/chaos run mode=$m speed=10 \
	  seconds=$$(($(MINUTES) * 6)) seed=$(SEED) 2>$(BUILD)/chaos-$m.log || { grep -m 20 FAILED $(BUILD)/chaos-$m.log; exit 1; }')

.PHONY: chaos-broker
chaos-broker: $(CHAOS_PROGRAMS)  ## the same on real brokers, in real time: five minutes for each way to consume (Java 17, Maven)
	@MQC_BUILD='$(abspath $(BUILD))' test/run-steps $(foreach m,$(CHAOS_MODES),'$m=test/chaos/on-broker 300 $m seed=$(SEED)')

.PHONY: soak
soak: $(CHAOS_PROGRAMS)  ## HOURS of the same on real brokers, with memory, threads and descriptors watched (Java 17, Maven)
	@MQC_BUILD='$(abspath $(BUILD))' test/chaos/on-broker $$(awk 'BEGIN { print int($(HOURS) * 3600) }') concurrent resident=1 \
	  seed=$(SEED)

.PHONY: check-tool
check-tool: $(FAKE_TOOL) $(BUILD)/mqc  ## check the command line tool
	@test/tool/check-pulling $(BUILD)/mqc
	@test/tool/check-reply $(BUILD)/mqc
	@test/tool/check-demo $(BUILD)/mqc
	@test/tool/check-tool $(FAKE_TOOL)

.PHONY: check-admin
check-admin: $(BUILD)/mqc  ## check the tool's administration on an embedded cluster
	@test/tool/check-admin $(BUILD)/mqc

.PHONY: check-completion
check-completion: completion  ## check what bash and zsh complete
	@test/tool/check-completion $(BUILD)/mqc $(BUILD)/completion

.PHONY: check-doctor
check-doctor: $(BUILD)/mqc  ## check mqc doctor on embedded clusters that have something wrong with them
	@test/tool/check-doctor $(BUILD)/mqc

.PHONY: check-symbols
check-symbols: $(LIBRARIES)  ## check that the libraries export the public API, and that it fits programs built before
	@CC='$(CC)' test/lint/symbols $(BUILD)

.PHONY: symbols
symbols: $(LIBRARIES)  ## record functions, structs and constants as they are now, for check-symbols and make deb
	@CC='$(CC)' test/lint/symbols $(BUILD) --record

.PHONY: check-docs
check-docs: all  ## compile every program in README.md and docs, compare the generated pages
	@test/docs/check-docs $(BUILD)

.PHONY: check-install
check-install: all  ## install, build against what was installed, uninstall
	@test/install/check-install $(BUILD)

BROKER_SUITES ?= plain tls acl old pair two embedded
.PHONY: check-broker
check-broker: all tests  ## run the tests on real RocketMQ brokers (Java 17, Maven); BROKER_SUITES names some of them
	@command -v java mvn >/dev/null || { echo 'check-broker needs Java 17 and Maven: make deps-ci'; exit 1; }
	+@$(if $(filter sanitized,$(BROKER_SUITES)),$(MAKE) --no-print-directory sanitized-tests)
	@MQC_BUILD='$(abspath $(BUILD))' test/broker/check-all $(BROKER_SUITES)

.PHONY: sanitized-tests
sanitized-tests:
	+@$(call sanitized_make,asan) all tests
	+@$(call sanitized_make,tsan) all tests

# ---- sanitizers: the unit tests and the contract suite in a build folder of their own ----
SANITIZED      := check-unit check-contract check-examples check-fault check-fuzz
sanitize_asan  := SANITIZE=address,undefined
sanitize_tsan  := SANITIZE=thread CC=clang
sanitized_make  = $(MAKE) --no-print-directory BUILD=$(BUILD)/$1 DEBUG=1 OPTIMIZE="-O1 -g" $(sanitize_$1)
sanitized       = $(foreach c,$(SANITIZED),'$1 $c=$(call sanitized_make,$1) $c')

.PHONY: asan
asan:  ## run the tests under the address and undefined behaviour sanitizers
	@+ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 \
	  test/run-steps $(call sanitized,asan)

.PHONY: tsan
tsan:  ## run the tests under the thread sanitizer (clang)
	@+TSAN_OPTIONS='second_deadlock_stack=1 suppressions=$(abspath test/tsan.suppressions)' \
	  test/run-steps $(call sanitized,tsan)

# ---- what the tests reach; not optimised, so that lines are what they seem ----
COVERED       := check-unit check-contract check-fault check-fuzz check-tool check-admin check-doctor
coverage_make  = $(MAKE) --no-print-directory BUILD=$(BUILD)/coverage OPTIMIZE="-O0 -g" CFLAGS=--coverage LDFLAGS=--coverage
.PHONY: coverage
coverage:  ## say how much of lib and services the tests reach: at least 90 % of the lines
	@find $(BUILD)/coverage -name '*.gcda' -delete 2>/dev/null; true
	+@$(coverage_make) all tests
	-+@test/run-steps $(foreach c,$(COVERED),'$c=$(coverage_make) $c')
	@test/coverage $(BUILD)/coverage

# ---- another architecture ----
ARM64      := $(BUILD)/arm64
ARM64_ROOT := $(abspath $(ARM64))/sysroot
arm64_make  = PKG_CONFIG_SYSROOT_DIR=$(ARM64_ROOT) \
  PKG_CONFIG_LIBDIR=$(ARM64_ROOT)/usr/lib/aarch64-linux-gnu/pkgconfig:$(ARM64_ROOT)/usr/share/pkgconfig \
  $(MAKE) --no-print-directory BUILD=$(ARM64) CC='$(ARM64_CC) --sysroot=$(ARM64_ROOT)' AR=aarch64-linux-gnu-ar \
  LD=aarch64-linux-gnu-ld OBJCOPY=aarch64-linux-gnu-objcopy LDFLAGS=
ARM64_CC   ?= aarch64-linux-gnu-gcc

.PHONY: check-arm64
check-arm64:  ## build for arm64 and run the unit tests with qemu (Debian; downloads the other architecture's libraries)
	@.ci/deps arm64
	@.ci/sysroot arm64 $(ARM64)/sysroot
	+@$(arm64_make) all
	+@RUN_WITH='qemu-aarch64 -L $(ARM64_ROOT)' CK_TIMEOUT_MULTIPLIER=10 $(arm64_make) check-unit

.PHONY: valgrind
valgrind: $(BUILD)/test/leaks/lives  ## look for leaks over 1,000 lives of clients
	@valgrind -q --leak-check=full --show-leak-kinds=definite,indirect,possible \
	  --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=9 $< 1000

.PHONY: check-instructions
check-instructions: $(BUILD)/test/instructions/paths  ## count the instructions of the hot paths with valgrind
	@CC='$(CC)' test/instructions/check $(BUILD)

.PHONY: bench-report
bench-report:  ## draw docs/bench/*.svg from the results recorded there (gnuplot)
	@docs/bench/report

# ---- style ----
SOURCES := $(sort $(shell find lib services tools include test -name '*.[ch]'))
LINTS   := layers threads texts sizes locks
.PHONY: lint
lint:  ## check layers, threads, locks, sizes, texts and format
	@+test/run-steps $(foreach l,$(LINTS),'$l=test/lint/$l') 'format=clang-format --dry-run -Werror $(SOURCES)'

.PHONY: format
format:  ## format the sources
	clang-format -i $(SOURCES)

.PHONY: clean
clean:  ## remove everything built
	rm -rf $(BUILD)

.PHONY: help
help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  *## \(.*\)/  \1\t\2/p' Makefile | expand -t 18

.PHONY: FORCE
FORCE:
.SECONDARY:
-include $(patsubst %.o,%.d,$(sort $(CLIENT_OBJECTS) $(EMBEDDED_OBJECTS) $(TOOL_OBJECTS))) \
  $(wildcard $(BUILD)/tools/*/*.d $(BUILD)/test/*/*.d $(BUILD)/test/*/*/*.d $(BUILD)/poll/*/*/*.d $(BUILD)/poll/*/*/*/*.d)
