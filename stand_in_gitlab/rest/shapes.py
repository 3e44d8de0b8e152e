"""Users, groups, projects and memberships as JSON."""

from typing import Any

from stand_in_gitlab.clock import day, iso, iso_or_none
from stand_in_gitlab.company.model import OWNER, Grant, Group, Invitation, Membership, Share, Token, User
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.visibility import Visibility

Json = dict[str, Any]


class Shapes:
    """Turns rows into the entities that GitLab presents; addresses start with the external URL."""

    def __init__(self, company: Company, base: str) -> None:
        self._company, self._base, self.base = company, base, base

    def user_basic(self, user: User) -> Json:
        """What anyone sees of anyone."""
        return {
            "id": user.id,
            "username": user.username,
            "public_email": user.public_email,
            "name": user.name,
            "state": user.state,
            "locked": False,
            "avatar_url": f"{self._base}/uploads/-/system/user/avatar/{user.id}/avatar.png",
            "web_url": f"{self._base}/{user.username}",
        }

    def user(self, user: User) -> Json:
        """A profile."""
        empty = dict.fromkeys(
            ("bio", "location", "skype", "linkedin", "twitter", "discord", "website_url", "organization"), ""
        )
        return {
            **self.user_basic(user),
            "created_at": iso(user.created),
            **empty,
            "github": "",
            "job_title": "",
            "pronouns": None,
            "bot": user.bot,
            "work_information": None,
            "local_time": None,
            "followers": 0,
            "following": 0,
            "is_followed": False,
        }

    def user_self(self, user: User) -> Json:
        """What an account sees of itself."""
        return {
            **self.user(user),
            "last_sign_in_at": iso_or_none(user.last_sign_in),
            "confirmed_at": iso(user.created),
            "last_activity_on": user.last_activity_on,
            "email": user.email,
            "theme_id": 3,
            "color_scheme_id": 1,
            "projects_limit": 0 if user.external else 100_000,
            "current_sign_in_at": iso_or_none(user.last_sign_in),
            "identities": [
                {"provider": name, "extern_uid": uid, "saml_provider_id": None} for name, uid in user.identities
            ],
            "can_create_group": not user.external,
            "can_create_project": not user.external,
            "two_factor_enabled": user.two_factor,
            "external": user.external,
            "private_profile": False,
            "commit_email": user.email,
        }

    def user_for_admin(self, user: User) -> Json:
        """What an administrator sees of anyone."""
        return {
            **self.user_self(user),
            "is_admin": user.is_admin,
            "note": None,
            "namespace_id": 1_000_000 + user.id,
            "created_by": None,
            "email_reset_offered_at": None,
            "using_license_seat": not user.bot and user.state == "active",
            "is_auditor": user.is_auditor,
        }

    def group(self, group: Group) -> Json:
        """A row of a group list."""
        return {
            "id": group.id,
            "web_url": f"{self._base}/groups/{group.full_path}",
            "name": group.name,
            "path": group.path,
            "description": group.description,
            "visibility": group.visibility,
            "share_with_group_lock": group.share_with_group_lock,
            "require_two_factor_authentication": False,
            "two_factor_grace_period": 48,
            "project_creation_level": "developer",
            "auto_devops_enabled": None,
            "subgroup_creation_level": "maintainer",
            "emails_disabled": False,
            "emails_enabled": True,
            "mentions_disabled": None,
            "lfs_enabled": True,
            "archived": False,
            "default_branch": None,
            "default_branch_protection": 2,
            "avatar_url": None,
            "request_access_enabled": True,
            "full_name": group.full_name,
            "full_path": group.full_path,
            "created_at": iso(group.created),
            "parent_id": group.parent_id,
            "organization_id": 1,
            "shared_runners_setting": "enabled",
            "marked_for_deletion_on": group.marked_for_deletion_on,
        }

    def group_detail(self, group: Group, visibility: Visibility) -> Json:
        """One group; only its Owners get the runners token, and no list tells the lock of memberships."""
        is_owner = visibility.group_level(group.id) >= OWNER
        token = {"runners_token": f"GR1348941standin{group.id:08d}"} if is_owner else {}
        shared = [self.share(share) for share in visibility.shown_shares(group)]
        return {
            **self.group(group),
            "shared_with_groups": shared,
            **token,
            **({} if self._company.behaviour.community else {"membership_lock": group.membership_lock}),
            "prevent_sharing_groups_outside_hierarchy": group.sharing_only_within,
        }

    def share(self, share: Share) -> Json:
        """A group invited here."""
        group = self._company.groups[share.group_id]
        return {
            "group_id": group.id,
            "group_name": group.name,
            "group_full_path": group.full_path,
            "group_access_level": share.level,
            "expires_at": share.expires_at,
            "member_role_id": share.role_id,
        }

    def member(self, member: Membership) -> Json:
        """A row of a member list."""
        return {
            **self.user_basic(self._company.users[member.user_id]),
            "access_level": member.level,
            "created_at": iso(member.created),
            "expires_at": member.expires_at,
            **({"override": member.override} if member.ldap else {}),
            **(
                {"created_by": self.user_basic(self._company.users[member.created_by])}
                if member.created_by in self._company.users
                else {}
            ),
            **({} if self._company.behaviour.community else self._of_enterprise(member)),
        }

    @staticmethod
    def _of_enterprise(member: Membership) -> Json:
        """What an Enterprise Edition tells beside (ee/lib/ee/api/entities/member.rb)."""
        role = member.role
        return {
            "membership_state": "awaiting" if member.awaiting else "active",
            "member_role": {"id": role.id, "name": role.name, "base_access_level": role.base_level} if role else None,
        }

    def invitation(self, invitation: Invitation) -> Json:
        """A row of an invitation list: no id, and the token that opens the membership (`Entities::Invitation`)."""
        return {
            "access_level": invitation.level,
            "created_at": iso(invitation.created),
            "expires_at": invitation.expires_at,
            "invite_email": invitation.email,
            "invite_token": invitation.token,
            "created_by_name": invitation.created_by,
        }

    def token(self, token: Token, now: float) -> Json:
        """A token about itself, without its text."""
        live = not token.revoked and (token.expires_at is None or token.expires_at > day(now))
        return {
            "id": token.id,
            "name": token.name,
            "revoked": token.revoked,
            "created_at": iso(token.created),
            "description": "",
            "scopes": list(token.scopes),
            "user_id": token.user_id,
            "last_used_at": iso(now),
            "active": live,
            "expires_at": token.expires_at,
            **(
                {} if token.grants is None else {"granular": True, "granular_scopes": [_grant(g) for g in token.grants]}
            ),
        }


def _grant(grant: Grant) -> Json:
    """A part of a grant; permissions have names of GitLab's own there, such as read_project."""
    names = (name.partition(": ")[::2] for name in grant.permissions)
    return {
        "access": grant.access,
        "permissions": sorted(f"{action} {resource}".lower().replace(" ", "_") for resource, action in names),
        "project_id": grant.project_id,
        "group_id": grant.group_id,
    }
