"""`hub api`, and that every route has a command, or stands in the guide among those that have none."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.functional.cli.command_line import CommandLine
from tests.functional.cli.test_documents import GUIDE, ROOT

VERBS = {"get": "GET", "rows": "GET", "pages": "GET", "file": "GET", "post": "POST", "patch": "PATCH", "put": "PUT",
         "delete": "DELETE"}  # fmt: skip
WORDS = {
    "/v1/builds/{}/{}": ("approve", "rerun", "cancel"),
    "/v1/integrations/{}/{}s": ("group", "project"),
    "/v1/integrations/{}/{}": ("accounts", "projects"),
    "/v1/integrations/{}/access-requests/{}/{}": ("approve", "deny", "revoke"),
    "/v1/integrations/{}/analytics/{}": ("summary", "flaky"),
    "/v1/integrations/{}/sync/{}": ("accept", "reject"),
}
"""Calls whose last part is a word that a command fills in."""
_PART = re.compile(r"\{[^}]*\}")
_ROW = re.compile(r"^\| (`.*?`) \|", re.MULTILINE)


def shapes() -> set[tuple[str, str]]:
    """The calls with their words filled in."""
    found = set()
    for verb, at in called():
        before, _, after = at.rpartition("{}")
        found |= {(verb, f"{before}{word}{after}") for word in WORDS.get(at, ("{}" if "{}" in at else "",))}
    return found


def called() -> Iterator[tuple[str, str]]:
    """Method and path of every call that a command makes; what it fills in is `{}`."""
    for file in (ROOT / "cli" / "hub_cli").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in VERBS
                and node.args
            ):
                at = node.args[0]
                if isinstance(at, ast.Call):
                    name = at.func.attr if isinstance(at.func, ast.Attribute) else getattr(at.func, "id", "")
                    if name in {"at", "path"}:
                        below = "/v1/integrations/{}" if name == "at" else "/v1"
                        yield VERBS[node.func.attr], "/".join((below, *map(_part, at.args)))
                elif isinstance(at, ast.JoinedStr):
                    yield VERBS[node.func.attr], _part(at).replace("{}", "/v1/integrations/{}", 1)


def _part(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_part(one) for one in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else "{}"


@pytest.fixture(scope="module")
def routes(company: Any) -> set[tuple[str, str]]:
    document = company("GET", "/openapi.json")[1]
    return {(verb.upper(), path) for path, methods in document["paths"].items() for verb in methods}


def test_every_route_has_a_command_or_stands_among_those_that_have_none(routes: set[tuple[str, str]]) -> None:
    made = shapes()
    without = {(verb, path) for verb, path in routes if (verb, _PART.sub("{}", path)) not in made}
    section = GUIDE.partition("## Routes without a command")[2]
    named = {
        (verb, re.sub(r"^…", "/v1/integrations/{integration_id}", path))
        for row in _ROW.findall(section)
        for verb, path in re.findall(r"`([A-Z]+) (\S+)`", row)
    }
    known = {(verb, _PART.sub("{}", path)) for verb, path in routes}
    assert (without - named, named - without, made - known) == (set(), set(), set())


def test_any_route_can_be_asked(hub: CommandLine) -> None:
    one = json.loads(hub("api", "/v1/integrations/{integration_id}").out)
    assert one["integration"]["id"] == hub.hub.own
    first = hub("api", "/v1/integrations/{integration_id}/accounts?limit=1")
    assert (len(json.loads(first.out)["accounts"]), "--all" in first.err) == (1, True)
    pages = hub("api", "/v1/integrations/{integration_id}/accounts?limit=1", "--all").out.splitlines()
    assert [len(json.loads(page)["accounts"]) for page in pages] == [1, 1, 1]
    review = hub("api", f"/v1/integrations/{{integration_id}}/reviews/{hub.hub.ids['review_id']}.csv")
    assert (review.code, "username" in review.out) == (0, True)


def test_a_body_is_sent_as_it_is(hub: CommandLine) -> None:
    at = "/v1/integrations/{integration_id}"
    renamed = hub("api", at, "-m", "patch", "--input", "-", typed='{"display_name": "Acme"}')
    assert (renamed.code, json.loads(renamed.out)["integration"]["display_name"]) == (0, "Acme")
    made = hub("api", "/v1/tokens", "--input", "-", typed='{"role": "viewer"}')
    assert (made.code, "idempotency-key" in hub.network.requests[-1].headers) == (0, True)
    assert hub("api", f"/v1/tokens/{json.loads(made.out)['id']}", "-m", "DELETE").code == 0


@pytest.mark.parametrize(
    "words", ["https://evil.example/x", "//evil.example/x", "v1/whoami", "/v1/whoami -m TRACE", "/v1/x -m PUT --all"]
)
def test_what_is_no_request_of_the_hub_is_not_sent(hub: CommandLine, words: str) -> None:
    assert (hub("api", *words.split()).code, hub.network.requests) == (2, [])


def test_what_a_terminal_would_obey_is_spelled_out_there(hub: CommandLine) -> None:
    answers = [httpx.Response(200, text="name\n\x1b[2J", headers={"content-type": "text/csv"}),
               httpx.Response(200, json={"name": "\x1b[2J\u202e"})]  # fmt: skip
    for _ in answers:
        hub.network.faults = [answers.pop(0)]
        shown = hub("api", "/v1/whoami", terminal={})
        assert (shown.code, "\x1b[2J" in shown.out, "\u202e" in shown.out) == (0, False, False)
