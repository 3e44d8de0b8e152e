"""How the local commands speak to the emulator."""

from local.stack import Stack


def test_a_busy_emulator_is_waited_for_and_not_asked_twice() -> None:
    """After botocore's own 60 seconds a change set was asked for again, and "already exists"."""
    config = Stack("http://127.0.0.1:1").client("cloudformation").meta.config
    assert config.read_timeout >= 300
