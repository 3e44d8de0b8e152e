"""Where hooks are kept, and the two ways to find one whose id a delivery does not name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from gitlab_hub.errors import Conflict, NotFound
from gitlab_hub.gitlab.webhooks.event_types import Scope
from gitlab_hub.ids import owned_id, owner_of
from gitlab_hub.storage.ports import ABSENT, PRESENT, Check, Delete, Item, Put, Table
from gitlab_hub.storage.rows import at_version, is_written, query_all
from gitlab_hub.webhooks.hooks.model import Hook, Verification

SCHEMA_VERSION = 1
ATTEMPTS = 5
PAGE = 100
MAX_CANDIDATES = 20
"""How many hooks of one project are tried against one signature."""

REMEMBERED_SECONDS = 2 * 86_400
"""How long a removed hook cannot be made again: longer than an `Idempotency-Key` is remembered."""

NOTE_SECONDS = 60
"""How stale the time of the last delivery may be: exact times would cost a write per delivery."""

MOST_RECORDED = 1_000
"""Hooks that a worker remembers to have noted, so that most deliveries cost no read either."""

LAST_DELIVERY_SECONDS = 400 * 86_400
"""How long it is remembered when an integration was last heard of; its row goes away by itself."""

_HOOK = "HOOK#"
_LAST_DELIVERY = "HEARD"
_EXTRA = "extra"
DUE_INDEX = "pending"
_DUE, _SCHEDULED = "HOOKS", "SCHEDULED"
_STORED_AS = {
    "uses_fallback": "spread",
    "fallback_cursor": "spread_cursor",
    "fallback_done_at": "spread_at",
    "fallback_failed": "spread_failed",
    "locked_until": "working_until",
    "resend_cursor": "recovered",
    "resend_target": "recovering",
    "resend_status": "recovery_status",
    "resend_page": "recovery_page",
    "resend_below": "recovery_below",
}
"""Attributes of rows whose names are older than those of the fields."""

_FIELDS = {
    field.name: _STORED_AS.get(field.name, field.name)
    for field in fields(Hook)
    if field.name not in {"id", "integration_id", _EXTRA}
}
_KNOWN = {*_FIELDS.values(), "pk", "sk", "schema_version", f"{DUE_INDEX}_pk", f"{DUE_INDEX}_sk"}
_TUPLES = ("events", "attempts", "drift", "resent_at")


class HookStore:
    """The hooks of a hub. Every write names the version it has read, so a removed one never comes back."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._recorded: dict[str, tuple[int, str | None]] = {}

    def get(self, hook_id: str) -> Hook | None:
        """One hook, strongly consistent; None where there is none of this id."""
        integration_id = owner_of(hook_id)
        item = self._table.get(_partition(integration_id), _HOOK + hook_id) if integration_id else None
        return _hook_of(item) if item else None

    def require(self, integration_id: str, hook_id: str) -> Hook:
        """One hook of this integration. Raises NotFound, also where the hook is another integration's."""
        hook = self.get(hook_id) if owner_of(hook_id) == integration_id else None
        if hook is None:
            raise NotFound("There is no such webhook.")
        return hook

    def by_fingerprint(self, fingerprint: str) -> Hook | None:
        """The hook that a token's fingerprint belongs to. Whether the token is still good, its versions say."""
        item = self._table.get(f"FINGERPRINT#{fingerprint}", "HOOK")
        return self.get(item["hook_id"]) if item else None

    def of_integration(self, integration_id: str, after: str | None = None) -> Iterator[Hook]:
        """All hooks of an integration behind an id, in order of their ids, read page by page."""
        position = None if after is None else _HOOK + after
        return map(
            _hook_of, query_all(self._table, _partition(integration_id), prefix=_HOOK, after=position, limit=PAGE)
        )

    def first(self, integration_id: str, limit: int) -> tuple[list[Hook], bool]:
        """The first hooks of an integration in order of their ids, and whether there are no others; one read."""
        rows = self._table.query(_partition(integration_id), prefix=_HOOK, limit=limit + 1).items
        return list(map(_hook_of, rows[:limit])), len(rows) <= limit

    def last_delivery_at(self, integration_id: str) -> int | None:
        """When a hook of an integration was last heard of, to the minute; None where none was since this is kept."""
        row = self._table.get(_partition(integration_id), _LAST_DELIVERY)
        return None if row is None else int(row["at"])

    def of_projects(self, integration_id: str, project_ids: Sequence[int]) -> list[Hook]:
        """The hooks of these projects, in order of their ids; what this reads grows with what is asked for."""
        mine = owned_id("hook", integration_id, "0")[:-1]
        pages = (self._table.query(_project_pk(one), prefix=mine, limit=MAX_CANDIDATES) for one in set(project_ids))
        keys = [(_partition(integration_id), _HOOK + str(item["sk"])) for page in pages for item in page.items]
        return sorted(map(_hook_of, self._table.get_many(keys)), key=lambda hook: hook.id)

    def due(self, now: int) -> Iterator[str]:
        """Ids of the hooks that are to be looked after by now, those that wait longest first; read page by page."""
        items = query_all(self._table, _DUE, until=f"{now:010d}~", limit=PAGE, index=DUE_INDEX)
        return (str(item[f"{DUE_INDEX}_sk"]).partition("#")[2] for item in items)

    def is_scheduled(self) -> bool:
        """Whether the rows of earlier releases, which had no place in the index of due hooks, have got theirs."""
        return self._table.get(_DUE, _SCHEDULED) is not None

    def schedule(self, integration_id: str) -> None:
        """Give the hooks of an integration their place in the index of due ones."""
        for hook in self.of_integration(integration_id):
            if hook.next_check_at is not None:
                self._replace(hook, hook, None)

    def all_scheduled(self) -> None:
        """Note that every hook has its place."""
        self._table.put(_keyed(_DUE, _SCHEDULED))

    def signed_for_project(self, project_id: int) -> Iterator[Hook]:
        """The hooks of a project that sign, at most 20; of every GitLab that has a project of this id."""
        pointers = self._table.query(_project_pk(project_id), limit=MAX_CANDIDATES).items
        hooks = (self.get(pointer["sk"]) for pointer in pointers)
        return (hook for hook in hooks if hook is not None and hook.verification == Verification.SIGNATURE)

    def create(self, hook: Hook, fingerprint: str) -> Hook:
        """Keep a new hook, or find what an earlier attempt at the same one has kept.

        `fingerprint` is that of its token. Raises NotFound where it, or the hook it stands in for, was removed.
        """
        key = (_partition(hook.integration_id), _tombstone_key(hook.id))
        pointers = [_fingerprint_item(fingerprint, hook.id), *_project_items(hook)]
        puts = [Put(_item_of(hook), ABSENT), *map(Put, pointers)]
        parent = () if hook.parent_id is None else (Check((key[0], _HOOK + hook.parent_id), PRESENT),)
        is_new = is_written(self._table.transact, [*puts, Check(key, ABSENT), *parent])
        return hook if is_new else self.require(hook.integration_id, hook.id)

    def change(self, hook_id: str, decide: Callable[[Hook], Hook | None], *, fingerprint: str | None = None) -> Hook:
        """Apply a decision to what is stored now; decide anew where others were faster. None = leave it.

        `fingerprint` is that of a new token. Raises NotFound or Conflict.
        """
        for _ in range(ATTEMPTS):
            before = self.require(owner_of(hook_id) or "", hook_id)
            wanted = decide(before)
            if wanted is None or wanted == before:
                return before
            if (after := self._replace(before, wanted, fingerprint)) is not None:
                return after
        raise Conflict("Others kept changing this webhook; try again.", retry_after=2)

    def record_delivery(self, hook_id: str, at: int, path: str | None = None) -> None:
        """Note when a hook was last heard of; a minute more or less does not matter, nor does a lost race.

        `path` is that of the project it spoke of: of a project's hook the one that is shown.
        """
        noted_at, noted_path = self._recorded.get(hook_id, (-NOTE_SECONDS, path))
        if noted_at + NOTE_SECONDS > at and noted_path == path:
            return  # This very worker has looked within the minute.
        if len(self._recorded) >= MOST_RECORDED:
            self._recorded.clear()
        self._recorded[hook_id] = (at, path)
        hook = self.get(hook_id)
        if hook is None:
            return
        self._record_for_integration(hook.integration_id, at)
        named = hook.moved_to(hook.target_id, path) if path and hook.scope == Scope.PROJECT else hook
        if (hook.last_delivery_at or 0) + NOTE_SECONDS <= at or named != hook:
            self._replace(hook, replace(named, last_delivery_at=max(at, hook.last_delivery_at or 0)), None)

    def _record_for_integration(self, integration_id: str, at: int) -> None:
        """Note the same of the integration, so that nobody has to read all of its hooks for it."""
        if self._recorded.get(integration_id, (-NOTE_SECONDS, None))[0] + NOTE_SECONDS > at:
            return
        self._recorded[integration_id] = (at, None)
        if (self.last_delivery_at(integration_id) or 0) + NOTE_SECONDS <= at:
            row = _keyed(_partition(integration_id), _LAST_DELIVERY)
            self._table.put(row | {"at": at, "expires_at": at + LAST_DELIVERY_SECONDS})

    def delete_last_delivery(self, integration_id: str) -> None:
        """Delete when an integration was last heard of: it goes."""
        self._table.delete(_partition(integration_id), _LAST_DELIVERY)

    def remove(self, hook: Hook, fingerprints: Sequence[str], *, now: int) -> None:
        """Remove a hook with everything it could be found by, in whatever state it is by now."""
        pk = _partition(hook.integration_id)
        tombstone = _keyed(pk, _tombstone_key(hook.id)) | {"expires_at": now + REMEMBERED_SECONDS}
        self._table.transact([Put(tombstone), Delete((pk, _HOOK + hook.id)), *_pointers_gone(hook, fingerprints)])

    def remove_all(self, hooks: Sequence[Hook], fingerprints: Callable[[Hook], Sequence[str]], *, now: int) -> None:
        """Remove hooks in batches, those that others stand in for first: then no more can be made for them."""
        ordered = sorted(hooks, key=lambda hook: hook.parent_id is not None)
        pairs = [(hook, _partition(hook.integration_id)) for hook in ordered]
        expires = {"expires_at": now + REMEMBERED_SECONDS}
        self._table.write(puts=[_keyed(pk, _tombstone_key(hook.id)) | expires for hook, pk in pairs])
        self._table.write(deletes=[(pk, _HOOK + hook.id) for hook, pk in pairs])
        self._table.write(deletes=(gone.key for hook in ordered for gone in _pointers_gone(hook, fingerprints(hook))))

    def discard(self, hook: Hook, fingerprints: Sequence[str]) -> None:
        """Remove a hook that never came to be, unless somebody has changed it since; it may be made again."""
        row = Delete((_partition(hook.integration_id), _HOOK + hook.id), at_version(hook.version))
        is_written(self._table.transact, [row, *_pointers_gone(hook, fingerprints)])

    def _replace(self, before: Hook, wanted: Hook, fingerprint: str | None) -> Hook | None:
        after = replace(wanted, version=before.version + 1)
        put = Put(_item_of(after), at_version(before.version))
        if fingerprint is None:
            is_ours = is_written(self._table.put, put.item, put.condition)
        else:
            is_ours = is_written(self._table.transact, [put, Put(_fingerprint_item(fingerprint, after.id))])
        # A transaction whose answer was lost fails when it is repeated, and yet it is ours.
        return after if is_ours or self.get(before.id) == after else None


def _partition(integration_id: str) -> str:
    return f"INTEGRATION#{integration_id}"


def _tombstone_key(hook_id: str) -> str:
    return f"GONE#{hook_id}"


def _project_pk(project_id: int) -> str:
    return f"PROJECTHOOK#{project_id}"


def _keyed(pk: str, sk: str) -> Item:
    return {"pk": pk, "sk": sk, "schema_version": SCHEMA_VERSION}


def _fingerprint_item(fingerprint: str, hook_id: str) -> Item:
    return _keyed(f"FINGERPRINT#{fingerprint}", "HOOK") | {"hook_id": hook_id}


def _project_items(hook: Hook) -> list[Item]:
    if hook.scope != Scope.PROJECT or hook.target_id is None:
        return []
    return [_keyed(_project_pk(hook.target_id), hook.id)]


def _pointers_gone(hook: Hook, fingerprints: Sequence[str]) -> list[Delete]:
    tokens = [Delete((f"FINGERPRINT#{one}", "HOOK")) for one in dict.fromkeys(fingerprints)]
    return tokens + [Delete((item["pk"], item["sk"])) for item in _project_items(hook)]


def _item_of(hook: Hook) -> Item:
    values = asdict(hook)
    key = _keyed(_partition(values.pop("integration_id")), _HOOK + values.pop("id"))
    # A later release's rows stay its own.
    extra: Item = values.pop(_EXTRA)
    values |= {name: list(values[name]) for name in _TUPLES}
    return key | {stored: values[name] for name, stored in _FIELDS.items()} | extra | _due_place(hook)


def _due_place(hook: Hook) -> Item:
    due = hook.next_check_at
    return {} if due is None else {f"{DUE_INDEX}_pk": _DUE, f"{DUE_INDEX}_sk": f"{due:010d}#{hook.id}"}


def _hook_of(item: Mapping[str, Any]) -> Hook:
    """Read a hook; attributes of a later release are left alone, and kept."""
    known = {name: item[stored] for name, stored in _FIELDS.items() if stored in item}
    later = {"schema_version": item["schema_version"]} if item["schema_version"] > SCHEMA_VERSION else {}
    extra = {name: value for name, value in item.items() if name not in _KNOWN} | later
    ids = {
        "id": str(item["sk"]).removeprefix(_HOOK),
        "integration_id": str(item["pk"]).partition("#")[2],
    }
    tuples = {name: tuple(item.get(name, ())) for name in _TUPLES}
    return Hook(**(known | ids | tuples | {_EXTRA: extra}))
