"""The finished runs that tests of the workflow have, for those of this folder."""

from tests.workflow.conftest import finished, finished_from_tags, finished_twice, fresh, workspace

__all__ = ["finished", "finished_from_tags", "finished_twice", "fresh", "workspace"]
