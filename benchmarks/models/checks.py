"""What is tried of each family: its loss, each method from attaching to serving, decoding, and RLHF.

All in float32 on random weights, where things that are the same differ by rounding alone. Import this module
late: torch is needed.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.learning import steps as learning_steps
from benchmarks.models.families import SMALL_SETTINGS
from deploy.adapters.merging import merge_into
from deploy.engines.chat import load_tokenizer
from deploy.engines.decoding import decode
from deploy.engines.engine import Sampling
from deploy.engines.local import TransformersEngine
from deploy.errors import ThreeplyError
from tasks.machine.device import Device
from tasks.methods import METHODS
from tasks.methods.layers.fusing import fuse_layers
from tasks.methods.layers.language_head import head_logits
from tasks.methods.layers.shared_prefix import final_states, share_prefix
from tasks.methods.method import Adapted, Material
from tasks.methods.parts.base_model import load_base
from tasks.methods.parts.loading import load_trained
from tasks.methods.parts.targets import chosen_names, closing_names
from tasks.training.reinforcement.actors import load_actors
from tasks.training.reinforcement.rollouts import collate, sample
from tasks.training.rewards.model import new_reward_model
from tasks.training.split_decoder import uncuttable
from tasks.training.tuning.tokens import IGNORED
from tasks.training.tuning.trainer import answer_loss

CPU = Device(name="cpu", threads=1, precision="float32")
NEAR = 5e-4  # how far two logits may lie apart that are the same but for rounding
LENGTHS = (24, 17, 11)  # tokens of the rows: more than the window of layers that have one
PROMPT = 9  # of them, tokens that do not count in the loss
LONGEST = max(LENGTHS)  # no token of a row looks back further
END = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Whether something works: it does, it is refused for a `reason`, or it is `wrong`, which is a fault."""

    wrong: bool = False
    reason: str = ""


def rows() -> Tensor:
    """Right-padded rows [rows, tokens]."""
    drawn = torch.randint(3, 300, (len(LENGTHS), max(LENGTHS)), generator=torch.Generator().manual_seed(1))
    for row, length in enumerate(LENGTHS):
        drawn[row, length:] = END
    return drawn


def labels() -> Tensor:
    """Those of `rows`: the tokens behind the prompt, without the padding."""
    wanted = rows()
    for row, length in enumerate(LENGTHS):
        wanted[row, length:] = IGNORED
    wanted[:, :PROMPT] = IGNORED
    return wanted


def mask() -> Tensor:
    """1 where `rows` has real tokens."""
    return torch.tensor([[1] * length + [0] * (max(LENGTHS) - length) for length in LENGTHS])


def losses(base: Path) -> tuple[float, float]:
    """The loss of `rows` as transformers' own forward pass has it, and as training computes it."""
    model = load_base(base, CPU)
    with torch.no_grad():
        own = model(input_ids=rows(), attention_mask=mask(), labels=labels()).loss
        fused = fuse_layers(model)
        ours = answer_loss(model, rows(), labels(), lengths=mask().sum(1) if fused else None)
    return float(own), float(ours)


def is_fused(base: Path) -> bool:
    """Whether its layers are replaced by faster ones."""
    return fuse_layers(load_base(base, CPU))


def tried(base: Path, method: str, folder: Path) -> Finding:
    """The method on the model: attached, trained, saved to `folder`, loaded, merged and served."""
    try:
        adapted = _attached(base, method)
    except ThreeplyError as error:
        return Finding(reason=str(error))
    wanted = _learn(adapted)
    if wanted is None:
        return Finding(wrong=True, reason="the loss does not fall")
    adapted.write(folder)
    forms = {"loaded": load_trained(base, folder, CPU)(rows())}
    with TransformersEngine(base, {"tuned": folder}).held("tuned") as read:
        forms["served"] = read(rows())
    if "merge" not in METHODS[method].cannot:
        merged = load_base(base, CPU)
        merge_into(merged, folder)
        with torch.no_grad():
            forms["merged"] = merged(input_ids=rows()).logits
    real = mask().bool()
    for form, logits in forms.items():
        gap = float((logits - wanted)[real].abs().max())
        if not gap < NEAR:
            return Finding(wrong=True, reason=f"{form}, its logits are {gap:.2g} off")
    return Finding()


def decoded(base: Path) -> Finding:
    """Whether prompts of different lengths, decoded as one batch, go on as each does when read whole."""
    model = load_base(base, CPU).eval()
    prompts = [row[:length].tolist() for row, length in zip(rows(), LENGTHS, strict=True)]
    made: list[list[int]] = [[] for _ in prompts]
    for step in decode(model, prompts, sampling=Sampling(max_new_tokens=8), goes_on=lambda *_: True):
        for row, token in step:
            made[row].append(token)
    for prompt, found in zip(prompts, made, strict=True):
        with torch.no_grad():
            read = model(input_ids=torch.tensor([prompt + found])).logits[0, len(prompt) - 1 : -1]
        lost = read.max(dim=-1).values - read.gather(1, torch.tensor(found)[:, None])[:, 0]
        if not float(lost.max()) < NEAR:
            return Finding(wrong=True, reason=f"a token is {float(lost.max()):.2g} less likely than another")
    return Finding()


def reinforced(base: Path, folder: Path) -> Finding:
    """Whether RLHF's policy says of its rollouts what the same adapter says when it is loaded alone."""
    if reason := uncuttable(load_base(base, CPU), longest=LONGEST):
        return Finding(reason=reason)
    adapted = _attached(base, "lora")
    _learn(adapted)
    adapted.write(folder / "sft")
    new_reward_model(base, folder / "sft", CPU).save_pretrained(folder / "reward")
    actors = load_actors(base, folder / "sft", folder / "reward", CPU, trained_layers=2, longest=LONGEST)
    prompts = [row[:PROMPT].tolist() for row in rows()]
    drawn = sample(
        actors.decoder,
        prompts,
        responses=2,
        end=END,
        max_new_tokens=8,
        temperature=1.0,
        generator=torch.Generator().manual_seed(0),
    )
    batch = collate(drawn)
    with torch.no_grad():
        ours = actors.decoder.logits(actors.before_tokens(batch))
    alone = load_trained(base, folder / "sft", CPU)
    pairs = [(group.prompt, response) for group in drawn for response in group.responses]
    for row, (prompt, response) in enumerate(pairs):
        read = alone(torch.tensor([[*prompt, *response]]))[0, len(prompt) - 1 : -1]
        gap = float((ours[row, : len(response)] - read).abs().max())
        if not gap < NEAR:
            return Finding(wrong=True, reason=f"its logits are {gap:.2g} off")
    return Finding()


def _attached(base: Path, method: str) -> Adapted:
    torch.manual_seed(0)
    model = load_base(base, CPU)
    values = SMALL_SETTINGS.get(method, {})
    if method == "hybrid":  # its defaults name the modules of the Llama kind
        closing = closing_names(model)[-1:]
        others = [name for name in chosen_names(model, "all-linear", key="") if name not in closing]
        values = {**values, "lora": others[:2], "adapter": closing}
    chosen = METHODS[method]
    tokens = [row[:length].tolist() for row, length in zip(rows(), LENGTHS, strict=True)]
    material = Material(tokenizer=load_tokenizer(base), rows=tokens)
    return chosen.attach(model, chosen.settings(**values), material)


def _learn(adapted: Adapted, steps: int = 3) -> Tensor | None:
    """Learn `rows` for some steps, and what the model makes of them then; None if the loss does not fall."""
    lengths = mask().sum(1) if fuse_layers(adapted.model) else None
    found = list(learning_steps(adapted, rows(), labels(), lengths=lengths, rate=1e-2, count=steps))
    if not found[-1] < found[0]:
        return None
    adapted.model.eval()
    with torch.no_grad():
        shared = None if lengths is None else share_prefix(rows(), lengths)
        states = final_states(adapted.model, rows(), shared, adapted.hidden)
        return head_logits(adapted.model, states if shared is None else shared.rows(states[0]))
