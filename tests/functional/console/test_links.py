"""One-time links: they sign in whoever opens them first, as the token that made them, and for ten minutes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from gitlab_hub.console.links import LIFE_SECONDS
from gitlab_hub.web.principal import Principal, Role
from tests.functional.console.console_hub import ConsoleHub
from tests.functional.console.visitor import Visitor


@pytest.fixture
def hub() -> ConsoleHub:
    return ConsoleHub()


def made(hub: ConsoleHub, who: Principal | None = None, **how: Any) -> str:
    status, link = hub("POST", "/v1/console-links", **({"principal": who} if who else {}), **how)
    assert (status, link["expires_at"]) == (201, int(hub.clock) + LIFE_SECONDS)
    assert link["url"].startswith("https://hub.example.com/console/link/")
    return str(urlsplit(link["url"]).path)


def test_it_signs_in_once(hub: ConsoleHub) -> None:
    path, first, second = made(hub), Visitor(hub.console), Visitor(hub.console)
    shown = first.get(path)
    assert (shown.status, "role owner" in shown.text) == (200, True)
    seen_before = second.get(path)
    assert first.submit(shown, path).status == 200
    assert (second.submit(seen_before, path).status, second.get(path).status) == (410, 410)


def test_looking_at_it_does_not_use_it_up(hub: ConsoleHub) -> None:
    path = made(hub)
    for _ in range(3):
        Visitor(hub.console).get(path)
    visitor = Visitor(hub.console)
    assert visitor.submit(visitor.get(path), path).status == 200


def test_it_carries_no_right_that_its_maker_has_not(hub: ConsoleHub) -> None:
    token = hub.token(role="viewer", label="auditor")
    path = made(hub, Principal(token["id"], Role.VIEWER))
    visitor = Visitor(hub.console)
    shown = visitor.submit(visitor.get(path), path)
    assert ("auditor" in shown.text, "Sync now" in shown.text) == (True, False)


def test_it_ends_after_ten_minutes_and_with_its_token(hub: ConsoleHub) -> None:
    old, visitor = made(hub), Visitor(hub.console)
    hub.clock += LIFE_SECONDS
    assert visitor.get(old).status == 410
    token = hub.token(role="viewer")
    # The API of these tests stands still in time; the console does not.
    hub.clock -= LIFE_SECONDS
    path = made(hub, Principal(token["id"], Role.VIEWER))
    shown = visitor.get(path)
    hub("DELETE", f"/v1/tokens/{token['id']}")
    assert visitor.submit(shown, path).status == 410


def test_a_repeated_call_makes_the_same_link(hub: ConsoleHub) -> None:
    headers = {"idempotency-key": "k1"}
    links = [hub("POST", "/v1/console-links", headers=headers)[1] for _ in range(2)]
    assert links[0] == links[1]


def test_a_repeated_call_brings_no_used_link_back(hub: ConsoleHub) -> None:
    headers = {"idempotency-key": "k1"}
    path = made(hub, headers=headers)
    first = Visitor(hub.console)
    assert first.submit(first.get(path), path).status == 200
    assert made(hub, headers=headers) == path
    assert Visitor(hub.console).get(path).status == 410


def test_a_link_of_an_owner_token_that_was_replaced_opens_nothing(hub: ConsoleHub) -> None:
    path, visitor = made(hub), Visitor(hub.console)
    shown = visitor.get(path)
    hub.secrets.write("owner-token", {"id": "t-owner", "secret": "n" * 40}, version="w" * 32)
    assert (Visitor(hub.console).get(path).status, visitor.submit(shown, path).status) == (410, 410)
    assert "__Host-hub-session" not in visitor.cookies


def test_of_several_who_open_it_at_once_one_gets_in(hub: ConsoleHub) -> None:
    path = made(hub)
    visitors = [Visitor(hub.console) for _ in range(6)]
    forms = [visitor.get(path).form(path) for visitor in visitors]
    with ThreadPoolExecutor(len(visitors)) as pool:
        answers = list(pool.map(lambda pair: pair[0].post(path, pair[1]).status, zip(visitors, forms, strict=True)))
    assert sorted(answers) == [303, *[410] * 5]


def test_a_token_that_is_no_good_makes_none(hub: ConsoleHub) -> None:
    assert hub("POST", "/v1/console-links", principal=Principal("t-revoked", Role.OWNER))[0] == 409


def test_only_hashes_are_kept(hub: ConsoleHub) -> None:
    ticket = made(hub).rpartition("/")[2]
    assert ticket not in repr(hub.tables["integrations"].dump())


@pytest.mark.parametrize("ticket", ["nonsense", "0" * 64, "%00", "é"])
def test_what_is_no_link_opens_nothing(hub: ConsoleHub, ticket: str) -> None:
    visitor = Visitor(hub.console)
    assert visitor.get(f"/console/link/{ticket}").status == 410
    assert "__Host-hub-session" not in visitor.cookies
