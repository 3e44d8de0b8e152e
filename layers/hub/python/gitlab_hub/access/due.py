"""When stages that read once a day read: in which run, and when they last have."""

from gitlab_hub.access.context import AccessContext

READ_EVERY_SECONDS = 86_400
"""How often what costs many requests, and seldom changes, is read."""


async def is_due(context: AccessContext, stage: str) -> bool:
    """Whether a stage that reads once a day reads in this run: also where this run has begun to."""
    session = context.session
    last = await session.io(context.store.readings.last, stage)
    if session.full or last is None:
        return True
    sync_id, at = last
    return sync_id == session.sync_id or at + READ_EVERY_SECONDS <= now_of(context)


async def note_reading(context: AccessContext, stage: str) -> None:
    """Note that a stage which reads once a day has been gone through in this run."""
    await context.session.write(context.store.readings.note, stage, sync_id=context.session.sync_id, at=now_of(context))


def now_of(context: AccessContext) -> int:
    """The hub's clock in unix seconds."""
    return int(context.session.now().timestamp())
