"""What Documentation shows: figures are drawn from the tables beside them."""

import subprocess
import sys

from outcome import require
from run_directory import REPOSITORY


def figures_say_what_tables_say() -> None:
    """documentation: its figures are drawn from its tables."""
    drawn = subprocess.run([sys.executable, REPOSITORY / "scripts" / "draw_figures.py", "--check"],
                           capture_output=True, text=True)
    require(drawn.returncode == 0, drawn.stderr.strip())
