"""The tables of Documentation/reliability.md that scripts write."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "Documentation" / "reliability.md"


def write(name: str, table: str) -> None:
    """Puts a table between the two comments that bear its name."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, rest = PAGE.read_text().split(begin)
    PAGE.write_text(before + begin + table + end + rest.split(end)[1])
