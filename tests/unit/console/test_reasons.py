"""Why nothing was built, in words."""

import re
from pathlib import Path

import pytest

from gitlab_hub.console.reasons import WORDS, told

DOCS = (Path(__file__).parents[3] / "docs" / "builds.md").read_text()


def refusals() -> set[str]:
    """The codes of the last column of the table in the documentation."""
    table = DOCS.partition("## Why it builds, or not")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")]
    return {code for row in rows[1:] for code in re.findall(r"`(\w+)`", row[3])}


def test_every_refusal_of_a_trigger_has_words() -> None:
    assert len(refusals()) > 20
    assert refusals() - WORDS.keys() == set()


@pytest.mark.parametrize(
    ("reason", "read"),
    [
        ("no_trigger", (None, "no_trigger", "No trigger waits for such an event in this project.")),
        ("trg_1: draft", ("trg_1", "draft", "The merge request is a draft.")),
        ("something_new", (None, "something_new", "Something new.")),
    ],
)
def test_a_reason_is_read(reason: str, read: tuple[str | None, str, str]) -> None:
    assert told(reason) == read
