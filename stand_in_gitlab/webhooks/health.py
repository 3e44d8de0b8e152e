"""When GitLab stops calling a hook that fails.

Four failures in a row disable it for a minute, each further one for twice as long up to a day, the fortieth for good
(GitLab's `web_hooks/auto_disabling.rb`). System hooks are never disabled.
"""

from stand_in_gitlab.company.hook_model import Hook

GRACE, LAST = 3, 39
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 86_400.0


def alert_status(hook: Hook, now: float) -> str:
    """`executable`, `temporarily_disabled` or `disabled`, as the API says it."""
    if hook.failures > LAST:
        return "disabled"
    pausing = hook.failures > GRACE and hook.disabled_until is not None and hook.disabled_until >= now
    return "temporarily_disabled" if pausing else "executable"


def executable(hook: Hook, now: float) -> bool:
    """Whether the hook is called at all."""
    return alert_status(hook, now) == "executable"


def succeeded(hook: Hook) -> None:
    """One good answer forgives everything, also what disabled the hook for good."""
    hook.failures, hook.disabled_until = 0, None


def failed(hook: Hook, now: float) -> None:
    """Count a failure; those of a hook that is already disabled do not count."""
    if hook.owner[0] == "system" or not executable(hook, now):
        return
    if hook.failures >= GRACE:
        pause = FIRST_PAUSE * 2.0 ** (hook.failures - GRACE)
        hook.disabled_until = now + min(max(pause, FIRST_PAUSE), LONGEST_PAUSE)
    hook.failures += 1
