"""What stops a local command, told in one line."""


class Problem(Exception):
    """Something the person at the keyboard can put right; the text says what."""


class Stopped(BaseException):
    """Asked to stop by a signal; like KeyboardInterrupt, nobody should catch it by accident."""
