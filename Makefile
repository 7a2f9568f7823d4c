# Yinzheng: one Makefile, no recursion. `make help` lists the targets.
# Switches: V=1 full commands, DEV=1 warnings are errors, SAN=address,undefined or SAN=thread, CC=clang.

SHARED ?= ../shared
VERSION := 0.1.0
.DEFAULT_GOAL := all

comma := ,
B := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))$(if $(findstring clang,$(CC)),/clang)

# pkg-config is asked only when something is compiled, so that `make deps` works on a bare machine.
LIB_PKGS := libcrypto libgcrypt sqlite3 libpq libqrencode zbar libpng libjpeg cairo pangocairo libcbor jansson inih libzip libxml-2.0
RPC_PKGS := grpc gpr libprotobuf-c
pkg_cflags = $(eval pkg_cflags := $$(shell pkg-config --cflags $(LIB_PKGS) $(RPC_PKGS)))$(pkg_cflags)
lib_ldlibs = $(eval lib_ldlibs := $$(shell pkg-config --libs $(LIB_PKGS)) -pthread -lm)$(lib_ldlibs)
rpc_ldlibs = $(eval rpc_ldlibs := -lgrpc -lgpr $$(shell pkg-config --libs libprotobuf-c libmicrohttpd libsystemd))$(rpc_ldlibs)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes -Wvla -Wformat=2 -Wno-unused-parameter
CFLAGS ?= -O2 -g
SAN_FLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DYZ_VERSION='"$(VERSION)"' $(WARN) $(if $(DEV),-Werror) \
	-fstack-protector-strong -fPIE $(CFLAGS) $(SAN_FLAGS) $(OWN_FLAGS) -Ilib -I. -isystem $(B)/gen $(subst -I,-isystem ,$(pkg_cflags))
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SAN_FLAGS) $(LDFLAGS)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

# ---- sources -------------------------------------------------------------------------------------------------
LIB_C := $(wildcard lib/*/*.c)
SERVER_C := $(wildcard server/*.c)
CLI_C := $(filter-out cli/main.c,$(wildcard cli/*.c))
ONLINE_C := $(wildcard cli/online/*.c)
UNIT_C := $(wildcard tests/unit/test_*.c)
FUZZ_C := $(wildcard tests/fuzz/fuzz_*.c)

# The contract, and the standard services from Debian's grpc-proto.
PROTO_ROOT := /usr/share/grpc-proto
PROTOS := $(wildcard proto/yinzheng/v1/*.proto)
STD_PROTOS := grpc/health/v1/health.proto grpc/reflection/v1/reflection.proto grpc/reflection/v1alpha/reflection.proto
GEN_C := $(patsubst proto/%.proto,$(B)/gen/%.pb-c.c,$(PROTOS)) $(patsubst %.proto,$(B)/gen/%.pb-c.c,$(STD_PROTOS))
GEN_H := $(GEN_C:.c=.h)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
GEN_O := $(patsubst $(B)/gen/%.c,$(B)/obj/gen/%.o,$(GEN_C))
UNIT_BIN := $(patsubst tests/unit/%.c,$(B)/tests/%,$(UNIT_C))
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_C))

.PHONY: crash soak overload diff-sm2 deb deb-test all sm2-unit sm2-check cross-aarch64 bench-sm2 deps deps-test demo test unit corpus ct bench bench-verify bench-load bench-size e2e failover failover-patroni fuzz fuzz-run layers format install clean help pki lib race e2e-postgres
.SECONDARY:

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

all: $(B)/yinzheng $(B)/yinzhengd $(B)/yinzheng-online ## build everything

deps: ## install what a build needs (Debian packages; as root or with sudo)
	@scripts/deps.sh build
deps-test:
	@scripts/deps.sh test

# `demo` and `test` must work on a machine without any package, so they install first and then start make anew.
demo: deps ## install, build, and tell the story with a real server
	@$(MAKE) --no-print-directory all
	@scripts/demo.sh $(B)

test: deps-test ## install, build, and run every test
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory layers unit corpus ct fuzz e2e e2e-postgres

# ---- build ---------------------------------------------------------------------------------------------------
$(B)/libyinzheng.a: $(call obj,$(LIB_C))
$(B)/libcli.a: $(call obj,$(CLI_C))
$(B)/libserver.a: $(call obj,$(filter-out server/main.c,$(SERVER_C))) $(GEN_O)
$(B)/libproto.a: $(GEN_O)
$(B)/%.a:
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
lib: $(B)/libyinzheng.a

$(B)/yinzheng: $(call obj,cli/main.c) $(B)/libcli.a $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(lib_ldlibs)
$(B)/yinzheng-online: $(call obj,$(ONLINE_C)) $(B)/libcli.a $(B)/libproto.a $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(lib_ldlibs) $(rpc_ldlibs)
$(B)/yinzhengd: $(call obj,server/main.c) $(B)/libserver.a $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(lib_ldlibs) $(rpc_ldlibs)

$(B)/obj/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/obj/gen/%.o: $(B)/gen/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -w -MMD -MP -c -o $@ $<
# Objects that speak protobuf need the generated headers first.
$(call obj,$(SERVER_C) $(ONLINE_C) $(filter tests/unit/test_server_% tests/fuzz/fuzz_message%,$(UNIT_C) $(FUZZ_C))): | $(GEN_H)
$(GEN_O): | $(GEN_H)
# The shipped policies too.
$(B)/obj/lib/verify/policy_shipped.o: $(wildcard share/policy/*.ini)
# The descriptor set is embedded by .incbin, which the dependency files do not see.
$(B)/obj/server/reflect.o: $(B)/gen/contract.desc
$(B)/obj/server/reflect.o: private OWN_FLAGS := -DCONTRACT_DESC='"$(B)/gen/contract.desc"'

$(B)/gen/yinzheng/%.pb-c.c $(B)/gen/yinzheng/%.pb-c.h: proto/yinzheng/%.proto
	$(call say,GEN,$<)
	$(Q)command -v protoc-c >/dev/null || { echo "protoc-c is not there: run 'make deps' first" >&2; exit 1; }
	$(Q)mkdir -p $(B)/gen && protoc-c -I proto --c_out=$(B)/gen $<
$(B)/gen/grpc/%.pb-c.c $(B)/gen/grpc/%.pb-c.h: $(PROTO_ROOT)/grpc/%.proto
	$(call say,GEN,grpc/$*.proto)
	$(Q)mkdir -p $(B)/gen && protoc-c -I $(PROTO_ROOT) --c_out=$(B)/gen $<
$(B)/gen/contract.desc: $(PROTOS)
	$(call say,GEN,$@)
	$(Q)mkdir -p $(B)/gen && protoc -I proto -I $(PROTO_ROOT) --include_imports --descriptor_set_out=$@ \
		$(patsubst proto/%,%,$(PROTOS)) $(STD_PROTOS)

# ---- tests ---------------------------------------------------------------------------------------------------
# Unit tests of the server (test_server_*) and of the command line (test_cli_*) link it; all others link the library alone.
$(B)/tests/test_server_%: $(B)/obj/tests/unit/test_server_%.o $(B)/libserver.a $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(lib_ldlibs) $(rpc_ldlibs)
$(B)/tests/test_cli_%: $(B)/obj/tests/unit/test_cli_%.o $(B)/libcli.a $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(lib_ldlibs)
$(B)/tests/test_%: $(B)/obj/tests/unit/test_%.o $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(lib_ldlibs)

# SM2 judged in every way there is (tests/diff/judge.h): the published cases, the differential program, the fuzz target.
$(B)/tests/test_sm2_cases: $(B)/obj/tests/unit/test_sm2_cases.o $(B)/obj/tests/diff/judge.o $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(lib_ldlibs)
$(B)/diff_sm2: $(call obj,$(wildcard tests/diff/*.c)) $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(lib_ldlibs)
DIFF_CASES ?= 1000000
DIFF_SHORT ?= 10000
DIFF_PROCESSES ?= 2
DIFF_SEED ?= 1
diff-sm2: $(B)/diff_sm2 ## our SM2 beside OpenSSL's on DIFF_CASES (1000000) random and ill-natured inputs
	@$(B)/diff_sm2 $(DIFF_CASES) $(DIFF_PROCESSES) $(DIFF_SEED)

unit: $(UNIT_BIN) $(B)/diff_sm2 ## unit tests and vectors (cmocka)
	@scripts/unit.sh $(UNIT_BIN)
	@$(B)/diff_sm2 $(DIFF_SHORT) 1 $(DIFF_SEED) >$(B)/diff_sm2.log || { cat $(B)/diff_sm2.log; exit 1; }
	@tail -1 $(B)/diff_sm2.log

# SM2, SM3 and what they stand on, alone: with both compilers, without an optimizer, under sanitizers, and on another
# architecture. The tests force every path that the machine has.
SM2_BIN := $(patsubst tests/unit/%.c,$(B)/tests/%,$(filter tests/unit/test_sm2% tests/unit/test_sm3% \
	tests/unit/test_crypto% tests/unit/test_signer%,$(UNIT_C)))
CRYPTO_C := $(filter-out lib/base/ini%,$(filter lib/base/% lib/crypto/%,$(LIB_C)))
sm2-unit: $(SM2_BIN)
	@scripts/unit.sh $(SM2_BIN)
sm2-check: ## the SM2 and SM3 tests: gcc and clang, -O0 and -O2, sanitizers
	@for cc in gcc clang; do for o in 0 2; do echo "$$cc -O$$o"; \
		$(MAKE) --no-print-directory CC=$$cc CFLAGS="-O$$o -g" B=build/sm2/$$cc-O$$o LIB_C='$(CRYPTO_C)' sm2-unit || \
		exit 1; done; echo "$$cc, sanitizers"; \
		$(MAKE) --no-print-directory CC=$$cc CFLAGS='-O1 -g' SAN=address,undefined B=build/sm2/$$cc-san \
		LIB_C='$(CRYPTO_C)' sm2-unit || exit 1; done
CROSS_B := build/aarch64
SYSROOT = $(CURDIR)/$(CROSS_B)/sysroot
cross-aarch64: ## install a cross-compiler, build lib/crypto for 64-bit Arm, run its tests in an emulator
	@scripts/deps.sh cross && scripts/sysroot.sh $(CROSS_B)/sysroot arm64
	@RUN='qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=$(SYSROOT)/usr/lib/aarch64-linux-gnu:$(SYSROOT)/lib/aarch64-linux-gnu' \
		$(MAKE) --no-print-directory B=$(CROSS_B) CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar \
		LIB_C='$(CRYPTO_C)' \
		pkg_cflags='-I$(SYSROOT)/usr/include -I$(SYSROOT)/usr/include/aarch64-linux-gnu' \
		lib_ldlibs='-L$(SYSROOT)/usr/lib/aarch64-linux-gnu -Wl,-rpath-link,$(SYSROOT)/lib/aarch64-linux-gnu -lcrypto -lgcrypt -lgpg-error -ljansson -pthread -lm' sm2-unit

# The public negative corpus (tests/corpus/README.md): made anew each time, then every case is judged.
$(B)/make_corpus: $(call obj,$(wildcard tests/corpus/*.c)) $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(lib_ldlibs)
corpus: $(B)/make_corpus $(B)/yinzheng ## make the negative corpus and judge every case of it
	@rm -rf $(B)/corpus && $(B)/make_corpus $(B)/corpus && tests/corpus/run.py $(B)/corpus $(B)/yinzheng

# Signing under valgrind with its secrets marked as undefined (tests/ct/ct_sign.c): the shipped objects, but for the file
# that says where a secret ends. (Debian's valgrind cannot read clang's debug information.)
$(B)/obj/ct/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -DYZ_CT_CHECK -MMD -MP -c -o $@ $<
$(B)/ct_sign: $(B)/obj/ct/tests/ct/ct_sign.o $(B)/obj/ct/lib/crypto/sm2_sign.o $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(if $(findstring clang,$(CC)),-Wl$(comma)-S) -o $@ $^ $(lib_ldlibs)
ct: $(B)/ct_sign ## constant time of signing, checked by valgrind
	@tests/ct/run.sh $(B)/ct_sign

# Fuzz targets are built with clang and libFuzzer into their own folder and run on their seeds for FUZZ_SECONDS each.
FUZZ_SECONDS ?= 5
fuzz: ## build the fuzz targets and run each for FUZZ_SECONDS (5)
	@$(MAKE) --no-print-directory CC=clang SAN=fuzzer-no-link,address,undefined CFLAGS='-O1 -g' fuzz-run
fuzz-run: $(FUZZ_BIN)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz.sh $(FUZZ_BIN)
$(B)/fuzz/fuzz_message: $(B)/obj/tests/fuzz/fuzz_message.o $(B)/libserver.a $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $^ $(lib_ldlibs) $(rpc_ldlibs)
$(B)/fuzz/fuzz_sm2: $(B)/obj/tests/fuzz/fuzz_sm2.o $(B)/obj/tests/diff/judge.o $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $^ $(lib_ldlibs)
$(B)/fuzz/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $^ $(lib_ldlibs)

# Benchmarks measure beside a floor, in interleaved turns (docs/benchmarks.md); they assert nothing.
VERIFY_BENCH_C := tests/bench/bench_verify.c $(wildcard tests/bench/verify_*.c) \
	$(patsubst %,tests/corpus/%.c,cms package pki ses tools)
$(B)/bench_verify: $(call obj,$(VERIFY_BENCH_C)) $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(lib_ldlibs)
bench-verify: $(B)/bench_verify $(B)/yinzheng ## how fast a verification is, beside its floor
	@$(B)/bench_verify $(B)/yinzheng $(B)/bench $(SHARED)/corpus/ofd
# SM2 and SM3 beside OpenSSL's, and whether the time of a signature tells its secrets (docs/sm2.md).
$(B)/bench_sm2: $(call obj,$(wildcard tests/bench/bench_sm2*.c)) $(B)/libyinzheng.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(lib_ldlibs)
bench-sm2: $(B)/bench_sm2 ## how fast SM2 and SM3 are, beside OpenSSL
	@mkdir -p $(B)/bench && $(B)/bench_sm2 $(B)/bench
# A large store for measuring; not shipped.
$(B)/make_store: $(call obj,tests/bench/make_store.c)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(lib_ldlibs)
bench-load: all $(B)/make_store ## how fast the service is, on SQLite and PostgreSQL, beside calls that do nothing
	@tests/bench/bench_load.sh $(B)
overload: all ## three times the pulls that can be answered: what is still answered, and how fast (STORE=postgres too)
	@YZ_MAIN=tests/bench/overload.py tests/e2e/run.sh $(B) $(B)/bench/overload.json
bench-size: all $(B)/make_store ## what a call costs with ten thousand and with ten million licences (25 GB of disk)
	@tests/bench/bench_size.sh $(B)
bench: bench-verify bench-sm2 bench-load ## every benchmark but bench-size

e2e: all ## end-to-end: the real server, driven by Python grpcio and by the CLI
	@tests/e2e/run.sh $(B)

# ---- proofs that take long -----------------------------------------------------------------------------------
ROUNDS ?= 500
$(B)/io_fault.so: tests/crash/io_fault.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(CFLAGS) -shared -fPIC -o $@ $< -ldl
crash: all $(B)/io_fault.so ## ROUNDS (500) kills under load; STORE=postgres kills the database in its turn
	@YZ_MAIN=tests/crash/crash.py tests/e2e/run.sh $(B) $(ROUNDS)

# The whole suite passes on PostgreSQL too: STORE=postgres make e2e. Here the part that meets the store most.
e2e-postgres: all ## the end-to-end tests of the store, the main job and several servers, on PostgreSQL
	@STORE=postgres tests/e2e/run.sh $(B) test_main_job test_servers test_store test_copies test_refusals

SOAK ?= 1800
soak: all ## SOAK (1800) seconds of mixed load beside clients that misbehave: memory and descriptors stay flat
	@YZ_MAIN=tests/soak/soak.py tests/e2e/run.sh $(B) $(SOAK)

failover: ROUNDS = 20
failover-patroni: ROUNDS = 5
failover: all ## ROUNDS (20) times the primary is killed under load and the synchronous replica promoted by hand
	@YZ_MAIN=tests/crash/failover.py tests/e2e/run.sh $(B) $(ROUNDS)
failover-patroni: all ## the same under Patroni and etcd (installs them), where nobody does anything
	@scripts/deps.sh ha && YZ_MAIN=tests/crash/failover.py tests/e2e/run.sh $(B) $(ROUNDS) patroni

race: all ## two servers on one PostgreSQL, 64 clients racing to redeem each of 500 codes
	@STORE=postgres YZ_MAIN=tests/race/main.py tests/e2e/run.sh $(B) $(RACE)

layers: ## includes point only downwards, and other rules of the tree
	@scripts/layers.sh

pki: ## development PKI under build/pki
	@certs/make-pki.sh build/pki

format: ## clang-format over the sources
	@git ls-files '*.c' '*.h' | xargs clang-format -i

PREFIX ?= /usr/local
at = '$(DESTDIR)$(PREFIX)'/$(1)
install: all ## install to PREFIX (/usr/local), honouring DESTDIR
	install -D -m 0755 $(B)/yinzheng $(call at,bin/yinzheng)
	install -D -m 0755 $(B)/yinzheng-online $(call at,libexec/yinzheng/yinzheng-online)
	install -D -m 0755 $(B)/yinzhengd $(call at,sbin/yinzhengd)
	for f in share/*/* share/*.ini; do install -D -m 0644 "$$f" $(call at,share/yinzheng/$${f#share/}) || exit 1; done
	scripts/help_pages.sh $(B) $(B)/pages
	install -D -m 0644 -t $(call at,share/man/man1) $(B)/pages/yinzheng.1
	install -D -m 0644 -t $(call at,share/man/man8) $(B)/pages/yinzhengd.8
	install -D -m 0644 -t $(call at,share/man/man5) $(B)/pages/yinzhengd.ini.5
	install -D -m 0644 $(B)/pages/yinzheng.bash $(call at,share/bash-completion/completions/yinzheng)
	ln -sf yinzheng $(call at,share/bash-completion/completions/yinzhengd)

deb: all ## a Debian package with systemd unit, man pages and completion
	@MAKE='$(MAKE)' scripts/deb.sh $(B) $(VERSION)
deb-test: deb ## install that package here (as root), use it, remove it again
	@scripts/deb_test.sh $(B)/yinzheng_$(VERSION)_$$(dpkg --print-architecture).deb $(B)

clean: ## remove what was built
	rm -rf build

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
