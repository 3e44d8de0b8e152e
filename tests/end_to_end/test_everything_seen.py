"""About all that the tests of this folder were answered and left behind: it runs after them."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.end_to_end.companies import CANARY, STAND_IN
from tests.end_to_end.hub_client import Answer, Hub, Seen
from tests.end_to_end.stores import DEAD_LETTERS, dead_letters, invoke, items, log_lines, messages, secrets, tick
from tests.fakes.events import http_event

HTTP_FUNCTIONS = ("Integrations", "OAuth", "Webhooks", "Builds", "Access", "Pipelines", "Operations")
FUNCTIONS = (*HTTP_FUNCTIONS, "Authorizer", "SyncAccounts", "SyncPipelines", "Deliveries", "Builder", "Caretaker")


@pytest.fixture(scope="module", autouse=True)
def _every_function_has_spoken(hub: Hub, one: str) -> None:
    """Also of a failure that nobody foresaw, with a token in the very event that caused it."""
    for chore in ("deliveries", "builder", "caretaker"):
        assert invoke(hub.stack, f"{chore.title()}Function", tick(chore)) == {}
    for name in HTTP_FUNCTIONS:
        event = http_event("POST", "/v1/integrations/gitlab/start", {"access_token": f"{CANARY}-broken"})
        answer = invoke(hub.stack, f"{name}Function", {**event, "requestContext": {"http": f"{CANARY}-broken"}})
        assert answer["statusCode"] == 500
        assert CANARY not in json.dumps(answer)


@pytest.fixture(scope="module")
def document(hub: Hub, one: str) -> dict[str, Any]:
    answer = hub.call("GET", "/openapi.json", token=None)
    assert answer.status == 200
    described: dict[str, Any] = answer.body
    return described


class Description:
    """The document as a judge of answers."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        paths = [(_pattern(path), operations) for path, operations in document["paths"].items()]
        self._paths = sorted(paths, key=lambda pair: pair[0].pattern.count("[^/]"))  # Fixed paths go first.
        self._validator = cache(self._validator_of)

    def complaint(self, seen: Seen) -> str | None:
        """What is wrong with an answer; None where nothing is, or the document knows no such path."""
        path = seen.path.partition("?")[0]
        number = next((number for number, (rule, _) in enumerate(self._paths) if rule.fullmatch(path)), None)
        if number is None:
            return None
        operation = self._paths[number][1].get(seen.method.lower())
        if operation is None:
            return None
        status = str(seen.answer.status)
        if status not in operation["responses"]:
            status = "default"
        validator = self._validator(number, seen.method.lower(), status)
        error = next(validator.iter_errors(seen.answer.body), None)
        return None if error is None else f"{seen.method} {path} {status}: {error.json_path} {error.message}"

    def _validator_of(self, number: int, method: str, status: str) -> Draft202012Validator:
        response = self._paths[number][1][method]["responses"][status]
        schema = response["content"]["application/json"]["schema"]
        return Draft202012Validator({**schema, "components": self._document["components"]})


def test_the_document_is_whole(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"].keys() >= {"title", "version"}
    names = {text.split('"')[0] for text in json.dumps(document).split("#/components/schemas/")[1:]}
    schemas = document["components"]["schemas"]
    assert names <= set(schemas)
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parameters = [each["name"] for each in operation.get("parameters", []) if each["in"] == "path"]
            assert parameters == re.findall(r"{(\w+)}", path), f"{method} {path}"
            assert operation["summary"], f"{method} {path}"


def test_every_answer_is_as_the_document_says(hub: Hub, document: dict[str, Any]) -> None:
    description = Description(document)
    nonsense = Answer(200, {"integrations": [{}]}, {})
    assert description.complaint(Seen("GET", "/v1/integrations", nonsense))
    complaints = sorted({complaint for seen in hub.seen if (complaint := description.complaint(seen))})
    assert complaints == []


def test_no_answer_was_a_failure_of_the_hub(hub: Hub) -> None:
    assert [seen for seen in hub.seen if seen.answer.status == 500] == []


def test_errors_have_one_shape(hub: Hub) -> None:
    for seen in hub.seen:
        if seen.answer.status < 400 or "/credentials." in seen.path:
            continue
        assert {name: type(seen.answer.body.get(name)) for name in ("error", "code", "retryable", "request_id")} == {
            "error": str, "code": str, "retryable": bool, "request_id": str,
        }, seen  # fmt: skip


def test_times_are_whole_seconds(hub: Hub) -> None:
    odd = {
        f"{name}={value!r}"
        for seen in hub.seen
        if "/credentials." not in seen.path and seen.answer.status < 400 and seen.path != "/openapi.json"
        for name, value in _fields(seen.answer.body)
        if name.endswith(("_at", "_until")) and name != "revoke_at" and type(value) not in (int, type(None))
    }
    assert odd == set()


def test_health(hub: Hub) -> None:
    answer = hub.call("GET", "/healthz", token=None)
    assert (answer.status, answer.body["ok"], type(answer.body["version"])) == (200, True, str)


@pytest.mark.parametrize("mark", [CANARY, STAND_IN])
def test_tokens_stand_in_secrets_manager_and_nowhere_else(hub: Hub, one: str, mark: str) -> None:
    places = {
        "answers": [
            f"{seen.method} {seen.path}"
            for seen in hub.seen
            if mark in json.dumps(seen.answer.body) + str(seen.answer.headers)
        ],
        "tables": [f"{table} {item['pk']} {item['sk']}" for table, item in items(hub.stack) if mark in repr(item)],
        "queues": [text for text in messages(hub.stack) if mark in text],
        "logs": [line for line in log_lines(hub.stack) if mark in line],
        "output": [line for line in hub.log.read_text().splitlines() if mark in line],
    }
    assert {place: found for place, found in places.items() if found} == {}


def test_what_was_shown_once_stands_nowhere_else(hub: Hub) -> None:
    """Codes, states, tickets and tokens of OAuth, secrets of applications, hooks and targets."""
    hub.guard(hub.owner_token)
    marks = re.compile("|".join(re.escape(secret) for secret in sorted(hub.guarded, key=len, reverse=True)))
    answers = ((seen.path, json.dumps(seen.answer.body) + str(seen.answer.headers)) for seen in hub.seen)
    rows = ((f"{table} {item['pk']}", repr(item)) for table, item in items(hub.stack))
    texts = (*messages(hub.stack), *log_lines(hub.stack), *hub.log.read_text().splitlines())
    leaks = {
        f"{place}: {mark[:4]}…"
        for place, text in (*answers, *hub.shown, *rows, *((text[:80], text) for text in texts))
        for mark in marks.findall(text)
        if not (hub.guarded[mark] and re.search(hub.guarded[mark], place))
    }
    assert leaks == set()


def test_nothing_has_ended_among_the_dead_letters(hub: Hub) -> None:
    assert [letter for queue in DEAD_LETTERS for letter in dead_letters(hub.stack, queue)] == []


def test_the_tokens_can_be_found_where_they_belong(hub: Hub, one: str) -> None:
    integration_id = one.rpartition("/")[2]
    [secret] = [text for name, text in secrets(hub.stack).items() if integration_id in name]
    assert CANARY in secret


def test_there_was_something_to_look_through(hub: Hub, one: str) -> None:
    assert len(list(items(hub.stack))) > 50
    lines = list(log_lines(hub.stack))
    assert any("unforeseen failure" in line for line in lines)
    for name in FUNCTIONS:
        assert any(f"{name}Function" in line and '"service":"gitlab_hub"' in line for line in lines), name
    function = hub.stack.resources["IntegrationsFunction"]
    settings = hub.stack.client("lambda").get_function_configuration(FunctionName=function)
    assert settings["Environment"]["Variables"]["LOG_LEVEL"] == "DEBUG"


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in re.split(r"{\w+}", path)))


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
        for name, part in value.items():
            # What a plan sends to GitLab is shown as it goes out, with GitLab's days.
            yield from () if name == "calls" else _fields(part)
    elif isinstance(value, list):
        for part in value:
            yield from _fields(part)
