"""Runs checks one after the other, prints one line for each and counts them."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Outcome:
    """A check is a function that raises where it finds something wrong; its doc comment says what it checks."""

    passed: int = 0
    failed: int = 0

    def run(self, check: Callable[..., None], *arguments: object) -> None:
        what = (check.__doc__ or check.__name__).strip().splitlines()[0].rstrip(".")
        try:
            check(*arguments)
        except Exception as error:  # whatever a hostile or absent file makes a reader raise
            self.failed += 1
            print(f"  FAILED  {what}\n          {explain(error)}", flush=True)
        else:
            self.passed += 1
            print(f"  passed  {what}", flush=True)

    def summary(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def explain(error: Exception) -> str:
    """The error's first line and which line of the check raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    check = frames[1]  # 0 is `Outcome.run`
    text = str(error).splitlines()[0] if str(error) else check.line
    return f"{type(error).__name__}: {text} ({check.filename.rsplit('/', 1)[-1]}:{check.lineno})"


def require(condition: bool, message: str) -> None:
    """Like `assert`, but never optimised away."""
    if not condition:
        raise AssertionError(message)
