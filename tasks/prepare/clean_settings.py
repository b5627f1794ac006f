"""The schema of the section `clean` of params.yaml: which steps, in which order, and what each is told."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, field_validator, model_validator

from deploy.settings import Count, Section, Share, spelled
from tasks.prepare.languages import known_language

CleanStep = Literal[
    "repairs",
    "empty",
    "length",
    "equal_answers",
    "placeholders",
    "echoes",
    "blobs",
    "repetition",
    "injection",
    "signals",
    "duplicates",
    "conflicts",
    "evidence",
    "near_duplicates",
    "language",
    "personal",
]
OrderRule = Literal["override", "reveal", "persona", "exfiltration", "address", "role_token", "tool_call"]
SignalName = Literal[
    "characters",
    "words",
    "lines",
    "mean_word_length",
    "alphabetic_share",
    "digit_share",
    "symbol_share",
    "capital_share",
    "stop_word_share",
    "type_token_ratio",
    "ended_lines",
    "short_lines",
    "bullet_lines",
    "ellipsis_lines",
    "duplicate_lines",
    "top_ngram",
    "duplicate_ngrams",
    "profanities",
]
RepairName = Literal["encoding", "compose", "controls", "markup", "blanks"]
PersonalKind = Literal["email", "phone", "iban", "card", "ip", "key", "name"]
NameWay = Literal["letters", "ner"]
Treatment = Literal["redact", "drop", "keep"]
LanguageCode = Annotated[str, AfterValidator(known_language)]
CountryCode = Annotated[str, spelled(r"[A-Z]{2}", "the code of a country, such as US or GB")]


class LanguageSettings(Section):
    """Which languages stay, and when a text is judged at all."""

    keep: Literal["auto"] | Annotated[list[LanguageCode], Field(min_length=1)]
    min_share: Share
    min_letters: Count
    min_score: Share


class PersonalSettings(Section):
    """What becomes of each kind of personal data, how names are known, and whose numbers have no country."""

    email: Treatment
    phone: Treatment
    iban: Treatment
    card: Treatment
    ip: Treatment
    key: Treatment
    name: Treatment
    names_from: list[Annotated[str, Field(min_length=1)]]
    names_by: list[NameWay]
    phone_regions: list[CountryCode]
    spared: list[Annotated[str, Field(min_length=3)]]

    @model_validator(mode="after")
    def _names_known(self) -> "PersonalSettings":
        if self.name == "keep" and (self.names_from or self.names_by):
            raise ValueError(
                "name is keep, so names_from and names_by find nothing; set name to redact or drop"
            )
        if self.name != "keep" and not (self.names_from or self.names_by):
            raise ValueError(
                f"name is {self.name}, but nothing says how names are known: names_from or names_by"
            )
        return self

    def treatments(self) -> dict[PersonalKind, Treatment]:
        """What becomes of each kind."""
        return {kind: getattr(self, kind) for kind in get_args(PersonalKind)}


class BlobSettings(Section):
    """How much of an answer may be bytes in digits and letters, or log lines."""

    max_share: Share


class RepetitionSettings(Section):
    """Which shares of an answer's characters may repeat what was there before."""

    min_words: Count
    max_duplicate_lines: Share
    max_duplicate_ngrams: Share
    max_top_ngram: Share


class InjectionSettings(Section):
    """Which orders to a model a row may not hold (docs/cleaning/injection.md says what each rule finds)."""

    rules: list[OrderRule]


class CleanSettings(Section):
    """The steps in their order, and their settings; those of a step that is not named are not read."""

    steps: list[CleanStep]
    repairs: list[RepairName]
    min_characters: Annotated[int, Field(ge=0)]
    max_characters: Count
    placeholders: list[str]
    blobs: BlobSettings
    repetition: RepetitionSettings
    injection: InjectionSettings
    signals: dict[SignalName, Annotated[list[float], Field(min_length=2, max_length=2)]]
    conflicts: Literal["drop", "first"]
    near_duplicates: Annotated[float, Field(ge=0.3, le=1.0)] | None
    language: LanguageSettings
    personal: PersonalSettings

    @property
    def measures(self) -> bool:
        """Whether the signals of the rows that stay are written: as all steps, only if it is named."""
        return "signals" in self.steps

    @field_validator("steps", "repairs")
    @classmethod
    def _each_once(cls, names: list[str]) -> list[str]:
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{twice[0]} is named twice; once is enough")
        return names

    @field_validator("placeholders")
    @classmethod
    def _as_compared(cls, texts: list[str]) -> list[str]:
        if wrong := next((text for text in texts if text != text.casefold().strip()), None):
            raise ValueError(
                f"{wrong!r} is wrong; it should be {wrong.casefold().strip()!r}: case makes no difference"
            )
        return texts

    @field_validator("signals")
    @classmethod
    def _from_least_to_most(cls, bounds: dict[SignalName, list[float]]) -> dict[SignalName, list[float]]:
        for name, (least, most) in bounds.items():
            if not least <= most:
                raise ValueError(
                    f"{name} is [{least:g}, {most:g}]; it should be [least, most] (.inf for no most)"
                )
        return bounds

    @model_validator(mode="after")
    def _ordered(self) -> "CleanSettings":
        if self.min_characters >= self.max_characters:
            raise ValueError(
                f"min_characters ({self.min_characters}) must be less than "
                f"max_characters ({self.max_characters})"
            )
        return self
