"""plot.py - the bench's plots as SVG, by nothing but text

Each function returns one picture: bars (one or several to a row), grouped bars with headings between, and ranges on a
logarithmic axis.  Rows are (label, kind, figures); a kind of system has a colour.  The picture brings its own ground and
follows the reader's light or dark preference.
"""
import math
from html import escape

WIDTH = 760
LEFT = 190  # of the axis: labels stand before it
RIGHT = 70  # values stand behind the bars
TOP = 62
STYLE = """
svg { font: 13px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; }
.ground { fill: #ffffff; } text { fill: #24292f; } .soft { fill: #59636e; font-size: 11px; }
.soft, .group { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; }
.title { font-size: 15px; font-weight: 600; } .group { font-size: 12px; font-weight: 600; }
.grid { stroke: #d8dee4; } .whisker { stroke: #24292f; stroke-width: 1.2; fill: none; }
.ours { fill: #d9480f; } .encrypted { fill: #3b7dd8; } .routed { fill: #8fb8ea; } .clear { fill: #a3adb8; }
.s1 { opacity: .72; } .s2 { opacity: .46; }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117; } text { fill: #e6edf3; } .soft { fill: #9198a1; }
.soft, .group { stroke: #0d1117; }
.grid { stroke: #30363d; } .whisker { stroke: #e6edf3; }
.ours { fill: #ff7b3d; } .encrypted { fill: #4d93f0; } .routed { fill: #2f5f9e; } .clear { fill: #6b7683; }
}
"""


def nice_step(most, about=6):
    """A step of 1, 2 or 5 times a power of ten that divides 0..most into about so many parts"""
    raw = most / about
    power = 10 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)


def number(value):
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def duration(us):
    return f"{us:.0f} us" if us < 1000 else f"{us / 1000:.1f} ms" if us < 10000 else f"{us / 1000:.0f} ms"


def text(x, y, words, css="", anchor="start"):
    css = f' class="{css}"' if css else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{css}>{escape(words)}</text>'


def line(x1, y1, x2, y2, css):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def rect(x, y, width, height, css):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}" class="{css}"/>'


def picture(title, unit, parts, bottom, foot, kinds):
    """Title, legend of @kinds, then @parts; the unit under the axis at @bottom"""
    out = [text(14, 24, title, "title")]
    x = 14
    for kind, words in kinds:
        out += [rect(x, 36, 11, 11, kind), text(x + 16, 46, words, "soft")]
        x += 16 + 6.2 * len(words) + 18
    out += parts
    out += [text(LEFT + (WIDTH - LEFT - RIGHT) / 2, bottom + 34, unit, "soft", "middle"), text(14, bottom + 56, foot, "soft")]
    height = bottom + 68
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img"><title>{escape(title)}</title><style>{STYLE}</style>'
            f'<rect width="{WIDTH}" height="{height}" class="ground"/>' + "".join(out) + "</svg>\n")


def legend(rows, kinds):
    present = {row[1] for row in rows}
    return [(kind, words) for kind, words in kinds.items() if kind in present]


def linear(most):
    """Return: position of a value, and [(position, label)] of the grid"""
    step = nice_step(most)
    end = step * math.ceil(most / step)
    scale = (WIDTH - LEFT - RIGHT) / end
    ticks = [step * i for i in range(round(end / step) + 1)]
    return (lambda value: LEFT + value * scale), [(LEFT + tick * scale, f"{tick:g}") for tick in ticks]


def grid(ticks, top, bottom):
    return [line(x, top, x, bottom, "grid") for x, _ in ticks] + [text(x, bottom + 16, words, "soft", "middle") for x, words in ticks]


def bar(at, y, thick, got, css, words=""):
    """One bar with its whisker; @words and the value stand clear behind the whisker"""
    out = [rect(LEFT, y, at(got["median"]) - LEFT, thick, css)]
    if got["max"] > got["min"]:
        middle = y + thick / 2
        out.append(line(at(got["min"]), middle, at(got["max"]), middle, "whisker"))
        out += [line(at(got[key]), middle - 3, at(got[key]), middle + 3, "whisker") for key in ("min", "max")]
    out.append(text(at(got["max"]) + 6, y + thick / 2 + 4, words + number(got["median"]), "soft"))
    return out


def bars(title, unit, rows, series, kinds, foot):
    """@series: names of the several bars of a row, or None for one"""
    rows = [row for row in rows if any(row[2])]
    if not rows:
        return None
    thick = 12 if series else 18
    at, ticks = linear(max(got["max"] for row in rows for got in row[2] if got))
    y, drawn = TOP + 6, []
    for name, kind, figures in rows:
        height = thick * len(figures)
        drawn.append(text(LEFT - 10, y + height / 2 + 4, name, "", "end"))
        for i, got in enumerate(figures):
            if got:
                drawn += bar(at, y + i * thick, thick - (1 if series else 0), got, f"{kind} s{i}", f"{series[i]}: " if series else "")
        y += height + 9
    return picture(title, unit, grid(ticks, TOP, y) + drawn, y, foot, legend(rows, kinds))


def grouped(title, unit, rows, kinds, foot):
    """Rows as above with a group's name as fourth; a heading where it changes"""
    rows = [row for row in rows if row[2][0]]
    if not rows:
        return None
    at, ticks = linear(max(row[2][0]["max"] for row in rows))
    y, drawn, last = TOP, [], None
    for name, kind, figures, group in rows:
        if group != last:
            y += 22
            drawn.append(text(14, y - 6, group, "group"))
            last = group
        drawn.append(text(LEFT - 10, y + 12, name, "", "end"))
        drawn += bar(at, y, 15, figures[0], kind)
        y += 20
    y += 4
    return picture(title, unit, grid(ticks, TOP, y) + drawn, y, foot, legend(rows, kinds))


def ranges(title, rows, series, kinds, foot):
    """Rows of pairs (from, to) in microseconds, one for each of @series, on a logarithmic axis"""
    rows = [row for row in rows if any(all(pair) for pair in row[2])]
    if not rows:
        return None
    values = [got["median"] for row in rows for pair in row[2] if all(pair) for got in pair]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    scale = (WIDTH - LEFT - RIGHT) / max(high - low, 1)

    def at(value):
        return LEFT + (math.log10(value) - low) * scale

    ticks = [(at(10.0 ** power), duration(10.0 ** power)) for power in range(low, high + 1)]
    y, drawn = TOP + 6, []
    for name, kind, pairs in rows:
        drawn.append(text(LEFT - 10, y + 19, name, "", "end"))
        for i, pair in enumerate(pairs):
            if not all(pair):
                continue
            start, end = at(pair[0]["median"]), at(pair[1]["median"])
            drawn.append(rect(start, y + i * 16, end - start, 10, f"{kind} s{i}"))
            words = f"{series[i]}: {duration(pair[0]['median'])} to {duration(pair[1]['median'])}"
            if end + 6 + 6 * len(words) < WIDTH:
                drawn.append(text(end + 6, y + i * 16 + 9, words, "soft"))
            else:
                drawn.append(text(start - 6, y + i * 16 + 9, words, "soft", "end"))
        y += 42
    return picture(title, "logarithmic", grid(ticks, TOP, y) + drawn, y, foot, legend(rows, kinds))
