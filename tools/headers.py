#!/usr/bin/env python3
"""Fails where a header declares a function that another file than its own .c defines.

Usage: tools/headers.py FOLDER...   A header is its module's word and nobody else's: room/x.h speaks for room/x.c.  Rows of
a table (attachments, stages, commands) are declared by the table's X-macro, which this does not see.
"""
import pathlib
import re
import sys

NAME = re.compile(r"\b([a-z_][a-z0-9_]*)\s*\(")
KEYWORDS = {"__attribute__", "sizeof", "_Static_assert", "defined"}


def top_level(text):
    """Yield (statement, what ends it) for everything outside braces and parentheses: ';' or '{'."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)
    text = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", "", text, flags=re.M)
    text = re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', '""', text)
    depth, start = 0, 0
    for at, char in enumerate(text):
        if char == "{":
            if depth == 0:
                yield text[start:at], "{"
            depth += 1
        elif char == "}":
            depth -= 1
            start = at + 1
        elif char == ";" and depth == 0:
            yield text[start:at], ";"
            start = at + 1


def functions(path, end):
    for statement, by in top_level(path.read_text()):
        names = [n for n in NAME.findall(statement) if n not in KEYWORDS]
        is_data = "=" in statement or re.match(r"\s*(typedef|struct \w+\s*$|enum \w+\s*$)", statement)
        if by == end and names and not is_data and not re.search(r"\(\s*\*", statement.split(names[0])[0]):
            yield names[0]


def main(folders):
    bad = 0
    sources = sorted(p for f in folders for p in pathlib.Path(f).rglob("*.c"))
    defined = {name: path for path in sources for name in functions(path, "{")}
    for header in sorted(p for f in folders for p in pathlib.Path(f).rglob("*.h")):
        for name in functions(header, ";"):
            home = defined.get(name)
            if home is None:
                print(f"{header}: declares {name}(), which no file defines")
            elif home != header.with_suffix(".c"):
                print(f"{header}: declares {name}(), which {home} defines")
            else:
                continue
            bad = 1
    return bad


sys.exit(main(sys.argv[1:]))
