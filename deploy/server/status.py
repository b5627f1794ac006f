"""The routes that say what is live and how it fares: /healthz, /readyz, /metrics and /v1/models."""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response

from deploy.documents.live import LiveKnowledge
from deploy.server.described import readable
from deploy.server.live import Live
from deploy.server.metrics import CONTENT_TYPE, Metrics
from deploy.server.requests import known_model


def add_status_routes(app: FastAPI, live: Live, metrics: Metrics, *, takes_feedback: bool) -> None:
    """Give `app` the routes on what is `live`."""

    @readable(app, "/healthz", summary="Whether the server is alive, and what it serves")
    async def health() -> dict[str, Any]:
        now = live.now
        return {
            "status": "ok",
            "bundle": now.name,
            "manifest": now.digest,
            "models": list(now.models),
            "default": now.default_model,
            "layers": list(now.layers),
            "partial": now.partial,
            "live": now.told,
            "fault": live.fault or None,
            "documents": isinstance(now.assistant.knowledge, LiveKnowledge),
            "feedback": takes_feedback,
        }

    @readable(app, "/readyz", summary="The release and the layers that are live")
    async def ready() -> dict[str, Any]:
        now = live.now
        return {"status": "ok", "release": now.digest[:12], "layers": list(now.layers), "live": now.told}

    @readable(app, "/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
    async def measured() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    @readable(app, "/v1/models", summary="The models that may be asked")
    async def models() -> dict[str, Any]:
        now = live.now
        entries = [_model(model) for model in now.models]
        return {"object": "list", "data": entries, "default": now.default_model, "live": now.told}

    @readable(app, "/v1/models/{model}", summary="One of the models")
    async def model(model: str) -> dict[str, Any]:
        return _model(known_model(model, live.now))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "threeply"}
