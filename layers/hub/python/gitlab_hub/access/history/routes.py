"""The HTTP routes of the files for auditors."""

import hashlib
from base64 import b64encode
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.access.history.files import MEDIA, RETRY_SECONDS, BeingMade, HistoryFiles, Link, Text
from gitlab_hub.gitlab.fields import MAX_ID, day
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Role
from gitlab_hub.web.errors import unfit

BASE = "/v1/integrations/<integration_id>"

IntegrationId = Annotated[str, Path()]
AsOf = Annotated[
    str | None,
    Query(
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="A day (UTC) of the last 400: the state at its end, as far as that was read. Left out: the newest.",
        examples=["2026-09-30"],
    ),
]
InGroup = Annotated[int | None, Query(ge=0, le=MAX_ID, description="Only this group and everything below it.")]
Since = Annotated[
    int | None, Query(ge=0, le=9_999_999_999, description="Only who has left then or later, in unix seconds.")
]


class HistoryRoutes:
    """CSV files of who has what, of how much was read, and of who has left."""

    def __init__(self, files: HistoryFiles) -> None:
        self._files = files

    def routes(self) -> list[Route]:
        """Give all routes; whoever may read the integration may read its history."""
        return [
            Route(method="GET", path=f"{BASE}/access-review.csv", handler=self.access_review, role=Role.VIEWER,
                  operation="export_access_review", media=MEDIA, summary="Export who has what, as of any day",
                  besides=((202, "It is being made; ask again after `retry-after` seconds."),
                           (303, "It lies behind `location`, a link that ends after five minutes."))),
            Route(method="GET", path=f"{BASE}/population.csv", handler=self.population, role=Role.VIEWER,
                  operation="export_population", media=MEDIA, summary="Export how much was read of what"),
            Route(method="GET", path=f"{BASE}/leavers.csv", handler=self.leavers, role=Role.VIEWER,
                  operation="export_leavers", media=MEDIA, summary="Export who has left, and when access ended"),
        ]  # fmt: skip

    def access_review(
        self, integration_id: IntegrationId, group_id: InGroup = None, as_of: AsOf = None
    ) -> Response[Any]:
        """Write everybody's effective access to everything into one CSV, a line for each account and resource.

        The file of a day that is over is the same whenever it is asked for. A small file is answered at once; a large
        one with 303 and a link that ends after five minutes. Where that has to be made first the answer is 202: ask
        again after `retry-after` seconds. `repr-digest` has the SHA-256 of the whole file, to tell one that was cut
        off. Before the first day that something is kept of: 404 `no_history`.
        """
        try:
            return _answer(self._files.access_review(integration_id, _checked(as_of), group_id))
        except BeingMade:
            headers = {"retry-after": str(RETRY_SECONDS)}
            body = {"status": "being_made", "retry_after": RETRY_SECONDS}
            return Response(status_code=202, content_type="application/json", headers=headers, body=body)

    def population(self, integration_id: IntegrationId, as_of: AsOf = None) -> Response[Any]:
        """Write how many accounts, groups, projects and grants a day's state has into a CSV, with their hashes.

        Each file has the hash of that of the day before, so that a chain leads back to the first.
        """
        return _answer(self._files.population(integration_id, _checked(as_of)))

    def leavers(self, integration_id: IntegrationId, since: Since = None) -> Response[Any]:
        """Write into a CSV who was disabled or removed, and how many minutes later the last grant was gone."""
        return _answer(self._files.leavers(integration_id, since))


def _checked(as_of: str | None) -> str | None:
    if as_of is not None and day(as_of) != as_of:
        raise unfit("query.as_of", "query.as_of is no day of the calendar; give one such as 2026-09-30.")
    return as_of


def _answer(file: Text | Link) -> Response[Any]:
    if isinstance(file, Link):
        headers = {"location": file.url, "repr-digest": _digest(bytes.fromhex(file.sha256))}
        body = {"url": file.url, "bytes": file.size, "sha256": file.sha256}
        return Response(status_code=303, content_type="application/json", headers=headers, body=body)
    headers = {
        "content-disposition": f'attachment; filename="{file.filename}"',
        "repr-digest": _digest(hashlib.sha256(file.content).digest()),
    }
    text = file.content.decode()
    return Response(status_code=200, content_type=f"{MEDIA}; charset=utf-8", headers=headers, body=text)


def _digest(sha256: bytes) -> str:
    """A header as RFC 9530 has it, "Digest Fields"."""
    return f"sha-256=:{b64encode(sha256).decode()}:"
