"""What GitLab takes for a request to skip a build."""

from typing import Any

import pytest

from gitlab_hub.builds.triggers.rules import skip_in_message, skip_requested


@pytest.mark.parametrize(
    "message",
    [
        "[ci skip]", "[skip ci]", "[SKIP CI] x", "[Ci Skip]", "[ci-skip]", "[skip_ci]", "title\n\nbody [skip ci] more",
        "a[ci skip]b",
    ],
)  # fmt: skip
def test_a_message_skips(message: str) -> None:
    assert skip_in_message(message)


@pytest.mark.parametrize(
    "message", [None, "", "skip ci", "[skip  ci]", "[skip ci", "[ci.skip]", "[no ci]", "[skip\nci]"]
)
def test_a_message_does_not_skip(message: str | None) -> None:
    assert not skip_in_message(message)


@pytest.mark.parametrize(
    "options", [{"ci": {"skip": True}}, {"ci": {"skip": "1"}}, {"ci": {"skip": "false"}}, {"ci.skip": True}]
)
def test_a_push_option_skips(options: dict[str, Any]) -> None:
    assert skip_requested(options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ci": {}},
        {"ci": True},
        {"ci": {"skip": False}},
        {"ci": {"skip": " "}},
        {"ci": {"skip": None}},
        {"mr": {"skip": 1}},
    ],
)
def test_a_push_option_does_not_skip(options: dict[str, Any]) -> None:
    assert not skip_requested(options)
