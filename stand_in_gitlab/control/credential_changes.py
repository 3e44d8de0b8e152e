"""Tokens and keys that come and go behind everyone's back."""

from collections.abc import Callable

from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.credential_model import DeployKey, DeployToken, SourceKind, SshKey
from stand_in_gitlab.company.credentials import Trait, issue
from stand_in_gitlab.company.state import Company

Done = dict[str, object]
SCOPES = ("read_repository", "read_registry")


class CredentialChanges:
    """Each public method is a verb, as in `changes.py`."""

    def __init__(self, company: Company, clock: Clock) -> None:
        self._company, self._clock = company, clock

    @property
    def verbs(self) -> list[Callable[..., Done]]:
        """All of them."""
        return [
            self.add_access_token,
            self.add_deploy_token,
            self.add_deploy_key,
            self.add_ssh_key,
            self.end_credential,
        ]

    def add_access_token(self, user_id: int, name: str = "new", *, impersonation: bool = False) -> Done:
        """Issue a token of whatever kind its user is, whose text nobody knows; `add_token` gives one to be used."""
        user = self._company.users[user_id]
        token = issue(self._company, user, Trait(name=name, used=None), impersonation=impersonation)
        token.created = self._now()
        return {"id": token.id}

    def add_deploy_token(self, source: str, source_id: int, name: str = "new") -> Done:
        """Let a group or project have one more."""
        number = self._company.next_id("deploy token")
        kind: SourceKind = "group" if source == "group" else "project"
        self._company.deploy_tokens[number] = DeployToken(id=number, name=name, source=(kind, source_id), scopes=SCOPES)
        return {"id": number}

    def add_deploy_key(self, project_id: int, title: str = "new", *, can_push: bool = False) -> Done:
        """Let a project have one more."""
        number = self._company.next_id("key")
        self._company.deploy_keys[number] = DeployKey(
            id=number, title=title, created=self._now(), projects={project_id: can_push}
        )
        return {"id": number}

    def add_ssh_key(self, user_id: int, title: str = "new") -> Done:
        """Let a person have one more."""
        number = self._company.next_id("key")
        self._company.ssh_keys[number] = SshKey(id=number, title=title, user_id=user_id, created=self._now())
        return {"id": number}

    def end_credential(self, kind: str, id: int) -> Done:  # noqa: A002 - GitLab's word
        """Revoke an access token, which stays listed; remove a key or a deploy token. KeyError if there is none."""
        match kind:
            case "deploy_token":
                del self._company.deploy_tokens[id]
            case "deploy_key":
                del self._company.deploy_keys[id]
            case "ssh_key":
                del self._company.ssh_keys[id]
            case _:
                {token.id: token for token in self._company.tokens.values()}[id].revoked = True
        return {"id": id}

    def _now(self) -> float:
        return round(self._clock.now(), 6)
