"""Models with a head for labels: what texts and pictures have in common.

A head is one linear layer over one state of the model: the last token's of a text, the class token's of a
picture. What else learns is the choice of a method, as in `sft`.
"""
