"""How the console asks the API: in somebody's name, of one function one call at a time, and each call once."""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from gitlab_hub.console.hub_api import ApiRefusal, Ask, HubApi, Part
from gitlab_hub.storage.ports import FunctionUnavailable
from gitlab_hub.web.call import Call
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.queue import MemoryFunction

HERE = {"requestId": "req-1", "apiId": "abc123"}
WHO = Principal("t1", Role.DEVELOPER, frozenset({"int_1"}))


class Functions:
    """Functions that remember what they were asked, and how many calls of each ran at once."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer, self.events = answer, list[dict[str, Any]]()
        self.running, self.most = Counter[Part](), Counter[Part]()
        self._lock = threading.Lock()

    def __call__(self, part: Part) -> MemoryFunction:
        def answered(event: Mapping[str, Any]) -> dict[str, Any]:
            with self._lock:
                self.events.append(dict(event))
                self.running[part] += 1
                self.most[part] = max(self.most[part], self.running[part])
            time.sleep(0.01)
            with self._lock:
                self.running[part] -= 1
            return dict(self.answer)

        return MemoryFunction(answered)


def test_a_call_comes_in_the_name_of_whoever_is_signed_in() -> None:
    functions = Functions({"statusCode": 200, "body": '{"ok": true}'})
    ask = Ask(part=Part.ACCESS, path="/v1/x", query={"q": "a b", "id": [1, 2], "none": None, "empty": ""}, key="k1")
    assert HubApi(functions, WHO, HERE).call(ask) == {"ok": True}
    [event] = functions.events
    call = Call.of(event)
    assert (call.method, call.path, call.request_id) == ("GET", "/v1/x", "req-1")
    assert (call.query(), call.headers["idempotency-key"]) == ({"q": ["a b"], "id": ["1", "2"]}, "k1")
    assert event["queryStringParameters"] == {"q": "a b", "id": "1,2"}
    assert event["requestContext"]["apiId"] == "abc123"
    assert Principal.from_context(event["requestContext"]["authorizer"]["lambda"]) == WHO


def test_calls_of_one_function_wait_for_each_other() -> None:
    functions = Functions({"statusCode": 200, "body": "{}"})
    asks = {f"{part}{number}": Ask(part=part, path="/v1/x") for number in range(3) for part in Part}
    found = HubApi(functions, WHO, HERE).load_all(asks)
    assert list(found) == list(asks)
    assert dict(functions.most) == dict.fromkeys(Part, 1)
    assert HubApi(functions, WHO, HERE).load_all({}) == {}


def test_a_refusal_carries_what_the_api_says() -> None:
    body = '{"error": "No.", "code": "not_found", "retryable": false, "request_id": "req-2", "details": {"a": 1}}'
    api = HubApi(Functions({"statusCode": 404, "body": body}), WHO, HERE)
    with pytest.raises(ApiRefusal, match=r"No\.") as refused:
        api.call(Ask(part=Part.BUILDS, path="/v1/x"))
    assert (refused.value.status, refused.value.refused, refused.value.details) == (404, "not_found", {"a": 1})


def test_a_function_that_is_away_is_a_part_that_cannot_be_shown() -> None:
    api = HubApi(lambda _: MemoryFunction(), WHO, HERE)
    loaded = api.load(Ask(part=Part.BUILDS, path="/v1/x"))
    assert loaded.problem is not None
    assert (bool(loaded), loaded.problem.status, loaded.problem.refused) == (False, 503, FunctionUnavailable.code)


def test_a_part_that_does_not_answer_in_time_leaves_the_rest_of_the_page() -> None:
    stuck, asked = threading.Event(), list[str]()

    def answered(event: Mapping[str, Any]) -> dict[str, Any]:
        asked.append(event["rawPath"])
        if event["rawPath"] == "/v1/stuck":
            stuck.wait(10)
        return {"statusCode": 200, "body": "{}"}

    api = HubApi(lambda _: MemoryFunction(answered), WHO, HERE, patience=0.2)
    asks = {
        "stuck": Ask(part=Part.BUILDS, path="/v1/stuck"),
        "behind": Ask(part=Part.BUILDS, path="/v1/behind"),
        "other": Ask(part=Part.ACCESS, path="/v1/other"),
    }
    found = api.load_all(asks)
    stuck.set()
    assert {name: bool(one) for name, one in found.items()} == {"stuck": False, "behind": False, "other": True}
    assert {str(one.problem.status) for one in found.values() if one.problem} == {"503"}
    time.sleep(0.1)
    # What nobody waits for any more is not asked for.
    assert sorted(asked) == ["/v1/other", "/v1/stuck"]


def test_all_parts_of_a_page_share_the_time_that_it_has() -> None:
    stuck = threading.Event()

    def answered(_: Mapping[str, Any]) -> dict[str, Any]:
        stuck.wait(10)
        return {"statusCode": 200, "body": "{}"}

    api, began = HubApi(lambda _: MemoryFunction(answered), WHO, HERE, patience=0.5), time.monotonic()
    for _ in range(4):
        found = api.load_all({"stuck": Ask(part=Part.BUILDS, path="/v1/stuck")})
        assert found["stuck"].problem is not None
    took = time.monotonic() - began
    stuck.set()
    assert took < 1.5


def test_a_mistake_in_the_answer_is_not_swallowed() -> None:
    api = HubApi(lambda _: MemoryFunction(lambda _: {"body": "{}"}), WHO, HERE)
    with pytest.raises(KeyError):
        api.load_all({"x": Ask(part=Part.BUILDS, path="/v1/x")})
