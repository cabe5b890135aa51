#!/usr/bin/env python3
"""Fails where a header declares a function that another file than its own .c defines.

Usage: tools/headers.py FOLDER...   A header is its module's word and nobody else's: room/x.h speaks for room/x.c.  Rows of
a table (AEAD backends, attachments, stages) are declared by the table's X-macro, which this does not see.  make check
runs it on all rooms.
"""
import pathlib
import re
import sys

NAME = re.compile(r"\b([a-z_][a-z0-9_]*)\s*\(")
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)|_Alignas\s*\([^)]*\)", re.S)
# a field, a type, a variable, a check while compiling: has parentheses, perhaps, and is no function
OTHER = re.compile(r"\s*(typedef\b|_Static_assert\b|(static\s+)?(const\s+)?(struct|union|enum)\s+\w+\s*$)")


def top_level(text):
    """Yield (statement, what ends it) for everything outside braces and parentheses: ';' or '{'."""
    text = NOT_CODE.sub(lambda m: '""' if m[0][0] in "\"'" else " ", text)  # in one pass: either may hold the other
    text = ATTRIBUTE.sub(" ", DIRECTIVE.sub("", text))
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
        name = NAME.search(statement)
        if by != end or not name or "=" in statement or OTHER.match(statement):
            continue
        if not re.match(r"\s*\*", statement[name.end():]) and not name[1].startswith("__"):  # no pointer; the compiler's own
            yield name[1]


def main(folders):
    bad = 0
    sources = sorted(p for f in folders for p in pathlib.Path(f).rglob("*.c"))
    defined = {}
    for path in sources:
        for name in functions(path, "{"):
            defined.setdefault(name, set()).add(path)
    for header in sorted(p for f in folders for p in pathlib.Path(f).rglob("*.h")):
        for name in functions(header, ";"):
            homes = defined.get(name, set())
            if header.with_suffix(".c") in homes:
                continue
            print(f"{header}: declares {name}(), which {', '.join(map(str, sorted(homes))) or 'no file'} defines")
            bad = 1
    return bad


sys.exit(main(sys.argv[1:]))
