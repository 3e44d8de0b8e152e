from typing import Any

import httpx
import pytest

from tests.fakes.faults import BEFORE_OR_AFTER, Plan
from tests.fakes.gitlab import answer
from tests.fakes.gitlab_hooks import Says, connection, says
from tests.fakes.hooks import INTEGRATION, secrets
from tests.functional.webhooks.hooks_hub import NOW, PATH, HooksHub


def rotate(hub: HooksHub, hook_id: str, grace: int = 600, key: str | None = None) -> tuple[int, Any]:
    return hub("POST", f"{PATH}/{hook_id}/rotate", {"grace_seconds": grace}, key=key)


def test_the_old_secret_is_accepted_until_the_cut_off_exactly() -> None:
    hub = HooksHub()
    shown = hub.register()
    status, body = rotate(hub, shown["id"])
    assert (status, body["manual"], body["webhook"]["previous_secret_until"]) == (200, None, NOW + 600)
    made = secrets()
    expected = (made.token(shown["id"], 2), made.signing_token(shown["id"], 2))
    assert hub.gitlab.secrets[shown["gitlab_hook_id"]] == expected
    hook = hub.hook(shown["id"])
    assert hook.accepted_versions(NOW + 599.9) == (2, 1)
    assert hook.accepted_versions(NOW + 600) == (2,)


def test_both_secrets_find_the_hook_by_their_fingerprints() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    rotate(hub, hook_id)
    for version in (1, 2):
        fingerprint = secrets().fingerprint(secrets().token(hook_id, version))
        assert hub.store.by_fingerprint(fingerprint) == hub.hook(hook_id)


def test_without_grace_only_the_new_secret_is_good() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    rotate(hub, hook_id, 0)
    assert hub.hook(hook_id).accepted_versions(NOW) == (2,)
    assert hub.agrees()


@pytest.mark.parametrize("mode", ["auto", "manual"])
def test_the_same_key_rotates_once(mode: str) -> None:
    hub = HooksHub()
    hook_id = hub.register(mode=mode)["id"]
    first, again = rotate(hub, hook_id, key="k1"), rotate(hub, hook_id, key="k1")
    assert first[1] == again[1]
    assert hub.hook(hook_id).secret_version == 2
    # Also after another rotation, with the secrets that this one made.
    rotate(hub, hook_id, key="k2")
    assert rotate(hub, hook_id, key="k1")[1]["manual"] == first[1]["manual"]
    assert hub.hook(hook_id).secret_version == 3


def test_a_manual_rotation_shows_the_new_secrets_and_asks_gitlab_nothing() -> None:
    hub = HooksHub()
    hook_id = hub.register(mode="manual")["id"]
    asked = len(hub.gitlab.requests)
    _, body = rotate(hub, hook_id)
    made = secrets()
    assert body["manual"] == {"secret_token": made.token(hook_id, 2), "signing_token": made.signing_token(hook_id, 2)}
    assert len(hub.gitlab.requests) == asked
    assert hub.hook(hook_id).accepted_versions(NOW + 599) == (2, 1)


REFUSALS = [
    (answer(403, {"message": "403 Forbidden"}), 403, "maintainer_required"),
    (answer(403, {"error": "insufficient_scope", "scope": "api"}), 409, "scope_insufficient"),
    (answer(422, {"error": "Invalid url given"}), 422, "url_blocked_by_gitlab"),
    (answer(429, {"message": {"error": "too many"}}), 503, "rate_limited"),
    (answer(401, {"message": "401 Unauthorized"}), 400, "invalid_credentials"),
    (answer(409, {"message": "conflict"}), 502, "unexpected_response"),
]


@pytest.mark.parametrize(("refusal", "status", "code"), REFUSALS)
def test_where_gitlab_refuses_nothing_has_changed(refusal: httpx.Response, status: int, code: str) -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    rotate(hub, hook_id)
    before = hub.hook(hook_id)
    hub.gitlab.plan = Plan(at=1, error=lambda: Says(refusal))
    refused = rotate(hub, hook_id, key="k2")
    assert (refused[0], refused[1]["code"]) == (status, code)
    after = hub.hook(hook_id)
    assert after.accepted_versions(NOW) == before.accepted_versions(NOW) == (2, 1)
    assert (after.secret_version, after.rotating, after.attempts) == (2, None, before.attempts)
    assert hub.agrees()
    hub.heal()
    assert rotate(hub, hook_id)[0] == 200
    assert hub.agrees()


@BEFORE_OR_AFTER
def test_where_the_answer_was_lost_both_count_until_a_repair(applied: bool) -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    hub.gitlab.plan = Plan(at=1, error=lambda: httpx.ReadTimeout("late"), applied=applied)
    assert rotate(hub, hook_id)[1]["code"] == "host_unreachable"
    hub.heal()
    assert hub.hook(hook_id).accepted_versions(hub.now + 86_400) == (2, 1)
    status, body = rotate(hub, hook_id)
    assert (status, body["code"]) == (409, "conflict")
    assert hub("POST", f"{PATH}/{hook_id}/repair")[0] == 200
    # The grace that was asked for begins when GitLab is known to have the new one.
    assert hub.hook(hook_id).previous_version_until == int(hub.now) + 600
    assert hub.hook(hook_id).rotating is None
    assert hub.agrees()


def test_a_hook_that_is_gone_is_made_anew_with_the_new_secret() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    hub.gitlab.hooks.clear()
    assert rotate(hub, hook_id)[0] == 200
    assert len(hub.gitlab.hooks) == 1
    assert hub.agrees()


def test_two_changes_at_once_are_one_after_the_other() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    answers: list[int] = []
    really = hub.gitlab._really

    async def meanwhile(request: httpx.Request) -> httpx.Response:
        hook = hub.hook(hook_id)
        answers.append(hook.locked_until)
        return await really(request)

    hub.gitlab._really = meanwhile  # type: ignore[method-assign]  # looks at the row in the middle of the call
    rotate(hub, hook_id)
    assert answers
    assert all(until > NOW for until in answers)
    hub.store.change(hook_id, lambda one: one.__class__(**{**_fields(one), "locked_until": NOW + 30}))
    for verb in ("rotate", "repair"):
        status, body = hub("POST", f"{PATH}/{hook_id}/{verb}")
        assert (status, body["code"], body["retryable"]) == (409, "conflict", True)


def _fields(hook: Any) -> dict[str, Any]:
    return {name: getattr(hook, name) for name in hook.__slots__}


@pytest.mark.parametrize("grace", [-1, 30 * 86_400 + 1, "600", None])
def test_a_grace_is_a_number_of_seconds_up_to_thirty_days(grace: Any) -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    assert hub("POST", f"{PATH}/{hook_id}/rotate", {"grace_seconds": grace})[0] == 422
    assert hub.hook(hook_id).secret_version == 1


def test_without_the_feature_nothing_is_touched() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    before, written = hub.hook(hook_id), len(hub.gitlab.writes)
    hub.gitlabs.connections[INTEGRATION] = connection(INTEGRATION, manage_webhooks=False)
    for verb in ("rotate", "repair", "test", "resend-failed"):
        assert hub("POST", f"{PATH}/{hook_id}/{verb}")[1]["code"] == "feature_disabled"
    assert hub("DELETE", f"{PATH}/{hook_id}")[1]["code"] == "feature_disabled"
    assert (hub.hook(hook_id), len(hub.gitlab.writes)) == (before, written)


def test_no_secret_is_in_rows_answers_or_errors() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    seen = [rotate(hub, hook_id) for _ in range(3)]
    hub.gitlab.plan = Plan(at=1, error=says(500, {"message": "500"}))
    seen.append(rotate(hub, hook_id))
    text = repr((seen, hub.rows.dump(), hub.answers.dump(), hub.hooks()))
    for version in range(1, 6):
        assert secrets().token(hook_id, version) not in text
        assert secrets().signing_token(hook_id, version)[6:] not in text


def test_a_rotation_of_what_was_removed_meanwhile_leaves_no_hook_in_gitlab() -> None:
    hub = HooksHub()
    shown = hub.register()
    really, removed = hub.gitlab._really, list[int]()

    async def meanwhile(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and not removed:
            hub.gitlab.hooks.clear()
            hub.store.remove(hub.hook(shown["id"]), [], now=int(hub.now))
            removed.append(1)
        return await really(request)

    hub.gitlab._really = meanwhile  # type: ignore[method-assign]  # somebody removes the hook before GitLab is told
    assert rotate(hub, shown["id"])[0] == 404
    assert (removed, hub.gitlab.hooks) == ([1], {})
