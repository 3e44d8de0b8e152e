"""What the removal of an integration has to know of its builds, and what it leaves of them."""

from collections.abc import Iterator

from gitlab_hub.builds.build_store import BuildStore


class ActiveBuilds:
    """Builds that wait for their target or run: an integration that has some is not simply removed."""

    def __init__(self, store: BuildStore) -> None:
        self._store = store

    def any(self, integration_id: str) -> bool:
        """Say whether there are any."""
        return self._store.any_active(integration_id)


def partitions(store: BuildStore, integration_id: str) -> Iterator[str]:
    """All partitions to empty: each build's, and then the one with numbers, triggers and hooks."""
    yield from store.partitions(integration_id)
    yield f"INTEGRATION#{integration_id}"
