"""GitLab's lists of accounts beside `/users` and the members: what each tells, and who is shown it.

Sources: ee/lib/ee/api/members.rb (`billable_members` and `pending_members` answer 400 to whoever is no Owner, and for a
subgroup), ee/lib/api/group_enterprise_users.rb, ee/lib/ee/api/groups.rb (`saml_users`), ee/lib/api/provider_identity.rb
(`saml/identities` and `scim/identities`, without pages; the first is 400 in a group without SAML),
lib/api/group_service_accounts.rb and lib/api/service_accounts.rb, ee/lib/api/member_roles.rb (of groups on gitlab.com
only, of the instance everywhere else: 400 otherwise). Permissions of fine-grained tokens: "Fine-grained permissions for
REST API". A Community Edition has none of the routes below `ee/`, and says 404.
"""

from dataclasses import dataclass

OWNER_LEVEL = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountList:
    """One of these lists. `path` is relative to its group, or to the API where it is the instance's."""

    name: str
    path: str
    does: str
    needs: str
    permission: str
    of_group: bool = True

    @property
    def to_change(self) -> str:
        """What makes it readable."""
        return f"{self.needs} A fine-grained token also needs {self.permission}."


_OWNER = "Give a token of an Owner of the top-level group"

ENTERPRISE_USERS = AccountList(
    name="enterprise_users",
    path="enterprise_users",
    does="Read the addresses, identities, sign-ins and second factors of a group's enterprise users",
    needs=f"{_OWNER}, on GitLab Premium or Ultimate.",
    permission="Enterprise User: Read",
)
SAML_USERS = AccountList(
    name="saml_users",
    path="saml_users",
    does="Read the addresses, identities, sign-ins and second factors of who signs in by a group's SAML",
    needs=f"{_OWNER}, on GitLab Premium or Ultimate with SAML for the group.",
    permission="SAML User: Read",
)
SAML_IDENTITIES = AccountList(
    name="saml_identities",
    path="saml/identities",
    does="Read the SAML identities of a group where GitLab lists no SAML users",
    needs=f"{_OWNER}, on GitLab Premium or Ultimate with SAML for the group.",
    permission="SAML Group Identity: Read",
)
SCIM_IDENTITIES = AccountList(
    name="scim_identities",
    path="scim/identities",
    does="Read the SCIM identities of a group",
    needs=f"{_OWNER}, on GitLab Premium or Ultimate with SCIM for the group.",
    permission="SCIM Identity: Read",
)
BILLABLE_MEMBERS = AccountList(
    name="billable_members",
    path="billable_members",
    does="Read the last sign-in and activity of everybody who takes a seat in a group",
    needs=f"{_OWNER}, in GitLab's Enterprise Edition or on gitlab.com.",
    permission="Member: Read",
)
PENDING_MEMBERS = AccountList(
    name="pending_members",
    path="pending_members",
    does="Read who waits for a seat or an approval in a group",
    needs=f"{_OWNER}, in GitLab's Enterprise Edition or on gitlab.com.",
    permission="Member: Read",
)
GROUP_SERVICE_ACCOUNTS = AccountList(
    name="service_accounts",
    path="service_accounts",
    does="Read which accounts are service accounts of a group",
    needs=f"{_OWNER}.",
    permission="Service Account: Read",
)
INSTANCE_SERVICE_ACCOUNTS = AccountList(
    name="instance_service_accounts",
    path="service_accounts",
    does="Read which accounts are service accounts of the GitLab",
    needs="Give a token of an administrator.",
    permission="Service Account: Read",
    of_group=False,
)

GROUP_LISTS = (
    ENTERPRISE_USERS,
    SAML_USERS,
    SAML_IDENTITIES,
    SCIM_IDENTITIES,
    BILLABLE_MEMBERS,
    PENDING_MEMBERS,
    GROUP_SERVICE_ACCOUNTS,
)
"""In the order in which they are asked and believed: the one that tells more exactly comes first."""

ACCOUNT_LISTS = (*GROUP_LISTS, INSTANCE_SERVICE_ACCOUNTS)

GROUP_ROLES = AccountList(
    name="member_roles",
    path="member_roles",
    does="Read the names of the custom roles of a group",
    needs=f"{_OWNER}, on gitlab.com with Ultimate.",
    permission="Member Role: Read",
)
INSTANCE_ROLES = AccountList(
    name="instance_member_roles",
    path="member_roles",
    does="Read the names of the custom roles of the GitLab",
    needs="Give a token of an administrator, on GitLab Ultimate.",
    permission="Member Role: Read",
    of_group=False,
)

READING = "account_lists"
"""The stage of the access sync that reads them; what it could not read is noted under this name."""
