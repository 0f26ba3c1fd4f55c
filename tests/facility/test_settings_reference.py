"""The reference of settings is complete, and names nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = [
    *(REPOSITORY / "images").glob("*/*_config.py"),
    *(REPOSITORY / "images" / "xcache").glob("*.cfg"),
    *(REPOSITORY / "images" / "xcache").glob("*.env"),
    *(REPOSITORY / "analysis" / "fourlep" / "facility").rglob("*.py"),
    REPOSITORY / "analysis" / "fourlep" / "config" / "environment.py",
    REPOSITORY / "analysis" / "fourlep" / "config" / "settings.py",
    REPOSITORY / "analysis" / "fourlep" / "cli" / "facility.py",
]
NAME = re.compile(r"\bFOURLEP_[A-Z_]*[A-Z]\b")
#: Of the analysis, not of the facility; and the two made from a role's name.
ELSEWHERE = {"FOURLEP_CACHE_DIR", "FOURLEP_LIMIT"}
MADE = {"FOURLEP_SCHEDULER_PRIORITY_CLASS", "FOURLEP_WORKER_PRIORITY_CLASS"}


def written() -> set[str]:
    page = REPOSITORY / "docs" / "reference" / "facility-settings.md"
    return set(NAME.findall(page.read_text()))


def read() -> set[str]:
    return {name for path in SOURCES for name in NAME.findall(path.read_text())}


def test_every_setting_is_in_the_reference() -> None:
    assert read() - written() - ELSEWHERE == set()


def test_every_setting_of_the_reference_is_read() -> None:
    assert written() - read() - MADE == set()
