"""What a training step or an inference needs of its images: inputs on the device, bags beside."""

from dataclasses import dataclass

from torch import Tensor

from stages.learning.bags import BagIndex, ImageBags
from stages.learning.inputs import Inputs
from stages.learning.trainer import images_of_step
from stages.runtime.processes import ALONE, Team
from stages.settings.training import Training


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

    index: BagIndex
    inputs: Inputs
    settings: Training
    seed: int
    team: Team = ALONE

    def __call__(self, step: int) -> StepImages:
        """The batch of `step`."""
        whole = images_of_step(self.index.image_ids, step, self.settings, seed=self.seed)
        keys = self.team.share(whole)
        images = [
            self.inputs.read(image_id, self.index.file_name(image_id), flip=flip)
            for image_id, flip in keys
        ]
        return StepImages(step, keys, images, [image_id for image_id, _ in whole])

    def network_batch(self, batch: StepImages) -> tuple[Tensor, list[ImageBags]]:
        """The batch on the device, its bags in pixels of the network's input."""
        bags = [scaled_bags(self.index, self.inputs, *key) for key in batch.keys]
        return self.inputs.batch(batch.images, batch.keys), bags


def scaled_bags(index: BagIndex, inputs: Inputs, image_id: int, flip: bool) -> ImageBags:
    """The bags of an image in pixels of the network's input, on its device."""
    bags = index.bags(image_id)
    return bags.scaled(inputs.factor(bags.size), flip=flip).to(inputs.device)


def one_image(index: BagIndex, inputs: Inputs, image_id: int) -> tuple[Tensor, ImageBags]:
    """One unmirrored image as a batch of its own, for inference."""
    image = inputs.read(image_id, index.file_name(image_id), flip=False)
    batch = inputs.batch([image], [(image_id, False)])
    return batch, scaled_bags(index, inputs, image_id, False)
