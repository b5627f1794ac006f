"""Pairs of tokens for tests."""

from tasks.training.rewards.pairs import TokenPair


def token_pair(
    prompt: tuple[int, ...], chosen: tuple[int, ...], rejected: tuple[int, ...], *, margin: float = 0.0
) -> TokenPair:
    """A pair without a flaw of a name."""
    return TokenPair(prompt=prompt, chosen=chosen, rejected=rejected, margin=margin, flaw="other")
