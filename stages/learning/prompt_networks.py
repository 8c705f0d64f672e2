"""The door to the networks that learn where to ask: clues from image tags, boxes from points.

A network serves the prompter whose entry names the same training (`fit`), and no other. The module
behind the door has
* `PACKAGES`: names of the installed packages whose versions matter;
* `modules_of(fit, propose) -> tuple[str, ...]`: further modules that the settings choose, for
  digests of code;
* `facts_of_network(fit, propose, *, fresh) -> dict`: checksums of weights, for provenance; it
  raises ValueError where a file is missing, and loads nothing. `fresh` tells that a training
  begins: else what it started from need not be there.
`fit` is section `fit_prompt`, of which a network has the block that bears its name, with its
`training`. The module of the training has
* `trained(args, fit, propose, facts) -> None`: trains on what program fit_prompt was given, writes
  model and log, and goes on where an earlier run was cut.
What else clues need is in `stages.learning.clue_networks`.
"""

from stages.runtime.doors import Method

CLUES = "stages.learning.clue_fitting"  # what trains both networks of clues
NETWORKS = {  # by fit_prompt.network
    "conv": Method(
        "stages.learning.conv_clues", settings="stages.settings.clue_networks.conv", fit=CLUES
    ),
    "vit": Method(
        "stages.learning.vit_clues", settings="stages.settings.clue_networks.vit", fit=CLUES
    ),
    "p2b": Method(
        "stages.learning.p2b_network",
        settings="stages.settings.box_networks.p2b",
        fit="stages.learning.p2b_fitting",
    ),
}
