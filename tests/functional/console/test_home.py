"""Home: what it says of an integration, also of one among many, and of a large one."""

import pytest

from gitlab_hub.incidents import Incident
from gitlab_hub.pipelines.keys import projects_pk
from tests.functional.console.console_hub import START, ConsoleHub
from tests.functional.console.visitor import Visitor

PROJECTS = 230


@pytest.fixture
def hub() -> ConsoleHub:
    return ConsoleHub()


def trouble(hub: ConsoleHub, integration_id: str, number: int) -> None:
    hint = f"Give a new one to {number}."
    hub.container.incidents.open(
        Incident(kind="credential_lost", integration_id=integration_id, subject=f"c{number:03}", at=START, hint=hint)
    )


def test_what_needs_a_person_is_found_among_any_number_of_others(hub: ConsoleHub, visitor: Visitor) -> None:
    first, last = sorted((hub.own, hub.other))
    for number in range(210):
        trouble(hub, first, number)
    trouble(hub, last, 500)
    shown = visitor.get(f"/console/{last}")
    assert ("Give a new one to 500." in shown.text, "Nothing needs you now" in shown.text) == (True, False)
    assert "Give a new one to 7." not in shown.text
    assert "There are more: GET /v1/incidents" in visitor.get(f"/console/{first}").text
    assert "There are more: GET /v1/incidents" in visitor.get("/console").text


def test_figures_of_a_part_of_the_projects_are_not_shown_as_those_of_all(hub: ConsoleHub, visitor: Visitor) -> None:
    assert "+ pipelines stored" not in visitor.get(hub.base).text
    for number in range(1, PROJECTS + 1):
        hub.tables["pipelines"].put({"pk": projects_pk(hub.own), "sk": f"{number:012d}", "id": number})
    shown = visitor.get(hub.base)
    assert ("200+ projects" in shown.text, "0+ pipelines stored" in shown.text) == (True, True)
    assert "Of the first 200 projects" in shown.text


def test_home_speaks_of_pipelines_in_plain_words(hub: ConsoleHub, visitor: Visitor) -> None:
    assert ("none left unread" in (shown := visitor.get(hub.base)).text, "owed" in shown.text) == (True, False)


def test_the_sign_in_says_where_a_token_comes_from(hub: ConsoleHub) -> None:
    shown = Visitor(hub.console).get("/console/sign-in")
    assert ("make local prints one" in shown.text, "OwnerTokenSecretName" in shown.text) == (True, True)
