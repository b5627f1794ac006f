"""Answers labelled by hand as abstaining or not, and how far `deploy.abstention` agrees with the labels.

An answer abstains if its speaker, taken as a whole, says that the question cannot be answered, that the
documentation does not say, or that there is nothing such as is asked about, and gives no answer. One that
begins like that and then answers does not abstain, nor does one that answers first, a `No` to a question that
wants yes or no, or a reply to small talk. An answer that was cut by its length is judged by what is there.

`answers.jsonl` holds what untuned and tuned models said to questions of test splits. `sample` tells a plain
random draw from the answers of an arm ("random") from answers picked because they could be read either way
("hard"): only the former say how often the detector errs in a run. No question is in both parts.
"""
