"""Protects what is read of a page: its content, each kind of block in its form, and nothing around it."""

import pytest

from deploy.documents.reading.html_files import read_html
from deploy.errors import DocumentError


def read(body: str) -> str:
    """What is read of a page with this body."""
    return read_html(
        f"<!doctype html><html><head><title>T</title></head><body>{body}</body></html>".encode()
    ).text


PAGE = """
<html><head><title>Cages - Zoo</title><style>p {color: red}</style><script>a = "<p>no</p>";</script></head>
<body><header><h1>The Zoo</h1></header><nav><a href="/">Home</a></nav>
<main><header><h1>Cages<a class="headerlink" href="#cages">&para;</a></h1></header>
<p>Each cage has a <code>door</code>&nbsp;&amp; a <b>roof</b>, 10<sup>-3</sup> m thick.<p>Not closed
<aside>Mind the <a href="#gap">gap</a>.</aside><nav>Previous</nav><button>Copy</button>
<noscript>Switch it on</noscript><template>t</template><p hidden>secret</p><svg><title>s</title></svg></main>
<aside>Advertisement</aside><footer>2024</footer></body></html>
"""


def test_the_content_is_read_without_what_stands_around_it() -> None:
    reading = read_html(PAGE.encode())
    assert reading.title == "Cages"
    assert reading.text == (
        "# Cages\n\nEach cage has a `door` & a roof, 10^-3 m thick.\n\nNot closed\n\nMind the gap."
    )


def test_without_main_the_body_is_read_less_its_furniture() -> None:
    page = PAGE.replace("<main>", "<div>").replace("</main>", "</div>")
    reading = read_html(page.encode())
    assert reading.title == "Cages - Zoo"
    assert "Each cage has" in reading.text
    assert not {"The", "Home", "Previous", "Advertisement", "2024"} & set(reading.text.split())


@pytest.mark.parametrize("body", ["<nav>The bird sings.", "<main></main><header>The bird sings.</header>"])
def test_where_all_stands_in_the_furniture_that_is_read(body: str) -> None:
    assert read(body) == "The bird sings."


@pytest.mark.parametrize(
    ("heads", "title"),
    [("<h1>a <code>b</code></h1>", "a b"), ("<h1>a</h1><h1>b</h1>", "T"), ("<h2>a</h2>", "T")],
)
def test_the_title_is_the_only_first_heading_or_else_that_of_the_page(heads: str, title: str) -> None:
    assert read_html(f"<title> T </title>{heads}".encode()).title == title


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<h3>a<br>b</h3>c", "### a b\n\nc"),
        ("a<br>b<wbr>c <img alt='a bee'> <img src=x>", "a\nbc a bee"),
        (
            "<pre><code>def f():\n\tpass  \n\n\n    return</code>\n</pre>",
            "```\ndef f():\n    pass  \n\n\n    return\n```",
        ),
        ("<pre><div>a</div><div>b</div></pre>", "```\na\nb\n```"),
        ("<pre>a ``` b</pre>", "````\na ``` b\n````"),
        ("a <code>b`c</code> <kbd></kbd><samp> </samp>d", "a `` b`c `` d"),
        ("<ul><li>a<li><p>b</p>c</ul>d", "- a\n\n- b\n\n  c\n\nd"),
        ("<ol start=3><li>a<ul><li>b</ul><li>c</ol>", "3. a\n\n  - b\n\n4. c"),
        ("<li>a<li>b", "- a\n\n- b"),
        ("<dl><dt>-f<dt>--force<dd>Do it.<p>Really.</dl>e", "-f\n--force\n: Do it.\n\nReally.\n\ne"),
        (
            "<dl><dt>C<span class='classifier'>float</span></dt><dd>Penalty.</dd></dl>",
            "C : float\n: Penalty.",
        ),
        ("<dl><dt>a</dt></dl><h2>b</h2><dl><dt>c<dd><pre>d</pre></dl>", "a\n\n## b\n\nc\n\n```\nd\n```"),
        ("<details><summary>a</summary>b</details>", "a\n\nb"),
        ("<div role=tabpanel hidden>pip install</div><div hidden>x</div>a", "pip install\n\na"),
        ("&lt;b&gt; &eacute;&#8364;&#xD800;&bogus; &amp;lt;", "<b> \u00e9\u20ac\ufffd&bogus; &lt;"),
        ("x<sup>2</sup> Zoo<sup>TM 1 and more</sup> a<sup>[1]</sup>", "x^2 ZooTM 1 and more a[1]"),
        ("<![foo[a]]>b<!-- c --><?php d ?>", "b"),
        ("a</div></p></b></table>b", "ab"),
    ],
)
def test_each_kind_of_block_keeps_its_form(body: str, text: str) -> None:
    assert read(body) == text


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (
            "<tr><th>Option<th>Default<tr><td><code>C</code><td>1.0<tr><td>k<td><p>a</p><p>b</p>",
            "Option: `C`; Default: 1.0\n\nOption: k; Default: a b",
        ),
        ("<tr><td>a<td>b<tr><td>c<td>", "a; b\n\nc"),
        ("<tr><th>a<th>b", "a; b"),
        (
            "<thead><tr><th rowspan=2>Bird<th colspan=2>Size</tr><tr><th>min<th>max</thead>"
            "<tr><td rowspan=2>jay<td>1<td>2<tr><td>3<td>4<tr><td colspan=3>Rare",
            "Bird: jay; Size min: 1; Size max: 2\n\nBird: jay; Size min: 3; Size max: 4\n\nRare",
        ),
        ("<tr><td>one<tr><td>column", "one\n\ncolumn"),
        ("<tr><td>1<td><pre>a\nb</pre>", "1\n\n```\na\nb\n```"),
        ("<tr><td>a<table><tr><th>x<th>y<tr><td>1<td>2</table><td>b", "a\n\nx: 1; y: 2\n\nb"),
        ("<tr><td colspan=999999999 rowspan=x>a<td>b", "a; b"),
    ],
)
def test_a_row_of_a_table_names_its_columns(table: str, text: str) -> None:
    assert read(f"<table>{table}</table>") == text


def test_nothing_is_expanded_or_fetched() -> None:
    lol = '<!DOCTYPE html [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>'
    text = read_html(f"{lol}<p>&a;&b;</p>".encode()).text
    assert "&a;&b;" in text
    assert "root:" not in text


@pytest.mark.parametrize(
    "tag", ["div", "table><tr><td", "ul><li", "b", "blockquote", "dl><dd", "main", "pre"]
)
def test_deep_nesting_is_read(tag: str) -> None:
    assert "word" in read(f"<{tag}>" * 3000 + "word")


@pytest.mark.parametrize(
    "content", [b"<html><script>go()</script></html>", b"<body><svg>a</svg>", b"<p> &nbsp;"]
)
def test_a_page_without_text_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentError, match="there is no text in it; a page that a script fills"):
        read_html(content)
