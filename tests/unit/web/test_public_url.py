"""Which address the hub takes for its own: never the one that a caller names."""

from typing import Any

import pytest

from gitlab_hub.web.public_url import PublicUrl

EVIL = {"host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}


def event(api_id: Any = "abc123", domain: str = "evil.example") -> dict[str, Any]:
    """A call as the gateway hands it on; with a domain of one's own before it, `domainName` is the caller's choice."""
    return {"headers": EVIL, "requestContext": {"apiId": api_id, "domainName": domain}}


def test_a_configured_address_stands_whatever_a_request_says() -> None:
    url = PublicUrl("https://hub.example.com/", "eu-west-1")
    url.learn_from(event())
    assert (url.base(), url.webhook()) == ("https://hub.example.com", "https://hub.example.com/v1/webhooks/gitlab")


def test_without_one_it_is_the_gateways_own_whatever_a_request_says() -> None:
    url = PublicUrl("", "eu-west-1")
    url.learn_from(event())
    assert url.base() == "https://abc123.execute-api.eu-west-1.amazonaws.com"


def test_another_partition_of_aws_has_another_suffix() -> None:
    url = PublicUrl("", "cn-north-1", "amazonaws.com.cn")
    url.learn_from(event())
    assert url.base() == "https://abc123.execute-api.cn-north-1.amazonaws.com.cn"


@pytest.mark.parametrize("api_id", [None, "", "evil.example/", "a.b", 7.5])
def test_what_is_no_id_of_an_api_teaches_nothing(api_id: Any) -> None:
    url = PublicUrl("", "eu-west-1")
    url.learn_from(event(api_id))
    assert url.base() == ""
