"""Who may ask for what, who approves, and how access is judged at its end."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.model import Step, StepStatus
from gitlab_hub.provisioning.operation import Kind
from gitlab_hub.provisioning.states import Membership
from gitlab_hub.provisioning.timed.ending import End, end_of, taking_back
from gitlab_hub.provisioning.timed.model import grant
from gitlab_hub.provisioning.timed.policies import DEFAULT, Asked, Callers, against, people, policy_for

ASKED = Asked(full_path="Platform/api", access_level=40, seconds=480 * 60, token_id="t", role="developer")
GLASS = replace(DEFAULT, id="glass", break_glass=True, max_minutes=480)
GIVEN = Membership(access_level=40, expires_on="2026-09-22")
HAD = Membership(access_level=30)
AT = 1_790_000_000


@pytest.mark.parametrize(
    ("policy", "asked", "reasons"),
    [
        ({}, {}, []),
        ({"enabled": False}, {}, ["disabled"]),
        ({"resources": ("platform/*",)}, {}, []),
        ({"resources": ("platform", "other/*")}, {}, ["resource"]),
        ({"resources": ("platform/*",)}, {"full_path": "platform/a/b"}, []),
        ({}, {"access_level": 50}, ["access_level"]),
        ({}, {"seconds": 480 * 60 + 1}, ["minutes"]),
        ({}, {"role": "viewer"}, ["requester"]),
        ({"requesters": Callers(token_ids=("t",))}, {"role": "viewer"}, []),
        ({"requesters": Callers()}, {}, ["requester"]),
        ({}, {"break_glass": True}, ["break_glass"]),
        ({"break_glass": True}, {"break_glass": True}, ["minutes"]),
        ({"break_glass": True}, {"break_glass": True, "seconds": 7_200}, []),
    ],
)
def test_what_of_a_request_does_not_fit_a_policy(
    policy: dict[str, Any], asked: dict[str, Any], reasons: list[str]
) -> None:
    assert against(replace(DEFAULT, **policy), replace(ASKED, **asked)) == reasons


def test_the_first_policy_that_fits_counts() -> None:
    lower = replace(DEFAULT, id="lower", max_access_level=30)
    assert policy_for([lower, GLASS, DEFAULT], ASKED) == DEFAULT
    assert policy_for([], ASKED) is None


def test_tokens_of_one_person_are_one_approval() -> None:
    assert people([("a", []), ("b", [])]) == 2
    assert people([("a", [7]), ("b", [7])]) == 1
    assert people([("a", [7]), ("b", [8]), ("c", [7, 8])]) == 1


def step(before: Membership | None, status: StepStatus = StepStatus.APPLIED, **more: Any) -> Step:
    return Step(
        index=0, operation=grant(20, ResourceType.PROJECT, 100, 40, AT), subject="Ana", full_path="acme/shop",
        sentence="", before=before, after=GIVEN, status=status, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "now_is", "end"),
    [
        (step(HAD), GIVEN, End.TAKE_BACK),
        (step(HAD), HAD, End.OVER),
        (step(HAD), None, End.OVER),
        (step(HAD), Membership(access_level=20), End.OVER),
        (step(HAD), Membership(access_level=40), End.BY_HAND),
        (step(None), Membership(access_level=10), End.BY_HAND),
        (step(None, StepStatus.FAILED, tries=1, settled_at=AT - 599), None, End.WATCH),
        (step(None, StepStatus.FAILED, tries=1, settled_at=AT - 600), None, End.OVER),
        (step(None, StepStatus.SKIPPED), None, End.OVER),
        (step(None, StepStatus.ACCEPTED), None, End.WATCH),
    ],
)
def test_the_end_is_judged_by_what_there_is(given: Step, now_is: Membership | None, end: End) -> None:
    assert end_of(given, now_is, now=AT, today="2026-09-21") is end


def test_what_is_given_back_is_what_there_was_while_that_still_lasts() -> None:
    until = replace(HAD, expires_on="2026-09-21", member_role_id=7)
    back = taking_back(step(until), today="2026-09-20")
    assert (back.access_level, back.expires_on, back.member_role_id) == (30, "2026-09-21", 7)
    assert taking_back(step(until), today="2026-09-21").kind is Kind.REVOKE
    gone = taking_back(step(None), today="2026-09-20")
    assert (gone.kind, gone.expected_level) == (Kind.REVOKE, 40)
