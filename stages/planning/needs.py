"""What a job asks of a cluster, memory and minutes, from what it does; plain numbers, no files.

A scheduler ends a job that takes more than it asked for, and keeps one waiting that asks for too
much. So a first attempt asks for what was measured with room to spare, and a second for twice that.
Nothing here decides a result.
"""

import math
from dataclasses import dataclass
from typing import Any

ROOM = 2  # times what was measured
ROUND = 500  # MiB
LONGEST = 7 * 24 * 60  # minutes; few partitions let a job run for longer

# Of each stage on drawn scenes and small photographs, on two CPU cores with the tiny SAM: MiB, the
# largest max_rss of its benchmarks; and seconds of an image (of a training's steps, where it has
# any), of the demo with 240 images to label and 300 to score. What nobody measured (translate,
# convert, compare, train_half, predict_crossed) has the numbers of what is most like it.
MEASURED = {
    "partworld": (76, 0.06),
    "translate": (137, 0.02),
    "prepare": (137, 0.02),
    "fit_prompt": (835, 0.04),
    "prompt": (921, 0.6),
    "fit_propose": (967, 0.1),
    "propose": (945, 0.64),
    "fit_select": (951, 0.04),
    "select": (949, 0.26),
    "fit_refine": (1121, 0.09),
    "refine": (985, 1.4),
    "grade": (158, 0.1),
    "export": (157, 0.02),
    "convert": (157, 0.02),
    "train": (1265, 0.4),
    "train_half": (1265, 0.4),
    "predict": (1268, 0.5),
    "predict_crossed": (1268, 0.5),
    "predict_held_out": (893, 0.3),
    "evaluate": (272, 0.06),
    "compare": (272, 0.06),
    "report": (201, 0.1),
    "review": (70, 0.02),
}
# MiB of 1,000 images: of prepare by `python -m benchmarks.bench_prepare` (22 with eight labels
# each); others read masks besides, and were measured on some hundreds of images alone
OF_A_THOUSAND = {
    **{"prepare": 22, "translate": 22, "convert": 40, "export": 40, "review": 40},
    **{"evaluate": 120, "compare": 120, "report": 120},
    **{"fit_prompt": 40, "fit_propose": 40, "fit_select": 40, "fit_refine": 40},
    **{"train": 40, "train_half": 40},
}
# of a segmenter: MiB of its weights; MiB of a look beyond those, on a CPU, measured with one thread
# (vit_h: twice vit_l's work, so reckoned); seconds of a look on a CPU core, likewise, and on a GPU
# (2.78 images/s of vit_h on an A100: stages/estimating/devices.py)
SEGMENTERS = {
    "vit_tiny": (6, 20, 0.02, 0.02),
    "vit_b": (358, 2500, 26.0, 0.2),
    "vit_l": (1192, 3400, 78.0, 0.3),
    "vit_h": (2446, 4300, 160.0, 0.4),
}
LARGEST = SEGMENTERS["vit_h"]  # what is not known is taken for as large
NONE = (0, 0, 0.0, 0.0)
BYTES = 4300  # of a pixel of a step, forward and backward on a CPU: the demo's detector, 131,000 px
HELD = 12  # bytes of a pixel that waits in host memory
SLOW, FAST = 1e-5, 1.2e-7  # s of a pixel of a step: the demo's detector on a CPU; on one GPU 0.26 s
# for 16 images of 800 x 1333 px on eight, which detectron2's model zoo tells of Mask R-CNN R50-FPN
SNAKEMAKE = 500  # MiB: on a node a job is started by Snakemake, twice
MASKS = 1000  # MiB of a further image in work: twice the default of `mask_memory`
READER = 400  # MiB of a process that reads ahead
START = 15  # minutes: a cold node, libraries over the network, a large model


@dataclass(frozen=True, slots=True)
class Load:
    """What a job does.

    images : that it goes through, so far as is known. gpu : it has one.
    segmenter : model that it looks through, None: none. steps : of a training, 0: none.
    batch : images of a step. pixels : of a step, where a network is trained on photographs.
    processes, readers : of a training; readers of each process. threads : of each process.
    at_once : images that are asked about at the same time, on `threads` each.
    """

    stage: str
    images: int
    gpu: bool = False
    segmenter: str | None = None
    steps: int = 0
    batch: int = 0
    pixels: int = 0
    processes: int = 1
    readers: int = 0
    threads: int = 1
    at_once: int = 1

    @property
    def cpus(self) -> int:
        """Cores that a job keeps busy."""
        return self.processes * (self.threads * self.at_once + self.readers)


def memory(load: Load, attempt: int) -> int:
    """MiB to ask for; each attempt asks for twice what the one before had.

    Parameters
    ----------
    attempt : from 1.
    """
    weights, look, *_ = _segmenter(load)
    own = ROOM * MEASURED[load.stage][0] + 2 * weights + (0 if load.gpu else look)
    pixels = load.pixels * (HELD * (1 + load.readers) if load.gpu else BYTES) // 2**20
    each = own + pixels // load.processes + READER * load.readers
    tables = OF_A_THOUSAND.get(load.stage, 0) * load.images // 1000
    whole = SNAKEMAKE + load.processes * each + ROOM * tables + MASKS * (load.at_once - 1)
    return ROUND * math.ceil(whole / ROUND) * int(2 ** (attempt - 1))


def minutes(load: Load, attempt: int) -> int:
    """Minutes to ask for; a second attempt asks for twice, a third for three times as many."""
    seconds, look = MEASURED[load.stage][1], _segmenter(load)[2 + load.gpu]
    spent = load.images * (look if load.steps else seconds + look)
    if load.steps:
        of_pixels = load.pixels * (FAST if load.gpu else SLOW)
        spent += load.steps * max(seconds * load.batch, of_pixels) / load.processes
    asked = START + math.ceil(ROOM * spent / 60)
    return min(asked * attempt, LONGEST)


def light_memory(wildcards: Any, attempt: int) -> int:
    """MiB of a job that reads numbers alone; a resource function."""
    return 2 * ROUND * int(2 ** (attempt - 1))


def light_minutes(wildcards: Any, attempt: int) -> int:
    """Minutes of it, likewise."""
    return START * attempt


def _segmenter(load: Load) -> tuple[int, int, float, float]:
    return SEGMENTERS.get(load.segmenter, LARGEST) if load.segmenter else NONE
