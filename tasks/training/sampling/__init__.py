"""The tuned model's own answers: drawn, judged against each other, and given to people to judge."""
