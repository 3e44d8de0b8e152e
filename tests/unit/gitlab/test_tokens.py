import pytest

from gitlab_hub.gitlab.tokens import TokenKind, kind_of, may_call_api, sendable


@pytest.mark.parametrize(
    ("token", "kind", "usable"),
    [
        ("glpat-abc", TokenKind.ACCESS, True),
        ("gldt-abc", TokenKind.DEPLOY, False),
        ("glrt-abc", TokenKind.RUNNER, False),
        ("glrtr-abc", TokenKind.RUNNER, False),
        ("glcbt-64_abc", TokenKind.CI_JOB, False),
        ("glft-abc", TokenKind.FEED, False),
        ("gloas-abc", TokenKind.OAUTH_SECRET, False),
        ("0123456789abcdef", TokenKind.UNKNOWN, True),
        ("company-pat-abc", TokenKind.UNKNOWN, True),
        ("", TokenKind.UNKNOWN, True),
    ],
)
def test_a_prefix_names_the_kind(token: str, kind: TokenKind, *, usable: bool) -> None:
    assert (kind_of(token), may_call_api(token)) == (kind, usable)


@pytest.mark.parametrize("token", ["", "a b", "a\n", "a\r\nX: y", "ü", "a" * 3000, "\x00"])
def test_what_does_not_fit_into_a_header_is_not_sent(token: str) -> None:
    assert not sendable(token)
    assert sendable("glpat-a_B-1")
