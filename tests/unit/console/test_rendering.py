"""What a page may make of texts that people choose."""

import pytest

from gitlab_hub.console.rendering import url_with, web_url


@pytest.mark.parametrize("address", ["https://gitlab.example.com/a", "http://[::1]:80/x", "HTTPS://gitlab.example.com"])
def test_a_web_address_may_be_a_link(address: str) -> None:
    assert web_url(address) == address


@pytest.mark.parametrize(
    "address",
    [None, "", "javascript:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,x",
     "//evil.example", "http://[", "https://[::1", "http://\N{FULLWIDTH SOLIDUS}x"],
)  # fmt: skip
def test_anything_else_is_none(address: str | None) -> None:
    assert web_url(address) is None


def test_what_is_empty_stands_in_no_address() -> None:
    assert url_with("/x", a="", b=None, c=0, d="a b&c") == "/x?c=0&d=a+b%26c"
