"""Who a call comes from: finds its hook, and lets in only what the hook's GitLab has sent."""

from collections.abc import Callable, Iterator
from typing import Protocol

from gitlab_hub.gitlab.hook_fields import number, part
from gitlab_hub.webhooks.model import Hook
from gitlab_hub.webhooks.payload import read_object
from gitlab_hub.webhooks.refusals import InvalidPayload, NotGenuine
from gitlab_hub.webhooks.signature import SIGNATURE, TOKEN, Headers, Secrets, prove


class Hooks(Protocol):
    """The hooks that deliveries may come through."""

    def get(self, hook_id: str) -> Hook | None:
        """The hook of this id."""

    def by_fingerprint(self, fingerprint: str) -> Hook | None:
        """The hook whose token has this fingerprint."""

    def signed_for_project(self, project_id: int) -> Iterator[Hook]:
        """The signing hooks of the project of this id, in whatever GitLab; a bounded number, each read when asked."""


class FindableSecrets(Secrets, Protocol):
    """Secrets of hooks, and the way from a token to its hook."""

    def fingerprint(self, token: str) -> str:
        """What a token is found by."""


class Gate:
    """Admits genuine calls. Nothing of a body is read before its sender is known, but which project it names."""

    def __init__(self, hooks: Hooks, secrets: FindableSecrets) -> None:
        self._hooks, self._secrets = hooks, secrets

    def admit(
        self, hook_id: str | None, headers: Headers, raw: bytes, *, now: float, check: Callable[[], None]
    ) -> Hook:
        """Give the hook that a call came through; `hook_id` None: the address does not say. Raises NotGenuine.

        `check` raises when it is too late for another call to AWS.
        """
        if hook_id is not None:
            hook = self._hooks.get(hook_id)
        elif headers.get(TOKEN):
            fingerprint = self._secrets.fingerprint(headers[TOKEN])
            check()
            hook = self._hooks.by_fingerprint(fingerprint)
        elif SIGNATURE in headers:
            return self._signer(headers, raw, now, check)
        else:
            raise NotGenuine("missing_token")
        if hook is None:
            raise NotGenuine("unknown_hook" if hook_id is not None else "wrong_token")
        check()
        prove(hook, self._secrets, headers, raw, now=now)
        return hook

    def _signer(self, headers: Headers, raw: bytes, now: float, check: Callable[[], None]) -> Hook:
        project_id = _project_named(raw)
        refusal = NotGenuine("unknown_hook")
        for hook in self._hooks.signed_for_project(project_id) if project_id else ():
            check()
            try:
                prove(hook, self._secrets, headers, raw, now=now)
            except NotGenuine as error:
                refusal = error
            else:
                return hook
        raise refusal


def _project_named(raw: bytes) -> int | None:
    try:
        body = read_object(raw)
    except InvalidPayload:
        return None  # Nobody knows yet who sent it, so what is wrong with it is nobody's business.
    return number(body, "project_id") or number(part(body, "project"), "id")
