"""Which operation is done by what: a new one is its `Kind`, its module, and a line here."""

from gitlab_hub.provisioning.model import Kind
from gitlab_hub.provisioning.operations.base import OperationType
from gitlab_hub.provisioning.operations.invitations import Invitations
from gitlab_hub.provisioning.operations.memberships import Memberships
from gitlab_hub.provisioning.operations.shares import Shares

_MEMBERSHIPS, _SHARES, _INVITATIONS = Memberships(), Shares(), Invitations()

OPERATIONS: dict[Kind, OperationType] = {
    Kind.GRANT: _MEMBERSHIPS,
    Kind.REVOKE: _MEMBERSHIPS,
    Kind.SHARE: _SHARES,
    Kind.UNSHARE: _SHARES,
    Kind.INVITE: _INVITATIONS,
    Kind.UPDATE_INVITATION: _INVITATIONS,
    Kind.CANCEL_INVITATION: _INVITATIONS,
}
