"""What the decisions of a review come to, as changes of memberships."""

from typing import Any

import pytest

from gitlab_hub.access.reviews.model import Item, Membership
from gitlab_hub.access.reviews.remediation import Remedy, is_planned, remediated_at, remediation

ANA, SHOP, ACME = 7, 100, 10
GROUP = Membership(type="group", id=ACME, full_path="acme", level=40)
PROJECT = Membership(type="project", id=SHOP, full_path="acme/shop", level=40)


def item(number: int, decision: str | None, *, at: Membership = PROJECT, **more: Any) -> Item:
    what: dict[str, Any] = {
        "account_id": ANA, "resource_type": at["type"], "resource_id": at["id"], "full_path": "", "access_level": 40,
        "kind": "direct", "revoke_at": [at], **more,
    }  # fmt: skip
    return Item(id=f"{number:05d}", decision=decision, **what)


def test_what_is_revoked_is_taken_away_where_it_is_given() -> None:
    found = remediation([item(1, "revoke", revoke_at=[GROUP, PROJECT])])
    assert found.remedies == [
        Remedy(key=("group", ACME, ANA), expected=40),
        Remedy(key=("project", SHOP, ANA), expected=40),
    ]
    assert found.left_out == {}


def test_a_lower_level_keeps_the_end_that_the_membership_has() -> None:
    [one] = remediation([item(1, "change", new_access_level=20, ends_at=1801353600)]).remedies
    assert (one.level, one.expected, one.expires_on) == (20, 40, "2027-01-31")
    [one] = remediation(
        [item(1, "change", new_access_level=20, ends_at=None), item(2, "revoke", ends_at=1801353600)]
    ).remedies
    assert (one.level, one.expires_on) == (20, None)


def test_a_membership_that_gives_what_is_kept_is_left_as_it_is() -> None:
    inherited = item(1, "revoke", revoke_at=[GROUP])
    kept = item(2, "keep", at=GROUP)
    found = remediation([inherited, kept, item(3, "revoke")])
    assert [one.key for one in found.remedies] == [("project", SHOP, ANA)]
    assert found.left_out == {"00001": "kept_elsewhere"}
    assert [one.key for one in remediation([inherited, item(2, None, at=GROUP)]).remedies] == [("group", ACME, ANA)]
    somebody_else = item(2, "keep", at=GROUP, account_id=8)
    assert remediation([inherited, somebody_else]).left_out == {}


@pytest.mark.parametrize(
    ("decided", "keys", "left_out"),
    [
        (item(1, "revoke", revoke_at=[]), [("project", SHOP, ANA)], {}),
        (item(1, "change", new_access_level=20, revoke_at=[]), [], {"00001": "no_membership"}),
        (item(1, "change", new_access_level=5), [], {"00001": "no_membership"}),
        (item(1, "keep"), [], {}),
        (item(1, None), [], {}),
    ],
    ids=["implied: the plan says why not", "nothing to lower", "minimal access of a project", "kept", "undecided"],
)
def test_what_no_membership_gives_makes_none(decided: Item, keys: list[object], left_out: dict[str, str]) -> None:
    found = remediation([decided])
    assert ([one.key for one in found.remedies], found.left_out) == (keys, left_out)


def test_a_decision_is_carried_out_when_all_of_it_is() -> None:
    both = item(1, "revoke", revoke_at=[GROUP, PROJECT])
    group, project = ("group", ACME, ANA), ("project", SHOP, ANA)
    assert remediated_at(both, {group: 5, project: None}) is None
    assert remediated_at(both, {group: 5, project: 9}) == 9
    assert (is_planned(both, {group: None}), is_planned(both, {}), is_planned(item(2, "keep"), {project: 9})) == (
        True, False, False,
    )  # fmt: skip
