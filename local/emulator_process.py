"""The emulator as a child process that ends when its parent does, however that ended."""

import os
import signal
import sys
import threading

from ministack.app import main


def _end_with_parent() -> None:
    # The parent holds the other end of standard input and never writes: reading returns only when the parent is gone.
    # os.read, because a buffered read would hold a lock that the interpreter wants when it ends.
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv[1:] = []
    main()
