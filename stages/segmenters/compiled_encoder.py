"""SAM's image encoder compiled by PyTorch for the machine that it runs on.

The compiler fuses what lies between two multiplications into one pass through memory. It takes a
minute or more for each job, keeps what it made in a folder of its own (TORCHINDUCTOR_CACHE_DIR) so
that the next job is quicker, and rounds otherwise, so masks differ by single pixels.
"""

import torch
from segment_anything.modeling import Sam


def with_compiled_encoder(sam: Sam, *, half: bool) -> Sam:
    """The same SAM, its image encoder compiled in place.

    It looks at an empty image once, so that what is missing is told before the first photograph.

    Parameters
    ----------
    half : the encoder will compute in bfloat16.

    Raises
    ------
    ValueError : PyTorch can't compile it here.
    """
    encoder, device = sam.image_encoder, sam.device
    empty = torch.zeros(1, 3, encoder.img_size, encoder.img_size, device=device)
    encoder.compile(dynamic=False)
    try:
        with (
            torch.inference_mode(),
            torch.autocast(device.type, dtype=torch.bfloat16, enabled=half),
        ):
            encoder(empty)
    except RuntimeError as error:  # all of the compiler's own faults are
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"propose.sam.compile: PyTorch could not compile the encoder here ({reason}). Install "
            "a C++ compiler such as g++, and Triton for a GPU, or set it to false."
        ) from error
    return sam
