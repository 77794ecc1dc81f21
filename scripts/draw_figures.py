#!/usr/bin/env python3
"""Draws the figures of Documentation from the tables beside them, so that a figure says what its table says.

    scripts/draw_figures.py            # writes Documentation/figures/*.svg
    scripts/draw_figures.py --check    # exits with 1 where one of them is not up to date
"""

import math
import re
import sys
from pathlib import Path

DOCUMENTATION = Path(__file__).resolve().parents[1] / "Documentation"
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 440, 64, 24, 20, 48

STYLE = """
svg { font: 13px system-ui, sans-serif; --ink: #1f2328; --faint: #d0d7de; --paper: #fff;
      --a: #0969da; --b: #bc4c00; --c: #57606a; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6edf3; --faint: #30363d; --paper: #0d1117; --a: #58a6ff; --b: #f0883e; --c: #8b949e; } }
.paper { fill: var(--paper); } text { fill: var(--ink); } .grid { stroke: var(--faint); }
.a { fill: var(--a); stroke: var(--a); } .b { fill: var(--b); stroke: var(--b); }
.c { fill: var(--c); stroke: var(--c); }
path { stroke-width: 2; fill: none !important; } text.a, text.b, text.c { stroke: none; }
"""


def rows(page: str, header: str) -> list[list[str]]:
    """The cells, without emphasis, of the first table of a page whose header begins so."""
    lines = (DOCUMENTATION / page).read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(header))
    cells = []
    for line in lines[start + 2:]:
        if not line.startswith("|"):
            break
        cells.append([cell.strip() for cell in line.replace("*", "").strip("|").split("|")])
    return cells


def number(cell: str) -> float:
    """The first number of a cell: behind it stands its standard error."""
    return float(re.match(r"[0-9.]+", cell)[0])


def precision_on_demand() -> str:
    planes = rows("precision-on-demand.md", "| method | MB a token |")
    divided = [row for row in planes if "global" in row[0]]
    head = sorted((number(r[1]), number(r[4])) for r in divided if "head on demand" in r[0])
    whole = sorted((number(r[1]), number(r[4])) for r in divided if "head" not in r[0])
    peers = rows("compare.md", "| llama.cpp's |")
    files = [(r[0], number(r[1]), number(r[2])) for r in peers]
    joined = [(number(r[3]), number(r[4])) for r in peers if r[3] and number(r[4]) < 1]
    frontier = rows("compare.md", "| Gambit's |")
    bundles = sorted((number(r[1]), number(r[2])) for r in frontier if re.fullmatch(r"q4 bundle, (dense|energy \d+%)", r[0]))
    return plot(
        "SmolLM2-135M: what is lost over what a token reads", "MB a token", "KL to the model, nats a token",
        (60, 150), (0.001, 0.7), [
            ("a", "planes, head on demand", head, "solid"),
            ("a", "planes, head whole (dashed)", whole, "dashed"),
            ("b", "llama.cpp's files", [(m, kl) for _, m, kl in files], None),
            ("b", "its types joined, which nothing reads (dashed)", sorted(joined), "dashed"),
            ("c", "q4 bundles, energy at 0 to 70%", bundles, "solid")],
        files)


def plot(title, x_title, y_title, x_range, y_range, series, names) -> str:
    """Points over a linear and a logarithmic axis; those of a series are joined by the line that it names."""
    def x(value):
        return LEFT + (value - x_range[0]) / (x_range[1] - x_range[0]) * (WIDTH - LEFT - RIGHT)

    def y(value):
        low, high = map(math.log, y_range)
        return HEIGHT - BOTTOM - (math.log(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
           f"<style>{STYLE}</style>", f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>']
    for tick in range(math.ceil(x_range[0] / 10) * 10, int(x_range[1]) + 1, 10):
        out.append(f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
                   f'<text x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tick}</text>')
    for tick in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5):
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
                   f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{x_title}</text>')
    out.append(f'<text transform="translate(16 {HEIGHT / 2:.0f}) rotate(-90)" text-anchor="middle">{y_title}</text>')
    for index, (kind, name, points, line) in enumerate(series):
        if line:
            dashes = ' stroke-dasharray="5 4"' if line == "dashed" else ""
            path = " L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in points)
            out.append(f'<path class="{kind}" d="M{path}"{dashes}/>')
        out += [f'<circle class="{kind}" cx="{x(a):.1f}" cy="{y(b):.1f}" r="4"/>' for a, b in points]
        legend = TOP + 18 + 20 * index
        out.append(f'<circle class="{kind}" cx="{WIDTH - 330}" cy="{legend - 4}" r="4"/>'
                   f'<text class="{kind}" x="{WIDTH - 318}" y="{legend}">{name}</text>')
    out += [f'<text x="{x(a) + 8:.1f}" y="{y(b) + 4:.1f}">{name}</text>' for name, a, b in names]
    return "\n".join(out) + "\n</svg>\n"


FIGURES = {"precision-on-demand.svg": precision_on_demand}


def main() -> None:
    stale = []
    for name, draw in FIGURES.items():
        file, drawn = DOCUMENTATION / "figures" / name, draw()
        if "--check" not in sys.argv[1:]:
            file.write_text(drawn)
        elif not file.exists() or file.read_text() != drawn:
            stale.append(name)
    if stale:
        sys.exit(f"{', '.join(stale)}: not what the tables say; run scripts/draw_figures.py")


if __name__ == "__main__":
    main()
