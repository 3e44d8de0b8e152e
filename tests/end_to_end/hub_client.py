"""A stranger's view of a running hub: calls over HTTP, and everything that was answered."""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from gitlab_hub.sync.message import SCHEMA
from gitlab_hub.sync.run import LEASE_SECONDS
from local.stack import Stack

PATIENCE = 60.0
LONGEST_RUN = 180.0
QUEUES = {
    "access": "SyncAccountsQueueUrl",
    "pipelines": "SyncPipelinesQueueUrl",
    "credentials": "SyncAccountsQueueUrl",
}
T = TypeVar("T")
AT_REST = ("idle", "suspect", "failed")
BOTH = ("access", "pipelines")
"""What is synced where nobody says what."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def refusal(self) -> tuple[int, str]:
        """The status and the code of an error; a success has none."""
        return self.status, self.body.get("code", "")


@dataclass(frozen=True, slots=True)
class Seen:
    """One call and its answer, for those who look at all of them at the end."""

    method: str
    path: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Hub:
    """A caller's view of a running hub, and the emulator's view of its stack."""

    port: int
    owner_token: str = field(repr=False)
    stack: Stack
    log: Path
    seen: list[Seen] = field(default_factory=list, repr=False)
    shown: list[tuple[str, str]] = field(default_factory=list, repr=False)
    """The paths that browsers opened, and what they were sent."""
    guarded: dict[str, str] = field(default_factory=dict, repr=False)
    """Secrets that tests came across, and (a regular expression) the paths whose answers may have them."""

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def guard(self, *secrets: str | None, shown_at: str = "") -> None:
        """Remember secrets that nobody may see but those who ask at these paths: none, unless some are given."""
        for secret in filter(None, secrets):
            self.guarded.setdefault(secret, shown_at)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = "",
        raw: str | bytes | None = None,
        **headers: str,
    ) -> Answer:
        """Call the API: as owner, or with another token, or with `token=None` as nobody; `raw` is sent as it is."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token or self.owner_token}"
        text = raw if body is None else json.dumps(body)
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, text, sent)
            answered = connection.getresponse()
            read = json.loads(answered.read() or b"null")
            answer = Answer(answered.status, read, {name.lower(): value for name, value in answered.getheaders()})
        self.seen.append(Seen(method, path, answer))
        return answer

    def get(self, path: str, /, *, token: str = "", **query: Any) -> dict[str, Any]:
        """Read something that is there."""
        answer = self.call("GET", f"{path}?{urlencode(query)}" if query else path, token=token)
        assert answer.status == 200, answer
        found: dict[str, Any] = answer.body
        return found

    def start(self, host: str, token: str, **more: Any) -> Answer:
        """Ask to connect a GitLab with a token."""
        wanted = {"host_url": host, "auth_mode": "personal_token", "access_token": token, **more}
        return self.call("POST", "/v1/integrations/gitlab/start", wanted)

    def connect(self, host: str, token: str, **more: Any) -> str:
        """Connect a GitLab, and give the integration's path."""
        answer = self.start(host, token, **more)
        assert answer.status == 201, answer
        return f"/v1/integrations/{answer.body['integration']['id']}"

    def rows(self, path: str, /, *, name: str = "", **query: Any) -> list[dict[str, Any]]:
        """Read a whole list, page by page."""
        return [row for page in self.pages(path, name=name, **{"limit": 200, **query}) for row in page]

    def pages(self, path: str, *, name: str = "", **query: Any) -> Iterator[list[dict[str, Any]]]:
        """Read a list one page after the other."""
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, **{**query, **cursor})
            yield page[name or path.rpartition("/")[2]]
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    def sync(self, one: str, *kinds: str, full: bool = False) -> dict[str, Any]:
        """Sync an integration, both kinds unless some are named, and give the states at the end."""
        wanted = kinds or BOTH
        answer = self.call("POST", f"{one}/sync", {"kinds": list(wanted), "full": full})
        assert answer.status == 202, answer
        return self.rested(one, answer.body["sync_id"], *wanted)

    def rested(self, one: str, sync_id: str, *kinds: str) -> dict[str, Any]:
        """Wait for the end of a sync.

        The schedule is off in these tests, so its part is done here: a run whose worker was lost is pushed once its
        lease has ended, as every tick would.
        """
        started, pushed = time.monotonic(), False
        while True:
            found: dict[str, Any] = self.get(f"{one}/sync")["kinds"]
            assert {found[kind]["sync_id"] for kind in kinds} == {sync_id}
            if all(found[kind]["status"] in AT_REST for kind in kinds):
                return found
            waited = time.monotonic() - started
            assert waited < LONGEST_RUN, f"{one} does not come to rest: {found}"
            if waited > LEASE_SECONDS + 5 and not pushed:
                pushed = True
                for kind in kinds:
                    self._push(one.rpartition("/")[2], kind, sync_id)
            time.sleep(0.1)

    def _push(self, integration_id: str, kind: str, sync_id: str) -> None:
        message = {"schema": SCHEMA, "integration_id": integration_id, "kind": kind, "sync_id": sync_id}
        url = self.stack.outputs[QUEUES[kind]]
        self.stack.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(message))


def until(look: Callable[[], T | None], *, pause: float = 0.1, patience: float = PATIENCE) -> T:
    """Look until there is something to see."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(pause)
    raise AssertionError(f"nothing came of it within {patience:.0f} s")
