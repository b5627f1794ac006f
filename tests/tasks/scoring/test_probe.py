"""Protects what forgetting is measured on: general prompts, and the runs of words that tell an overlap."""

from tasks.scoring.probe import GENERAL, PROMPTS, RUN, grams, overlaps, passages, probe_grams


def test_the_prompts_are_short_everyday_ones_that_the_text_does_not_hold() -> None:
    prompts = passages(PROMPTS)
    assert len(prompts) == len(set(prompts)) == 24
    assert max(len(prompt.split()) for prompt in prompts) <= 30
    assert not any(word in " ".join(prompts).lower() for word in ("numpy", "python", "parameter", "default"))
    text = {gram for passage in passages(GENERAL) for gram in grams(passage)}
    assert all(text.isdisjoint(grams(prompt)) for prompt in prompts)


def test_an_overlap_is_a_run_of_words_whatever_their_case_and_marks() -> None:
    sentence = "Bread needs only four things: flour, water, salt and yeast."
    assert overlaps(["Nothing.", "They say BREAD needs only (four) things - flour"], probe_grams())
    assert not overlaps(["Bread needs only four things", "flour, water"], probe_grams())
    assert len(grams(sentence)) == len(sentence.split()) - RUN + 1
    assert grams("What is 17 plus 26?") <= probe_grams()
    assert grams("What is 17 plus 27?").isdisjoint(probe_grams())
