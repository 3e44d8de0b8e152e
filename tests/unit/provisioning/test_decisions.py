"""What an operation comes to, by what GitLab says."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.fact_rows import member_of, person_of, place_of
from gitlab_hub.provisioning.facts import Facts, Hand, Inherited, Member, Person, Place
from gitlab_hub.provisioning.operation import NO_ROLE, Kind, Mode, Operation
from gitlab_hub.provisioning.operations.base import Decision
from gitlab_hub.provisioning.operations.membership_rules import decide
from gitlab_hub.provisioning.refusals import ADVICE, Code
from gitlab_hub.provisioning.sentences import change
from gitlab_hub.provisioning.states import Membership, membership_of

HAND = Hand(account_id=1, is_admin=True, scopes=("api",), today="2026-09-21")
ANA = Person(id=4, username="ana", name="Ana Lima", state="active", kind=AccountKind.HUMAN)
API = Place(type=ResourceType.PROJECT, id=77, full_path="platform/api", parent_id=7)


def grant(level: int, **more: Any) -> Operation:
    plain = {"kind": Kind.GRANT, "account_id": 4, "resource_type": ResourceType.PROJECT, "resource_id": 77}
    return Operation(**{**plain, "access_level": level, "mode": Mode.AT_LEAST, **more})


def held(level: int, expires_on: str | None = None, role: int | None = None) -> Member:
    return Member(membership=Membership(access_level=level, expires_on=expires_on, member_role_id=role))


def decided(operation: Operation, member: Member | None, **more: Any) -> Decision:
    return decide(operation, Facts(person=ANA, place=API, member=member, **more), HAND)


@pytest.mark.parametrize(
    ("wanted", "member", "after"),
    [
        (grant(40), held(30), (40, None)),
        (grant(40, expires_on="2027-01-31"), held(30), (40, "2027-01-31")),
        (grant(30), held(40), (40, None)),
        (grant(30), held(40, "2027-01-01"), (40, "2027-01-01")),
        (grant(30), held(30, "2027-01-01"), (30, None)),
        (grant(30, expires_on="2027-02-01"), held(30, "2027-01-01"), (30, "2027-02-01")),
        (grant(30, expires_on="2026-12-01"), held(30, "2027-01-01"), (30, "2027-01-01")),
        (grant(30, expires_on="2026-12-01"), held(30), (30, None)),
        (grant(20, mode=Mode.EXACTLY), held(40, "2027-01-01"), (20, None)),
        (grant(40, mode=Mode.EXACTLY, expires_on="2027-01-01"), held(40), (40, "2027-01-01")),
    ],
)
def test_at_least_never_lowers_nor_shortens_and_exactly_does(
    wanted: Operation, member: Member, after: tuple[int, str | None]
) -> None:
    found = membership_of(decided(wanted, member).after)
    assert found is not None
    assert (found.access_level, found.expires_on) == after


@pytest.mark.parametrize(("now", "refusals"), [(1_799, ()), (1_800, (Code.EXPIRES_IN_PAST,))])
def test_an_end_at_a_minute_is_past_from_that_minute_on(now: int, refusals: tuple[Code, ...]) -> None:
    operation = grant(40, until=1_800, expires_on="2099-01-01")
    assert decide(operation, Facts(person=ANA, place=API), replace(HAND, now=now)).refusals == refusals


def test_more_from_a_group_above_is_enough() -> None:
    assert decided(grant(30), None, inherited=Inherited(level=40, full_path="platform")).calls == ()


def test_an_end_is_lifted_in_so_many_words_and_left_alone_without_one() -> None:
    [lifted] = decided(grant(30, mode=Mode.EXACTLY), held(30, "2027-01-01")).calls
    assert lifted.body == {"access_level": 30, "expires_at": None}
    [raised] = decided(grant(40), held(30)).calls
    assert raised.body == {"access_level": 40}


@pytest.mark.parametrize(
    ("wanted", "role"),
    [
        (grant(30, mode=Mode.EXACTLY, expires_on="2027-01-01"), 7),
        (grant(30, mode=Mode.EXACTLY, member_role_id=8), 8),
        (grant(30, mode=Mode.EXACTLY, member_role_id=NO_ROLE), None),
        (grant(40, mode=Mode.EXACTLY), None),
    ],
)
def test_a_custom_role_stays_with_its_level_unless_another_is_named(wanted: Operation, role: int | None) -> None:
    found = decided(wanted, held(30, role=7))
    after = membership_of(found.after)
    assert after is not None
    assert after.member_role_id == role
    assert (found.calls[0].body or {}).get("member_role_id") == role


@pytest.mark.parametrize(
    ("wanted", "member", "text"),
    [
        (grant(40, expires_on="2027-01-31"), held(30),
         "Ana Lima: Developer → Maintainer on platform/api until 2027-01-31"),
        (grant(30), None, "Ana Lima: no access → Developer on platform/api"),
        (grant(40, until=1_801_404_300, expires_on="2027-02-01"), held(30),
         "Ana Lima: Developer → Maintainer on platform/api until 2027-01-31 14:05 UTC"),
        (grant(40, until=1_801_404_300, expires_on="2027-02-01"), held(40, "2027-01-01"),
         "Ana Lima: Maintainer on platform/api until 2027-01-01 → until 2027-01-31 14:05 UTC"),
        (grant(30), held(40), "Ana Lima: Maintainer on platform/api already, nothing to do"),
        (grant(30, mode=Mode.EXACTLY), held(30, "2027-01-01"),
         "Ana Lima: Developer on platform/api until 2027-01-01 → without an end"),
    ],
)  # fmt: skip
def test_a_person_understands_it(wanted: Operation, member: Member | None, text: str) -> None:
    found = decided(wanted, member)
    told = change(ANA.label, API.full_path, found.before, found.after, is_change=bool(found.calls), until=wanted.until)
    assert told == text


def test_rows_are_read_with_suspicion() -> None:
    assert person_of({"id": 4, "state": 7, "bot": False}).state == "unknown"
    row = {"access_level": 30, "expires_at": "2027-01-01", "override": True, "membership_state": "awaiting"}
    found = member_of({**row, "member_role": {"id": 3}, "group_saml_identity": None})
    assert (found.membership, found.is_ldap, found.is_awaiting) == (
        Membership(access_level=30, expires_on="2027-01-01", member_role_id=3), False, True,
    )  # fmt: skip
    own = place_of(ResourceType.PROJECT, {"id": 1, "namespace": {"id": 5, "kind": "user"}, "owner": {"id": 4}})
    assert (own.parent_id, own.owner_id) == (None, 4)


def test_every_refusal_says_what_to_do() -> None:
    assert set(ADVICE) == set(Code)
    assert all(text.endswith(".") for text in ADVICE.values())
