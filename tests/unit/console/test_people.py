"""Who somebody from GitLab is in the hub: rules as they are written, and what they make of what GitLab says."""

from typing import Any

import pytest

from gitlab_hub.console.people import Person, Rule, person_of, principal_of, rules_of
from gitlab_hub.web.principal import GitLabAccount, Principal, Role

ISSUER = "https://gitlab.example.com"
RULES = rules_of("acme/platform=owner, acme/shop=developer@int_1+int_2,acme/Docs=viewer,acme/qa=developer@int_3")


def person(*groups: str, **more: Any) -> Person:
    return Person(**{"issuer": ISSUER, "account_id": 42, "username": "ana", "groups": groups, **more})


def test_rules_are_read_as_they_are_written() -> None:
    assert rules_of("") == ()
    assert RULES[:3] == (
        Rule("acme/platform", Role.OWNER),
        Rule("acme/shop", Role.DEVELOPER, frozenset({"int_1", "int_2"})),
        Rule("acme/docs", Role.VIEWER),
    )


@pytest.mark.parametrize(
    "text",
    ["acme", "acme=", "acme=root", "acme=Owner", "=owner", "*=owner", "acme=owner@", "acme=owner@x", "a b=owner",
     "acme//x=owner", "acme=owner@int_1+", "acme=owner@INT_1", "acme=owner;x=owner"],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match="group/path=role"):
        rules_of(f"acme/shop=viewer,{text}")


@pytest.mark.parametrize(
    ("groups", "role", "reach"),
    [
        (("acme/docs",), Role.VIEWER, None),
        (("acme/shop",), Role.DEVELOPER, {"int_1", "int_2"}),
        (("acme/shop", "acme/qa"), Role.DEVELOPER, {"int_1", "int_2", "int_3"}),
        # What a lower role reaches is not what a higher one does.
        (("acme/docs", "acme/shop"), Role.DEVELOPER, {"int_1", "int_2"}),
        (("acme/platform", "acme/shop"), Role.OWNER, None),
    ],
)
def test_the_highest_role_counts_with_what_its_own_rules_reach(
    groups: tuple[str, ...], role: Role, reach: set[str] | None
) -> None:
    found = principal_of(person(*groups), RULES, ISSUER)
    assert found == Principal("gitlab:42@gitlab.example.com", role, None if reach is None else frozenset(reach))


def test_whom_no_rule_names_is_nobody_and_so_is_whoever_came_from_another_gitlab() -> None:
    assert principal_of(person("acme"), RULES, ISSUER) is None
    assert principal_of(person(), RULES, ISSUER) is None
    assert principal_of(person("acme/docs"), (), ISSUER) is None
    assert principal_of(person("acme/docs"), RULES, "https://other.example.com") is None


def test_they_are_their_account_in_the_integrations_of_their_gitlab() -> None:
    found = principal_of(person("acme/docs", integration_ids=("int_1", "int_2")), RULES, ISSUER)
    assert found is not None
    assert found.gitlab_accounts == {GitLabAccount("int_1", 42), GitLabAccount("int_2", 42)}
    assert Principal.from_context(found.to_context()) == found


def test_a_person_is_kept_as_they_are() -> None:
    one = person("acme/docs", integration_ids=("int_1",))
    assert Person.from_row(one.to_row()) == one


def test_of_their_groups_those_are_kept_that_a_rule_names_in_any_case() -> None:
    told = {"sub": "42", "nickname": "ana", "groups": ["acme", "Acme/Docs", "other", 7, None]}
    assert person_of({"sub": "42"}, told, RULES, ISSUER) == person("acme/docs")


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"sub": "42"}, {"sub": "43"}), ({"sub": "42"}, {}), ({}, {}), ({"sub": 42}, {"sub": 42}),
        ({"sub": "042"}, {"sub": "042"}), ({"sub": "a:1"}, {"sub": "a:1"}), ({"sub": ""}, {"sub": ""}),
        ({"sub": "42"}, {"sub": "42", "groups": "acme/docs"}), ({"sub": "²"}, {"sub": "²"}),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_nobody(claims: dict[str, Any], told: dict[str, Any]) -> None:
    assert person_of(claims, told, RULES, ISSUER) is None


@pytest.mark.parametrize("name", [None, "", 7, ["ana"]])
def test_whoever_has_no_name_is_called_by_their_number(name: object) -> None:
    found = person_of({"sub": "42"}, {"sub": "42", "nickname": name}, RULES, ISSUER)
    assert found is not None
    assert (found.username, found.groups) == ("account 42", ())
