"""The root of threeply's error tree and the errors of the runtime.

    ThreeplyError                 what a person can mend: shown as one sentence, never a traceback
    |-- SettingsError             params.yaml is wrong                       (exit 2)
    |-- KnowledgeError            the knowledge store is missing or damaged
    |   |-- ClosedError           a document that is not for whoever asks to change it
    |   |-- FilterError           documents are asked for by what none of them is known by
    |   |-- NotKeptError          a change of documents cannot be written
    |   `-- DocumentError         a file cannot be read as a document
    |-- FeedbackError             ratings of answers cannot be kept or read
    |-- PromptError               a prompt template is missing or wrong
    |-- QuestionError             a conversation asks nothing, or is no text
    |-- EngineError               a model cannot be loaded or asked
    |   |-- ContextLengthError    a prompt is longer than the model's context
    |   |-- GrammarError          a schema that no answer can be kept to
    |   `-- UnsupportedError      an engine is asked for what it cannot do
    |-- ServeError                the server cannot start
    |-- BundleError               a bundle is incomplete or a checksum differs
    `-- tasks.errors.StageError   a stage cannot do its work (see there)

Each message names the thing, its value and the next step.
"""


class ThreeplyError(Exception):
    """A mistake or a condition that a person can mend; `exit_code` is what the process returns."""

    exit_code = 1


class SettingsError(ThreeplyError):
    """params.yaml or an override is wrong; the message holds one line for each fault."""

    exit_code = 2


class KnowledgeError(ThreeplyError):
    """The knowledge store is missing, empty or damaged."""


class ClosedError(KnowledgeError):
    """A document has tags of which whoever asks to change it holds none."""


class FilterError(KnowledgeError):
    """Documents are asked for by metadata that the store does not have."""


class NotKeptError(KnowledgeError):
    """A change of documents cannot be written: the disk is full, or not to be written to."""


class FeedbackError(ThreeplyError):
    """Ratings of answers cannot be kept or read."""


class DocumentError(KnowledgeError):
    """A file cannot be read as a document; `reason` is the word under which reports count it."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class PromptError(ThreeplyError):
    """A prompt template is missing, malformed or asks for a variable that nobody gives."""


class QuestionError(ThreeplyError):
    """A conversation asks nothing: its question is missing or empty; or a turn of it is not whole text."""


class EngineError(ThreeplyError):
    """A model or adapter cannot be loaded, or does not answer."""


class TurnsError(EngineError):
    """The chat template of a model does not take these turns of a conversation."""


class ContextLengthError(EngineError):
    """A prompt and what is asked for do not fit into the model's context."""


class GrammarError(EngineError):
    """What an answer is to keep to is no JSON schema, or one that cannot be kept to."""


class UnsupportedError(EngineError):
    """An engine is asked for what it cannot do."""


class ServeError(ThreeplyError):
    """The server cannot start."""


class BundleError(ThreeplyError):
    """A bundle is incomplete, or a file differs from its manifest."""
