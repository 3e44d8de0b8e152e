"""The hub's API as the demo calls it: as anybody would."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

import httpx

from local.problems import Problem

SLOWEST_ANSWER = 60.0


class Hub:
    """A running hub, and the owner's token for it."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=SLOWEST_ANSWER,
            trust_env=False,
        )

    def connect(self, gitlab: str, token: str) -> dict[str, Any]:
        """Connect a GitLab; returns the integration."""
        features = {"manage_webhooks": True, "report_statuses": True, "provisioning": True}
        body: dict[str, Any] = {
            "host_url": gitlab,
            "auth_mode": "personal_token",
            "access_token": token,
            "display_name": "Demo",
        }
        body |= {"features": features}
        integration: dict[str, Any] = self.call("POST", "/v1/integrations/gitlab/start", body)["integration"]
        return integration

    def console_link(self) -> str:
        """Make a link that signs in to the web console, once."""
        return str(self.call("POST", "/v1/console-links", {})["url"])

    def request_sync(self, integration_id: str) -> None:
        """Ask for a sync of everything; of some kinds the schedule may have been faster."""
        path = f"/v1/integrations/{integration_id}/sync"
        for kind in ("access", "pipelines", "credentials"):
            self.call("POST", path, {"kinds": [kind]}, expected=(HTTPStatus.ACCEPTED, HTTPStatus.CONFLICT))

    def sync_state(self, integration_id: str) -> dict[str, Any]:
        """The state of every kind of sync."""
        kinds: dict[str, Any] = self.call("GET", f"/v1/integrations/{integration_id}/sync")["kinds"]
        return kinds

    def all(self, integration_id: str, what: str, **filters: str | int) -> Iterator[dict[str, Any]]:
        """Every row of a list, page by page."""
        cursor: str | None = None
        while True:
            query = {**filters, "limit": 200} | ({"cursor": cursor} if cursor else {})
            page = self.call("GET", f"/v1/integrations/{integration_id}/{what}", query=query)
            yield from page[what.rpartition("/")[2].replace("-", "_")]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        query: dict[str, Any] | None = None,
        expected: Sequence[int] = (HTTPStatus.OK, HTTPStatus.CREATED),
    ) -> dict[str, Any]:
        """Call the API. Raises Problem for an answer that nobody expected."""
        answer = self._http.request(method, path, json=body, params=query)
        if answer.status_code not in expected:
            raise Problem(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        found: dict[str, Any] = answer.json()
        return found
