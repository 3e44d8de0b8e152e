"""Under which address the outside world reaches the hub."""

from collections.abc import Mapping
from typing import Any

WEBHOOK_PATH = "/v1/webhooks/gitlab"


class PublicUrl:
    """The configured address, or the gateway's own.

    Only the gateway's API id is taken from a request, never its `Host`: that one is the caller's to choose.
    """

    def __init__(self, configured: str, region: str, suffix: str = "amazonaws.com") -> None:
        """`suffix`: that of the partition's domains (`AWS::URLSuffix`); in China it is another one."""
        self._configured, self._region, self._suffix = configured.rstrip("/"), region, suffix
        self._own = ""

    def learn_from(self, event: Mapping[str, Any]) -> None:
        """Learn the gateway's own address from an event that it made."""
        api_id = str((event.get("requestContext") or {}).get("apiId") or "")
        if api_id.isalnum():
            self._own = f"https://{api_id}.execute-api.{self._region}.{self._suffix}"

    def base(self) -> str:
        """The address of the hub itself, without a trailing slash."""
        return self._configured or self._own

    def webhook(self) -> str:
        """The address GitLab delivers webhooks to."""
        return self.base() + WEBHOOK_PATH
