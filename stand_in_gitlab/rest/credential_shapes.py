"""How lists show tokens and keys (lib/api/entities): never a token itself."""

from stand_in_gitlab.clock import day, iso, iso_or_none
from stand_in_gitlab.company.credential_model import DeployKey, DeployToken, Key, SshKey
from stand_in_gitlab.company.model import Token
from stand_in_gitlab.company.people import source_of_bot
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.shapes import Json, Shapes


class CredentialShapes:
    """Rows of tokens and keys."""

    def __init__(self, company: Company, shapes: Shapes) -> None:
        self._company, self._shapes = company, shapes

    def token(self, token: Token, now: float) -> Json:
        """`PersonalAccessToken`."""
        row = {**self._shapes.token(token, now), "last_used_at": iso_or_none(token.last_used)}
        return {**row, "expired": token.expires_at is not None and token.expires_at <= day(now)}

    def resource_token(self, token: Token, now: float) -> Json:
        """`ResourceAccessToken`."""
        kind, number = source_of_bot(self._company.users[token.user_id]) or (None, None)
        return {**self.token(token, now), "access_level": token.level, "resource_type": kind, "resource_id": number}

    def impersonation(self, token: Token, now: float) -> Json:
        """`ImpersonationToken`."""
        return {**self.token(token, now), "impersonation": True}

    def deploy_token(self, token: DeployToken, now: float) -> Json:
        """`DeployToken`: it does not say of what."""
        return {
            "id": token.id,
            "name": token.name,
            "username": f"gitlab+deploy-token-{token.id}",
            "expires_at": iso_or_none(token.expires),
            "scopes": list(token.scopes),
            "revoked": token.revoked,
            "expired": token.expires is not None and token.expires <= now,
        }

    def ssh_key(self, key: SshKey) -> Json:
        """`SSHKey`."""
        return {**_key(key), "usage_type": "auth_and_signing"}

    def deploy_key(self, key: DeployKey) -> Json:
        """`DeployKey` in the list of all."""
        projects = {number: self._project(number) for number in key.projects if number in self._company.projects}
        return {
            **_fingerprinted(key),
            "projects_with_write_access": [row for number, row in projects.items() if key.projects[number]],
            "projects_with_readonly_access": [row for number, row in projects.items() if not key.projects[number]],
        }

    def deploy_key_of(self, key: DeployKey, project_id: int) -> Json:
        """`DeployKeysProject`."""
        return {**_fingerprinted(key), "can_push": key.projects[project_id]}

    def _project(self, project_id: int) -> Json:
        """`ProjectIdentity`."""
        project = self._company.projects[project_id]
        return {
            "id": project.id,
            "description": None,
            "name": project.name,
            "name_with_namespace": project.full_name,
            "path": project.path,
            "path_with_namespace": project.full_path,
            "created_at": iso(project.created),
        }


def _key(key: Key) -> Json:
    return {
        "id": key.id,
        "title": key.title,
        "created_at": iso(key.created),
        "expires_at": iso_or_none(key.expires),
        "last_used_at": iso_or_none(key.last_used),
        "key": key.text,
    }


def _fingerprinted(key: DeployKey) -> Json:
    return {**_key(key), "usage_type": "auth_and_signing", "fingerprint_sha256": key.fingerprint}
