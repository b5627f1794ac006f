"""Errors of the stages, below `deploy.errors.ThreeplyError`.

StageError
|-- SourceError       a source cannot be read, or holds nothing
|-- ChecksumError     a downloaded file is not the one that params.yaml names
|-- DownloadError     the package index cannot be reached
|-- GateError         a quality gate stopped the chain       (exit 3)
|-- LeakError         a group or prompt would cross splits
|-- TrainingError     training cannot start or went wrong
|-- WorkerError       a process that works for a stage was lost
`-- OutputError       an output cannot be written (disk full, no permission)
"""

from deploy.errors import ThreeplyError


class StageError(ThreeplyError):
    """A stage cannot do its work."""


class SourceError(StageError):
    """A source of data cannot be read or holds nothing."""


class ChecksumError(StageError):
    """A downloaded file is not the one that params.yaml names."""


class DownloadError(StageError):
    """The package index cannot be reached; says which file to put where."""


class GateError(StageError):
    """A quality gate stopped the chain."""

    exit_code = 3


class LeakError(StageError):
    """A group or an identical prompt would stand in two splits."""


class TrainingError(StageError):
    """Training cannot start or has gone wrong."""


class WorkerError(StageError):
    """A process that works for a stage was lost."""


class OutputError(StageError):
    """An output cannot be written."""
