"""What the stages of one slice share: the session, the stored rows, and the four datasets kept equal to GitLab's."""

from dataclasses import dataclass

from gitlab_hub.access.model import ResourceType
from gitlab_hub.access.reach import Reach
from gitlab_hub.access.store import ACCOUNTS, GRANTS, AccessStore
from gitlab_hub.gitlab.messages import group_path
from gitlab_hub.sync.ports import Mirror, Session


@dataclass(frozen=True, slots=True)
class Work:
    """All mirrors exist from the start of a slice: doubt about one dataset must be able to hold back the others."""

    session: Session
    store: AccessStore
    reach: Reach
    accounts: Mirror
    grants: Mirror
    resources: dict[ResourceType, Mirror]

    @classmethod
    def of(cls, session: Session, store: AccessStore) -> "Work":
        """Prepare a slice."""
        return cls(
            session=session,
            store=store,
            reach=Reach(session),
            accounts=session.mirror(ACCOUNTS, store.accounts),
            grants=session.mirror(GRANTS, store.grants),
            resources={kind: session.mirror(kind.collection, store.resources[kind]) for kind in ResourceType},
        )

    @property
    def group_path(self) -> str | None:
        """The group the run is limited to, as a path of GitLab's API."""
        target = self.session.target
        return None if target.group is None else group_path(target.group, target.group_id)
