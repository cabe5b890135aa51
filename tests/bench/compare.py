#!/usr/bin/env python3
"""compare.py DIR: what compare.sh measured and counted of weft and of weft_old, with a verdict for each line

A figure is worse when its median is under 0.97 of the older weft's and the interquartile ranges of the two lie apart: a
smaller step, or one within what the rounds differ by themselves, cannot be told from noise.  What is counted is worse when it
has risen by more than 3%; system calls and context switches, which depend on who wakes whom first, with their quartiles apart too.
"""
import json
import re
import statistics
import sys
from pathlib import Path

NEW, OLD = "weft", "weft_old"
WORSE = 0.97
MORE = 1.03
ROUNDS_MIN = 5  # with fewer, quartiles say nothing
LESS_IS_BETTER = re.compile(r"^(cpu_|rtt_|memory)")


def quartiles(values):
    """Of one value, itself"""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def judge(new, old, less_is_better):
    """Return: how many times better the new median is, and the verdict"""
    medians = statistics.median(new), statistics.median(old)
    if not all(medians):
        return None, "not measured"
    ratio = medians[1] / medians[0] if less_is_better else medians[0] / medians[1]
    (new_low, new_high), (old_low, old_high) = quartiles(new), quartiles(old)
    apart = new_high < old_low or old_high < new_low
    if min(len(new), len(old)) < ROUNDS_MIN:
        return ratio, "too few rounds"
    if ratio < WORSE and apart:
        return ratio, "**worse**"
    return ratio, "better" if ratio > 1 / WORSE and apart else "no worse"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 2) + "|---|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def spread(values, factor, digits):
    low, high = quartiles(values)
    if len(values) == 1:
        return f"{values[0] * factor:,.{digits}f}"
    return f"{statistics.median(values) * factor:.{digits}f} ({low * factor:.{digits}f}..{high * factor:.{digits}f})"


def figures_table(values, names):
    """@values: [scenario][system][figure] = {round: value}; @names: {figure: (heading, unit, factor, digits)}"""
    rows = []
    for scenario, systems in values.items():
        for figure, (heading, unit, factor, digits) in names.items():
            new, old = ([v for v in systems.get(s, {}).get(figure, {}).values() if v is not None] for s in (NEW, OLD))
            if figure == "noise" or not new or not old:
                continue
            ratio, verdict = judge(new, old, LESS_IS_BETTER.match(figure))
            rows.append([f"{scenario}: {heading}, {unit}", spread(old, factor, digits), spread(new, factor, digits),
                         f"{ratio:.3f}" if ratio else "-", verdict])
    return table(["median (quartiles)", "before", "now", "times as good", ""], rows) if rows else ""


def instructions(folder):
    """{case: {system: instructions for one item}}; the workers' by thread: all cases of micro_worker together"""
    out = {}
    for path in sorted(folder.glob("*.*")):
        system, name = path.name.split(".")[:2]
        name = name.split("-")[0]
        head = path.read_text(errors="replace")
        total = re.search(r"^totals: (\d+)", head, re.M)
        case = re.search(r"^desc: Trigger: Client Request: (.*) / (\d+)$", head, re.M)
        thread = int((re.search(r"^thread: (\d+)", head, re.M) or [0, 1])[1])
        if case and int(case[2]):
            out.setdefault(f"{name}: {case[1]}", {})[system] = [int(total[1]) / int(case[2])]
        elif total and thread > 1:
            out.setdefault(f"{name}: all of thread {thread}'s", {})[system] = [int(total[1])]
    return out


def counted_row(what, old, new, digits):
    """@old, @new: of each round"""
    if not old or not new or not all(old):
        return [what, "-", "-", "-", "not in both"]
    ratio = statistics.median(new) / statistics.median(old)
    more = ratio > MORE and quartiles(new)[0] > quartiles(old)[1]
    return [what, spread(old, 1, digits), spread(new, 1, digits), f"{ratio:.3f}", "**more**" if more else "no more"]


def instructions_table(folder):
    rows = [counted_row(case, of.get(OLD), of.get(NEW), 0) for case, of in sorted(instructions(folder).items())]
    return table(["instructions", "before", "now", "times as many", ""], rows) if rows else ""


def calls_table(path):
    counts = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        entry = json.loads(line)
        for what in ("calls", "switches"):
            if entry["frames"]:
                of = counts.setdefault((entry["load"], what), {})
                of.setdefault(entry["system"], []).append(entry[what] / entry["frames"])
    rows = []
    for (load, what), of in counts.items():
        text = f"{load}: {'system calls' if what == 'calls' else 'context switches'}"
        rows.append(counted_row(text, of.get(OLD), of.get(NEW), 3))
    return table(["of both weftd, for each frame", "before", "now", "times as many", ""], rows) if rows else ""


def main():
    folder = Path(sys.argv[1])
    text = "# This weft and an older one\n\n" + (folder / "what").read_text()
    results = folder / "results.json"
    if results.exists():
        import report  # report.py shows our table too
        got = json.loads(results.read_text())
        text += "\n" + figures_table(got["samples"], report.FIGURES)
    for part in (instructions_table(folder / "callgrind"), calls_table(folder / "calls.jsonl")):
        text += "\n" + part if part else ""
    (folder / "compare.md").write_text(text)
    print(text)
    sys.exit(1 if "**" in text else 0)


if __name__ == "__main__":
    main()
