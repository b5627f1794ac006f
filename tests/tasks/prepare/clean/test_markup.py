"""Protects the repair of HTML: what a page has left behind goes, what speaks of it or is code stays."""

from collections import Counter

import pytest

from deploy.messages import Message
from tasks.prepare.clean.markup import asks_for_markup, strip_markup
from tasks.prepare.clean.repairs import REPAIRS, repair_texts, repaired
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, pair, question, rows


@pytest.mark.parametrize(
    ("left_over", "text"),
    [
        ("<p>Which command lists files?</p>", "Which command lists files?"),
        ("<pre><code>```\nls -l &gt; out\n```</code></pre>", "```\nls -l > out\n```"),
        ("Please&nbsp;list&nbsp;all &quot;open&quot; files", 'Please list all "open" files'),
        ("sort a &amp;&amp; uniq a &gt; b", "sort a && uniq a > b"),
        ('See <a href="https://docs.example/1" target="_blank">the page</a>.', "See the page."),
        ("<script>var q=q||[];q.push(['a<b']);</script>Test a file.", "Test a file."),
        ("<style type='text/css'>p { margin: 0 }</style>Test a file.", "Test a file."),
        ("<!-- block:7 -->Test a file.<!-- /block:7 -->", "Test a file."),
        (
            '<div class="answer" style="margin:0"><span>You can use:\n\n    ls &gt; out</span><br/></div>',
            "You can use:\n\n    ls > out",
        ),
        ("<P>Shouted</P>", "Shouted"),
        ("One line<br>another<br/>\nand a third", "One line\nanother\nand a third"),
        ("<p>One.</p><p>Two <b>bold</b> words.</p>", "One.\n\nTwo bold words."),
        ("<ul>\n  <li>one</li>\n  <li>two &amp; three</li>\n</ul>", "- one\n- two & three"),
        ("<p>Run <code>ls</code>:</p><pre>  ls -l\n  pwd</pre>", "Run `ls`:\n\n```\n  ls -l\n  pwd\n```"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("It grows as n<sup>2</sup>.", "It grows as n^2."),
        ("Caf&eacute; &mdash; it&#39;s open", "Caf\u00e9 \u2014 it's open"),
        ("&lt;p&gt;Sent twice, &amp;amp; whole.&lt;/p&gt;", "Sent twice, & whole."),
    ],
)
def test_what_a_page_has_left_behind_becomes_plain_text(left_over: str, text: str) -> None:
    counts: Counter[str] = Counter()
    assert repaired(left_over, tuple(REPAIRS), counts) == text
    assert counts["markup"] == 1
    assert strip_markup(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "The template contains a `<title>` element.",
        "The placeholder <file> stands for any <path>.",
        "Keep the lines where a < b && c > d.",
        "Each page ends with `</body>` and must stay so.",
        "Each page ends with </body> and must stay so.",
        "The query string is ?page=3&lang=en&copy=1.",
        "Use List<int>, Map<String, List<a>> or vector<b> here.",
        "#include <stdio.h>\n#include <map>\n\nint main() { return x<b>c; }",
        "int *p = &num; q = &reg;",
        "Press <Ctrl c>, then <Enter>.",
        "Here it is:\n\n```html\n<p>Hello &amp; bye</p>\n```",
        "You can write:\n\n    <div><p>Hello</p></div>",
        "Put it between <p> and </p>.",
        "Use <br> to end a line.",
        "What does the <b> tag do in <b>this</b> HTML?",
        "Why does <div>this</div> not show?",
        "<note><title>Shopping</title><to>Ann</to></note>",
        "<html><body><p>A page.</p></body></html>",
        "echo '<b>bold</b>' | lynx -dump -stdin",
        "Write `&amp;` for an ampersand.",
        "Write &lt;b&gt;x&lt;/b&gt; where a word is bold.",
        's.replace("&", "&amp;").replace("<", "&lt;")',
        "x = 'a&nbsp;b'\ny = z < 3",
        "<|im_start|>system",
        "<class 'int'> and <function f at 0x7f>",
        "&lt;",
        "<!-- nothing else -->",
        "A comment begins with <!-- and ends with -->.",
        "Write to <anna@nordhafen.example> or see <https://docs.example>.",
    ],
)
def test_what_speaks_of_html_or_is_code_stays(text: str) -> None:
    assert strip_markup(text) == text


def test_an_answer_is_left_as_it_is_where_html_was_asked_for() -> None:
    assert asks_for_markup("How do I make a word bold in HTML?")
    assert asks_for_markup("How do I show a picture on my website?")
    assert not asks_for_markup("Which command lists files?")
    bold, plain = "<p>Use <b>bold</b>.</p>", "Use bold."
    found = rows(
        question("wanted", "How do I make a word bold in HTML?", bold),
        question("left over", "Which words are bold?", bold),
        pairs=(pair("pair", bold, "No.", prompt=(Message("user", "How do I write CSS?"),)),),
        documents=(document("d", bold),),
    )
    fixed = repair_texts(found, cleaning()).rows
    assert [row.answer for row in fixed.examples] == [bold, plain]
    assert fixed.preferences[0].chosen == bold
    assert fixed.documents[0].text == plain


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("<p>The default of <b>C</b> is 1.</p>", "<b>C</b> is 1"),  # it is HTML
        ("In HTML, write <b>C</b> for a bold C.", "<b>C</b>"),  # it speaks of it
    ],
)
def test_a_quote_still_stands_in_its_document(text: str, quote: str) -> None:
    found = rows(
        question("asked", "Why?", "Because.", evidence=("d",), quote=quote), documents=(document("d", text),)
    )
    fixed = repair_texts(found, cleaning()).rows
    assert fixed.examples[0].quote
    assert fixed.examples[0].quote in fixed.documents[0].text


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ["<!--", "<script>", "<a ", "<b>", "</b>", "`", "```", "&amp;", "<p title='"]
)
def test_no_text_makes_it_slow(piece: str) -> None:
    strip_markup(piece * 50_000)
    strip_markup("word " + piece * 50_000 + " word")
