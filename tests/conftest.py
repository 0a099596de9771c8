"""What holds for all tests."""

import signal


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start, also where a script runs pytest in the background.

    A shell without job control has its background jobs ignore SIGINT, and their children inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
