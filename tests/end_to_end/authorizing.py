"""A person who authorizes the hub in a GitLab, and what that GitLab then says of tokens."""

import json
import urllib.error
import urllib.request
from typing import Any

from authlib.integrations.requests_client import OAuth2Session

from stand_in_gitlab.process import Running
from tests.end_to_end.browser import Browser, query
from tests.end_to_end.companies import newcomer
from tests.end_to_end.hub_client import Answer, Hub
from tests.end_to_end.stores import secrets

AUTHORIZE = "/v1/integrations/gitlab/authorize"
CALLBACK = "/v1/integrations/gitlab/callback"


class Connecting:
    """An integration that is about to be authorized, by a user of its own."""

    def __init__(self, hub: Hub, company: Running, **wanted: Any) -> None:
        self._hub, self._company = hub, company
        self.user_id = newcomer(company)
        application = company.applications["hub"]
        hub.guard(application.client_secret)
        body = {
            "host_url": company.base,
            "auth_mode": "oauth_app",
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            **wanted,
        }
        started = hub.call("POST", "/v1/integrations/gitlab/start", body)
        assert started.status == 201, started
        self.started: dict[str, Any] = started.body
        self.id = str(started.body["integration"]["id"])
        self.path = f"/v1/integrations/{self.id}"

    def begin(self, **more: Any) -> dict[str, Any]:
        """Begin an authorization."""
        answer = self._hub.call("POST", AUTHORIZE, {"integration_id": self.id, **more})
        assert answer.status == 200, answer
        begun: dict[str, Any] = answer.body
        ticket = begun["connect_url"].rpartition("/")[2]
        self._hub.guard(query(begun["authorize_url"])["state"], ticket, shown_at="/gitlab/authorize$")
        return begun

    def consented(self, browser: Browser, url: str, *, user_id: int | None = None) -> str:
        """Go to GitLab as its user and say yes; gives the address that GitLab sends the browser back to."""
        there = browser.go(url, until=f"{self._company.base}/oauth/authorize")
        back = browser.go(f"{there}&standin_user={user_id or self.user_id}", until=self._hub.url + CALLBACK)
        self._hub.guard(query(back)["code"])
        self._hub.guard(query(back)["state"], shown_at="/gitlab/connect/")
        return back

    def authorize(self, browser: Browser, **more: Any) -> str:
        """Go the whole way; gives where it ended."""
        return browser.go(self.consented(browser, self.begin(**more)["connect_url"]))

    def finish(self, back: str, **more: Any) -> Answer:
        """Finish with the code and the state that GitLab gave, without a browser."""
        found = query(back)
        body = {"integration_id": self.id, "code": found["code"], "state": found["state"], **more}
        return self._hub.call("POST", AUTHORIZE, body)

    def shown(self) -> dict[str, Any]:
        """The integration as the hub shows it."""
        integration: dict[str, Any] = self._hub.get(self.path)["integration"]
        return integration

    def pair(self) -> tuple[str, str]:
        """The access token and the refresh token that are stored now."""
        [text] = [text for name, text in secrets(self._hub.stack).items() if self.id in name]
        [pair] = json.loads(text)["credentials"].values()
        self._hub.guard(pair["access_token"], pair["refresh_token"])
        return pair["access_token"], pair["refresh_token"]


def token_requests(company: Running) -> int:
    """How often somebody wanted tokens since the statistics began."""
    paths: dict[str, int] = company.control("GET", "stats")["by_path"]
    return sum(count for path, count in paths.items() if "oauth/token" in path and "info" not in path)


def whoami(company: Running, access_token: str) -> int:
    """What GitLab answers to somebody with this token."""
    request = urllib.request.Request(f"{company.base}/api/v4/user", headers={"Authorization": f"Bearer {access_token}"})  # noqa: S310 - http on loopback
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http on loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def client_of(company: Running, redirect_uri: str) -> OAuth2Session:
    """Somebody else's OAuth client, with the hub's application."""
    application = company.applications["hub"]
    return OAuth2Session(
        application.client_id,
        application.client_secret,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        token_endpoint=f"{company.base}/oauth/token",
    )
