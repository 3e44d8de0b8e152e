"""What may be asked of builds."""

import pytest
from pydantic import ValidationError

from gitlab_hub.builds.runs.schemas import BuildBody, ReportBody


@pytest.mark.parametrize("ref", ["main", "feature/x-1", "v1.0.0", "grün", "a.b/c", "UPPER", "refs/heads/main", "#12"])
def test_names_that_git_takes_are_taken(ref: str) -> None:
    assert BuildBody(trigger_id="t", ref=ref).ref == ref


@pytest.mark.parametrize(
    "ref",
    [
        "", ".", "..", "a..b", "a/../b", "a//b", "/a", "a/", ".hidden", "a/.b", "a.lock", "a.", "-x", "a b", "a~1",
        "a^", "a:b", "a?b", "a*", "a[", "a\\b", "a@{1}", "a\tb", "a\nb", "a\x7f", "x" * 1025,
    ],
)  # fmt: skip
def test_names_that_git_does_not_take_are_refused(ref: str) -> None:
    with pytest.raises(ValidationError):
        BuildBody(trigger_id="t", ref=ref)


@pytest.mark.parametrize("sha", ["abcdef", "g" * 40, "a" * 65, "main", "a" * 40 + "\n"])
def test_what_is_no_sha_is_refused(sha: str) -> None:
    with pytest.raises(ValidationError):
        BuildBody(trigger_id="t", sha=sha)


@pytest.mark.parametrize("url", ["ftp://x", "javascript:alert(1)", "//x", "https://a b", "https://x\n"])
def test_a_report_links_to_web_pages_only(url: str) -> None:
    with pytest.raises(ValidationError):
        ReportBody(status="success", target_url=url)
