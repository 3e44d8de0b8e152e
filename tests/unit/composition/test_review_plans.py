"""What a review asks for, as operations: on top of what it had seen, and of nothing else."""

import pytest

from gitlab_hub.access.reviews.remediation import Remedy
from gitlab_hub.composition.review_plans import operation_of
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.facts import Facts, Hand, Member, Person, Place
from gitlab_hub.provisioning.operations.membership_rules import decide
from gitlab_hub.provisioning.states import Membership

HAND = Hand(account_id=1, is_admin=True, scopes=("api",), today="2026-09-21")
ANA = Person(id=4, username="ana", name="Ana Lima", state="active", kind=AccountKind.HUMAN)
API = Place(type=ResourceType.PROJECT, id=77, full_path="platform/api", parent_id=7)
LOWER = Remedy(key=("project", 77, 4), expected=40, level=20)
REVOKE = Remedy(key=("project", 77, 4), expected=40)


@pytest.mark.parametrize(
    ("remedy", "level", "methods", "refusals"),
    [
        (REVOKE, 40, ["DELETE"], ()),
        (REVOKE, 30, ["DELETE"], ("grant_changed",)),
        (LOWER, 40, ["PUT"], ()),
        (LOWER, 20, [], ()),
        (LOWER, 10, ["PUT"], ("grant_changed",)),
        (LOWER, None, ["POST"], ("grant_changed",)),
    ],
    ids=["as reviewed", "another level", "as reviewed, lowered", "lowered already", "less by now", "gone by now"],
)
def test_what_has_changed_since_the_review_is_left_alone(
    remedy: Remedy, level: int | None, methods: list[str], refusals: tuple[str, ...]
) -> None:
    member = None if level is None else Member(membership=Membership(access_level=level))
    found = decide(operation_of(remedy), Facts(person=ANA, place=API, member=member), HAND)
    assert ([call.method for call in found.calls], tuple(map(str, found.refusals))) == (methods, refusals)
