"""What moved between two looks at a project's refs, as the pushes that GitLab would have announced. Pure.

A push of more than three refs sends no webhook at all:
https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gitlab_hub.gitlab.webhooks.parse import HookEvent
from gitlab_hub.webhooks.hooks.ref_snapshots import RefSnapshot, StoredRef, fits, with_ref

ZERO = "0" * 40

UNLISTED = 21
"""How many commits a found push claims to have: GitLab lists at most 20, so no list of them is taken for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """Where GitLab says that a ref points. `sha` is the tag itself where it is annotated; `commit` what it names."""

    sha: str
    commit: str
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefListing:
    """What GitLab listed. `complete`: nothing was left out."""

    project_id: int
    project_path: str | None
    tips: Mapping[str, Ref]
    complete: bool


class RefUpdate(NamedTuple):
    """One ref that moved, and the key under which it is announced once."""

    name: str
    event: HookEvent
    key: str


def diff_refs(before: RefSnapshot, listing: RefListing) -> list[RefUpdate]:
    """The pushes that explain what was seen. New and vanished refs are only believed where both looks saw all."""
    whole = before.complete and listing.complete
    if whole and is_suspicious(before, listing):
        return []
    found: list[RefUpdate] = []
    for name, tip in sorted(listing.tips.items()):
        known = before.heads.get(name)
        if (whole or known is not None) and (known is None or known.sha != tip.sha):
            found.append(_update(listing, name, known, tip))
    if whole:
        gone = {name: head for name, head in before.heads.items() if head.sha and name not in listing.tips}
        found += [_update(listing, name, head, None) for name, head in sorted(gone.items())]
    return found


def merge_refs(
    before: RefSnapshot | None, listing: RefListing, *, deferred: Collection[str] = ()
) -> dict[str, StoredRef]:
    """The refs to keep after a look; `deferred` ones stay as they were, so that the next look finds them again.

    Of a ref that is gone its count of moves stays, as long as there is room for that. Without it, one that comes back
    to the very commit that it was first announced at is not announced.
    """
    heads: dict[str, StoredRef] = {} if before is None else dict(before.heads)
    for name, tip in listing.tips.items():
        if name not in deferred:
            heads[name] = with_ref(heads, name, tip.sha)[name] if name in heads else StoredRef(tip.sha, 0)
    if before is not None and before.complete and listing.complete:
        for name in [
            name for name, head in heads.items() if head.sha and name not in listing.tips and name not in deferred
        ]:
            heads[name] = with_ref(heads, name, None)[name]
    return heads if fits(heads) else {name: heads[name] for name in heads if name in listing.tips or name in deferred}


def is_suspicious(before: RefSnapshot, listing: RefListing) -> bool:
    """Whether a project that had refs has none at all: rather a broken answer than everything deleted."""
    return not listing.tips and any(head.sha for head in before.heads.values())


def _update(listing: RefListing, name: str, known: StoredRef | None, tip: Ref | None) -> RefUpdate:
    kind, _, short = name.partition("/")
    before, after = (known.sha if known else "") or ZERO, tip.sha if tip else ZERO
    event = HookEvent(
        kind="push" if kind == "heads" else "tag_push",
        project_id=listing.project_id,
        project_path=listing.project_path,
        ref=short,
        sha=tip.commit if tip else None,
        before=before,
        after=after,
        message=tip.message if tip else None,
        total_commits=UNLISTED,
    )
    count = known.moves if known else 0
    text = f"{listing.project_id}\n{name}\n{before}\n{after}\n{count}"
    return RefUpdate(name, event, hashlib.sha256(text.encode()).hexdigest())
