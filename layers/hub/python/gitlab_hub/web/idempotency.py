"""One effect for a POST that is sent more than once with the same `Idempotency-Key`."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gitlab_hub.storage.ports import ABSENT, Condition, ConditionFailed, Item, Table
from gitlab_hub.storage.rows import is_written
from gitlab_hub.web.errors import IdempotencyMismatch, InProgress, Unprocessable
from gitlab_hub.web.responses import HttpResponse

HEADER = "idempotency-key"
LOCK_SECONDS = 60
KEPT_SECONDS = 24 * 3600
MAX_KEY = 255
# A DynamoDB item has at most 400 KB; a larger answer is made again instead of kept.
MAX_KEPT_BYTES = 300_000
_SK = "ANSWER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The right to answer a request; `seed` is the same for every attempt at it, `is_first` is true of one alone."""

    pk: str
    owner: str
    seed: str
    body_hash: str
    started_at: int
    is_first: bool = True


class Idempotency:
    """Keeps first answers, and a lock while one is being made.

    What is refused before anything was done binds no key, so that a corrected request may have it
    (https://docs.stripe.com/idempotency: results are saved once an endpoint has begun, not where validation fails).

    The lock ends by itself after a minute, or at once where an attempt failed. The next one goes on with the same seed:
    what the one before may have done it finds again, instead of doing it twice.
    """

    def __init__(self, table: Table, *, new_token: Callable[[], str] = lambda: secrets.token_hex(16)) -> None:
        self._table, self._new_token = table, new_token

    def begin(self, request: str, body: str, *, now: float) -> Attempt | HttpResponse:
        """Start answering, or give the answer that was given before. Raises IdempotencyMismatch or InProgress."""
        pk = f"IDEMPOTENCY#{hashlib.sha256(request.encode()).hexdigest()}"
        attempt = self._attempt(pk, self._new_token(), _hash(body), now)
        return (
            attempt if is_written(self._table.put, _locked(attempt), ABSENT) else self._resume_or_replay(attempt, now)
        )

    def finish(self, attempt: Attempt, answer: HttpResponse, *, keep: bool) -> None:
        """Keep a final answer (`keep` false: only that there was one), and end the lock of any other."""
        if answer.untouched and attempt.is_first:
            self._own(lambda mine: self._table.delete(attempt.pk, _SK, mine), attempt)
            return
        if not answer.final or len(answer.body.encode()) > MAX_KEPT_BYTES:
            self.release(attempt)
            return
        row = {**_locked(attempt), "state": "done", "answer": _packed(answer) if keep else None}
        self._own(lambda mine: self._table.put(row, mine), attempt)

    def release(self, attempt: Attempt) -> None:
        """Let the next attempt begin at once. The seed stays: nobody knows what this one has written."""
        row = {**_locked(attempt), "locked_until": 0}
        self._own(lambda mine: self._table.put(row, mine), attempt)

    def _attempt(self, pk: str, seed: str, body_hash: str, now: float) -> Attempt:
        return Attempt(pk=pk, owner=self._new_token(), seed=seed, body_hash=body_hash, started_at=int(now))

    def _resume_or_replay(self, wanted: Attempt, now: float) -> Attempt | HttpResponse:
        row = self._table.get(wanted.pk, _SK)
        if row is None:
            raise _in_progress()  # It was released between two looks; the caller's next try will begin.
        if row["expires_at"] <= now:
            return self._take_over(row, wanted)
        if not hmac.compare_digest(row["body_hash"].encode(), wanted.body_hash.encode()):
            raise IdempotencyMismatch("This Idempotency-Key was used for another body; use a new key.")
        if row["state"] == "done" and row["answer"] is not None:
            return _unpacked(row["answer"])
        if row["state"] != "done" and row["locked_until"] > now:
            raise _in_progress()
        again = self._attempt(wanted.pk, row["seed"], wanted.body_hash, now)
        return self._take_over(row, replace(again, is_first=False))

    def _take_over(self, row: Item, attempt: Attempt) -> Attempt:
        if not is_written(self._table.put, _locked(attempt), Condition(equals={"owner": row["owner"]})):
            raise _in_progress()
        return attempt

    @staticmethod
    def _own(write: Callable[[Condition], None], attempt: Attempt) -> None:
        try:
            write(Condition(equals={"owner": attempt.owner}))
        except ConditionFailed:
            return  # Someone took over after our lock had ended: their answer counts.


def key_of(headers: Mapping[str, str]) -> str | None:
    """Read the key of a request. Raises Unprocessable for one that is no key."""
    key = headers.get(HEADER)
    if key is None or (key.isascii() and key.isprintable() and 1 <= len(key) <= MAX_KEY):
        return key
    raise Unprocessable(f"An Idempotency-Key has 1 to {MAX_KEY} printable ASCII characters.")


def _locked(attempt: Attempt) -> Item:
    return {
        "pk": attempt.pk,
        "sk": _SK,
        "schema_version": 1,
        "state": "running",
        "owner": attempt.owner,
        "seed": attempt.seed,
        "body_hash": attempt.body_hash,
        "locked_until": attempt.started_at + LOCK_SECONDS,
        "expires_at": attempt.started_at + KEPT_SECONDS,
        "answer": None,
    }


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _packed(answer: HttpResponse) -> dict[str, Any]:
    headers = json.dumps(dict(answer.headers))
    return {"status": answer.status, "body": answer.body, "headers": headers, "is_base64": answer.is_base64}


def _unpacked(packed: Mapping[str, Any]) -> HttpResponse:
    headers = {**json.loads(packed["headers"]), "idempotency-replayed": "true"}
    return HttpResponse(status=packed["status"], body=packed["body"], headers=headers, is_base64=packed["is_base64"])


def _in_progress() -> InProgress:
    return InProgress("The first request with this Idempotency-Key is still being answered.", retry_after=2)
