"""The actions of the log: all are written by somebody, and all are told of."""

import re
from pathlib import Path

import gitlab_hub
from gitlab_hub.audit.model import AuditAction

CODE = Path(gitlab_hub.__file__).parent
PAGE = Path(__file__).parents[3] / "docs" / "operations.md"


def test_every_action_is_recorded_by_somebody() -> None:
    elsewhere = (path.read_text() for path in CODE.rglob("*.py") if path.parent != CODE / "audit")
    used = {name for text in elsewhere for name in re.findall(r"\bAuditAction\.([A-Z_]+)", text)}
    assert used == set(AuditAction.__members__)


def test_nobody_records_a_text_of_their_own() -> None:
    spelled = re.compile(r"record\(\s*f?[\"']")
    assert [path for path in CODE.rglob("*.py") if spelled.search(path.read_text())] == []


def test_the_page_has_every_action() -> None:
    section = PAGE.read_text().partition("## Who did what\n")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `([a-z_.]+)` \|", section, re.MULTILINE)
    assert told == [action.value for action in AuditAction]


def test_a_member_is_named_as_its_text() -> None:
    assert {name: action.value.upper().replace(".", "_") for name, action in AuditAction.__members__.items()} == {
        name: name for name in AuditAction.__members__
    }
