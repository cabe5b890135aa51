#!/usr/bin/env python3
"""report.py DIR: from DIR/samples.jsonl (run.sh's) to DIR/results.json, DIR/results.md and plots

Every figure is the median over the rounds of one run, with the least and the greatest beside it.  The targets are ratios of
two medians of the same run.  Systems, scenarios and figures have the names that run.sh gives them.
plot.py draws.  Nothing is measured here.
"""
import json
import statistics
import sys
from pathlib import Path

import compare
import plot

# system: what people call it, its kind: ours, encrypted, clear (no encryption), or routed (encrypted, but not Ethernet)
SYSTEMS = {
    "veth": ("bare underlay", "clear"),
    "vxlan": ("kernel VXLAN", "clear"),
    "weft": ("weft", "ours"),
    "weft_old": ("weft, another build", "ours"),
    "weft_openssl": ("weft, OpenSSL", "ours"),
    "weft_fit": ("weft, guests' MTU fits", "ours"),
    "fastd_null": ("fastd, no encryption", "clear"),
    "fastd_aes": ("fastd, AES-CTR + UMAC", "encrypted"),
    "fastd_salsa": ("fastd, Salsa + UMAC", "encrypted"),
    "openvpn": ("OpenVPN, AES-GCM", "encrypted"),
    "tinc": ("tinc", "encrypted"),
    "n2n": ("n2n", "encrypted"),
    "wireguard_vxlan": ("WireGuard + VXLAN", "encrypted"),
    "wireguard_l3": ("WireGuard, L3 only", "routed"),
}
KINDS = {
    "ours": "weft, encrypted Ethernet",
    "encrypted": "encrypted Ethernet",
    "routed": "encrypted, IP only",
    "clear": "not encrypted",
}

# figure: heading, unit, factor from what was recorded, digits
FIGURES = {
    "tcp1": ("TCP, one flow", "Gb/s", 1, 2),
    "tcp4": ("TCP, four flows", "Gb/s", 1, 2),
    "reverse": ("TCP, reverse", "Gb/s", 1, 2),
    "cpu_machine": ("CPU, machine", "s/GB", 1, 2),
    "cpu_daemons": ("CPU, daemons", "s/GB", 1, 2),
    "memory": ("memory", "MiB", 1, 1),
    "noise": ("noise", "%", 1, 0),
    "udp64": ("UDP 64 B", "kpps", 1e-3, 0),
    "imix": ("UDP IMIX", "kpps", 1e-3, 0),
    "udp1400": ("UDP 1400 B", "kpps", 1e-3, 0),
    "udp64_flooded": ("64 B flooded", "kpps", 1e-3, 0),
    "imix_flooded": ("IMIX flooded", "kpps", 1e-3, 0),
    "udp1400_flooded": ("1400 B flooded", "kpps", 1e-3, 0),
    "rtt_p50": ("RTT idle, p50", "us", 1, 0),
    "rtt_p99": ("RTT idle, p99", "us", 1, 0),
    "rtt_load_p50": ("RTT under load, p50", "us", 1, 0),
    "rtt_load_p99": ("RTT under load, p99", "us", 1, 0),
}
TABLES = (
    ("Throughput and what it costs", ("tcp1", "tcp4", "reverse", "cpu_machine", "cpu_daemons", "memory")),
    ("Packets per second, less than 0.1% lost", ("udp64", "imix", "udp1400")),
    ("Packets per second delivered of a flood", ("udp64_flooded", "imix_flooded", "udp1400_flooded")),
    ("Round trips", ("rtt_p50", "rtt_p99", "rtt_load_p50", "rtt_load_p99")),
)

ENCRYPTED_L2 = [name for name, (_, kind) in SYSTEMS.items() if kind == "encrypted"]
ENCRYPTED = ENCRYPTED_L2 + ["wireguard_l3"]

# what, scenario, figure, of, over (the best of these; its scenario if another), relation, target, aim
TARGETS = (
    ("TCP one flow, over the best encrypted L2 peer", "base", "tcp1", "weft", ENCRYPTED_L2, ">=", "backend", None),
    ("... with OpenSSL's AEAD", "base", "tcp1", "weft_openssl", ENCRYPTED_L2, ">=", 4.5, None),
    ("TCP one flow, over kernel VXLAN without encryption", "base", "tcp1", "weft", ["vxlan"], ">=", 0.5, 0.7),
    ("UDP 64 B delivered, over kernel VXLAN", "base", "udp64", "weft", ["vxlan"], ">=", 1, None),
    ("UDP 64 B delivered, over the best encrypted peer", "base", "udp64", "weft", ENCRYPTED, ">=", 2.5, None),
    ("RTT idle (p50), over fastd's", "base", "rtt_p50", "weft", ["fastd_aes"], "<=", 1, None),
    ("RTT under load (p50), over fastd's", "base", "rtt_load_p50", "weft", ["fastd_aes"], "<=", 1, None),
    ("offloads off: TCP one flow, over fastd's", "plain", "tcp1", "weft", ["fastd_aes"], ">=", 3, None),
    ("offloads off: TCP one flow, over kernel VXLAN's", "plain", "tcp1", "weft", ["vxlan"], ">=", 0.5, 1),
    ("TCP with 1% loss (offloads off), over the bare underlay's", "loss1", "tcp1", "weft", ["veth"], ">=", 0.9, None),
    ("guests at MTU 1500, over guests at an MTU that fits", "base", "tcp1", "weft", ["weft_fit"], ">=", 0.95, None),
    ("CPU seconds per gigabyte, over fastd's", "base", "cpu_machine", "weft", ["fastd_aes"], "<=", 0.2, None),
)
TARGET_IPSEC_MB, TARGET_OPENSSL = 6, 4.5


def read(folder):
    """samples.jsonl -> scenarios, values[scenario][system][figure] = {round: value}, notes"""
    scenarios, values, notes = {}, {}, {}
    for line in (folder / "samples.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if "note" in entry:
            notes[entry["system"]] = entry["note"]
        elif "mtu" in entry:
            scenarios[entry["scenario"]] = entry
        else:
            of = values.setdefault(entry["scenario"], {}).setdefault(entry["system"], {})
            of.setdefault(entry["figure"], {})[entry["round"]] = entry["value"]
    return scenarios, values, notes


def summary(rounds):
    """Of one figure: None where no round has it"""
    have = [value for value in rounds.values() if value is not None]
    if not have:
        return None
    return {"median": statistics.median(have), "min": min(have), "max": max(have), "rounds": len(have)}


def summarise(values):
    out = {}
    for scenario, systems in values.items():
        for system, figures in systems.items():
            for figure, rounds in figures.items():
                got = summary(rounds)
                if got:
                    out.setdefault(scenario, {}).setdefault(system, {})[figure] = got
    return out


def ratios(values, medians, notes):
    out = []
    for what, scenario, figure, system, over, relation, target, aim in TARGETS:
        if target == "backend":
            target = TARGET_IPSEC_MB if notes.get("weft") == "ipsec-mb" else TARGET_OPENSSL
        row = {"what": what, "scenario": scenario, "relation": relation, "target": target, "aim": aim, "ratio": None}
        of = medians.get(scenario, {})
        known = [name for name in over if figure in of.get(name, {}) and of[name][figure]["median"] > 0]
        if known and figure in of.get(system, {}):
            best = max(known, key=lambda name: of[name][figure]["median"])
            row["over"] = best
            row["ratio"] = of[system][figure]["median"] / of[best][figure]["median"]
            mine, theirs = values[scenario][system][figure], values[scenario][best][figure]
            each = [mine[r] / theirs[r] for r in mine if mine[r] is not None and theirs.get(r)]
            row["round_min"], row["round_max"] = (min(each), max(each)) if len(each) > 1 else (None, None)
            row["met"] = row["ratio"] >= target if relation == ">=" else row["ratio"] <= target
        out.append(row)
    return out


def label(system, notes):
    text = SYSTEMS.get(system, (system, ""))[0]
    return f"{text}, {notes[system]}" if system == "weft" and system in notes else text


def number(value, digits):
    """Three significant digits or so, never an exponent"""
    if digits and abs(value) >= 100:
        digits = 0
    elif digits and abs(value) >= 10:
        digits = min(digits, 1)
    return f"{value:.{digits}f}"


def cell(got, figure):
    _, _, factor, digits = FIGURES[figure]
    if not got:
        return "-"
    median, least, most = (number(got[key] * factor, digits) for key in ("median", "min", "max"))
    return f"{median} ({least}..{most})" if got["rounds"] > 1 else median


def noise_text(values):
    """What else the machine did, measured before each step"""
    all_of = [value for of in values.values() for figures in of.values()
              for value in figures.get("noise", {}).values() if value is not None]
    if not all_of:
        return ""
    return f"Before each step something else kept {statistics.median(all_of):.0f}% of the machine busy in the median, " \
        f"{max(all_of):.0f}% at most. "


def scenario_text(scenario):
    loss = f", {scenario['loss']}% loss" if float(scenario["loss"]) else ""
    return f"underlay MTU {scenario['mtu']}, its offloads {scenario['offloads']}{loss}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def figures_table(of, figures, notes):
    figures = [figure for figure in figures if any(figure in got for got in of.values())]
    systems = [system for system in SYSTEMS if any(figure in of.get(system, {}) for figure in figures)]
    if not figures:
        return ""
    head = [""] + [f"{FIGURES[figure][0]}, {FIGURES[figure][1]}" for figure in figures]
    rows = [[label(s, notes)] + [cell(of[s].get(figure), figure) for figure in figures] for s in systems]
    return table(head, rows)


def verdict(row):
    if row["ratio"] is None:
        return "not measured"
    if not row["met"]:
        return "**missed**"
    if row["aim"] and row["ratio"] >= row["aim"]:
        return "met, and the aim"
    return "met"


def targets_table(rows):
    out = []
    for row in rows:
        measured = "-"
        if row["ratio"] is not None:
            measured = f"{row['ratio']:.2f}x"
            if row["round_min"] is not None:
                measured += f" ({row['round_min']:.2f}..{row['round_max']:.2f})"
        over = SYSTEMS[row["over"]][0] if row.get("over") else ""
        what = row["what"] + (f" ({over})" if over and "best" in row["what"] else "")
        target = ("at least " if row["relation"] == ">=" else "at most ") + f"{row['target']:g}x"
        target += f", aim {row['aim']:g}x" if row["aim"] else ""
        out.append([what, measured, target, verdict(row)])
    return table(["ratio of medians (of each round)", "measured", "target", ""], out)


def micro_tables(micro):
    out = ""
    for part in micro:
        rows = []
        for case in part["cases"]:
            gigabits = f"{8 * case['bytes'] / case['median_ns']:.1f}" if case["bytes"] else ""
            spread = f"{case['median_ns']:.1f} ({case['min_ns']:.1f}..{case['max_ns']:.1f})"
            rows.append([case["name"], spread, gigabits])
        out += "\n" + table([part["title"], "ns", "Gb/s"], rows)
    return out


def markdown(machine, scenarios, values, medians, rows, notes, micro, plots):
    text = "# What `make bench` measured\n\n"
    text += (
        f"{machine['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['os']}, "
        f"Linux {machine['kernel']}, {machine['openssl']}"
        + (f", ipsec-mb {machine['ipsec_mb']}" if machine["ipsec_mb"] else "")
        + f"; weft {machine['commit']}.\n"
        f"Both hosts, the traffic's two ends and all daemons share those {machine['cores']} cores. Medians of "
        f"{machine['rounds']} rounds, in which the systems took turns (least..greatest); TCP runs of {machine['seconds']} s, "
        f"congestion control {machine['congestion_control']}. "
        + noise_text(values) + "How to read it: [tests/bench/README.md](../../tests/bench/README.md).\n\n"
    )
    text += "## Targets\n\n" + targets_table(rows)
    before = compare.figures_table(values, FIGURES)
    if before:
        text += "\n## Against another build of weft\n\nA ratio over 1 is for the better; compare.py has the rule.\n\n" + before
    for name, of in medians.items():
        text += f"\n## {name}: {scenario_text(scenarios[name])}\n"
        for heading, figures in TABLES:
            made = figures_table(of, figures, notes)
            text += f"\n{heading}:\n\n{made}" if made else ""
        text += "".join(f"\n![{alt}]({path})\n" for scenario, path, alt in plots if scenario == name)
    if micro:
        text += "\n## Micro-benchmarks\n\nNanoseconds for one, with warm caches.\n" + micro_tables(micro)
    return text


def bars_of(of, figures, names, notes):
    """[(label, kind, [summary or None for each figure])] in the order of SYSTEMS"""
    out = []
    for system, (_, kind) in SYSTEMS.items():
        if system in names and any(figure in of.get(system, {}) for figure in figures):
            scaled = []
            for figure in figures:
                got, factor = of[system].get(figure), FIGURES[figure][2]
                scaled.append(got and {key: got[key] * factor for key in ("median", "min", "max")})
            out.append((label(system, notes), kind, scaled))
    return out


def draw(folder, machine, scenarios, medians, notes):
    """Return: [(scenario, file, what it shows)]"""
    base, plots = medians.get("base", {}), []
    foot = f"{machine['cpu']}, {machine['cores']} cores for both hosts, {machine['date']}; median, least and greatest of " \
        f"{machine['rounds']} rounds"
    shown = [system for system in SYSTEMS if system not in ("weft_fit", "weft_old")]

    def add(scenario, name, alt, svg):
        if svg:
            (folder / name).write_text(svg)
            plots.append((scenario, name, alt))

    add("base", "tcp.svg", "TCP, one flow", plot.bars("TCP, one flow", "Gb/s", bars_of(base, ["tcp1"], shown, notes),
        None, KINDS, foot))
    add("base", "udp.svg", "UDP packets per second", plot.bars("UDP delivered, less than 0.1% lost", "thousand packets per second",
        bars_of(base, ["udp64", "imix", "udp1400"], shown, notes), ["64 B", "IMIX", "1400 B"], KINDS, foot))
    add("base", "cpu.svg", "CPU seconds per gigabyte", plot.bars("Processor time for one gigabyte of TCP", "seconds, whole machine",
        bars_of(base, ["cpu_machine"], shown, notes), None, KINDS, foot))
    add("base", "rtt.svg", "Round trips", plot.ranges("Round trip of 64 bytes: p50 to p99",
        [(name, kind, (got[:2], got[2:])) for name, kind, got in
         bars_of(base, ["rtt_p50", "rtt_p99", "rtt_load_p50", "rtt_load_p99"], shown, notes)],
        ["idle", "beside a TCP flow"], KINDS, foot))
    few, names = ["veth", "vxlan", "weft", "fastd_aes"], [name for name in scenarios if name in medians]
    rows = []
    for name in names:
        for text, kind, got in bars_of(medians[name], ["tcp1"], few, notes):
            rows.append((text, kind, got, scenario_text(scenarios[name])))
    add(names[-1] if names else "", "scenarios.svg", "TCP, one flow, in every scenario",
        plot.grouped("TCP, one flow, on different underlays", "Gb/s", rows, KINDS, foot) if len(names) > 1 else None)
    return plots


def main():
    folder = Path(sys.argv[1])
    machine = json.loads((folder / "machine.json").read_text())
    scenarios, values, notes = read(folder)
    medians = summarise(values)
    rows = ratios(values, medians, notes)
    micro = [json.loads(path.read_text()) for path in sorted(folder.glob("micro_*.json"))]
    for old in folder.glob("*.svg"):
        old.unlink()
    plots = draw(folder, machine, scenarios, medians, notes)
    (folder / "results.json").write_text(json.dumps({
        "machine": machine, "scenarios": scenarios, "notes": notes, "targets": rows, "figures": medians, "samples": values,
        "units": {name: unit for name, (_, unit, _, _) in FIGURES.items()}, "micro": micro}, indent=1) + "\n")
    text = markdown(machine, scenarios, values, medians, rows, notes, micro, plots)
    (folder / "results.md").write_text(text)
    print(targets_table(rows))
    print(noise_text(values))
    print(f"in {folder}/: results.md, results.json, " + ", ".join(path for _, path, _ in plots))


if __name__ == "__main__":
    main()
