#!/usr/bin/env python3
"""Fails where a named drop is counted nowhere: every row of a module's list must be used by a .c file that is no test.

Usage: tools/drops.py   from the repository's top.  A row's value is PREFIX_NAME as its module's enum has it; PREFIX comes from the
list that it stands in.  make check runs it.
"""
import pathlib
import re
import sys

ROOMS = "base packet lab crypto encap switch tap underlay overlay".split()
ROW = re.compile(r"\bX\((\w+),\s*\"([a-z0-9-]+)\"")


def lists(text):
    """Yield (name of the list, its rows) of every X-macro list of drops in @text."""
    for found in re.finditer(r"#define (\w+)_DROPS\(X\)((?:[^\n]*\\\n)+[^\n]*)", text):
        yield found[1], ROW.findall(found[2])


def main():
    headers = [p for room in ROOMS for p in sorted(pathlib.Path(room).rglob("*.h"))]
    sources = {p: p.read_text() for room in ROOMS for p in sorted(pathlib.Path(room).rglob("*.c"))}
    code = "\n".join(sources.values()) + "\n".join(p.read_text() for p in headers if p.name == "port_ops.h")
    bad = count = 0
    for header in headers:
        for prefix, rows in lists(header.read_text()):
            for name, text in rows:
                value = {"OVERLAY": f"DROP_{name}", "FDB": f"FDB_{name}"}.get(prefix, f"{prefix}_DROP_{name}")
                count += 1
                if not re.search(rf"\b{value}\b", code):
                    print(f"{header}: nothing counts {text} ({value})")
                    bad = 1
    if count < 60:
        print(f"only {count} drops found: have the lists another form now?")
        bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
