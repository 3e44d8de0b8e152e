import pytest

from gitlab_hub.access.context import inside


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("acme", True),
        ("Acme", True),
        ("acme/store", True),
        ("acme/teams/wiki", True),
        ("acme-labs", False),
        ("acme-labs/store", False),
        ("others/acme/store", False),
    ],
)
def test_a_path_is_inside_a_group_by_whole_names(path: str, *, expected: bool) -> None:
    assert inside(path, "ACME") is expected
