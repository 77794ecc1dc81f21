#!/usr/bin/env python3
"""Looks at report.html as a phone and a desk show it, in light and dark, with headless Chromium.

    python3 scripts/checks/report_pages.py artifacts/smollm2-demo/report.html SCREENS

Needs Debian's `chromium`. Leaves a picture of each in the folder SCREENS, and fails where the page is wider than the
screen, where words of a drawing leave it or run into each other, or where text is too pale to read.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from outcome import require

BROWSER = "chromium"
SCREENS = {"phone": (390, 9000), "desk": (1280, 5000)}
SCHEMES = {"dark": 0, "light": 1}  # Blink's numbers

# The page is shown in a frame, since no window of the browser is as narrow as a phone.
FRAME = """<!DOCTYPE html><meta name="color-scheme" content="light dark"><body style="margin:0">
<iframe style="border:0" width="{width}" height="{height}" src="{page}"></iframe><pre id="seen"></pre><script>
onload = () => {{
  const page = frames[0].document, style = (element) => frames[0].getComputedStyle(element);
  const box = (element) => {{ const b = element.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; }};
  const charts = [...page.querySelectorAll("svg.chart")].map((chart) => ({{
    id: chart.parentNode.id, box: box(chart),
    words: [...chart.querySelectorAll("text")].map((word) => ({{text: word.textContent, box: box(word)}})),
  }}));
  document.getElementById("seen").textContent = JSON.stringify({{
    width: page.documentElement.scrollWidth, charts, paper: style(page.body).backgroundColor,
    inks: ["h1", "figcaption", "dd", "td"].map((tag) => style(page.querySelector(tag)).color),
    words: style(page.querySelector("svg.chart text")).fontSize,
  }});
}};
</script>
"""


def check(page: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    papers = {}
    for scheme in SCHEMES:
        for screen in SCREENS:
            picture = folder / f"{page.parent.name}-{screen}-{scheme}.png"
            seen = look(page.resolve(), SCREENS[screen], SCHEMES[scheme], picture)
            where = f"{screen}, {scheme}"
            width = SCREENS[screen][0]
            require(seen["width"] <= width, f"{where}: the page is {seen['width']} pixels wide")
            require(bool(seen["charts"]), f"{where}: there is no drawing")
            for chart in seen["charts"]:
                require_words_apart(chart, where)
            papers[scheme] = luminance(seen["paper"])
            for ink in seen["inks"]:
                require(contrast(papers[scheme], luminance(ink)) >= 4.5, f"{where}: {ink} on {seen['paper']}")
    require(papers["dark"] < 0.1 and papers["light"] > 0.8, f"the paper does not follow light and dark: {papers}")


def look(page: Path, size: tuple[int, int], scheme: int, picture: Path) -> dict:
    width, height = size
    with tempfile.TemporaryDirectory(prefix="gambit-page-") as scratch:
        frame = Path(scratch) / "frame.html"
        frame.write_text(FRAME.format(width=width, height=height, page=page.as_uri()))

        def browse(*arguments: str) -> str:
            return subprocess.run(
                [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                 "--allow-file-access-from-files", f"--user-data-dir={scratch}/profile",
                 f"--blink-settings=preferredColorScheme={scheme}", f"--window-size={max(width, 500)},{height}",
                 *arguments, frame.as_uri()], check=True, capture_output=True, text=True, timeout=120).stdout

        browse(f"--screenshot={picture}")
        seen = re.search(r'<pre id="seen">(.*?)</pre>', browse("--dump-dom"), re.DOTALL)
        require(seen is not None and bool(seen[1]), "the browser shows nothing")
        return json.loads(seen[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def require_words_apart(chart: dict, where: str) -> None:
    left, top, right, bottom = chart["box"]
    for index, word in enumerate(chart["words"]):
        a = word["box"]
        require(a[0] >= left - 1 and a[1] >= top - 1 and a[2] <= right + 1 and a[3] <= bottom + 1,
                f"{where}: '{word['text']}' leaves the drawing {chart['id']}")
        for other in chart["words"][:index]:
            b = other["box"]
            across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            # A box is taller than its letters.
            require(across <= 1 or down <= 3, f"{where}: '{word['text']}' and '{other['text']}' in {chart['id']}")


def luminance(color: str) -> float:
    """Of WCAG 2, from 0 to 1."""
    channels = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: float, b: float) -> float:
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: report_pages.py REPORT.html FOLDER", file=sys.stderr)
        return 2
    try:
        check(Path(sys.argv[1]), Path(sys.argv[2]))
    except AssertionError as error:
        print(f"report_pages: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
