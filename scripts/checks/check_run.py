#!/usr/bin/env python3
"""Opens everything that a finished run left behind with other projects' readers.

    "$(scripts/python-environment)" scripts/checks/check_run.py artifacts/smollm2-demo

Prints a line a check and at the end `N passed, M failed`; exits with 1 where a check failed, 2 where the
command line is wrong.
"""

import sys
from pathlib import Path

import bundle_checks
import document_checks
import statistics_checks
from outcome import Outcome
from run_directory import RunDirectory


def check_run(run: RunDirectory, outcome: Outcome) -> None:
    for check in statistics_checks.CHECKS + bundle_checks.CHECKS + document_checks.CHECKS:
        outcome.run(check, run)


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: check_run.py DIRECTORY", file=sys.stderr)
        return 2
    outcome = Outcome()
    check_run(RunDirectory(Path(sys.argv[1])), outcome)
    print(outcome.summary())
    return 1 if outcome.failed else 0


if __name__ == "__main__":
    sys.exit(main())
