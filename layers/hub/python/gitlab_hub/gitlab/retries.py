"""Whether to ask again, and when."""

from gitlab_hub.gitlab.errors import GitLabError, HostUnreachable, Interrupted, RateLimited, Unavailable
from gitlab_hub.gitlab.options import ClientOptions

_BASE = 0.5
_CAP = 4.0
_MAY_PASS = (HostUnreachable, Interrupted, RateLimited, Unavailable)
_PAGE_TOO_HEAVY = frozenset({500, 502, 504})


def pause(error: GitLabError, *, failures: int, left: float, draw: float, options: ClientOptions) -> float | None:
    """Seconds to wait before the next try, None to give up.

    Full jitter: `draw` (0 to 1) of an exponentially growing span. GitLab's own wish counts on top; a wish for more than
    a few seconds is the caller's to fulfil, and so is any that does not fit into the `left` seconds.
    """
    if failures >= options.tries or not isinstance(error, _MAY_PASS):
        return None
    asked = error.retry_after or 0
    if asked > options.longest_wait:
        return None
    seconds = asked + draw * min(_CAP, _BASE * 2 ** (failures - 1))
    return seconds if seconds < left else None


def too_heavy(error: GitLabError) -> bool:
    """Whether smaller pages may help: what an overloaded GitLab answers to a big one."""
    return error.http_status in _PAGE_TOO_HEAVY
