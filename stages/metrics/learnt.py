"""Whether a selector has learned anything: scores at chance are those of a new network. Pure."""

from dataclasses import dataclass

import numpy as np

CLOSE = 1.5  # times chance: below, bag scores tell nothing
FLAT = 1.1  # times a proposal's even share: below, no proposal of a bag is preferred


@dataclass(slots=True)
class Learnt:
    """Collects the bags of a run, one after the other.

    classes : how many there are; chance is one of them.
    """

    classes: int
    bags: int = 0
    score: float = 0.0
    several: int = 0
    peak: float = 0.0

    def add(self, bag_score: float, score_ins: np.ndarray) -> None:
        """Take in a bag.

        Parameters
        ----------
        bag_score : of its class, 0 to 1. score_ins : (n,) S_ins of its proposals, which sum to 1.
        """
        self.bags += 1
        self.score += bag_score
        if len(score_ins) > 1 and score_ins.sum() > 0:
            self.several += 1
            self.peak += float(score_ins.max() / score_ins.sum() * len(score_ins))

    @property
    def mean_score(self) -> float:
        """Mean bag score of the bags' own classes."""
        return self.score / max(self.bags, 1)

    @property
    def mean_peak(self) -> float:
        """Mean over bags of the largest S_ins, in even shares: 1 where all are equal."""
        return self.peak / max(self.several, 1)

    @property
    def is_at_chance(self) -> bool:
        """Whether the classes of bags are guessed."""
        return bool(self.bags) and self.classes > 1 and self.mean_score < CLOSE / self.classes

    @property
    def is_flat(self) -> bool:
        """Whether no proposal is preferred to another."""
        return bool(self.several) and self.mean_peak < FLAT
