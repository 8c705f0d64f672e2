"""How many threads a job may use, in whatever library it loads later on."""

import os
import sys

VARIABLES = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")  # read when loaded


def use_threads(threads: int) -> None:
    """Bound the threads of torch, of OpenCV and of libraries in Rust, without loading any of them.

    Parameters
    ----------
    threads : at least 1. Libraries that are there already are told, others find it when they load.
    """
    os.environ.update(dict.fromkeys(VARIABLES, str(threads)))
    torch, cv2 = sys.modules.get("torch"), sys.modules.get("cv2")
    if torch:
        torch.set_num_threads(threads)
    if cv2:
        cv2.setNumThreads(threads)
