"""A small API with one of every kind of route, over fakes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.storage.ports import QueueUnavailable
from gitlab_hub.web.api import Api, Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.web.idempotency import Idempotency
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor
from tests.fakes.events import Context, answered, http_event
from tests.fakes.table import MemoryTable

KEY = b"k" * 32


class NoteBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=1000)]
    tags: list[str] = []
    more: dict[str, Any] = {}


class NoteView(BaseModel):
    id: str
    number: int
    text: str
    by: str


class NoteList(BaseModel):
    notes: list[NoteView]
    next_cursor: str | None


class Done(BaseModel):
    ok: bool = True


class Busy(HubError):
    """Try again."""

    code = "rate_limited"
    retryable = True


class Guard:
    """Knows the integrations i1 and i2."""

    def exists(self, integration_id: str) -> bool:
        return integration_id in {"i1", "i2"}


@dataclass(slots=True)
class NoteRoutes:
    """Notes of an integration: what was written, and how often a handler ran."""

    cursors: Cursors
    notes: dict[str, list[NoteView]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    during: Callable[[], object] = lambda: None

    def routes(self) -> Sequence[Route]:
        all_, one = "/v1/integrations/<integration_id>/notes", "/v1/integrations/<integration_id>/notes/<number>"
        other = {"render_error": credentials_error}
        return (
            Route(method="GET", path=all_, handler=self.list, role=Role.VIEWER, summary="List notes"),
            Route(method="POST", path=all_, handler=self.write, role=Role.ADMIN, status=201),
            Route(method="GET", path=one, handler=self.read, role=Role.DEVELOPER),
            Route(method="DELETE", path=one, handler=self.drop, role=Role.OWNER),
            Route(method="POST", path=f"{one}/check", handler=self.check, role=Role.ADMIN),
            Route(method="GET", path="/open", handler=self.open, role=None),
            Route(method="POST", path="/open", handler=self.open, role=None),
            Route(method="GET", path="/api/connections/<connection_id>/credentials.list", handler=self.credentials,
                  role=Role.VIEWER, render_error=credentials_error),
            Route(method="POST", path="/api/connections/<connection_id>/credentials.create", handler=self.create,
                  role=Role.ADMIN, status=201, **other),  # type: ignore[arg-type]  # one key of a known type
        )  # fmt: skip

    def list(
        self, integration_id: Annotated[str, Path()], limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None,
        tag: Annotated[list[str] | None, Query()] = None,
    ) -> NoteList:  # fmt: skip
        self.ran.append("list")
        listing = f"notes/{integration_id}/{tag}"
        start = self.cursors.open(listing, cursor) or 0
        notes = self.notes.get(integration_id, [])
        more = start + limit < len(notes)
        cursor = self.cursors.seal(listing, start + limit) if more else None
        return NoteList(notes=notes[start : start + limit], next_cursor=cursor)

    def write(self, integration_id: Annotated[str, Path()], body: NoteBody, caller: Caller, seed: Seed) -> NoteView:
        self.ran.append("write")
        self.during()
        if body.text == "busy":
            raise Busy("Try again.", retry_after=7)
        if body.text == "queue":
            raise QueueUnavailable
        if body.text == "taken":
            raise Unprocessable("Take another text.")
        if body.text == "bug":
            raise ZeroDivisionError("glpat-canary")
        notes = self.notes.setdefault(integration_id, [])
        notes.append(NoteView(id=seed, number=len(notes), text=body.text, by=caller.token_id))
        return notes[-1]

    def read(self, integration_id: Annotated[str, Path()], number: Annotated[int, Path()]) -> NoteView:
        self.ran.append("read")
        notes = self.notes.get(integration_id, [])
        if not 0 <= number < len(notes):
            raise NotFound("No such note, my secret friend.")
        return notes[number]

    def drop(self, integration_id: Annotated[str, Path()], number: Annotated[int, Path()]) -> Done:
        self.ran.append("drop")
        return Done()

    def check(self, integration_id: Annotated[str, Path()], number: Annotated[int, Path()]) -> Done:
        self.ran.append("check")
        return Done()

    def open(self) -> Done:
        self.ran.append("open")
        return Done()

    def credentials(self, connection_id: Annotated[str, Path()]) -> Done:
        self.ran.append("credentials")
        return Done()

    def create(self, connection_id: Annotated[str, Path()], body: NoteBody) -> Done:
        self.ran.append("create")
        return Done()


def credentials_error(error: HubError) -> tuple[int, dict[str, Any]]:
    code = "not_authed" if error.code in ("unauthorized", "permission_denied") else error.code
    statuses = {"unauthorized": 401, "permission_denied": 403}
    return statuses.get(error.code, 422), {"ok": False, "error": code, "error_detail": error.code}


@dataclass(slots=True)
class Sample:
    """The API with everything around it."""

    now: float = 1_800_000_000.0
    table: MemoryTable = field(default_factory=MemoryTable)
    part: NoteRoutes = field(default_factory=lambda: NoteRoutes(Cursors(lambda: KEY)))

    def api(self) -> Api:
        """One process's view of it (an Api belongs to one thread)."""
        return Api(self.part.routes(), guard=Guard(), idempotency=Idempotency(self.table), now=lambda: self.now)

    def call(self, method: str, path: str, body: Any = None, **how: Any) -> tuple[int, Any]:
        """Call once and read the answer."""
        return answered(self.api().resolve(http_event(method, path, body, **how), Context()))
