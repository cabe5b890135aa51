# weft - one Makefile for everything.  Targets: all check check-debian demo bench sim fuzz lint schema drops-manual install
# uninstall clean deps
#
# Variants are the same rules in another folder: `make BUILD=build/asan SAN=address,undefined`.
# V=1 shows the commands.

BUILD   ?= build
SAN     ?=
PREFIX  ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 30

CC      ?= gcc
CLANG   ?= clang
AR      ?= ar

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

# ---- what is built, one source a line, by folder ------------------------------------------------------------

base_SRC = \
	base/addr.c \
	base/base64.c \
	base/bridge_vlans.c \
	base/checkup.c \
	base/clock.c \
	base/enrolment.c \
	base/error.c \
	base/events.c \
	base/file.c \
	base/hash.c \
	base/json.c \
	base/link_decode.c \
	base/log.c \
	base/netlink.c \
	base/netns.c \
	base/netns_watch.c \
	base/random.c \
	base/rcu.c \
	base/secret.c \
	base/server_address.c \
	base/suggest.c \
	base/supervisor.c \
	base/timers.c

packet_SRC = \
	packet/coalesce.c \
	packet/csum.c \
	packet/frame.c \
	packet/mss.c \
	packet/packet.c \
	packet/segment.c \
	packet/settle.c \
	packet/tag.c \
	packet/too_big.c \
	packet/tunnel.c

lab_SRC = \
	lab/attach.c \
	lab/attribute.c \
	lab/fault.c \
	lab/lab.c \
	lab/lab_check.c \
	lab/lab_document.c \
	lab/lab_network.c \
	lab/lab_port.c \
	lab/network_mode.c \
	lab/topology.c \
	lab/value.c \
	lab/vlan_policy.c

crypto_SRC = \
	crypto/aead.c \
	crypto/aead_ipsec_mb.c \
	crypto/aead_openssl.c \
	crypto/aead_registry.c \
	crypto/blake2s.c \
	crypto/chachapoly.c \
	crypto/cookie.c \
	crypto/handshake.c \
	crypto/identity.c \
	crypto/identity_issue.c \
	crypto/identity_x509.c \
	crypto/noise.c \
	crypto/ratelimit.c \
	crypto/replay.c \
	crypto/tai64n.c \
	crypto/transport.c \
	crypto/x25519.c

encap_SRC = \
	encap/fragment.c \
	encap/gre.c \
	encap/notify.c \
	encap/probe.c \
	encap/record.c \
	encap/train.c

switch_SRC = \
	switch/fdb.c \
	switch/fdb_holder.c \
	switch/fdb_table.c \
	switch/forward.c \
	switch/network.c \
	switch/stage.c \
	switch/stage_admit.c \
	switch/stage_fit.c \
	switch/stage_flood.c \
	switch/stage_horizon.c \
	switch/stage_learn.c \
	switch/stage_leave.c \
	switch/stage_lookup.c \
	switch/stage_member.c \
	switch/stage_nowhere.c \
	switch/stage_reflect.c \
	switch/stage_reserved.c \
	switch/stage_source.c \
	switch/stage_wire.c \
	switch/vlan.c

tap_SRC = \
	tap/bridge.c \
	tap/device.c \
	tap/failure.c \
	tap/filter.c \
	tap/filter_rules.c \
	tap/health.c \
	tap/kept.c \
	tap/kinds.c \
	tap/memory.c \
	tap/own_filter.c \
	tap/packet.c \
	tap/port.c \
	tap/port_vlans.c \
	tap/redirect.c \
	tap/view.c \
	tap/veth.c \
	tap/vnet.c

underlay_SRC = \
	underlay/addresses.c \
	underlay/route.c \
	underlay/udp.c

client_SRC = \
	client/attempts.c \
	client/http_client.c \
	client/intake.c \
	client/resolution.c \
	client/target.c

overlay/peer_SRC = \
	overlay/peer/contact.c \
	overlay/peer/drops.c \
	overlay/peer/goodbye.c \
	overlay/peer/handshaker.c \
	overlay/peer/liveness.c \
	overlay/peer/overlay.c \
	overlay/peer/pacing.c \
	overlay/peer/paths.c \
	overlay/peer/peer.c \
	overlay/peer/peers.c \
	overlay/peer/pmtu.c \
	overlay/peer/probing.c \
	overlay/peer/rivals.c \
	overlay/peer/session.c

overlay/datapath_SRC = \
	overlay/datapath/answer.c \
	overlay/datapath/burst.c \
	overlay/datapath/datapath.c \
	overlay/datapath/decide.c \
	overlay/datapath/deliver.c \
	overlay/datapath/dispatch.c \
	overlay/datapath/fit.c \
	overlay/datapath/forwarding.c \
	overlay/datapath/kernel_drops.c \
	overlay/datapath/mailbox.c \
	overlay/datapath/outputs.c \
	overlay/datapath/receive.c \
	overlay/datapath/stats.c \
	overlay/datapath/transmit.c \
	overlay/datapath/worker.c

overlay/agent_SRC = \
	overlay/agent/apply.c \
	overlay/agent/closer.c \
	overlay/agent/config.c \
	overlay/agent/controller_client.c \
	overlay/agent/core.c \
	overlay/agent/device_name.c \
	overlay/agent/doctor.c \
	overlay/agent/events.c \
	overlay/agent/follow.c \
	overlay/agent/gather.c \
	overlay/agent/handover.c \
	overlay/agent/heartbeat.c \
	overlay/agent/keeper.c \
	overlay/agent/loop.c \
	overlay/agent/machine.c \
	overlay/agent/main.c \
	overlay/agent/opening.c \
	overlay/agent/own_underlay.c \
	overlay/agent/ping.c \
	overlay/agent/pins.c \
	overlay/agent/policy.c \
	overlay/agent/ports.c \
	overlay/agent/privileges.c \
	overlay/agent/publish.c \
	overlay/agent/questions.c \
	overlay/agent/report.c \
	overlay/agent/status.c \
	overlay/agent/status_server.c \
	overlay/agent/trust.c \
	overlay/agent/whereabouts.c \
	overlay/agent/wire.c

controller/store_SRC = \
	controller/store/store.c \
	controller/store/store_memory.c \
	controller/store/store_sqlite.c

controller/ca_SRC = \
	controller/ca/authority.c

controller/http_SRC = \
	controller/http/conns.c \
	controller/http/reply.c \
	controller/http/server.c \
	controller/http/stream.c

controller_SRC = \
	controller/agent_report.c \
	controller/api.c \
	controller/asks.c \
	controller/authority_create.c \
	controller/authority_move.c \
	controller/clones.c \
	controller/daemon.c \
	controller/enrol.c \
	controller/event_log.c \
	controller/folder.c \
	controller/gateway.c \
	controller/host_addresses.c \
	controller/host_sessions.c \
	controller/host_topology.c \
	controller/lab_put.c \
	controller/main.c \
	controller/model.c \
	controller/presence.c \
	controller/reach.c \
	controller/resolver.c \
	controller/throttle.c \
	controller/watch.c \
	controller/who.c

cli_SRC = \
	cli/ask.c \
	cli/checks.c \
	cli/client.c \
	cli/cmd_agent.c \
	cli/cmd_apply.c \
	cli/cmd_controller.c \
	cli/cmd_doctor.c \
	cli/cmd_events.c \
	cli/cmd_get.c \
	cli/cmd_host.c \
	cli/cmd_init.c \
	cli/cmd_join.c \
	cli/cmd_measure.c \
	cli/cmd_ping.c \
	cli/cmd_revoke.c \
	cli/cmd_status.c \
	cli/cmd_token.c \
	cli/daemon_peer.c \
	cli/drop_help.c \
	cli/duration.c \
	cli/faults.c \
	cli/get_peers.c \
	cli/invocation.c \
	cli/join_token.c \
	cli/lab_file.c \
	cli/main.c \
	cli/operator.c \
	cli/program.c \
	cli/say.c \
	cli/table.c \
	cli/wait.c \
	cli/yaml_doc.c

measure_SRC = \
	measure/capture.c \
	measure/dissect.c \
	measure/lanes.c \
	measure/main.c \
	measure/meter.c \
	measure/printout.c \
	measure/run.c \
	measure/sequence.c \
	measure/split.c

tests/sim_SRC = \
	tests/sim/client.c \
	tests/sim/fabric.c \
	tests/sim/host.c \
	tests/sim/line.c \
	tests/sim/main.c \
	tests/sim/memo.c \
	tests/sim/net.c \
	tests/sim/post.c \
	tests/sim/random.c \
	tests/sim/scenario.c \
	tests/sim/scene.c \
	tests/sim/seat.c \
	tests/sim/tap_lines.c \
	tests/sim/world.c

# ---- tests: a unit test links its room's library and the floors below; the threaded ones run under TSan too ----

base_TESTS = \
	tests/unit/base/test_addr.c \
	tests/unit/base/test_base64.c \
	tests/unit/base/test_bridge_vlans.c \
	tests/unit/base/test_checkup.c \
	tests/unit/base/test_clock.c \
	tests/unit/base/test_cursor.c \
	tests/unit/base/test_enrolment.c \
	tests/unit/base/test_error.c \
	tests/unit/base/test_events.c \
	tests/unit/base/test_file.c \
	tests/unit/base/test_hash.c \
	tests/unit/base/test_json.c \
	tests/unit/base/test_link_decode.c \
	tests/unit/base/test_log.c \
	tests/unit/base/test_netlink.c \
	tests/unit/base/test_netns.c \
	tests/unit/base/test_netns_watch.c \
	tests/unit/base/test_random.c \
	tests/unit/base/test_rcu.c \
	tests/unit/base/test_server_address.c \
	tests/unit/base/test_suggest.c \
	tests/unit/base/test_supervisor.c \
	tests/unit/base/test_timers.c

packet_TESTS = \
	tests/unit/packet/test_coalesce.c \
	tests/unit/packet/test_csum.c \
	tests/unit/packet/test_frame.c \
	tests/unit/packet/test_mss.c \
	tests/unit/packet/test_packet.c \
	tests/unit/packet/test_segment.c \
	tests/unit/packet/test_settle.c \
	tests/unit/packet/test_tag.c \
	tests/unit/packet/test_too_big.c

lab_TESTS = \
	tests/unit/lab/test_attach.c \
	tests/unit/lab/test_attribute.c \
	tests/unit/lab/test_fault.c \
	tests/unit/lab/test_lab.c \
	tests/unit/lab/test_lab_check.c \
	tests/unit/lab/test_lab_document.c \
	tests/unit/lab/test_topology.c \
	tests/unit/lab/test_value.c

client_TESTS = \
	tests/unit/client/test_attempts.c \
	tests/unit/client/test_http_client.c \
	tests/unit/client/test_intake.c \
	tests/unit/client/test_resolution.c

crypto_TESTS = \
	tests/unit/crypto/test_aead.c \
	tests/unit/crypto/test_aead_registry.c \
	tests/unit/crypto/test_blake2s.c \
	tests/unit/crypto/test_chachapoly.c \
	tests/unit/crypto/test_cookie.c \
	tests/unit/crypto/test_handshake.c \
	tests/unit/crypto/test_identity.c \
	tests/unit/crypto/test_noise.c \
	tests/unit/crypto/test_ratelimit.c \
	tests/unit/crypto/test_replay.c \
	tests/unit/crypto/test_tai64n.c \
	tests/unit/crypto/test_transport.c \
	tests/unit/crypto/test_x25519.c

encap_TESTS = \
	tests/unit/encap/test_fragment.c \
	tests/unit/encap/test_gre.c \
	tests/unit/encap/test_notify.c \
	tests/unit/encap/test_probe.c \
	tests/unit/encap/test_record.c \
	tests/unit/encap/test_train.c

switch_TESTS = \
	tests/unit/switch/test_fdb.c \
	tests/unit/switch/test_fdb_threads.c \
	tests/unit/switch/test_forward.c \
	tests/unit/switch/test_network.c \
	tests/unit/switch/test_stage.c \
	tests/unit/switch/test_vlan.c

tap_TESTS = \
	tests/unit/tap/test_device.c \
	tests/unit/tap/test_filter.c \
	tests/unit/tap/test_filter_rules.c \
	tests/unit/tap/test_health.c \
	tests/unit/tap/test_kept.c \
	tests/unit/tap/test_memory.c \
	tests/unit/tap/test_own_filter.c \
	tests/unit/tap/test_packet.c \
	tests/unit/tap/test_port_vlans.c \
	tests/unit/tap/test_redirect.c \
	tests/unit/tap/test_veth.c \
	tests/unit/tap/test_view.c \
	tests/unit/tap/test_vnet.c

underlay_TESTS = \
	tests/unit/underlay/test_addresses.c \
	tests/unit/underlay/test_route.c \
	tests/unit/underlay/test_udp.c

overlay/peer_TESTS = \
	tests/unit/overlay/peer/test_contact.c \
	tests/unit/overlay/peer/test_drops.c \
	tests/unit/overlay/peer/test_goodbye.c \
	tests/unit/overlay/peer/test_handshaker.c \
	tests/unit/overlay/peer/test_liveness.c \
	tests/unit/overlay/peer/test_overlay.c \
	tests/unit/overlay/peer/test_pacing.c \
	tests/unit/overlay/peer/test_paths.c \
	tests/unit/overlay/peer/test_peer.c \
	tests/unit/overlay/peer/test_peers.c \
	tests/unit/overlay/peer/test_pmtu.c \
	tests/unit/overlay/peer/test_probing.c \
	tests/unit/overlay/peer/test_rivals.c \
	tests/unit/overlay/peer/test_session.c

overlay/datapath_TESTS = \
	tests/unit/overlay/datapath/test_answer.c \
	tests/unit/overlay/datapath/test_burst.c \
	tests/unit/overlay/datapath/test_datapath.c \
	tests/unit/overlay/datapath/test_decide.c \
	tests/unit/overlay/datapath/test_deliver.c \
	tests/unit/overlay/datapath/test_dispatch.c \
	tests/unit/overlay/datapath/test_fit.c \
	tests/unit/overlay/datapath/test_forwarding.c \
	tests/unit/overlay/datapath/test_kernel_drops.c \
	tests/unit/overlay/datapath/test_mailbox.c \
	tests/unit/overlay/datapath/test_outputs.c \
	tests/unit/overlay/datapath/test_receive.c \
	tests/unit/overlay/datapath/test_stats.c \
	tests/unit/overlay/datapath/test_transmit.c \
	tests/unit/overlay/datapath/test_worker.c

overlay/agent_TESTS = \
	tests/unit/overlay/agent/test_apply.c \
	tests/unit/overlay/agent/test_closer.c \
	tests/unit/overlay/agent/test_config.c \
	tests/unit/overlay/agent/test_controller_client.c \
	tests/unit/overlay/agent/test_core.c \
	tests/unit/overlay/agent/test_device_name.c \
	tests/unit/overlay/agent/test_doctor.c \
	tests/unit/overlay/agent/test_events.c \
	tests/unit/overlay/agent/test_follow.c \
	tests/unit/overlay/agent/test_gather.c \
	tests/unit/overlay/agent/test_handover.c \
	tests/unit/overlay/agent/test_machine.c \
	tests/unit/overlay/agent/test_opening.c \
	tests/unit/overlay/agent/test_ping.c \
	tests/unit/overlay/agent/test_pins.c \
	tests/unit/overlay/agent/test_policy.c \
	tests/unit/overlay/agent/test_ports.c \
	tests/unit/overlay/agent/test_privileges.c \
	tests/unit/overlay/agent/test_publish.c \
	tests/unit/overlay/agent/test_questions.c \
	tests/unit/overlay/agent/test_report.c \
	tests/unit/overlay/agent/test_status.c \
	tests/unit/overlay/agent/test_status_server.c \
	tests/unit/overlay/agent/test_trust.c \
	tests/unit/overlay/agent/test_whereabouts.c \
	tests/unit/overlay/agent/test_wire.c

controller/store_TESTS = \
	tests/unit/controller/store/test_store_memory.c \
	tests/unit/controller/store/test_store_sqlite.c

controller/ca_TESTS = \
	tests/unit/controller/ca/test_authority.c

controller/http_TESTS = \
	tests/unit/controller/http/test_conns.c \
	tests/unit/controller/http/test_reply.c \
	tests/unit/controller/http/test_stream.c

controller_TESTS = \
	tests/unit/controller/test_agent_report.c \
	tests/unit/controller/test_api.c \
	tests/unit/controller/test_asks.c \
	tests/unit/controller/test_authority_create.c \
	tests/unit/controller/test_authority_move.c \
	tests/unit/controller/test_daemon.c \
	tests/unit/controller/test_clones.c \
	tests/unit/controller/test_enrol.c \
	tests/unit/controller/test_event_log.c \
	tests/unit/controller/test_gateway.c \
	tests/unit/controller/test_host_addresses.c \
	tests/unit/controller/test_host_sessions.c \
	tests/unit/controller/test_host_topology.c \
	tests/unit/controller/test_lab_put.c \
	tests/unit/controller/test_model.c \
	tests/unit/controller/test_reach.c \
	tests/unit/controller/test_server.c \
	tests/unit/controller/test_throttle.c \
	tests/unit/controller/test_watch.c \
	tests/unit/controller/test_who.c

cli_TESTS = \
	tests/unit/cli/test_checks.c \
	tests/unit/cli/test_client.c \
	tests/unit/cli/test_cmd_apply.c \
	tests/unit/cli/test_cmd_events.c \
	tests/unit/cli/test_cmd_get.c \
	tests/unit/cli/test_cmd_host.c \
	tests/unit/cli/test_cmd_revoke.c \
	tests/unit/cli/test_cmd_token.c \
	tests/unit/cli/test_daemon_peer.c \
	tests/unit/cli/test_drop_help.c \
	tests/unit/cli/test_duration.c \
	tests/unit/cli/test_faults.c \
	tests/unit/cli/test_get_peers.c \
	tests/unit/cli/test_invocation.c \
	tests/unit/cli/test_join_token.c \
	tests/unit/cli/test_lab_file.c \
	tests/unit/cli/test_operator.c \
	tests/unit/cli/test_program.c \
	tests/unit/cli/test_say.c \
	tests/unit/cli/test_table.c \
	tests/unit/cli/test_wait.c \
	tests/unit/cli/test_yaml_doc.c

measure_TESTS = \
	tests/unit/measure/test_capture.c \
	tests/unit/measure/test_dissect.c \
	tests/unit/measure/test_lanes.c \
	tests/unit/measure/test_meter.c \
	tests/unit/measure/test_printout.c \
	tests/unit/measure/test_run.c \
	tests/unit/measure/test_sequence.c \
	tests/unit/measure/test_split.c

tests/sim_TESTS = \
	tests/unit/sim/test_line.c \
	tests/unit/sim/test_net.c \
	tests/unit/sim/test_world.c

TSAN_TESTS = \
	tests/unit/base/test_rcu.c \
	tests/unit/client/test_resolution.c \
	tests/unit/controller/store/test_store_sqlite.c \
	tests/unit/overlay/agent/test_closer.c \
	tests/unit/overlay/datapath/test_datapath.c \
	tests/unit/overlay/datapath/test_deliver.c \
	tests/unit/overlay/datapath/test_dispatch.c \
	tests/unit/overlay/datapath/test_fit.c \
	tests/unit/overlay/datapath/test_mailbox.c \
	tests/unit/overlay/datapath/test_outputs.c \
	tests/unit/overlay/datapath/test_receive.c \
	tests/unit/overlay/datapath/test_worker.c \
	tests/unit/overlay/peer/test_session.c \
	tests/unit/switch/test_fdb_threads.c \
	tests/unit/tap/test_memory.c

base_FUZZ = \
	tests/fuzz/base/fuzz_server_address.c

client_FUZZ = \
	tests/fuzz/client/fuzz_intake.c

packet_FUZZ = \
	tests/fuzz/packet/fuzz_coalesce.c \
	tests/fuzz/packet/fuzz_frame.c \
	tests/fuzz/packet/fuzz_segment.c \
	tests/fuzz/packet/fuzz_settle.c

lab_FUZZ = \
	tests/fuzz/lab/fuzz_lab.c \
	tests/fuzz/lab/fuzz_topology.c

crypto_FUZZ = \
	tests/fuzz/crypto/fuzz_handshake.c \
	tests/fuzz/crypto/fuzz_identity.c

encap_FUZZ = \
	tests/fuzz/encap/fuzz_datagram.c \
	tests/fuzz/encap/fuzz_fragment.c

tap_FUZZ = \
	tests/fuzz/tap/fuzz_vnet.c

overlay/peer_FUZZ = \
	tests/fuzz/overlay/peer/fuzz_overlay.c

overlay/agent_FUZZ = \
	tests/fuzz/overlay/agent/fuzz_policy.c \
	tests/fuzz/overlay/agent/fuzz_trust.c

controller_FUZZ = \
	tests/fuzz/controller/fuzz_api.c

cli_FUZZ = \
	tests/fuzz/cli/fuzz_join_token.c \
	tests/fuzz/cli/fuzz_lab_file.c

measure_FUZZ = \
	tests/fuzz/measure/fuzz_meter.c

# ---- programs: PROGRAM = the folder that holds its main.c --------------------------------------------------

weftd_FOLDER           = overlay/agent
weft-controller_FOLDER = controller
weft_FOLDER            = cli
weft-measure_FOLDER    = measure
PROGRAMS = weftd weft-controller weft weft-measure

# ---- libraries: a room's own, and the rooms below that its files may use (tools/includes.sh holds them to it) ----

base_BELOW             =
packet_BELOW           = base
lab_BELOW              = base
crypto_BELOW           = base
encap_BELOW            = base
switch_BELOW           = packet lab base
tap_BELOW              = packet lab base
underlay_BELOW         = base
client_BELOW           = base
MIDDLE                 = client crypto encap switch tap underlay packet lab base
overlay/peer_BELOW     = $(MIDDLE)
overlay/datapath_BELOW = overlay/peer $(MIDDLE)
overlay/agent_BELOW    = overlay/datapath overlay/peer $(MIDDLE)
controller/store_BELOW = $(MIDDLE)
controller/ca_BELOW    = $(MIDDLE)
controller/http_BELOW  = $(MIDDLE)
controller_BELOW       = controller/http controller/ca controller/store $(MIDDLE)
cli_BELOW              = $(MIDDLE)
measure_BELOW          = $(MIDDLE)
tests/sim_BELOW        = overlay/agent overlay/datapath overlay/peer controller $(controller_BELOW)

ROOMS = base packet lab client crypto encap switch tap underlay overlay/peer overlay/datapath overlay/agent \
	controller/store controller/ca controller/http controller cli measure tests/sim

PKGS = libevent libevent_openssl libevent_pthreads openssl liburcu-memb jansson yaml-0.1 sqlite3 libcurl libmnl \
	libcap-ng
# `make deps` runs before there is a pkg-config
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
pkg_libs = $(shell pkg-config --libs $(1) 2>/dev/null)

base_LIBS             = $(call pkg_libs,liburcu-memb jansson libmnl)
client_LIBS           = $(call pkg_libs,libcurl libevent openssl)
crypto_LIBS           = $(call pkg_libs,openssl) $(IPSEC_MB)
overlay/datapath_LIBS = $(call pkg_libs,libevent libevent_pthreads)
overlay/agent_LIBS    = $(call pkg_libs,libevent libevent_pthreads libmnl libcap-ng)
controller/store_LIBS = $(call pkg_libs,sqlite3 libevent)
controller/http_LIBS  = $(call pkg_libs,libevent libevent_openssl)
controller_LIBS       = $(call pkg_libs,libevent libevent_openssl)
cli_LIBS              = $(call pkg_libs,libevent yaml-0.1)
measure_LIBS          = -lpcap $(call pkg_libs,libevent libcap-ng) -lm

# Intel's ipsec-mb is used where the machine has it (Debian packages it for amd64 only)
IPSEC_MB := $(if $(wildcard /usr/include/intel-ipsec-mb.h),-lIPSec_MB)

CFLAGS   ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -I. $(PKG_CFLAGS) $(if $(IPSEC_MB),-DHAVE_IPSEC_MB)
WARNINGS  = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings -Werror
HARDEN    = -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
LDHARDEN  = -pie -Wl,-z,relro,-z,now
SANFLAGS  = $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
COMPILE   = $(CC) -std=gnu11 $(CFLAGS) $(WARNINGS) $(HARDEN) $(SANFLAGS) $(CPPFLAGS) -MMD -MP
LINK      = $(CC) $(CFLAGS) $(SANFLAGS) $(LDHARDEN) $(LDFLAGS) -pthread

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

# ---- rules -------------------------------------------------------------------------------------------------

# TLS servers of the tests' own are libevent's
TEST_LIBS = -lcmocka $(call pkg_libs,libevent_openssl)

# a room's library and those of the rooms below it, in link order
archive = $(BUILD)/lib$(subst /,-,$(1)).a
rooms_of = $(1) $($(1)_BELOW)
archives_of = $(foreach r,$(call rooms_of,$(1)),$(call archive,$(r)))
libs_of = $(foreach r,$(call rooms_of,$(1)),$($(r)_LIBS))
built_PROGRAMS = $(foreach p,$(PROGRAMS),$(if $($($(p)_FOLDER)_SRC),$(BUILD)/$(p)))
test_of = $(patsubst tests/%.c,$(BUILD)/tests/%,$(1))

.PHONY: all
all: $(built_PROGRAMS)

$(BUILD)/obj/%.o: %.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE) -c -o $@ $<

objects_of = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

define archive_rule
$(call archive,$(1)): $(call objects_of,$(filter-out %/main.c,$($(1)_SRC)))
	$$(call say,AR,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)rm -f $$@ && $(AR) rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call archive_rule,$(r))))

# link_rule TARGET,SOURCES,ROOMS[,ARGUMENTS]: a program out of these sources, the rooms' libraries and those below them
define link_rule
$(1): $(call objects_of,$(2)) $(foreach r,$(3),$(call archives_of,$(r)))
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(LINK) -o $$@ $(call objects_of,$(2)) $(foreach r,$(3),$(call archives_of,$(r)) $(call libs_of,$(r))) $(4)
endef

$(foreach r,$(ROOMS),\
	$(foreach t,$($(r)_TESTS),$(eval $(call link_rule,$(call test_of,$(t)),$(t),$(r),$(TEST_LIBS))))\
	$(foreach t,$($(r)_FUZZ),$(eval $(call link_rule,$(call test_of,$(t)),$(t),$(r),-fsanitize=fuzzer))))

$(foreach p,$(PROGRAMS),$(eval $(call link_rule,$(BUILD)/$(p),$($(p)_FOLDER)/main.c,$($(p)_FOLDER))))

.PHONY: unit-tests tsan-tests fuzzers
unit-tests: $(foreach r,$(ROOMS),$(call test_of,$($(r)_TESTS)))
tsan-tests: $(call test_of,$(TSAN_TESTS))
fuzzers: $(foreach r,$(ROOMS),$(call test_of,$($(r)_FUZZ)))

# ---- the lab file's JSON Schema, out of lab/'s tables ----------------------------------------------------------

SCHEMA = docs/weft-lab.schema.json

$(BUILD)/tools/lab-schema: $(BUILD)/obj/tools/lab-schema.o $(call archives_of,lab)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(call libs_of,lab)

.PHONY: schema
schema: $(BUILD)/tools/lab-schema
	$(Q)$< >$(SCHEMA)

# ---- the manual's page of drops, out of the modules' lists -------------------------------------------------------

.PHONY: drops-manual
drops-manual: $(BUILD)/weft
	$(Q)$< help drop --json | tools/drops-manual.sh >cli/weft-drops.7

# ---- test tools: programs that only the end-to-end tests run -----------------------------------------------

attacker_SRC      = tests/e2e/attacker/attacker.c tests/e2e/attacker/tunnel.c
weft-underlay_SRC = tests/e2e/underlay/weft-underlay.c
TEST_TOOLS        = attacker weft-underlay

$(foreach t,$(TEST_TOOLS),$(eval $(call link_rule,$(BUILD)/tests/tools/$(t),$($(t)_SRC),encap crypto)))

.PHONY: test-tools
test-tools: $(patsubst %,$(BUILD)/tests/tools/%,$(TEST_TOOLS))

# ---- bench: the load generator, and micro-benchmarks, each linked with its folder's library and those below -----

weft-load_SRC = tests/bench/load.c tests/bench/load_rate.c tests/bench/load_rtt.c
MICROS        = micro_fdb micro_aead micro_encap micro_worker
micro_fdb_FOLDER    = switch
micro_aead_FOLDER   = crypto
micro_encap_FOLDER  = overlay/peer
micro_worker_FOLDER = overlay/datapath

$(eval $(call link_rule,$(BUILD)/tests/bench/weft-load,$(weft-load_SRC)))
$(foreach m,$(MICROS),$(eval \
	$(call link_rule,$(BUILD)/tests/bench/$(m),tests/bench/$(m).c tests/bench/micro.c,$($(m)_FOLDER))))

.PHONY: bench-tools
bench-tools: $(BUILD)/tests/bench/weft-load $(patsubst %,$(BUILD)/tests/bench/%,$(MICROS))

# ---- simulation: all rooms of weftd and the controller in one program, on virtual time ------------------------

weft-sim_LDFLAGS = -Wl,--wrap=identity_verify,--wrap=identity_tunnel_verify # memo.h
$(eval $(call link_rule,$(BUILD)/weft-sim,tests/sim/main.c,tests/sim,$(weft-sim_LDFLAGS)))

.PHONY: sim
sim: $(BUILD)/weft-sim
	$(Q)$(BUILD)/weft-sim $(SIM_ARGS)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# ---- what people call --------------------------------------------------------------------------------------

.PHONY: deps check check-debian demo bench fuzz lint install uninstall clean
deps:
	$(Q)tools/deps.sh

check: deps
	$(Q)tests/check.sh

# not part of `check`: half an hour under emulation
check-debian: deps
	$(Q)tests/debian/run.sh

demo: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/demo.sh

bench: deps
	$(Q)tests/bench/deps.sh
	$(Q)$(MAKE) --no-print-directory all bench-tools
	$(Q)BUILD=$(BUILD) tests/bench/run.sh

fuzz: deps
	$(Q)$(MAKE) --no-print-directory BUILD=build/fuzz CC=$(CLANG) SAN=fuzzer-no-link,address,undefined fuzzers
	$(Q)tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS)

lint:
	$(Q)tools/lint.sh

# ---- where things go ---------------------------------------------------------------------------------------

SBIN_PROGRAMS = weftd weft-controller
BIN_PROGRAMS  = weft weft-measure
MAN1          = cli/weft.1 measure/weft-measure.1
MAN5          = cli/weft-lab.5
MAN7          = cli/weft-drops.7
MAN8          = overlay/weftd.8 controller/weft-controller.8
UNITS         = overlay/weftd.service controller/weft-controller.service

sbindir       = $(DESTDIR)$(PREFIX)/sbin
bindir        = $(DESTDIR)$(PREFIX)/bin
man1dir       = $(DESTDIR)$(PREFIX)/share/man/man1
man5dir       = $(DESTDIR)$(PREFIX)/share/man/man5
man7dir       = $(DESTDIR)$(PREFIX)/share/man/man7
man8dir       = $(DESTDIR)$(PREFIX)/share/man/man8
bashdir       = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
zshdir        = $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions
fishdir       = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
sharedir      = $(DESTDIR)$(PREFIX)/share/weft
unitdir       = $(DESTDIR)/etc/systemd/system

install: all
	install -d $(sbindir) $(bindir) $(man1dir) $(man5dir) $(man7dir) $(man8dir) $(bashdir) $(zshdir) $(fishdir) $(sharedir) $(unitdir)
	install -m 755 $(addprefix $(BUILD)/,$(SBIN_PROGRAMS)) $(sbindir)
	install -m 755 $(addprefix $(BUILD)/,$(BIN_PROGRAMS)) $(bindir)
	install -m 644 $(MAN1) $(man1dir)
	install -m 644 $(MAN5) $(man5dir)
	install -m 644 $(MAN7) $(man7dir)
	install -m 644 $(MAN8) $(man8dir)
	install -m 644 cli/weft.bash-completion $(bashdir)/weft
	install -m 644 cli/weft.zsh-completion $(zshdir)/_weft
	install -m 644 cli/weft.fish-completion $(fishdir)/weft.fish
	install -m 644 $(SCHEMA) $(sharedir)
	for unit in $(UNITS); do sed 's|/usr/local|$(PREFIX)|g' $$unit >$(unitdir)/$${unit##*/}; done

# Links by which systemd starts a unit; and what runs goes on, which people should know
uninstall:
	$(Q)for unit in $(UNITS:.service=); do unit=$${unit##*/}; rm -f $(unitdir)/*.wants/$$unit.service; \
		[ -n "$(DESTDIR)" ] || ! pidof $$unit >/dev/null || echo "$$unit runs, and goes on until it is stopped:" \
			"systemctl stop $$unit, or kill $$(pidof $$unit)"; done
	rm -f $(addprefix $(sbindir)/,$(SBIN_PROGRAMS)) $(addprefix $(bindir)/,$(BIN_PROGRAMS))
	rm -f $(addprefix $(man1dir)/,$(notdir $(MAN1))) $(addprefix $(man5dir)/,$(notdir $(MAN5))) $(addprefix $(man7dir)/,$(notdir $(MAN7))) \
		$(addprefix $(man8dir)/,$(notdir $(MAN8)))
	rm -f $(addprefix $(unitdir)/,$(notdir $(UNITS))) $(bashdir)/weft $(zshdir)/_weft $(fishdir)/weft.fish
	rm -f $(addprefix $(sharedir)/,$(notdir $(SCHEMA)))

# print-NAME shows a variable of this file, for scripts
print-%:
	@echo $($*)

clean:
	rm -rf build
