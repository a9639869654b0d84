"""Writes fixtures/bad: inputs that are damaged, each in one way, for every format.

    scripts/bad_inputs.py

The articles are a, b and c, in that order, where nothing else is said; what is expected of each file stands in
fixtures/bad/expected.txt, which `cargo test --test it bad_corpus::write -- --ignored` writes from what is read and which
is reviewed by hand. The files in Parquet and Arrow are cut and flipped from those of fixtures/formats-in.
"""

import bz2
import gzip
import json
import lzma
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
OUT = ROOT / "bad"
TEXTS = {
    "a": "The pilot boat of Orsund went aground on the bar at low water on Monday, and came off by itself at noon.",
    "b": "Two hens were voted into the town council of Skarv in jest, and the clerk has declared the ballots void.",
    "c": "A frost in May has taken half of the plum blossom along the fjord, the growers of Halden said on Friday.",
}
A, B, C = TEXTS.values()


def put(name, *parts):
    """Writes one file."""
    data = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    (OUT / name).write_bytes(data)


def line(id, text=None, **more):
    return json.dumps({"id": id, "text": text or TEXTS[id], **more}, ensure_ascii=False) + "\n"


def jsonl():
    a, b, c = (line(id) for id in "abc")
    put("jsonl-empty.jsonl")
    put("jsonl-blank.jsonl", "\n\r\n \t\n")
    put("jsonl-cut-in-text.jsonl", a, b[:60])
    put("jsonl-cut-in-key.jsonl", a, b[:4])
    put("jsonl-cut-before-brace.jsonl", a, b[:-2])
    put("jsonl-binary.jsonl", a, bytes(range(128, 256)) + b"\n", c)
    put("jsonl-latin.jsonl", line("a", "Der Käse aus Orsund").encode("latin-1"), c)
    put("jsonl-mixed-encodings.jsonl", line("a", "Käse"), line("b", "Käse").encode("latin-1"), c)
    put("jsonl-utf16.jsonl", ("\ufeff" + a).encode("utf-16-le"))
    put("jsonl-nuls.jsonl", a, "\0" * 40 + "\n", line("b", "Two\0hens"), c)
    put("jsonl-escaped-nul.jsonl", '{"id":"a","text":"Two\\u0000hens"}\n', c)
    put("jsonl-lone-surrogate.jsonl", '{"id":"a","text":"Two \\ud83d hens"}\n', c)
    put("jsonl-deep.jsonl", a, '{"id":"b","x":' + "[" * 5000 + "]" * 5000 + "}\n", c)
    put("jsonl-deep-text.jsonl", a, '{"id":"b","text":' + "[" * 5000 + "]" * 5000 + "}\n", c)
    put("jsonl-same-id-same-text.jsonl", a, a, c)
    put("jsonl-no-ids.jsonl", a.replace('"id": "a", ', ""), c)
    put("jsonl-no-dates.jsonl", line("a", published="soon"), line("b", published="2026-02-30"), line("c", published=[1]))
    put("jsonl-single-quotes.jsonl", a, b.replace('"', "'"), c)
    put("jsonl-two-on-a-line.jsonl", a[:-1], b, c)
    put("jsonl-id-is-object.jsonl", a, '{"id":{"n":1},"text":"x"}\n', c)
    put("jsonl-no-article.jsonl", a, '{"headline":"x"}\n', c)
    put("jsonl-mark-within.jsonl", a, "\ufeff", b, c)
    put("jsonl-gzip-cut.jsonl.gz", gzip.compress((a + b + c).encode(), mtime=0)[:-40])
    put("jsonl-gzip-tail.jsonl.gz", gzip.compress((a + b).encode(), mtime=0), "padding")
    member = bytearray(gzip.compress(b.encode(), mtime=0))
    member[30] ^= 0x55
    whole = [gzip.compress(text.encode(), mtime=0) for text in (a, c)]
    put("jsonl-gzip-torn-member.jsonl.gz", whole[0], bytes(member), whole[1])
    put("jsonl-gzip-magic-only.jsonl.gz", b"\x1f\x8b")
    put("jsonl-bzip-cut.jsonl.bz2", bz2.compress(a.encode())[:-9])
    put("jsonl-xz-cut.jsonl.xz", lzma.compress(a.encode())[:-20])
    put("jsonl-zstd-cut.jsonl.zst", b"\x28\xb5\x2f\xfd\x04\x58\x41")


def lists():
    a, b, c = (line(id).strip() for id in "abc")
    put("list-empty.json", "[]")
    put("list-open.json", "[")
    put("list-cut-in-object.json", f"[{a},\n{b[:50]}")
    put("list-cut-after-comma.json", f"[{a},")
    put("list-no-comma.json", f"[{a}\n{b} {c}]")
    put("list-trailing-comma.json", f"[{a},{b},{c},]")
    put("list-of-other-things.json", f'[{a}, 7, "text", null, [{b}], {c}]')
    put("list-lost-brace.json", f"[{a},\n{b[:-1]},\n{c}]")
    put("list-lost-quote.json", f"[{a},\n" + b.replace('declared', 'decl"ared') + f",\n{c}]")
    put("list-behind-list.json", f"[{a}]\n[{c}]")
    put("list-latin.json", f"[{a},\n".encode(), line("b", "Käse").encode("latin-1"), f",{c}]")
    put("list-utf16.json", (f"\ufeff[{a},\n{c}]").encode("utf-16-be"))


def tables():
    head = "id,text,published\n"
    a, b, c = (f'{id},"{TEXTS[id]}",2026-05-0{n}\n' for n, id in enumerate("abc", 1))
    put("csv-empty.csv")
    put("csv-header-only.csv", head)
    put("csv-cut-in-cell.csv", head, a, b[:40])
    put("csv-lost-quote.csv", head, a, b.replace('",2026', ",2026"), c.replace('"', ""))
    put("csv-few-cells.csv", head, a, "b,x\n", c)
    put("csv-many-cells.csv", head, a, "b,x,2026,y\n", c)
    put("csv-stray-quote.csv", head, a, 'b,Two 3" hens,2026-05-02\n', c)
    put("csv-latin.csv", head, a, 'b,"Der Käse aus Orsund",2026-05-02\n'.encode("latin-1"), c)
    put("csv-nuls.csv", head, a, "b,\0\0,\n", c)
    put("csv-no-dates.csv", head, a.replace("2026-05-01", "May Day"), c)
    put("csv-no-ids.csv", head, a[1:], c)
    put("csv-same-id.csv", head, a, a, c)
    put("csv-no-header.csv", a, b, c)
    put("csv-utf16.tsv", ("\ufeff" + (head + a + c).replace(",2", "\t2").replace("id,text,", "id\ttext\t").replace('a,"', 'a\t"').replace('c,"', 'c\t"')).encode("utf-16-le"))


def item(id, body=None, **more):
    extra = "".join(f"<{key}>{value}</{key}>" for key, value in more.items())
    return f"<item><guid>{id}</guid><description>{body or TEXTS[id]}</description>{extra}</item>\n"


def feeds():
    open, close = '<rss version="2.0"><channel><title>Skarv</title>\n', "</channel></rss>\n"
    a, b, c = (item(id) for id in "abc")
    xml = '<?xml version="1.0" encoding="%s"?>\n'
    put("rss-empty.rss")
    put("rss-no-items.rss", open, close)
    put("rss-no-xml.rss", "404 not found\n")
    put("rss-cut-in-head.rss", open[:30])
    put("rss-cut-in-tag.rss", open, a, b[:3])
    put("rss-cut-in-text.rss", open, a, b[:60])
    put("rss-cut-in-end.rss", open, a, b[:-4])
    put("rss-cut-between.rss", open, a, b)
    put("rss-no-end.rss", open, a, b.replace("</item>", ""), c, close)
    put("rss-no-start.rss", open, a, b.replace("<item>", ""), c, close)
    put("rss-crossed-tags.rss", open, a, b.replace("</guid>", "</description>", 1), c, close)
    put("rss-bare-ampersand.rss", open, a, item("b", "Hens & sons, R&D; 5 < 6"), c, close)
    put("rss-unknown-entity.rss", open, a, item("b", "Hens &hen; sons"), c, close)
    put("rss-html-entities.rss", open, a, item("b", "Hens&nbsp;&eacute;&#8217;s &amp;mdash; sons"), c, close)
    put("rss-external-entity.rss", '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">'
        '<!ENTITY y SYSTEM "http://127.0.0.1:9/">]>\n', open, a, item("b", "Hens &x; and &y;"), c, close)
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    put("rss-entity-bomb.rss", f'<!DOCTYPE rss [<!ENTITY l0 "ha">{laughs}]>\n', open, item("a", "Ha &l9;"), c, close)
    put("rss-item-in-doctype.rss", '<!DOCTYPE rss [<!ENTITY x "<item>no</item>">]>\n', open, a, c, close)
    put("rss-deep.rss", open, a, item("b", "<b>" * 3000 + "x" + "</b>" * 3000), c, close)
    put("rss-says-utf8-is-latin.rss", xml % "utf-8", open, a, item("b", "Der Käse aus Orsund").encode("latin-1"), c, close)
    put("rss-says-latin-is-utf8.rss", xml % "iso-8859-1", open, item("a", "Der Käse aus Orsund"), c, close)
    put("rss-says-utf16-is-utf8.rss", xml % "utf-16", open, item("a", "Der Käse aus Orsund"), c, close)
    put("rss-says-nonsense.rss", xml % "x-none", open, item("a", "Der Käse aus Orsund"), c, close)
    put("rss-mixed-encodings.rss", xml % "utf-8", open, item("a", "Käse"), item("b", "Köse mit Soße").encode("latin-1"), c, close)
    put("rss-utf16.rss", ("\ufeff" + open + a + c + close).encode("utf-16-le"))
    put("rss-section-open.rss", open, a, item("b", "<![CDATA[<p>Hens</p>"), c, close)
    put("rss-section-holds-end.rss", open, a, item("b", "<![CDATA[Hens </item><item> hens]]>"), c, close)
    put("rss-comment-open.rss", open, a, "<!-- no end\n", b, c, close)
    put("rss-attribute-open.rss", open, a, item("b", '<p title="x>Hens</p> and hens'), c, close)
    put("rss-nuls.rss", open, a, item("b", "Two\0hens\x01"), c, close)
    put("rss-no-ids.rss", open, a.replace("<guid>a</guid>", ""), c, close)
    put("rss-same-id.rss", open, a, a, c, close)
    put("rss-no-dates.rss", open, item("a", pubDate="the day before"), item("c", pubDate=""), close)
    put("rss-nothing-in-item.rss", open, a, "<item/><item></item><item>\n</item>\n", c, close)
    entry = "<entry><id>%s</id><content type='xhtml'><div>%s</div></content></entry>\n"
    put("atom-cut.atom", "<feed>", entry % ("a", A), (entry % ("b", B))[:70])
    put("atom-broken-xhtml.atom", "<feed>", entry % ("a", "<p>One<p>two</b>"), entry % ("c", C), "</feed>")
    put("atom-no-text.atom", "<feed><entry><id>a</id></entry>", entry % ("c", C), "</feed>")
    head = '{"version":"https://jsonfeed.org/version/1.1","title":"Skarv",'
    items = ['{"id":"%s","content_text":"%s"}' % (id, TEXTS[id]) for id in "abc"]
    put("jsonfeed-cut.json", head, '"items":[', items[0], ",", items[1][:40])
    put("jsonfeed-no-items.json", head, '"x":1}')
    put("jsonfeed-items-no-list.json", head, '"items":{"id":"a"}}')
    put("jsonfeed-odd-items.json", head, '"items":[', items[0], ',7,{"x":1},', items[2], "]}")


def trade():
    new = ("<newsItem guid='%s' version='%s'><itemMeta><itemClass qcode='ninat:text'/><versionCreated>%s</versionCreated>"
           "<pubStatus qcode='%s'/></itemMeta><contentSet><inlineXML><html><body><p>%s</p></body></html></inlineXML>"
           "</contentSet></newsItem>\n")
    time = "2026-05-01T10:00:00Z"
    a, b, c = (new % (id, 1, time, "stat:usable", TEXTS[id]) for id in "abc")
    open, close = "<newsMessage><itemSet>\n", "</itemSet></newsMessage>\n"
    put("newsml-empty.newsml")
    put("newsml-cut-in-item.newsml", open, a, b[:200])
    put("newsml-no-end.newsml", open, a, b.replace("</newsItem>", ""), c, close)
    put("newsml-no-guid.newsml", open, a.replace("guid='a' ", ""), c, close)
    put("newsml-odd-version.newsml", open, new % ("a", "two", "yesterday", "stat:unheardof", A), c, close)
    put("newsml-broken-body.newsml", open, a, new % ("b", 1, time, "stat:usable", "Hens <b>& <i>sons</b> &x;"), c, close)
    put("newsml-kill-and-package.newsml", open, a, new % ("b", 2, time, "stat:canceled", B),
        "<packageItem guid='p'><itemMeta/></packageItem>\n", c, close)
    put("newsml-bomb.newsml", '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>', open, new % ("a", 1, time, "", "&b;"), c, close)
    put("newsml-latin.newsml", open, a, (new % ("b", 1, time, "", "Der Käse aus Orsund")).encode("latin-1"), c, close)
    nitf = "<nitf><head><docdata><doc-id id-string='%s'/></docdata></head><body><body.content><p>%s</p></body.content></body></nitf>\n"
    a, b, c = (nitf % (id, TEXTS[id]) for id in "abc")
    put("nitf-cut.nitf", a, b[:90])
    put("nitf-no-body.nitf", a, "<nitf><head><docdata><doc-id id-string='b'/></docdata></head></nitf>\n", c)
    put("nitf-nothing.nitf", a, "<nitf></nitf>\n", c)
    put("nitf-entities.nitf", '<!DOCTYPE nitf SYSTEM "http://127.0.0.1:9/nitf.dtd">\n', nitf % ("a", "Hens & &hens; sons"), c)
    put("nitf-no-nitf.nitf", "<html><body>No</body></html>\n")
    new = '{"uri":"%s","type":"text","body_text":"%s"}'
    a, b, c = (new % (id, TEXTS[id]) for id in "abc")
    put("ninjs-cut.json", "[", a, ",", b[:50])
    put("ninjs-nothing.json", "[", a, ',{"type":"text"},', c, "]")
    put("ninjs-odd-types.json", "[", a, ',{"uri":7,"body_text":[1],"headline":{"x":1},"version":{}},', c, "]")
    put("ninjs-no-time.json", "[", a, ',{"uri":"b","body_text":"Hens","versioncreated":"soon","embargoed":"later"},', c, "]")
    put("ninjs-lines.ndjson", a, "\n", b[:-1], "\n", c, "\n")


def crawls():
    def record(id, text, len_=None, kind="conversion", version="WARC/1.0"):
        data = text.encode() if isinstance(text, str) else text
        size = len(data) if len_ is None else len_
        head = f"{version}\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <{id}>\r\nContent-Length: {size}\r\n\r\n"
        return head.encode() + data + b"\r\n\r\n"
    a, b, c = (record(id, TEXTS[id]) for id in "abc")
    put("wet-empty.wet")
    put("wet-no-warc.wet", "no records\n")
    put("wet-cut-in-head.wet", a, b[:40])
    put("wet-cut-in-text.wet", a, b[:120])
    put("wet-length-short.wet", a, record("b", B, 20), c)
    put("wet-length-long.wet", a, record("b", B, 300), c)
    put("wet-length-huge.wet", a, record("b", B, 99_999_999_999_999), c)
    put("wet-length-negative.wet", a, record("b", B, -5), c)
    put("wet-length-no-number.wet", a, record("b", B, "many"), c)
    put("wet-no-length.wet", a, record("b", B).replace(b"Content-Length", b"Content-Longth"), c)
    put("wet-junk-between.wet", a, "<html>what is this\r\n", c)
    put("wet-torn-mark.wet", a, b"WURC" + b[4:], c)
    put("wet-latin.wet", record("a", "Der Käse aus Orsund".encode("latin-1")), c)
    put("wet-nuls.wet", record("a", "\0" * 100), c)
    put("wet-no-id.wet", a.replace(b"WARC-Record-ID: <a>\r\n", b""), c)
    put("wet-same-id.wet", a, a, c)
    put("wet-other-kinds.wet", record("x", "x", kind="warcinfo"), record("y", "y", kind="request"), a, record("z", "", kind="revisit"))
    packed = [gzip.compress(part, mtime=0) for part in (a, b, c)]
    torn = bytearray(packed[1])
    torn[40] ^= 0xff
    put("wet-torn-member.wet.gz", packed[0], bytes(torn), packed[2])
    put("wet-cut-member.wet.gz", packed[0], packed[1][:60])
    put("wet-zeros-behind.wet.gz", *packed, b"\0" * 512)
    put("warc-no-page.warc", record("a", "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>No</p>", kind="response"),
        record("b", "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG", kind="response"), c)


def columns():
    table = (ROOT / "formats-in" / "table.parquet").read_bytes()
    put("parquet-empty.parquet")
    put("parquet-magic-only.parquet", "PAR1")
    put("parquet-other-magic.parquet", b"PAR2" + table[4:-4] + b"PAR2")
    put("parquet-cut.parquet", table[:3000])
    put("parquet-cut-in-footer.parquet", table[:-60])
    put("parquet-footer-too-long.parquet", table[:-8], (0x7fffffff).to_bytes(4, "little"), "PAR1")
    put("parquet-footer-too-short.parquet", table[:-8], (20).to_bytes(4, "little"), "PAR1")
    put("parquet-footer-zeros.parquet", table[:-200], b"\0" * 192, table[-8:])
    put("parquet-torn-pages.parquet", table[:60], b"\xaa" * 400, table[460:])
    put("parquet-text.parquet", "id,text\n1,Rain\n")
    stream = (ROOT / "formats-in" / "stream.arrows").read_bytes()
    put("arrow-empty.arrow")
    put("arrow-magic-only.arrow", "ARROW1\0\0")
    put("arrow-cut.arrows", stream[:1500])
    put("arrow-cut-in-schema.arrows", stream[:100])
    put("arrow-long-head.arrows", stream[:4], (0x7ffffff0).to_bytes(4, "little"), stream[8:])
    put("arrow-torn.arrows", stream[:40], b"\xaa" * 60, stream[100:])
    put("arrow-text.arrow", "id,text\n1,Rain\n")


def texts():
    put("text-empty.txt")
    put("text-latin.txt", "Der Käse aus Orsund ist nach der Prüfung verdorben, sagte das Amt.".encode("latin-1"))
    put("text-utf16.txt", ("\ufeff" + A).encode("utf-16-le"))
    put("text-binary.txt", bytes(range(256)))
    put("page-empty.html")
    put("page-open-tags.html", "<html><body><p>Two hens<p>were voted<b> in")


OUT.mkdir(exist_ok=True)
for old in OUT.iterdir():
    if old.name != "expected.txt":
        old.unlink()
for make in [jsonl, lists, tables, feeds, trade, crawls, columns, texts]:
    make()
