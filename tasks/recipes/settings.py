"""The typed schema of the recipes: sections `classify` and `images` of params.yaml."""

from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from deploy.settings import Count, DataPath, NonNegative, Positive, Section, Share
from tasks.methods import METHODS, MethodName
from tasks.methods.method import MethodSettings


class HeadSettings(Section):
    """How a model with a head for labels is trained.

    `method_settings` stand over the defaults of a method's paper, by the method's name.
    """

    methods: Annotated[list[MethodName], Field(min_length=1)]
    method_settings: dict[MethodName, dict[str, Any]]
    max_rows: Count
    epochs: Count
    batch_size: Count
    head_learning_rate: Positive
    weight_decay: NonNegative
    warmup: Share

    @model_validator(mode="after")
    def _fit(self) -> "HeadSettings":
        if len(set(self.methods)) < len(self.methods):
            raise ValueError("methods names something twice")
        for name in self.method_settings:
            try:
                self.chosen(name)
            except ValidationError as error:
                fault = error.errors()[0]
                key = ".".join(["method_settings", name, *map(str, fault["loc"])])
                raise ValueError(f"{key}: {fault['msg']}") from None
        return self

    def chosen(self, method: str) -> MethodSettings:
        """The settings of a method; KeyError if there is no such method."""
        return METHODS[method].settings.model_validate(self.method_settings.get(method, {}))


class ClassifySettings(HeadSettings):
    """Texts: rows of the chain whose task is `task` have a label as their answer."""

    task: Annotated[str, Field(min_length=1)]
    max_length: Annotated[int, Field(ge=4)]


class ImagesSettings(HeadSettings):
    """Pictures: one folder for each label, or scikit-learn's digits."""

    folder: DataPath | None
    model: DataPath | None
    pretraining_epochs: Count
    test: Annotated[float, Field(gt=0.0, lt=1.0)]

    @model_validator(mode="after")
    def _has_a_model(self) -> "ImagesSettings":
        if self.folder is not None and self.model is None:
            raise ValueError(
                "folder needs model, the folder of a pretrained vision transformer: the tiny one that stands "
                "in for it has seen digits alone"
            )
        return self
