"""Questions in several wordings, and others that differ in what counts: which are called semantic duplicates.

Each line is one question in four wordings that share few words. What has to stay is a question near to one of
them that asks something else, and two questions that have nothing but their answer in common.
"""

from pathlib import Path
from typing import Any

from deploy.knowledge.embedder import SentenceEmbedder
from tasks.prepare.selection.alike import semantic_duplicates
from tasks.rows.identity import asked_text
from tasks.rows.records import Example

COSINES = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6)
_WORDINGS = (
    (
        "How do I reset my password?",
        "I forgot my password, how can I get a new one?",
        "What are the steps to change a lost password?",
        "Is there a way to set my password anew?",
    ),
    (
        "When will my parcel arrive?",
        "How long does delivery of my order take?",
        "On which day do I get the package that I ordered?",
        "What is the expected date of my shipment?",
    ),
    (
        "How can I cancel my subscription?",
        "I want to stop my subscription, what do I do?",
        "What is the way to end my plan?",
        "Where do I quit the membership?",
    ),
    (
        "Can I pay by credit card?",
        "Do you accept credit cards?",
        "Is paying with a card possible?",
        "Are card payments taken?",
    ),
    (
        "How do I delete my account?",
        "What must I do to have my account removed?",
        "Please tell me how to close my account for good.",
        "I would like to get rid of my profile, how?",
    ),
    (
        "Where can I download my invoice?",
        "How do I get a copy of my bill?",
        "In which menu is the receipt for my order?",
        "I need the invoice as a file, where is it?",
    ),
    (
        "What are your opening hours?",
        "When is the shop open?",
        "From when to when can I visit the store?",
        "At what times do you open and close?",
    ),
    (
        "How do I change the language of the app?",
        "Can the app be set to another language?",
        "Where is the setting for the display language?",
        "The app is in the wrong language, how do I switch it?",
    ),
    (
        "Why is my screen black after the update?",
        "Since the update the display stays dark, why?",
        "The monitor shows nothing after updating, what is the reason?",
        "What causes a black screen once it was updated?",
    ),
    (
        "How do I connect the printer to wireless?",
        "What is needed to get the printer onto Wi-Fi?",
        "How can the printer join my wireless network?",
        "Setting up the printer without a cable, how does it work?",
    ),
    (
        "How do I list the files of a folder by size?",
        "Which command shows a folder's files sorted by size?",
        "Show me how to order a directory listing by how large files are.",
        "How are files sorted by size in a listing?",
    ),
    (
        "How do I undo the last commit?",
        "What takes back my most recent commit?",
        "I want to revert the latest commit, how?",
        "How can the newest commit be reversed?",
    ),
)
# Each asks something else than the first wording of its line above, and is to stay though it has that answer.
_OTHERS = (
    "How do I reset my PIN?",
    "When will parcel 7 arrive?",
    "How can I cancel 2 subscriptions?",
    "Can I not pay by credit card?",
    "How do I delete my account on GitHub?",
    "Where can I download invoice 2031-7?",
    "What are your opening hours in Lisbon?",
    "How do I change the language of Word?",
    "Why is my screen black without the update?",
    "How do I connect the printer to `eth0`?",
    "How do I list 5 files of a folder by size?",
    "How do I undo the last 3 commits?",
)


def measured(embedder: Path) -> dict[str, Any]:
    """By cosine: of the further wordings how many are found, and of what has to stay how many are not."""
    rows = [
        _row(f"{line} {place}", question, f"Answer number {line} of the handbook.")
        for line, wordings in enumerate(_WORDINGS)
        for place, question in enumerate((*wordings, _OTHERS[line]))
    ]
    common = [_row(f"common {line}", wordings[0], "Yes.") for line, wordings in enumerate(_WORDINGS)]
    rows += common
    texts = [asked_text(row.prompt) for row in rows]
    vectors = SentenceEmbedder(embedder).embed_texts(texts, progress=lambda _: None)
    told: dict[str, Any] = {}
    for cosine in COSINES:
        gone = {rows[each.place].id for each in semantic_duplicates(rows, vectors, near=cosine)}
        wordings = [f"{line} {place}" in gone for line in range(len(_WORDINGS)) for place in (1, 2, 3)]
        others = [f"{line} {len(_WORDINGS[line])}" in gone for line in range(len(_WORDINGS))]
        told[f"{cosine:g}"] = {
            "another wording": [sum(wordings), len(wordings)],
            "another question": [sum(others), len(others)],
            "another question, answered alike": [sum(row.id in gone for row in common), len(common)],
        }
    return told


def _row(name: str, question: str, answer: str) -> Example:
    return Example.plain(name, question, answer, source="made", task="chat", group=name)
