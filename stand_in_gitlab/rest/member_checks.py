"""What GitLab checks of a membership before it saves it, and how it words what it does not like."""

from collections.abc import Sequence

from stand_in_gitlab.clock import day
from stand_in_gitlab.company.grants import ROLES
from stand_in_gitlab.company.member_rules import inherited, level_fits
from stand_in_gitlab.company.model import CustomRole, Membership
from stand_in_gitlab.company.state import Company, Source
from stand_in_gitlab.payloads.estate import ROLES as LEVEL_NAMES
from stand_in_gitlab.rest.refusals import Refusal

Problems = dict[str, list[str]]
NOT_IN_LIST = "is not included in the list"
IN_THE_PAST = "cannot be a date in the past"
WRONG_BASE = "the custom role's base access level does not match the current access level"


def problems_of(company: Company, source: Source, member: Membership, now: float) -> Problems:
    """Every complaint about a membership, by field; empty if it may be saved (app/models/member.rb)."""
    found = level_problem(company, source, member.level)
    higher = inherited(company, source, member.user_id)
    if higher is not None and higher[0] > member.level:
        level, group = higher
        sentence = (
            f"should be greater than or equal to {LEVEL_NAMES.get(level, level)} inherited membership from group "
            f"{group.name}"
        )
        found["access_level"] = [*found.get("access_level", []), sentence]
    found |= day_problem(member.expires_at, now)
    if member.role is not None and member.role.base_level != member.level:
        found["member_role_id"] = [WRONG_BASE]
    return found


def level_problem(company: Company, source: Source, level: int) -> Problems:
    """What is wrong with a level for whomever it is."""
    return {} if level_fits(company, source, level) else {"access_level": [NOT_IN_LIST]}


def day_problem(expires_at: str | None, now: float) -> Problems:
    """What is wrong with a last day: today is not past (app/validators/future_date_validator.rb)."""
    return {"expires_at": [IN_THE_PAST]} if expires_at is not None and expires_at < day(now) else {}


def invalid(problems: Problems) -> Refusal:
    """`render_validation_error!` in lib/api/helpers.rb."""
    return Refusal(400, {"message": problems})


def full_messages(problems: Problems) -> list[str]:
    """The complaints as Rails says them in full, such as "Expires at cannot be a date in the past"."""
    return [f"{_human(field)} {message}" for field, messages in problems.items() for message in messages]


def _human(field: str) -> str:
    return field.removesuffix("_id").replace("_", " ").capitalize()


def sentence(parts: Sequence[str]) -> str:
    """`to_sentence` of Rails: "a", "a and b", "a, b, and c"."""
    if len(parts) <= 2:  # noqa: PLR2004 - a pair has no comma
        return " and ".join(parts)
    return f"{', '.join(parts[:-1])}, and {parts[-1]}"


def role_at(number: int | None) -> CustomRole | None:
    """The custom role of this id; 400 as ee/app/services/ee/members/update_service.rb has it if there is none."""
    if number is None:
        return None
    role = next((each for each in ROLES if each.id == number), None)
    if role is None:
        raise invalid({"member_role": ["not found"]})
    return role
