"""An access token rotates itself once per token, whoever asks, whatever breaks; and a lost one is told of."""

from typing import Any

import httpx
import pytest

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan
from tests.fakes.gitlab import CANARY, HOST, answer, html, lacking
from tests.fakes.threads import together
from tests.functional.integrations.oauth_hub import PATH, OAuthHub

ROTATE = "/personal_access_tokens/self/rotate"
START = {"host_url": HOST, "auth_mode": "personal_token", "access_token": CANARY}


@pytest.fixture
def one(hub: OAuthHub) -> str:
    return by_token(hub)


def by_token(hub: OAuthHub) -> str:
    status, body = hub("POST", f"{PATH}/start", START)
    assert status == 201, body
    return str(body["integration"]["id"])


def rotate(hub: OAuthHub, one: str) -> tuple[int, Any]:
    return hub("POST", f"/v1/integrations/{one}/gitlab-token/rotate")


def attempt(hub: OAuthHub, one: str) -> LoadedCredential | BaseException:
    try:
        return hub.feature.tokens.rotator.rotate(one, hub.loaded(one).credential.id)
    except (HubError, Crash) as error:
        return error


def works(hub: OAuthHub, one: str) -> bool:
    """The stored token is one that GitLab takes, and no family was killed."""
    return hub.gitlab.pats[hub.loaded(one).tokens.access_token].alive


def test_a_rotation_puts_the_new_token_in_place(hub: OAuthHub, one: str) -> None:
    assert hub.integration(one)["expires_at"] == 1_755_648_000
    status, body = rotate(hub, one)
    # As long as the old one had, from today on.
    assert (status, body["status"], body["expires_at"]) == (200, "valid", 1_749_945_600 + 231 * 86_400)
    assert works(hub, one)
    assert hub.loaded(one).tokens.access_token != CANARY
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["ok"] is True
    assert not hub.spilled(body, hub.stored_rows.dump())


@pytest.mark.parametrize(
    ("scopes", "status"), [(["api"], 200), (["read_api", "self_rotate"], 200), (["read_api"], 403)]
)
def test_the_token_needs_a_scope_for_it(hub: OAuthHub, one: str, scopes: list[str], status: int) -> None:
    hub.gitlab.pats[CANARY].scopes = scopes
    answered, body = rotate(hub, one)
    assert answered == status
    if status == 403:
        assert (body["code"], hub.gitlab.calls) == ("rotation_not_permitted", [])
    assert works(hub, one)


def test_a_fine_grained_token_finds_out_by_trying(hub: OAuthHub, one: str) -> None:
    hub.gitlab.pats[CANARY].scopes = ["granular"]
    hub.gitlab.fail(ROTATE, lacking("Personal Access Token: Rotate", of="user"))
    status, body = rotate(hub, one)
    assert (status, body["code"], body["details"]["missing_permissions"]) == (
        403, "rotation_not_permitted", ["Personal Access Token: Rotate"],
    )  # fmt: skip
    assert "Personal Access Token: Rotate" in body["error"]
    assert (rotate(hub, one)[0], works(hub, one)) == (200, True)


def test_a_token_that_may_not_describe_itself_can_rotate(hub: OAuthHub, one: str) -> None:
    hub.gitlab.fail("/personal_access_tokens/self", lacking("Personal Access Token: Read", of="user"))
    assert (rotate(hub, one)[0], works(hub, one)) == (200, True)


@pytest.mark.parametrize("version", ["16.9.2", "13.12.0"])
def test_an_old_gitlab_is_not_even_asked(hub: OAuthHub, version: str) -> None:
    hub.gitlab.script["/version"] = answer(body={"version": version})
    one = by_token(hub)
    assert rotate(hub, one)[1]["code"] == "rotation_not_permitted"
    assert hub.gitlab.calls == []


@pytest.mark.parametrize("refusal", [answer(403, {"message": "no"}), answer(404, {"message": "no"})])
def test_a_definite_no_is_not_permitted_and_costs_nothing(hub: OAuthHub, one: str, refusal: httpx.Response) -> None:
    hub.gitlab.fail(ROTATE, refusal)
    assert rotate(hub, one)[1]["code"] == "rotation_not_permitted"
    assert rotate(hub, one)[0] == 200


@pytest.mark.parametrize("fault", [
    answer(429, retry_after="9"), httpx.ConnectError("no"), answer(400, {}),
    answer(403, {"message": "You cannot perform write operations on a read-only instance"}),
])  # fmt: skip
def test_what_had_no_effect_may_be_tried_again_at_once(hub: OAuthHub, one: str, fault: Any) -> None:
    hub.gitlab.fail(ROTATE, fault)
    assert rotate(hub, one)[0] >= 400
    assert (hub.integration(one)["credential_status"], rotate(hub, one)[0]) == ("valid", 200)
    assert works(hub, one)


def test_time_that_gitlab_took_to_describe_the_token_counts_too(hub: OAuthHub, one: str) -> None:
    def slow(path: str) -> None:
        hub.left = 9.0

    hub.left, hub.gitlab.on_call = 16.0, slow
    assert rotate(hub, one)[0] == 503
    assert hub.gitlab.calls == []
    hub.left, hub.gitlab.on_call = 300.0, lambda _path: None
    assert (rotate(hub, one)[0], works(hub, one)) == (200, True)


def test_two_at_once_call_once(hub: OAuthHub) -> None:
    for _ in range(10):
        hub = OAuthHub()
        one = by_token(hub)
        rival = hub.beside()
        entered = [0]

        def slow(path: str, entered: list[int] = entered, rival: OAuthHub = rival, one: str = one) -> None:
            if path == ROTATE and not entered[0]:
                entered[0] = 1
                [during] = together(1, lambda _: rotate(rival, one))
                assert isinstance(during, tuple)
                assert (during[0], during[1]["code"]) == (409, "rotation_in_progress")

        hub.gitlab.on_call = slow
        assert rotate(hub, one)[0] == 200
        assert (hub.gitlab.calls, works(hub, one)) == (["rotate"], True)


def test_duplicate_ticks_call_once_per_generation(hub: OAuthHub, one: str) -> None:
    hub.now = 1_755_648_000 - 3 * 86_400
    monitor = hub.feature.tokens.monitor(rotate=True)
    for _ in range(4):
        monitor.tick(lambda: 900.0)
    assert (hub.gitlab.calls, works(hub, one)) == (["rotate"], True)


@pytest.mark.parametrize("error", [httpx.ReadTimeout("?"), answer(502), html(200), answer(201, {"id": 1})])
def test_a_lost_answer_is_never_followed_by_another_call(hub: OAuthHub, one: str, error: Any) -> None:
    hub.gitlab.faults.append(fault := _lost(error))
    assert rotate(hub, one)[0] >= 500
    assert fault not in hub.gitlab.faults
    assert hub.integration(one)["credential_status"] == "valid"
    for _ in range(5):
        rotate(hub, one)
        hub.feature.tokens.monitor(rotate=True).tick(lambda: 900.0)
        hub.now += 1000
    assert hub.gitlab.calls == ["rotate"]
    shown = hub.integration(one)
    assert (shown["status"], shown["credential_status"]) == ("error", "refresh_failed")
    assert hub.told.lost == [(one, "unknown_outcome")]
    verified = hub("POST", f"/v1/integrations/{one}/verify")[1]
    assert verified["code"] == "invalid_credentials"
    assert hub.integration(one)["credential_status"] == "refresh_failed"


def _lost(error: Any) -> Any:
    from tests.fakes.oauth import Fault  # noqa: PLC0415 - only here

    return Fault(ROTATE, error, lost=True)


def test_a_call_that_never_arrived_is_repeated_only_after_the_token_was_seen_alive_and_a_quiet_time(
    hub: OAuthHub, one: str
) -> None:
    hub.gitlab.fail(ROTATE, httpx.ReadTimeout("?"))
    rotate(hub, one)
    assert rotate(hub, one)[1]["code"] == "rotation_in_progress"
    hub.now += 899
    assert rotate(hub, one)[1]["code"] == "rotation_in_progress"
    assert hub.gitlab.calls == []
    hub.now += 1
    assert rotate(hub, one)[0] == 200
    assert (works(hub, one), hub.told.lost) == (True, [])


def test_a_new_token_heals_a_lost_one(hub: OAuthHub, one: str) -> None:
    hub.gitlab.lose(ROTATE)
    rotate(hub, one)
    hub.feature.tokens.monitor(rotate=False).tick(lambda: 900.0)
    assert hub.integration(one)["credential_status"] == "refresh_failed"
    token = next(pat.token for pat in hub.gitlab.pats.values() if pat.alive)
    assert hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": token})[0] == 200
    hub.feature.tokens.monitor(rotate=False).tick(lambda: 900.0)
    assert (hub.integration(one)["credential_status"], list(hub.feature.incidents.after(None))) == ("valid", [])


async def test_a_client_meets_a_rotation_and_goes_on(hub: OAuthHub, one: str) -> None:
    import asyncio  # noqa: PLC0415 - only here

    target = hub.targets.target(one)
    assert target is not None
    tokens = hub.targets.tokens(target)
    assert await tokens.current() == CANARY
    await asyncio.to_thread(rotate, hub, one)
    assert await tokens.renewed(CANARY) == hub.loaded(one).tokens.access_token
    assert hub.gitlab.calls == ["rotate"]


def test_an_oauth_pair_is_renewed_instead(hub: OAuthHub) -> None:
    one = hub.connected()
    before = hub.loaded(one).tokens
    status, body = rotate(hub, one)
    assert (status, body["status"], hub.gitlab.refreshes) == (200, "valid", 1)
    assert hub.loaded(one).tokens != before


def test_with_little_time_left_nothing_is_used_up(hub: OAuthHub, one: str) -> None:
    hub.left = 10
    assert rotate(hub, one)[0] == 503
    assert hub.gitlab.calls == []


# ---- a crash or a failing store at every single call


CALLS = range(1, 30)


def test_every_call_of_a_rotation_is_tried(hub: OAuthHub, one: str) -> None:
    plan = Plan()
    hub.use_faulty(plan)
    assert isinstance(attempt(hub, one), LoadedCredential)
    assert len(plan.calls) < max(CALLS)


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", CALLS)
def test_wherever_it_ends_the_token_is_found_or_a_person_is_told(at: int, error: Any, applied: bool) -> None:
    hub = OAuthHub()
    one = by_token(hub)
    plan = Plan(at=at, error=error, applied=applied)
    hub.use_faulty(plan)
    attempted = attempt(hub, one)
    hub.heal()
    for _ in range(4):
        hub.now += 1000
        hub.feature.tokens.monitor(rotate=False).tick(lambda: 900.0)
    assert len(hub.gitlab.calls) <= 1
    if works(hub, one):
        assert (hub.integration(one)["credential_status"], hub.told.lost) == ("valid", [])
        # And the next rotation is the first call of its generation.
        assert rotate(hub, one)[0] == 200
        assert works(hub, one)
        return
    assert plan.calls[at - 1] == (ROTATE if applied else "write"), attempted
    assert (hub.integration(one)["credential_status"], len(hub.told.lost)) == ("refresh_failed", 1)


def test_a_second_rotation_of_one_token_would_kill_the_family(hub: OAuthHub, one: str) -> None:
    """The fake does what GitLab does; else the tests above would prove nothing."""
    token_endpoint = hub.feature.tokens.token_endpoint
    token_endpoint.rotate(HOST, CANARY, "2026-01-01")
    hub.gitlab.pats[CANARY].alive = True
    hub.gitlab._refresh_users()
    with pytest.raises(GitLabError):
        token_endpoint.rotate(HOST, CANARY, "2026-01-01")
    assert not any(pat.alive for pat in hub.gitlab.pats.values())
