"""Protects the algorithms: each loss and its gradient against numbers worked out by hand."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tasks.training.reinforcement.algorithms import ALGORITHMS
from tasks.training.reinforcement.algorithms.algorithm import Loss, Terms, Whole
from tasks.training.reinforcement.experience import Experience
from tasks.training.reinforcement.rollouts import Group

MASK = torch.tensor([[1.0, 1.0], [1.0, 0.0]])  # a group of two responses: two tokens, and one
SAMPLED = torch.tensor([[-1.0, -1.0], [-1.5, 0.0]])
REFERENCE = torch.tensor([[-1.25, -1.0], [-1.0, 0.0]])
WORTH = torch.tensor([1.0, 0.0])


def experience(**other: Tensor) -> Experience:
    group = Group(prompt=(1,), responses=((5, 2), (2,)), ended=(True, True), states=torch.zeros(0))
    zeros = torch.zeros(2, 2)
    tensors = {
        "mask": MASK,
        "logprobs": SAMPLED,
        "reference": REFERENCE,
        "divergence": zeros,
        "entropy": zeros,
        "values": zeros,
        "scores": WORTH,
    }
    return Experience(groups=(group,), **{**tensors, **other})


def loss_of(name: str, now: Tensor, own: dict[str, Any], **other: Tensor) -> Loss:
    algorithm = ALGORITHMS[name]
    settings, known = algorithm.settings(**own), experience(**other)
    terms = Terms(
        size=2,
        whole=Whole(1, 2, 3.0),
        mask=MASK,
        logprobs=now,
        sampled=known.logprobs,
        reference=known.reference,
        values=known.values,
        expected=known.values,
        goal=algorithm.goal(known, WORTH, settings),
    )
    return algorithm.loss(terms, settings)


def learned(name: str, **own: Any) -> tuple[float, Tensor]:
    """Loss and gradient at the policy that sampled."""
    now = SAMPLED.clone().requires_grad_()
    loss = loss_of(name, now, own)
    loss.total.backward()  # type: ignore[no-untyped-call]
    assert now.grad is not None
    return loss.total.item(), now.grad


def test_rloo_raises_a_whole_response_by_its_score_less_its_divergence() -> None:
    # The divergences are .25 and -.5 nats: worth 1 - .1 * .25 = .975 and 0 + .1 * .5 = .05.
    loss, gradient = learned("rloo", kl_coefficient=0.1)
    assert loss == pytest.approx(0.0, abs=1e-6)
    assert torch.allclose(gradient, torch.tensor([[-0.925, -0.925], [0.925, 0.0]]) / 2)


def test_sft_makes_every_token_of_a_good_answer_likelier() -> None:
    loss, gradient = learned("sft")
    assert loss == pytest.approx((1.0 + 1.0 + 1.5) / 3)
    assert torch.allclose(gradient, -MASK / 3)


def test_grpo_weighs_tokens_or_responses_and_prices_the_divergence() -> None:
    _, plain = learned("grpo", kl_coefficient=0.0, scale="none")
    assert torch.allclose(plain, torch.tensor([[-0.5, -0.5], [0.5, 0.0]]) / 3)
    _, each = learned("grpo", kl_coefficient=0.0, scale="none", mean_over="responses")
    assert torch.allclose(each, torch.tensor([[-0.25, -0.25], [0.5, 0.0]]) / 2)
    _, scaled = learned("grpo", kl_coefficient=0.0)
    assert torch.allclose(scaled, plain / (0.5**0.5 + 1e-4))
    loss, priced = learned("grpo", kl_coefficient=1.0, scale="none")
    # k3 of reference - policy: e^x - x - 1, with the slope 1 - e^x in the policy's log-probability.
    away = [-0.25, 0.0, 0.5]
    surrogate = (-0.5 - 0.5 + 0.5) / 3
    assert loss == pytest.approx(surrogate + sum(math.exp(x) - x - 1 for x in away) / 3, rel=1e-5)
    slope = torch.tensor([[1 - math.exp(-0.25), 0.0], [1 - math.exp(0.5), 0.0]])
    assert torch.allclose(priced - plain, slope / 3, atol=1e-6)


def test_grpo_clips_higher_above_where_it_is_told() -> None:
    now = SAMPLED + MASK * math.log(1.25)
    assert loss_of("grpo", now, {"clip_range_above": 0.3}).clipped == 0.0
    assert loss_of("grpo", now, {}).clipped.item() == pytest.approx(2 / 3)


def test_dpo_tells_a_pair_apart_by_how_far_both_have_moved() -> None:
    # The better has gained .25 nats over the reference, the worse lost .5: .75 between them.
    loss, gradient = learned("dpo", beta=0.4)
    assert loss == pytest.approx(-math.log(1 / (1 + math.exp(-0.3))), rel=1e-5)
    slope = 0.4 / (1 + math.exp(0.3))
    assert torch.allclose(gradient, torch.tensor([[-slope, -slope], [slope, 0.0]]))
    smooth, _ = learned("dpo", beta=0.4, label_smoothing=0.25)
    wrong = -math.log(1 / (1 + math.exp(0.3)))
    assert smooth == pytest.approx(0.75 * loss + 0.25 * wrong, rel=1e-5)


def test_ipo_stops_where_a_pair_is_far_enough_apart() -> None:
    loss, gradient = learned("dpo", beta=1 / 1.5, loss="ipo")
    assert loss == pytest.approx(0.0, abs=1e-6)
    assert torch.allclose(gradient, torch.zeros(2, 2), atol=1e-5)


def test_dpo_counts_pairs_that_the_policy_has_the_wrong_way_round() -> None:
    assert loss_of("dpo", SAMPLED, {}).clipped == 0.0
    assert loss_of("dpo", SAMPLED - torch.tensor([[1.0, 0.0], [0.0, 0.0]]), {}).clipped == 1.0


def test_kto_judges_each_answer_by_itself() -> None:
    moved = torch.tensor([[0.1, 0.1], [0.2, 0.0]])  # .2 nats a response
    own = {"beta": 0.5, "desirable": 2.0}
    loss = loss_of("kto", SAMPLED, own, divergence=moved).total.item()
    good = 2.0 * (1 - 1 / (1 + math.exp(-0.5 * (0.25 - 0.2))))
    bad = 1 - 1 / (1 + math.exp(0.5 * (-0.5 - 0.2)))
    assert loss == pytest.approx((good + bad) / 2, rel=1e-5)


def test_orpo_teaches_the_better_answer_and_its_odds() -> None:
    loss, gradient = learned("orpo", odds=0.5)
    better, worse = -1.0, -1.5  # a token, on average

    def odds(likely: float) -> float:
        return likely - math.log(1 - math.exp(likely))

    ratio = odds(better) - odds(worse)
    assert loss == pytest.approx(-better + 0.5 * math.log(1 + math.exp(-ratio)), rel=1e-5)
    assert (gradient[0] < 0).all()
    assert gradient[1, 0] > 0
    assert gradient[1, 1] == 0


def test_ppo_learns_values_beside_the_policy() -> None:
    values = torch.zeros(2, 2, requires_grad=True)
    algorithm = ALGORITHMS["ppo"]
    settings, known = algorithm.settings(kl_coefficient=0.0, gae_lambda=1.0), experience()
    goal = algorithm.goal(known, WORTH, settings)
    assert goal["returns"].tolist() == [[1.0, 1.0], [0.0, 0.0]]
    terms = Terms(
        size=2,
        whole=Whole(1, 2, 3.0),
        mask=MASK,
        logprobs=SAMPLED,
        sampled=SAMPLED,
        reference=REFERENCE,
        values=values,
        expected=torch.zeros(2, 2),
        entropy=torch.ones(2, 2),
        goal=goal,
    )
    loss = algorithm.loss(terms, settings)
    assert loss.value.item() == pytest.approx(0.5 * 2 / 3)
    loss.total.backward()  # type: ignore[no-untyped-call]
    assert torch.allclose(values.grad, -0.1 * torch.tensor([[1.0, 1.0], [0.0, 0.0]]) / 3)  # type: ignore[arg-type]
    priced = algorithm.settings(kl_coefficient=0.0, gae_lambda=1.0, entropy_coefficient=0.3)
    assert algorithm.loss(terms, priced).total.item() == pytest.approx(loss.total.item() - 0.3, rel=1e-5)


def test_ppo_with_a_group_as_baseline_leaves_the_values_only_differences() -> None:
    algorithm = ALGORITHMS["ppo"]
    settings = algorithm.settings(kl_coefficient=0.0, gae_lambda=1.0, baseline="group")
    assert algorithm.goal(experience(), WORTH + 7, settings)["returns"].tolist() == [[1.0, 1.0], [-1.0, 0.0]]


@pytest.mark.parametrize(
    ("divergences", "expected"),
    [
        ([], 0.05),
        ([4.0], 0.05),
        ([4.4], 0.05 * 1.01),  # a tenth above the target: a gain of 0.1 makes one hundredth of it
        ([40.0, 0.0], 0.05 * 1.02 * 0.98),  # however far off, a fifth counts
    ],
)
def test_the_price_of_the_divergence_follows_its_target(divergences: list[float], expected: float) -> None:
    algorithm = ALGORITHMS["ppo"]
    settings = algorithm.settings(kl_coefficient=0.05, kl_target=4.0)
    assert algorithm.after(settings, divergences).kl_coefficient == pytest.approx(expected)
    fixed = algorithm.settings(kl_coefficient=0.05)
    assert algorithm.after(fixed, divergences) is fixed


def test_a_price_that_followed_is_paid() -> None:
    reference = experience(values=torch.zeros(2, 2))
    algorithm = ALGORITHMS["ppo"]
    settings = algorithm.settings(kl_coefficient=0.05, kl_target=1.0, kl_gain=1.0)
    dearer = algorithm.after(settings, [9.0] * 30)
    plain, priced = (algorithm.goal(reference, WORTH, each)["returns"] for each in (settings, dearer))
    # The first token is likelier than under the reference by 0.25 nats, with a discount of 1.
    gained = (dearer.kl_coefficient - settings.kl_coefficient) * 0.25
    assert (plain - priced)[0, 0].item() == pytest.approx(gained, rel=1e-5)
