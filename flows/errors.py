"""Errors of ordering and releasing, below `deploy.errors.ThreeplyError`.

FlowError
|-- GraphError            dvc.yaml cannot be read, or a stage in it is not known
|-- LockBusyError         another DVC process is at work here
|-- StageFailedError      a stage ended with an error; carries the stage's own exit code
|-- InterruptedRunError   the run was stopped by a person or a signal      (exit 130)
|-- PlaceError            the place of a run cannot be prepared or is in use
|-- LabelError            there is nothing to label, or labels do not fit
|-- TraceError            no row has the id, or the text, that is looked for
|-- SelectError           there are no rows to choose from, or nothing to choose with
|-- SheetError            a test set cannot be drawn, asked for or used as it is
`-- ReleaseError          a bundle was not released; what served before still does
"""

from deploy.errors import ThreeplyError


class FlowError(ThreeplyError):
    """A run cannot be started or cannot go on."""


class GraphError(FlowError):
    """dvc.yaml cannot be read, or a stage in it is not known."""


class LockBusyError(FlowError):
    """Another DVC process is at work here."""


class StageFailedError(FlowError):
    """A stage ended with an error; `exit_code` is the stage's own."""

    def __init__(self, message: str, *, stage: str, exit_code: int) -> None:
        super().__init__(message)
        self.stage = stage
        self.exit_code = exit_code


class InterruptedRunError(FlowError):
    """The run was stopped from outside; finished stages are kept."""

    exit_code = 130


class PlaceError(FlowError):
    """The place of a run cannot be prepared, or another run is using it."""


class LabelError(FlowError):
    """There are no answers for people to judge, or what they judged does not fit them."""


class TraceError(FlowError):
    """No row has the id, or the text, that is looked for."""


class SelectError(FlowError):
    """There are no rows to choose from, or no model to choose with."""


class SheetError(FlowError):
    """There is nothing to make a test set from, or lines of one have to be mended."""


class RecallError(FlowError):
    """There are no questions, or too few, by which to judge what retrieval finds."""


class ReleaseError(FlowError):
    """A bundle was not released."""
