"""What a release has to say again, word for word, before it goes live.

Two right ways to compute one model differ by rounding: a server may take another token than evaluation did,
where two are nearly as likely, and abstain where the chance of that is nearly the threshold. So an answer is
asked for as far as each of its tokens leads by more than rounding moves, and no further; not at all where the
model is as near to abstaining, or to answering.
"""

from collections.abc import Sequence

from deploy.answer import Layers
from deploy.engines.engine import Sampling
from tasks.evaluation.measuring import Served
from tasks.evaluation.parity_record import Expected
from tasks.evaluation.reading import AnswerTokens, readings
from tasks.rows.records import Example

ASKED_AGAIN = 3  # answers that a release has to repeat
# Nats by which a token leads that rounding does not change. In bfloat16 two right ways differ by 0.25 (0013),
# so that two tokens may come nearer to each other by twice that.
SURE = {"float32": 1e-3}
SURE_IN_SHORT = 1.0
TURNS = 2.0  # times as far from the threshold: the sentence has several tokens, each with its rounding
LAYERS = Layers(prompt=True, retrieval=True)


def expected(model: str, examples: Sequence[Example], served: Served, *, precision: str) -> list[Expected]:
    """The answers of `model` that are sure for longest, asked one by one as a server is asked.

    A server hides no documents, so questions that need some hidden are not asked. None where no answer is
    sure of its first word.
    """
    assistant, tokenizer = served.assistant, served.tokenizer
    sampling = Sampling(max_new_tokens=assistant.sampling.max_new_tokens)
    prompts = [example.prompt for example in examples if not example.withheld]
    texts: list[str] = []
    rows: list[AnswerTokens] = []
    asked = [assistant.compose([prompt], layers=LAYERS)[0] for prompt in prompts]
    turns = served.engine.from_threshold(
        [each.messages for each in asked], model=model, coverage=[each.coverage for each in asked]
    )
    for prompt, composed in zip(prompts, asked, strict=True):
        [answer] = assistant.answer([prompt], model=model, layers=LAYERS, sampling=sampling)
        texts.append(answer.text)
        rows.append(AnswerTokens.of(composed.messages, answer.text, tokenizer))
    with served.engine.held(model) as logits:
        read = readings(logits, rows)
    lead = SURE.get(precision, SURE_IN_SHORT)
    found: list[tuple[bool, int, Expected]] = []
    for prompt, text, row, reading, turn in zip(prompts, texts, rows, read, turns, strict=True):
        if turn <= TURNS * lead:
            continue
        said = row.tokens[row.start :]
        sure = (reading.leads > lead) & (reading.likeliest == reading.likeliest.new_tensor(said))
        count = int(sure.long().cumprod(0).sum())
        whole = count == len(said)
        begins = text if whole else str(tokenizer.decode(said[:count])).rstrip("\ufffd")
        if begins and text.startswith(begins):
            found.append((whole, count, Expected(messages=prompt, answer=begins, whole=whole)))
    best = sorted(found, key=lambda each: each[:2], reverse=True)
    return [each for _, _, each in best[:ASKED_AGAIN]]
