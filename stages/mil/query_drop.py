"""Query drop: matched queries of the largest classification loss are not trained. Pure.

WeakSAM, Sec. 3.4, Eq. 3 and 4, App. C, Tables 10 and 11: what RoI drop is to a two-stage detector,
for one that matches queries to objects (DINO). The released code has it commented out, so this is
the paper's text. No detector of queries is among the engines: nothing calls this yet, and a
training hook of such an engine is what would, for the encoder and each layer of the decoder apart.

Whether the percentile is one of the matched queries or of all is not said. We read it as one of the
matched queries: jointly, nearly every one of some 1800 queries is background with a loss of about
0, and 90 % of them say nothing about objects. The joint reading stands beside it.
"""

import torch
from torch import Tensor

PERCENTILE = 90.0  # WeakSAM, Table 11: 100 -> 72.8, 90 -> 73.4, 80 -> 71.8 AP50
FLAT = 1e-12  # losses that lie no further apart are one


def kept_queries(
    losses: Tensor, *, percentile: float = PERCENTILE, exempt: Tensor | None = None
) -> Tensor:
    """Which matched queries are trained.

    Parameters
    ----------
    losses : (n,) unweighted binary cross-entropy, summed over classes, of every matched query of
        the batch. percentile : 0 to 100; above it lie the dropped ones.
    exempt : (n,) bool, denoising queries; they are kept and not ranked. None: there are none.

    Returns
    -------
    (n,) bool, without gradient. Of m ranked ones k = floor(m (1 - percentile / 100)) at most are
    dropped: those with a loss above the (k + 1)-th largest, so that equal ones are kept together.

    Raises
    ------
    ValueError : the percentile is not in 0 to 100.

    Source: WeakSAM, Eq. 3; the floor is that of the commented-out lines of the released code.
    """
    if not 0 <= percentile <= 100:
        raise ValueError(f"percentile must be in 0 to 100, seen {percentile}.")
    losses = losses.detach()
    fixed = torch.zeros_like(losses, dtype=torch.bool) if exempt is None else exempt
    ranked = losses[~fixed].sort(descending=True).values  # (m,)
    number = int(len(ranked) * (100 - percentile) / 100)  # 1 - p / 100 first would lose whole ones
    if not 0 < number < len(ranked):
        return torch.full_like(fixed, number == 0) | fixed
    return fixed | (losses <= ranked[number])


def normalised_losses(losses: Tensor) -> Tensor:
    """Losses of one group over the batch, (n,), brought to 0 to 1; equal ones become 0.

    Source: WeakSAM, App. C, for matched queries and background apart before they are ranked.
    """
    if not len(losses):
        return losses
    low, high = losses.min(), losses.max()
    if high - low <= FLAT:
        return torch.zeros_like(losses)
    return (losses - low) / (high - low)


def kept_jointly(
    matched: Tensor, background: Tensor, *, percentile: float = PERCENTILE
) -> tuple[Tensor, Tensor]:
    """The other reading of the percentile: over both groups together, each normalised first.

    Parameters
    ----------
    matched : (n,), background : (b,) losses of the batch, as in `kept_queries`.

    Returns
    -------
    (n,) and (b,) bool, without gradient. The threshold is the value at or below the percentile's
    place, so that it is a loss of the batch; what lies above it is dropped.

    Source: WeakSAM, App. C and Table 10 (dropping background as well: 73.3, without: 73.4 AP50).
    """
    groups = [normalised_losses(losses.detach()) for losses in (matched, background)]
    ranked = torch.cat(groups).sort().values
    if not len(ranked):
        return torch.ones_like(matched, dtype=torch.bool), torch.ones_like(background).bool()
    limit = ranked[int((len(ranked) - 1) * percentile / 100)]
    return groups[0] <= limit, groups[1] <= limit


def query_losses(terms: dict[str, Tensor], kept: Tensor, *, average: float) -> dict[str, Tensor]:
    """Every loss term of the matched queries, over the factor that it has without a drop.

    Parameters
    ----------
    terms : for classification, L1 and GIoU (n,) each. kept : (n,) bool.
    average : what the sums are divided by, such as the number of objects in the batch; above 0.

    Returns
    -------
    Scalars. A dropped query is cut out of the sums and leaves `average` as it is.

    Source: WeakSAM, Eq. 4.
    """
    return {name: losses[kept].sum() / average for name, losses in terms.items()}
