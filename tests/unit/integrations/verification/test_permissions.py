"""The table of least permissions: the page for people says what the code says."""

from pathlib import Path

import pytest

from gitlab_hub.integrations.model import Features
from gitlab_hub.integrations.permissions import NEEDS, Need, least_scopes, need_of, permissions_of

PAGE = Path(__file__).parents[4] / "docs" / "tokens.md"


def row(need: Need) -> str:
    """A line of the page's table."""
    cells = [
        f"{need.does} (`{need.feature}`)",
        ", ".join(f"`{name}`" for name in need.permissions),
        ", ".join(f"`{name}`" for name in need.better_with) or "-",
        f"`{need.scope}`",
        f"`{need.scope}`" if need.by_oauth else "-",
        need.role,
    ]
    return f"| {' | '.join(cells)} |"


HEAD = (
    "| for | fine-grained permissions | better with | scope of a token | of an OAuth application | lowest role |",
    "|---|---|---|---|---|---|",
)


def test_the_page_has_the_table_that_the_code_has() -> None:
    shown = PAGE.read_text().partition("<!-- table -->\n")[2].partition("<!-- /table -->")[0].splitlines()
    assert shown == [*HEAD, *map(row, NEEDS)]


def test_every_feature_that_can_be_switched_on_is_in_the_table() -> None:
    names = Features(manage_webhooks=True, report_statuses=True).names
    assert [need_of(name).scope for name in names] == ["api", "api"]
    assert "Webhook: Create" in permissions_of(names)
    assert "Commit Status: Create" in permissions_of(names)


def test_features_that_need_the_same_need_it_once() -> None:
    assert permissions_of(["pipelines", "connect"]).count("Project: Read") == 1


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.feature)
def test_a_permission_is_needed_or_helps_and_never_both(need: Need) -> None:
    assert not set(need.permissions) & set(need.better_with)


@pytest.mark.parametrize(("features", "wanted", "least"), [
    (["connect", "access", "pipelines", "builds"], [], ("read_api",)),
    (["connect", "manage_webhooks"], [], ("api",)),
    (["report_statuses"], ["read_api", "read_user", "openid"], ("openid", "api")),
    ([], ["read_user", "read_api"], ("read_user", "read_api")),
])  # fmt: skip
def test_what_another_scope_includes_is_not_asked_for(
    features: list[str], wanted: list[str], least: tuple[str, ...]
) -> None:
    assert least_scopes(features, wanted) == least
