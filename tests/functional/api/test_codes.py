"""Every code that the API can answer with is in the operators' book, with its status and what to do; no other is."""

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import gitlab_hub
from gitlab_hub.errors import HubError
from gitlab_hub.integrations.credential_routes import rendered
from gitlab_hub.integrations.verification.codes import FAILURES, WARNINGS
from gitlab_hub.integrations.verification.refusals import REFUSALS
from gitlab_hub.sync.run import EXPIRED, PAUSED
from gitlab_hub.web.status import STATUS_OF_CODE, status_of

BOOK = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| ([\d, ]*)\| (.+) \|$", re.MULTILINE)

OF_A_RUN = {PAUSED["code"], EXPIRED["code"]}
"""Codes of a run's `last_error` that no answer has as its own."""


def table() -> dict[str, tuple[set[int], str]]:
    """The book's table: code → statuses, advice."""
    section = BOOK.partition("## Error codes")[2].partition("\n## ")[0]
    rows = [
        (code, {int(each) for each in re.findall(r"\d+", statuses)}, advice)
        for code, statuses, advice in ROW.findall(section)
    ]
    assert len(rows) == len({code for code, *_ in rows})
    return {code: (statuses, advice) for code, statuses, advice in rows}


def every_error() -> Iterator[type[HubError]]:
    """All classes of errors of the whole package."""
    for module in pkgutil.walk_packages(gitlab_hub.__path__, "gitlab_hub."):
        import_module(module.name)
    waiting: list[type[HubError]] = [HubError]
    while waiting:
        kind = waiting.pop()
        waiting += [each for each in kind.__subclasses__() if each.__module__.startswith("gitlab_hub.")]
        yield kind


def test_the_book_has_every_code_and_no_other() -> None:
    codes = {kind.code for kind in every_error()}
    assert len(codes) > 30
    assert set(table()) == codes | OF_A_RUN


def test_the_book_has_the_right_statuses() -> None:
    found: dict[str, set[int]] = {code: set() for code in OF_A_RUN}
    for kind in every_error():
        found.setdefault(kind.code, set()).add(status_of(kind("")))
    assert {code: statuses for code, (statuses, _) in table().items()} == found


def test_every_row_says_what_to_do() -> None:
    assert [code for code, (_, advice) in table().items() if len(advice) < 20] == []


def test_every_code_has_its_status_on_purpose() -> None:
    assert {kind.code for kind in every_error()} <= set(STATUS_OF_CODE)


def test_what_may_pass_by_itself_is_called_retryable() -> None:
    passing = {kind.code for kind in every_error() if kind.retryable}
    assert {code for code in passing if STATUS_OF_CODE[code] not in {409, 502, 503}} == set()
    assert {kind.code for kind in every_error() if STATUS_OF_CODE[kind.code] == 503} <= passing


def test_every_finding_of_a_verification_is_an_error_or_a_warning_of_the_book() -> None:
    assert set(FAILURES) == set(REFUSALS)
    assert {code for code in WARNINGS if f"`{code}`" not in BOOK} == set()
    assert all(meaning.hint for meaning in FAILURES.values())


def test_the_book_has_the_codes_of_the_other_convention() -> None:
    section = BOOK.partition("The `credentials.*` routes answer")[2].partition("\n## ")[0]
    told = set(re.findall(r"`(\w+)`", section))
    assert {str(rendered(kind(""))[1]["error"]) for kind in every_error()} <= told
