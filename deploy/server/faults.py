"""What goes wrong in a request, in the shape that OpenAI clients read."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from deploy.errors import (
    ContextLengthError,
    GrammarError,
    QuestionError,
    ThreeplyError,
    TurnsError,
    UnsupportedError,
)

CLIENT_LEFT = 499  # no status of HTTP: nobody reads it but logs and metrics (nginx has the number, too)


class RequestError(Exception):
    """A request that cannot be answered: the status, a sentence, and the field it is about."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        parameter: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.parameter = status, message, code, parameter
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The JSON of the reply."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        error = {"message": self.message, "type": kind, "param": self.parameter, "code": self.code}
        return {"error": error}


def refused(error: ValidationError) -> RequestError:
    """What a model of a request does not take, by the first field that is wrong."""
    fault = error.errors()[0]
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return unsupported(name)
    return RequestError(400, f"{name}: {fault['msg'].lower()}", "invalid_value", name)


def unsupported(name: str) -> RequestError:
    """That a field is not known here, or not at this value."""
    return RequestError(400, f"{name} is not supported here; leave it out", "unsupported", name)


def as_fault(error: Exception, *, asked: str = "messages") -> RequestError:
    """Any error as the client may see it; one that nobody foresaw is not explained to strangers.

    `asked` is the field that the question stands in.
    """
    match error:
        case RequestError():
            return error
        case QuestionError() | TurnsError() | ContextLengthError():
            code = "context_length_exceeded" if isinstance(error, ContextLengthError) else "invalid_value"
            return RequestError(400, str(error), code, asked)
        case GrammarError():
            return RequestError(400, str(error), "invalid_schema", "response_format")
        case UnsupportedError():
            return RequestError(400, str(error), "unsupported")
        case ThreeplyError():
            return RequestError(500, str(error), "not_answered")
        case _:
            return RequestError(500, "the server failed while answering; its log tells why", "internal_error")
