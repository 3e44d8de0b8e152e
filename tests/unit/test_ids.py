import pytest

from gitlab_hub.ids import owned_id, owner_of


def test_an_id_names_its_integration() -> None:
    made = owned_id("hook", "int_0a1b2c", "77")
    assert made == "hook_0a1b2c_77"
    assert owner_of(made) == "int_0a1b2c"


@pytest.mark.parametrize(
    "odd", ["", "hook", "hook_1", "hook_1_", "hook__1", "Hook_1_2", "hook_1_2_3", "hook_1_2\n", "hook_ä_1"]
)
def test_anything_else_names_nobody(odd: str) -> None:
    assert owner_of(odd) is None


def test_what_could_not_be_read_back_is_not_made() -> None:
    with pytest.raises(ValueError, match="letters"):
        owned_id("hook", "int_a_b", "1")
