"""Section `review`: what a person is shown to mend, `snakemake tasks`."""

from stages.settings.section import Annotated, Field, Section


class Review(Section):
    """How much of the most doubtful labels is handed out."""

    labels: Annotated[
        int, Field(ge=1, description="in the list, at most, the most doubtful first")
    ] = 5000
    images: Annotated[
        int, Field(ge=1, description="as tasks, at most, by their most doubtful label")
    ] = 500
