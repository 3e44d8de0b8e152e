"""Leaving a GitLab: hooks go, tokens end, builds are asked after; and whatever fails is said and stops nothing."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.errors import Unavailable
from gitlab_hub.integrations.tokens.gitlab_api import RESERVED_SECONDS
from gitlab_hub.web.entry import set_context, time_left
from tests.fakes.events import Context
from tests.fakes.faults import Crash, Plan, faulty
from tests.fakes.gitlab import CANARY, HOST, answer
from tests.fakes.oauth import LIFE
from tests.functional.integrations.oauth_hub import PATH, OAuthHub
from tests.functional.integrations.tokens.revoking import sweep


@dataclass
class Hooks:
    """Hooks that remember whether the integration was still there when they went."""

    hub: OAuthHub
    result: tuple[int, list[str]] = (2, ["hook_1"])
    error: Exception | None = None
    asked: list[bool] = field(default_factory=list)
    forgotten: list[bool] = field(default_factory=list)

    def remove_all(self, integration_id: str) -> tuple[int, list[str]]:
        self.asked.append(self.hub.feature.store.exists(integration_id))
        if self.error:
            raise self.error
        return self.result

    def delete_rows(self, integration_id: str) -> None:
        self.forgotten.append(self.hub.feature.store.exists(integration_id))
        if self.error:
            raise self.error


@dataclass
class Builds:
    """Builds that are under way, or not."""

    active: bool = True

    def any_active(self, integration_id: str) -> bool:
        return self.active


@pytest.fixture
def hub() -> OAuthHub:
    hub = OAuthHub()
    hub.hooks, hub.builds = Hooks(hub), Builds(active=False)
    hub.use(hub.stored_rows, hub.stored_secrets)
    return hub


def by_token(hub: OAuthHub) -> str:
    body = {"host_url": HOST, "auth_mode": "personal_token", "access_token": CANARY}
    return str(hub("POST", f"{PATH}/start", body)[1]["integration"]["id"])


def leave(hub: OAuthHub, one: str, **query: str) -> Any:
    status, body = hub("DELETE", f"/v1/integrations/{one}", query=query)
    assert status == 200, body
    assert (hub.feature.store.exists(one), hub.purged) == (False, [one])
    assert (hub.stored_secrets.dump() != {}) == bool(body["revoke_failed"])
    return body


def test_an_oauth_pair_ends_and_the_hooks_go_while_the_token_works(hub: OAuthHub) -> None:
    one = hub.connected()
    assert leave(hub, one) == {
        "ok": True, "revoked": True, "revoke_failed": [], "hooks_deleted": 2, "hooks_failed": ["hook_1"],
    }  # fmt: skip
    assert (hub.gitlab.living, hub.hooks.asked) == ([], [True])


def test_a_pair_whose_access_token_has_run_out_ends_too(hub: OAuthHub) -> None:
    one = hub.connected()
    hub.gitlab.expire()
    assert (leave(hub, one)["revoked"], hub.gitlab.living) == (True, [])


@pytest.mark.parametrize(("query", "revoked"), [({}, False), ({"revoke": "false"}, False), ({"revoke": "true"}, True)])
def test_an_access_token_ends_only_when_asked_for(hub: OAuthHub, query: dict[str, str], revoked: bool) -> None:
    one = by_token(hub)
    assert leave(hub, one, **query)["revoked"] is revoked
    assert hub.gitlab.pats[CANARY].alive is not revoked


def test_an_oauth_pair_is_left_alone_when_asked_for(hub: OAuthHub) -> None:
    one = hub.connected()
    assert leave(hub, one, revoke="false", delete_hooks="false")["revoked"] is False
    assert (len(hub.gitlab.living), hub.hooks.asked, hub.hooks.forgotten) == (1, [], [True])


@pytest.mark.parametrize(
    "fault", [answer(503), httpx.ConnectError("no"), answer(403, {"error": "x"}), httpx.ReadTimeout("?")]
)
def test_a_revocation_that_fails_is_said_and_stops_nothing(hub: OAuthHub, fault: Any) -> None:
    one = hub.connected()
    credential_id = hub.loaded(one).credential.id
    hub.gitlab.fail("/oauth/revoke", fault)
    body = leave(hub, one)
    assert (body["revoked"], body["revoke_failed"]) == (False, [credential_id])


@pytest.mark.parametrize("delete_hooks", ["true", "false"])
def test_hooks_that_cannot_go_are_said_and_stop_nothing(hub: OAuthHub, delete_hooks: str) -> None:
    one = hub.connected()
    hub.hooks.error = Unavailable("GitLab is down.")
    body = leave(hub, one, delete_hooks=delete_hooks)
    assert (body["hooks_deleted"], body["hooks_failed"], body["revoked"]) == (0, ["all: gitlab_unavailable"], True)


def test_builds_under_way_hold_it_back_unless_forced(hub: OAuthHub) -> None:
    one = hub.connected()
    hub.builds.active = True
    status, body = hub("DELETE", f"/v1/integrations/{one}")
    assert (status, body["code"]) == (409, "integration_has_active_builds")
    assert (hub.hooks.asked, len(hub.gitlab.living), hub.integration(one)["status"]) == ([], 1, "active")
    leave(hub, one, force="true")


def test_a_pair_that_was_kept_and_not_announced_ends_too(hub: OAuthHub) -> None:
    """A refresh is between keeping its pair and pointing to it while the integration goes."""
    one = hub.connected()
    hub.now += LIFE
    hub.gitlab.expire()
    credential_id = hub.loaded(one).credential.id

    hub.meanwhile("/oauth/token", lambda: hub("DELETE", f"/v1/integrations/{one}"), done=True)
    with pytest.raises(Exception, match="removed"):
        hub.feature.tokens.refresher.get_credential(one, credential_id)
    assert (hub.gitlab.living, hub.told.lost, hub.stored_secrets.dump()) == ([], [], {})


def test_nobody_takes_the_end_of_a_token_for_a_loss(hub: OAuthHub) -> None:
    one = hub.connected()
    hub.now += LIFE
    hub.gitlab.expire()
    credential_id = hub.loaded(one).credential.id

    def meanwhile() -> None:
        with pytest.raises(Exception, match="removed"):
            hub.feature.tokens.refresher.get_credential(one, credential_id)

    hub.meanwhile("/oauth/revoke", meanwhile, done=True)
    leave(hub, one)
    assert hub.told.lost == []


def test_nothing_of_the_authorization_is_left(hub: OAuthHub) -> None:
    one = hub.connected()
    hub.now += LIFE
    hub.feature.tokens.refresher.get_credential(one, hub.loaded(one).credential.id)
    leave(hub, one)
    rows = [row for row in hub.stored_rows.dump() if not row["pk"].startswith(("AUDIT#", "DUE#", "OAUTH_"))]
    assert [row["lifecycle"] for row in rows] == ["deleting"]


def test_a_pair_that_a_crashed_worker_had_kept_ends_too(hub: OAuthHub) -> None:
    one = hub.connected()
    hub.now += LIFE
    hub.gitlab.expire()
    credential_id, plan = hub.loaded(one).credential.id, Plan()
    hub.use(hub.stored_rows, faulty(hub.stored_secrets, plan))
    hub.feature.tokens.refresher.get_credential(one, credential_id)
    plan = Plan(at=plan.calls.index("write") + 1, applied=True)
    hub.now += LIFE
    hub.use(hub.stored_rows, faulty(hub.stored_secrets, plan))
    with pytest.raises(Crash):
        hub.feature.tokens.refresher.get_credential(one, credential_id)
    hub.use(hub.stored_rows, hub.stored_secrets)
    assert leave(hub, one)["revoked"] is True
    assert hub.gitlab.living == []


class TimedHub(OAuthHub):
    """A hub whose token services look at the running function's own clock."""

    left = property(lambda _: time_left(), lambda *_: None)


@pytest.fixture
def timed() -> Iterator[TimedHub]:
    hub = TimedHub()
    yield hub
    set_context(None)


REVOKE = "/oauth/revoke"


def test_a_gitlab_that_is_slow_to_end_tokens_gets_no_more_than_the_time_there_is(timed: TimedHub) -> None:
    one = timed.connected()
    credential_id = timed.loaded(one).credential.id
    timed.gitlab.slow[REVOKE] = 60.0
    set_context(Context(left_ms=int(1000 * RESERVED_SECONDS) + 300))
    began = time.monotonic()
    body = leave(timed, one)
    # The client alone would wait for eight seconds, and for each of them.
    assert time.monotonic() - began < 5
    assert (body["revoked"], body["revoke_failed"], len(timed.gitlab.living)) == (False, [credential_id], 1)

    set_context(Context(left_ms=300_000))
    timed.gitlab.slow.clear()
    sweep(timed, after=900)
    assert (timed.gitlab.living, timed.stored_secrets.dump()) == ([], {})


def test_without_time_for_it_no_token_is_tried_and_the_answer_says_so(timed: TimedHub) -> None:
    one = timed.connected()
    set_context(Context(left_ms=int(1000 * RESERVED_SECONDS)))
    body = leave(timed, one)
    assert (body["revoked"], len(body["revoke_failed"]), timed.gitlab.paths.count(REVOKE)) == (False, 1, 0)
