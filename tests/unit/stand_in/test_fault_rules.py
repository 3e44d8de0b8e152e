"""Which request a fault strikes."""

import pytest

from stand_in_gitlab.control.faults import Faults


def struck(faults: Faults, count: int, path: str = "/api/v4/users") -> str:
    """One letter per request: x where it was struck."""
    return "".join("x" if faults.strike("GET", path) else "." for _ in range(count))


def test_the_nth_call_and_the_count() -> None:
    faults = Faults()
    faults.add({"kind": "status", "path": "/users", "skip": 2, "times": 3})
    assert struck(faults, 3, "/api/v4/groups") == "..."
    assert struck(faults, 8) == "..xxx..."


def test_for_ever_until_lifted() -> None:
    faults = Faults()
    rule = faults.add({"kind": "reset", "times": 0})
    assert struck(faults, 5) == "xxxxx"
    faults.remove(rule.id)
    assert struck(faults, 2) == ".."


def test_chance_repeats_with_its_seed() -> None:
    def run(seed: int) -> str:
        faults = Faults()
        faults.add({"kind": "status", "times": 0, "probability": 0.3, "seed": seed})
        return struck(faults, 50)

    assert run(1) == run(1) != run(2)
    assert 5 < run(1).count("x") < 25


def test_other_methods_are_spared() -> None:
    faults = Faults()
    faults.add({"kind": "status", "method": "POST"})
    assert struck(faults, 1) == "."
    assert faults.rules()[0]["matched"] == 0


def test_rules_wait_in_line() -> None:
    faults = Faults()
    faults.add({"kind": "status"})
    faults.add({"kind": "reset"})
    kinds = [fault.kind if fault else None for fault in (faults.strike("GET", "/") for _ in range(3))]
    assert kinds == ["status", "reset", None]


@pytest.mark.parametrize(
    "rule", [{"kind": "strange"}, {}, {"kind": "status", "path": "("}, {"kind": "status", "colour": "red"}]
)
def test_a_rule_without_sense_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Faults().add(rule)
