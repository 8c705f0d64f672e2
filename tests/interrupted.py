"""Programs that a test interrupts."""

import signal


def heed_ctrl_c() -> None:
    """For `preexec_fn`: Ctrl-C reaches what is started.

    A shell's background jobs ignore it, and so would what a test starts from one.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
