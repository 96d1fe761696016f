"""Runs one module of the suite, and ends with the supervisor, however that ends.

`python -m cli.child MODULE ARGUMENT…`: standard input is the reading end of a pipe that the supervisor holds open and
never writes to. When it closes (the supervisor stopped, or was killed), the module gets SIGTERM as if asked to stop.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

STOP_SECONDS = 15.0


def _end_with_the_supervisor() -> None:
    while os.read(0, 64):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Become the module; its arguments are ours but for its name."""
    threading.Thread(target=_end_with_the_supervisor, name="lifeline", daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
