"""One project or delivery that GitLab always fails at: it is in nobody's way."""

from typing import Any

import httpx
import pytest

from gitlab_hub.webhooks.hooks.missed_pushes import MissedPushesReport
from tests.fakes.gitlab import answer
from tests.fakes.hooks import INTEGRATION
from tests.functional.webhooks.hooks.test_group_fallback import GROUP, LIST, pages
from tests.functional.webhooks.hooks.test_missed_pushes import A, B, announced, refs
from tests.functional.webhooks.hooks_hub import PATH, HooksHub

DOWN = answer(500, {"message": "500 Internal Server Error"})
REFUSED_ON_THE_WAY = answer(403, "no", content_type="text/plain")
FAULTS = pytest.mark.parametrize(
    "fault", [DOWN, REFUSED_ON_THE_WAY, httpx.ReadTimeout("late")], ids=["500", "refused on the way", "late"]
)


@pytest.fixture
def hub() -> HooksHub:
    return HooksHub()


@FAULTS
def test_projects_whose_refs_cannot_be_read_keep_no_other_s_pushes_from_being_found(hub: HooksHub, fault: Any) -> None:
    hub.built[INTEGRATION] = [3, 4, 5, 6, 7]
    hub.register(scope="group", target="acme", events=["push"])
    for number in range(3, 7):
        hub.gitlab.script[f"/projects/{number}/repository/branches"] = fault
    refs(hub, {"main": A}, number=7)
    hub.watch.tick(lambda: 600.0)
    refs(hub, {"main": B}, number=7)
    hub.now += 3_600
    assert hub.watch.tick(lambda: 600.0) == MissedPushesReport(projects=1, announced=1, failed=4)
    assert announced(hub) == [("push", "main", B)]


@FAULTS
def test_a_project_that_takes_no_hook_keeps_no_other_from_its_own(hub: HooksHub, fault: Any) -> None:
    hub.gitlab.has_group_hooks = False
    hub.gitlab.script[LIST] = pages([3, 4, 5, 6, 7], 2)
    hub.gitlab.script["/projects/4/hooks"] = fault
    hook_id = hub.register(**GROUP)["id"]
    assert sorted(row["_where"][1] for row in hub.gitlab.hooks.values()) == ["3", "5", "6", "7"]
    assert (hub.hook(hook_id).fallback_failed, hub.hook(hook_id).fallback_done_at) == (1, hub.now)
    del hub.gitlab.script["/projects/4/hooks"]
    hub.now += 3_600
    hub.health_check.tick(lambda: 600.0)
    assert len(hub.gitlab.hooks) == 5


def resend(hub: HooksHub) -> tuple[int, dict[str, int]]:
    status, body = hub("POST", f"{PATH}/{hub.hooks()[0].id}/resend-failed")
    return status, {name: body.get(name, 0) for name in ("resent", "failed")}


def test_a_delivery_that_cannot_be_sent_again_keeps_no_older_one_from_it(hub: HooksHub) -> None:
    hub.register()
    happened = "2025-06-15T15:00:00Z"
    for number in (11, 12, 13):
        hub.gitlab.fail_delivery(501, number, f"key-{number}", created_at=happened)
    hub.gitlab.script["/projects/3/hooks/501/events/12/resend"] = DOWN
    assert resend(hub) == (503, {"resent": 0, "failed": 0})
    assert hub.gitlab.resends == [13]
    hub.now += 3 * 3_600
    assert resend(hub) == (200, {"resent": 1, "failed": 1})
    assert hub.gitlab.resends == [13, 11]
