"""What a training step or an inference needs of its images: inputs on the device, bags beside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import Tensor

from stages.learning.bag_index import Bags, Index
from stages.learning.inputs import Inputs
from stages.learning.trainer import images_of_step
from stages.runtime.processes import ALONE, Team
from stages.settings.training import Training

B = TypeVar("B", bound=Bags)


@dataclass(frozen=True, slots=True)
class StepImages:
    """The images of one step as they were read, not yet on the device."""

    step: int
    keys: list[tuple[int, bool]]
    images: list[Tensor]
    step_ids: list[int]

    @property
    def image_ids(self) -> list[int]:
        """Ids of the images that are this process's; `step_ids` has those of all."""
        return [image_id for image_id, _ in self.keys]

    def singles(self) -> "list[StepImages]":
        """Each image as a batch of its own."""
        pairs = zip(self.keys, self.images, strict=True)
        return [StepImages(self.step, [key], [image], [key[0]]) for key, image in pairs]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads this process's part of the batch of a step; depends on the step alone."""

    index: Index
    inputs: Inputs
    settings: Training
    seed: int
    team: Team = ALONE

    def __call__(self, step: int) -> StepImages:
        """The batch of `step`."""
        whole = images_of_step(self.index.image_ids, step, self.settings, seed=self.seed)
        keys = self.team.share(whole)
        images = [
            self.inputs.read(self.index.image(image_id), flip=flip) for image_id, flip in keys
        ]
        return StepImages(step, keys, images, [image_id for image_id, _ in whole])

    def network_batch(self, batch: StepImages) -> tuple[Tensor, list[Any]]:
        """The batch on the device, its bags in pixels of the network's input."""
        bags = [scaled(self.index.bags(i), self.inputs, flip=flip) for i, flip in batch.keys]
        keys = [(self.index.image(image_id), flip) for image_id, flip in batch.keys]
        return self.inputs.batch(batch.images, keys), bags


def scaled(bags: B, inputs: Inputs, *, flip: bool = False) -> B:
    """The bags of an image in pixels of the network's input, on its device."""
    return bags.scaled(inputs.factor(bags.size), flip=flip).to(inputs.device)


def one_image(image: Mapping[str, Any], inputs: Inputs, *, flip: bool = False) -> Tensor:
    """One image, a row of table `images`, mirrored or not, as a batch of its own, for inference."""
    return inputs.batch([inputs.read(image, flip=flip)], [(image, flip)])
