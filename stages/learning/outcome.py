"""What a training leaves behind: its network and its log, once all its processes are done."""

import json
from pathlib import Path
from typing import Any

from torch import nn

from stages.learning.model_file import save_model
from stages.runtime.atomic import write_text
from stages.runtime.processes import Team
from stages.runtime.program import say
from stages.runtime.unfinished import remove_parts


def leave(
    name: str,
    network: nn.Module,
    log: str,
    facts: dict[str, Any],
    *,
    out: Path,
    out_log: Path,
    folder: Path,
    team: Team,
    tally: str,
) -> None:
    """Write model and log, remove the work in progress, and say what was done; process 0 alone.

    Parameters
    ----------
    facts : provenance, the model's header. folder : of the work in progress.
    tally : what was learned from, for the log.
    """
    team.wait()  # the others may still read and write in `folder`
    if not team.leads:
        return
    save_model(out, network, facts)
    write_text(out_log, log)
    remove_parts(folder)
    last = json.loads(log.splitlines()[-1])
    say(name, f"{tally}, {last['step']} steps, last loss {last['loss']:.4f}.")
