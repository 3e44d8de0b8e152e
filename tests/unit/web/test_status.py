import importlib
import pkgutil

import gitlab_hub
from gitlab_hub.errors import HubError
from gitlab_hub.web.errors import InvalidJson, Unprocessable
from gitlab_hub.web.status import STATUS_OF_CODE, status_of


def every_error(kind: type[HubError] = HubError) -> set[type[HubError]]:
    return {kind}.union(*(every_error(child) for child in kind.__subclasses__()))


def test_every_error_of_the_hub_has_a_status() -> None:
    for module in pkgutil.walk_packages(gitlab_hub.__path__, "gitlab_hub."):
        if module.name.rsplit(".", 1)[-1] in {"errors", "queue"}:
            importlib.import_module(module.name)
    ours = {error for error in every_error() if error.__module__.startswith("gitlab_hub.")}
    assert {error.code for error in ours} - set(STATUS_OF_CODE) == set()


def test_reading_and_taking_fail_differently() -> None:
    assert status_of(InvalidJson("")) == 400
    assert status_of(Unprocessable("")) == 422


def test_a_code_that_nobody_entered_is_our_fault() -> None:
    class Forgotten(HubError):
        code = "forgotten"

    assert status_of(Forgotten("")) == 500
