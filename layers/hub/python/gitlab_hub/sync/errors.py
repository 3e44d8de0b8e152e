"""How a request about a sync, or a slice of one, can end early."""

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.errors import GitLabError


class SyncInProgress(HubError):
    """A sync of this kind is queued, running or parked already."""

    code = "sync_in_progress"


class NothingSuspect(HubError):
    """There is no suspicious result that could be accepted or rejected."""

    code = "nothing_suspect"


class UnreadableRun(HubError):
    """The state of a sync that a later release wrote, or somebody by hand. Others do not wait for it."""

    code = "unreadable_state"


class Overtaken(GitLabError):
    """What is stored is not what it was when GitLab was asked: the scope has to be read again."""

    code = "conflict"
    retryable = True


class SliceEnded(Exception):
    """The worker stops here; the checkpoint says where the next one goes on."""


class LeaseLost(SliceEnded):
    """Another worker, or a deletion, took the run away: write nothing more."""


class SliceOutOfTime(SliceEnded):
    """The function's time is nearly up."""


class Parked(SliceEnded):
    """The run goes on after a pause longer than a worker should sleep.

    `setback`: whether trouble is the reason, and not a wait that GitLab asks for.
    """

    def __init__(self, seconds: float, *, setback: bool = False) -> None:
        super().__init__(f"parked for {seconds:.0f} s")
        self.seconds, self.setback = seconds, setback


class RunFailed(SliceEnded):
    """The run cannot go on at all; `cause` says why in public terms."""

    def __init__(self, cause: HubError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class CredentialRefused(SliceEnded):
    """GitLab answered 401 although the newest token was used."""
