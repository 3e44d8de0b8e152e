"""Through which proxies the token goes."""

import httpx
import pytest

from hub_cli.client import Hub
from hub_cli.settings import Login

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.mark.parametrize(
    ("url", "is_through_a_proxy"),
    [("http://127.0.0.1:8787", False), ("http://localhost:8787", False), ("https://hub.example.com", True)],
)
def test_a_proxy_sees_nothing_that_is_not_encrypted(
    monkeypatch: pytest.MonkeyPatch, url: str, is_through_a_proxy: bool
) -> None:
    asked: list[str] = []

    class Listening(httpx.HTTPTransport):
        def __init__(self, *, proxy: httpx.Proxy | None = None, **more: object) -> None:
            super().__init__()
            self.proxy = proxy

        def handle_request(self, _request: httpx.Request) -> httpx.Response:
            asked.append("" if self.proxy is None else str(self.proxy.url))
            return httpx.Response(200, json={})

    monkeypatch.setattr("httpx._client.HTTPTransport", Listening)
    for name in PROXIES:
        monkeypatch.setenv(name, "http://proxy.example.com:3128")
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NO_PROXY", "")
    Hub(Login(url, "ghub_me_1")).get("/v1/whoami")
    assert asked == ["http://proxy.example.com:3128" if is_through_a_proxy else ""]
