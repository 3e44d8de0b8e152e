"""Which operation is done by what: a new one is its `Kind`, its module, and a line here."""

from gitlab_hub.provisioning.operation import Kind
from gitlab_hub.provisioning.operations.accounts import Accounts
from gitlab_hub.provisioning.operations.base import OperationType
from gitlab_hub.provisioning.operations.credentials import Credentials
from gitlab_hub.provisioning.operations.invitations import Invitations
from gitlab_hub.provisioning.operations.memberships import Memberships
from gitlab_hub.provisioning.operations.new_accounts import NewAccounts
from gitlab_hub.provisioning.operations.shares import Shares
from gitlab_hub.provisioning.operations.tree_removals import TreeRemovals

_MEMBERSHIPS, _SHARES, _INVITATIONS = Memberships(), Shares(), Invitations()
_ACCOUNTS, _NEW_ACCOUNTS = Accounts(), NewAccounts()

OPERATIONS: dict[Kind, OperationType] = {
    Kind.GRANT: _MEMBERSHIPS,
    Kind.REVOKE: _MEMBERSHIPS,
    Kind.SHARE: _SHARES,
    Kind.UNSHARE: _SHARES,
    Kind.INVITE: _INVITATIONS,
    Kind.UPDATE_INVITATION: _INVITATIONS,
    Kind.CANCEL_INVITATION: _INVITATIONS,
    Kind.BLOCK: _ACCOUNTS,
    Kind.UNBLOCK: _ACCOUNTS,
    Kind.DEACTIVATE: _ACCOUNTS,
    Kind.ACTIVATE: _ACCOUNTS,
    Kind.DELETE_ACCOUNT: _ACCOUNTS,
    Kind.CREATE_ACCOUNT: _NEW_ACCOUNTS,
    Kind.REVOKE_CREDENTIAL: Credentials(),
    Kind.OFFBOARD: TreeRemovals(),
}
