// The turn before: what a question is sent with, so that it may follow on ("And `gamma`?").
// It is one turn, since fine-tuning has rows with one turn before and none with more, and each further one
// takes room in a small model's context that the sources need.

const LONGEST = 4000; // characters of question and answer, some 1000 tokens: half of the smallest context
let last = null;

/** The turn that `question` may follow on from: {question, answer}, or null. */
export function before(question) {
  // Asked once more, as with a layer switched off, it must not read its own answer.
  return last?.question === question ? last.before : last;
}

/** Whether `turn` is short enough to be sent along. */
export function fits(turn) {
  return turn.question.length + turn.answer.length <= LONGEST;
}

/** The messages of a request. */
export function messages(question, turn) {
  const said = turn ? [["user", turn.question], ["assistant", turn.answer]] : [];
  return [...said, ["user", question]].map(([role, content]) => ({ role, content }));
}

/** Keeps an answered question as the turn that the next one may follow on from; `turn` was sent with it. */
export function keep(question, answer, turn) {
  last = { question, answer, before: turn && { question: turn.question, answer: turn.answer } };
}

/** Begins anew: the next question stands alone. */
export function forget() {
  last = null;
}
