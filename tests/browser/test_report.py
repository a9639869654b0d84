"""The report in a real browser, from disk and without the network. Run by scripts/browser-test."""

import argparse
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "target/browser"
SCREENSHOTS = ROOT / "target/screenshots"
PICTURES = ROOT / "docs/pictures"
SAMESTORY = ROOT / "target/debug/samestory"
FEED_MAKER = ROOT / "target/debug/examples/feed"

MAX_PAGE_BYTES = 15_000_000
MAX_OPEN_SECONDS = 3.0
MAX_PICTURE_BYTES = 200_000
# WCAG 2.2, 1.4.3: text of normal size.
MIN_CONTRAST = 4.5

HOSTILE = [
    "</title></style></script><script>window.hacked = 1</script>",
    "\"><img src=x onerror='window.hacked = 2'>",
    "' onmouseover='window.hacked = 3' x='",
    "<!--<script>{{ 7 * 7 }}{% raw %}</textarea></dialog></details>",
    "javascript:window.hacked = 4 &lt;b&gt; &amp;amp; \u2028\u2029\u202e\u0000",
]
STORY = [
    "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard, the coast guard said.",
    "Fishermen from Ivana brought most of them ashore before dark, and the rest spent the night on a navy cutter.",
    "Captain Rolando Yap told reporters the steering had failed in a strong current two miles from the harbour.",
    "The ship carries freight and about 9,000 people a year between the islands, and was built in Cebu in 1991.",
]


def article(name, text, **fields):
    return {"id": name, "text": text, **fields}


def dated(name, text, hour, **fields):
    return article(name, text, published=f"2026-03-02T{hour:02}:00:00Z", **fields)


def moved_feed():
    turned = [STORY[0].replace("214", "241"), STORY[3], STORY[1], STORY[2]]
    return [
        dated("first", "\n\n".join(STORY), 8, title="Ferry aground off Batanes", source="Wire"),
        dated("turned", "\n\n".join(turned), 11, title="Ferry runs aground", source="Daily"),
        dated("cut", "\n\n".join(STORY[:3]), 12, title="Ferry aground", source="Echo"),
    ]


def hostile_feed():
    rows = []
    for i, text in enumerate(HOSTILE):
        body = " ".join(STORY) + "\n\n" + text
        rows += [dated(f"{i}a{text}", body, 8, title=text, source=text), dated(f"{i}b{text}", body + " Again.", 9, title=text)]
    return rows


def edge_feeds():
    arabic = "جنحت العبارة قبالة الجزيرة يوم الاثنين وعلى متنها 214 راكبا، ونقل الصيادون معظمهم إلى الشاطئ قبل وصول خفر السواحل إلى المكان. " * 3
    chinese = "渡轮星期一在岛外搁浅，船上有二百一十四名乘客，渔民在海岸警卫队到达之前将大多数人送上岸，没有人受伤。" * 3
    return {
        "zero": [],
        "one": [article("a", " ".join(STORY))],
        "empty": [article("a", ""), article("b", "")],
        "undated": [article(name, " ".join(STORY)) for name in "abc"],
        "scripts": [article("ar1", arabic, title="جنوح عبارة"), article("ar2", arabic, title="عبارة"), article("zh1", chinese, title="渡轮搁浅"), article("zh2", chinese)],
        "huge": [dated(name, " ".join(STORY) + " " + (f"Line {name} of a very long story. " * 170_000), 8) for name in "ab"],
        "crowd": [dated(f"{i:05}", " ".join(STORY), i % 24, source=f"Source {i % 300}") for i in range(10_000)],
    }


def run(*args):
    """Runs in the project's folder, so that what is written names no other."""
    shown = [arg.relative_to(ROOT) if isinstance(arg, Path) else arg for arg in args]
    done = subprocess.run([str(arg) for arg in shown], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{args}: {done.stderr}"


def report(name, rows=None, feed=None, *options):
    """Writes a feed where rows are given, and its report; returns the report's path."""
    feed = feed or WORK / f"{name}.jsonl"
    if rows is not None:
        feed.write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = WORK / f"{name}.html"
    run(SAMESTORY, "cluster", feed, "-o", WORK / f"{name}-clusters.jsonl", "--report", path, "--stats", WORK / f"{name}-stats.json", *options)
    return path


@contextmanager
def opened(browser: Browser, path: Path, width=1280, height=900, watched=False, **options):
    """The report in a tab that has no network and whose every complaint is a failure."""
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **options)
    page = context.new_page()
    if watched:
        page.devtools = context.new_cdp_session(page)
        page.devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: request.url.startswith("file:") or complaints.append(request.url))
    page.goto(path.as_uri())
    yield page
    assert not complaints, complaints
    context.close()


def titles(page: Page):
    return page.locator(".story:visible h3").all_text_contents()


def shot(page: Page, name):
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def settle(page: Page):
    """Waits until what was asked for is drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def work_seconds(page: Page):
    """How long the page's thread has been at work, by its own clock: what other processes take does not count."""
    metrics = page.devtools.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def compare(page: Page, left, right):
    """Chooses two members of the story that is looked at."""
    page.select_option("#left", left)
    page.select_option("#right", right)
    settle(page)


def test_the_first_screen(browser):
    path = report("fixture", feed=ROOT / "fixtures/feed.jsonl")
    stats = json.loads((WORK / "fixture-stats.json").read_text())
    with opened(browser, path) as page:
        verdict = page.inner_text("h1")
        assert verdict.startswith(f"{stats['articles']} articles tell {stats['clusters']} stories; {stats['repeats']} "), verdict
        numbers = [int(text.replace(",", "")) for text in page.locator(".breakdown .number").all_inner_texts()]
        assert sum(numbers) == stats["articles"], numbers
        assert page.locator(".breakdown").bounding_box()["y"] < 500
        shot(page, "light")


def test_search(browser):
    with opened(browser, WORK / "fixture.html") as page:
        all_titles = titles(page)
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "search"
        page.keyboard.type("airline CALDER")
        page.locator("#found", has_text="of").wait_for()
        found = titles(page)
        assert 0 < len(found) < len(all_titles), found
        assert page.inner_text("#found") == f"{len(found)} of {len(all_titles)}"
        page.fill("#search", "no such words anywhere")
        page.locator("#nothing").wait_for(state="visible")
        assert titles(page) == []
        page.fill("#search", "")
        page.locator("#nothing").wait_for(state="hidden")
        assert titles(page) == all_titles


def test_sorting(browser):
    with opened(browser, WORK / "fixture.html") as page:
        values = lambda name: [int(v) for v in page.locator(".story").evaluate_all(f"all => all.map(s => s.dataset.{name})")]
        for option, name, turned in [("oldest", "began", False), ("newest", "began", True), ("lowest", "lowest", False), ("size", "size", True), ("sources", "sources", True)]:
            page.select_option("#sort", option)
            assert values(name) == sorted(values(name), reverse=turned), option
        page.select_option("#sort", "oldest")
        shown = [text.removeprefix("from ") for text in page.locator(".story .facts .time").all_text_contents()]
        times = [datetime.strptime(text, "%d %b %Y, %H:%M") for text in shown]
        assert len(times) > 20 and times == sorted(times), shown
        page.select_option("#sort", "title")
        assert [t.lower()[0] for t in titles(page)] == sorted(t.lower()[0] for t in titles(page))
        head = page.locator(".sources thead th").nth(0)
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "ascending"
        names = page.locator(".sources tbody th").all_inner_texts()
        assert len(names) > 15 and names[0].lower() <= names[-1].lower()
        count = page.locator(".sources thead th").nth(4)
        count.locator("button").click()
        assert count.get_attribute("aria-sort") == "descending"
        numbers = [int(n) for n in page.locator(".sources tbody tr td:nth-child(5)").all_inner_texts()]
        assert numbers == sorted(numbers, reverse=True)


def test_a_story_opens(browser):
    with opened(browser, WORK / "fixture.html") as page:
        story = page.locator(".story").first
        assert not story.locator(".members").is_visible()
        story.locator("summary").first.focus()
        page.keyboard.press("Enter")
        story.locator(".members").wait_for(state="visible")
        labels = story.locator(".member .label").all_inner_texts()
        assert labels[0] == "stands for the story" and len(labels) > 2, labels
        assert all(0 <= float(score) <= 1 for score in story.locator(".member .score").all_inner_texts())
        member = story.locator(".member").nth(1)
        member.locator("summary").click()
        member.locator(".text").wait_for(state="visible")
        assert member.locator(".text mark").count() + member.locator(".text .changed").count() > 0
        page.evaluate("document.querySelector('#stories').scrollIntoView({behavior: 'instant'})")
        settle(page)
        shot(page, "story")


def test_any_two_side_by_side(browser):
    path = report("moved", moved_feed())
    with opened(browser, path) as page:
        page.locator(".story > summary").first.click()
        options = lambda side: dict(zip(page.locator(f"#{side} option").all_inner_texts(), page.locator(f"#{side} option").evaluate_all("all => all.map(o => o.value)")))
        page.locator(".member .side").nth(1).click()
        by_name = {name.split(" ")[0]: value for name, value in options("left").items()}
        for left, right in [("Wire", "Daily"), ("Daily", "Echo"), ("Echo", "Wire"), ("Daily", "Wire")]:
            compare(page, by_name[left], by_name[right])
            assert left in page.inner_text("#left-by") and right in page.inner_text("#right-by")
            assert page.locator("#rows .row > div:first-child mark").count() > 0, (left, right)
            changed = page.locator("#rows .changed").all_inner_texts()
            assert ("241" in changed) == ("Daily" in (left, right)), (left, right, changed)
            assert ("214" in changed) == ("Daily" in (left, right)), (left, right, changed)
        compare(page, by_name["Wire"], by_name["Daily"])
        assert page.locator("#rows p.moved").count() == 2
        assert page.locator("#threads path").count() == 1
        shot(page, "moved")
        text = "".join(page.locator("#rows .row > div:first-child").all_inner_texts())
        page.click("#swap")
        settle(page)
        assert "".join(page.locator("#rows .row > div:last-child").all_inner_texts()).replace("←", "→") == text
        page.keyboard.press("Escape")
        assert not page.locator("#compare").is_visible()
    with opened(browser, WORK / "fixture.html") as page:
        for section in ["above", "below", "updates", "template", "followup", "same_event", "includes"]:
            button = page.locator(f"#{section} .side").first
            button.scroll_into_view_if_needed()
            button.click()
            assert page.locator("#rows .row").count() > 0, section
            assert page.inner_text("#compare-verdict").startswith("The first is "), section
            page.click("#close")
        page.locator("#above .pair a").first.click()
        page.locator(":target").wait_for(state="visible")


def contrasts(page: Page):
    """The least contrast of text against what it stands on, with the text."""
    return page.evaluate(
        """() => {
          const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
          const rgb = (colors) => {
            canvas.clearRect(0, 0, 1, 1);
            for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
            return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
          };
          const light = (color) => color.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          let worst = [99, ""];
          while (walker.nextNode()) {
            const node = walker.currentNode.parentElement;
            if (!walker.currentNode.data.trim() || !node.checkVisibility() || ["SCRIPT", "OPTION", "title"].includes(node.tagName)) continue;
            const under = [];
            for (let at = node; at; at = at.parentElement) under.unshift(getComputedStyle(at).backgroundColor);
            const [a, b] = [light(rgb(under)), light(rgb([...under, getComputedStyle(node).color]))];
            const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (contrast < worst[0]) worst = [contrast, walker.currentNode.data.trim().slice(0, 60)];
          }
          return worst;
        }"""
    )


def test_light_and_dark(browser):
    ground = "getComputedStyle(document.body).backgroundColor"
    grounds = {}
    for scheme in ["light", "dark"]:
        with opened(browser, WORK / "fixture.html", color_scheme=scheme) as page:
            grounds[scheme] = page.evaluate(ground)
            page.locator(".story > summary").first.click()
            page.locator(".member summary").nth(1).click()
            contrast, text = contrasts(page)
            assert contrast >= MIN_CONTRAST, (scheme, contrast, text)
            page.locator(".story .side").nth(1).click()
            settle(page)
            contrast, text = contrasts(page)
            assert contrast >= MIN_CONTRAST, (scheme, contrast, text)
            shot(page, f"side-by-side-{scheme}")
            page.click("#close")
            page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
            settle(page)
            shot(page, scheme)
            page.click("#theme")
            assert page.evaluate(ground) != grounds[scheme], scheme
            page.reload()
            assert page.evaluate(ground) != grounds[scheme], f"{scheme}: the choice is kept"
    assert grounds["light"] != grounds["dark"]


def test_narrow(browser):
    for width in [320, 390, 768]:
        for name in ["fixture", "moved"]:
            with opened(browser, WORK / f"{name}.html", width=width, height=800) as page:
                page.locator(".story > summary").first.click()
                page.locator(".member summary").nth(1).click()
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, name)
                shot(page, f"narrow-{name}-{width}")
                # Of the wide tables more than the names is seen before they are scrolled.
                for column in [page.locator(".timeline thead th").nth(2), page.locator(".sources thead th").nth(2)]:
                    box = column.bounding_box()
                    assert box["x"] + box["width"] <= width, (width, name, box)
                page.locator(".story .side").nth(1).click()
                settle(page)
                assert page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.querySelector('dialog'))") <= 0, (width, name)
                below = page.locator("#rows .row.same > div:last-child").first.bounding_box()["x"] < width / 2
                assert page.locator(".second-key").is_visible() == below, (width, name)
                shot(page, f"narrow-{name}-{width}-side-by-side")


def test_without_script(browser):
    with opened(browser, WORK / "fixture.html", java_script_enabled=False) as page:
        assert page.locator("h1").is_visible() and page.locator(".breakdown").is_visible()
        assert page.locator(".scripted:visible").count() == 0
        assert page.locator(".sources tbody tr:visible").count() > 50
        page.locator(".story > summary").first.click()
        page.locator(".member summary").nth(1).click()
        assert page.locator(".member .text").nth(1).is_visible()


def test_printing(browser):
    with opened(browser, WORK / "fixture.html", color_scheme="dark") as page:
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not page.locator(".controls").is_visible() and not page.locator(".bar").is_visible()
        contrast, text = contrasts(page)
        assert contrast >= MIN_CONTRAST, (contrast, text)
        assert page.pdf().startswith(b"%PDF")


def test_a_hostile_feed_shows_as_text(browser):
    path = report("hostile", hostile_feed())
    with opened(browser, path) as page:
        assert page.evaluate("window.hacked") is None
        assert page.locator("script").count() == 2 and page.locator("img").count() == 0
        shown = page.evaluate("document.body.textContent")
        for text in HOSTILE[:4]:
            assert text in shown, text
        for summary in page.locator("main summary").all()[:12]:
            if summary.is_visible():
                summary.click()
        page.locator(".side:visible").first.click()
        settle(page)
        options = page.locator("#left option").evaluate_all("all => all.map(o => o.value)")
        for value in options:
            page.select_option("#left", value)
        page.mouse.move(300, 300)
        assert page.locator("#rows script, #rows img").count() == 0
        assert page.evaluate("window.hacked") is None
        shot(page, "hostile")


def test_nothing_but_headlines(browser):
    path = report("headlines", moved_feed(), None, "--report-text", "none")
    with opened(browser, path) as page:
        assert "Fishermen from Ivana" not in page.content()
        assert "Ferry aground off Batanes" in page.content()
        assert page.locator(".side").count() == 0


def test_every_page_stands(browser):
    for name, rows in edge_feeds().items():
        path = report(f"edge-{name}", rows)
        assert path.stat().st_size < 2_000_000, name
        for width in [390, 1280]:
            with opened(browser, path, width=width) as page:
                assert page.locator("h1").is_visible()
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
                for summary in page.locator(".story > summary").all()[:2]:
                    summary.click()
                if page.locator(".side:visible").count():
                    page.locator(".side:visible").first.click()
                    settle(page)
                    assert page.locator("#rows p").count() > 0, name
                shot(page, f"edge-{name}-{width}")


def test_twenty_thousand_articles(browser):
    feed = WORK / "large.jsonl"
    run(FEED_MAKER, "--articles", 20_000, "--seed", 7, "-o", feed)
    path = report("large", feed=feed)
    size = path.stat().st_size
    assert size < MAX_PAGE_BYTES, size
    walls, works = [], []
    for _ in range(3):
        started = time.monotonic()
        with opened(browser, path, watched=True) as page:
            settle(page)
            walls.append(time.monotonic() - started)
            works.append(work_seconds(page))
            assert page.locator(".story").count() >= 500
    print(f"  {size / 1e6:.1f} MB, open in {min(walls):.2f} s, at worst {max(walls):.2f} s; of it at work {min(works):.2f} s")
    # How busy the machine is says nothing of the page: what is asserted is the time that its thread had a processor.
    assert 0 < min(works) < MAX_OPEN_SECONDS, works


def make_pictures(browser):
    """Pictures of the fixture feed's report for the README and the docs, in few colours."""
    from PIL import Image

    PICTURES.mkdir(parents=True, exist_ok=True)
    path = report("fixture", feed=ROOT / "fixtures/feed.jsonl")
    with opened(browser, path, width=1180, height=860, color_scheme="light", device_scale_factor=1.5) as page:
        # What changes with each run stays out.
        page.evaluate("document.querySelector('.made-at').remove()")
        page.screenshot(path=WORK / "report.png")
        for name, element in [("times", page.locator("#times .scroll")), ("threshold", page.locator("#above .pair").first)]:
            element.scroll_into_view_if_needed()
            settle(page)
            # As much as stands on one screen.
            page.evaluate("top => scrollBy({top, behavior: 'instant'})", element.bounding_box()["y"] - 80)
            box = element.bounding_box()
            margin = 16
            box = {"x": box["x"] - margin, "y": box["y"] - margin, "width": box["width"] + 2 * margin, "height": min(box["height"], 500) + 2 * margin}
            page.screenshot(path=WORK / f"{name}.png", clip=box)
        page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
        page.locator(".story > summary").first.click()
        page.locator(".story .side").nth(1).click()
        settle(page)
        page.mouse.move(2, 2)
        page.screenshot(path=WORK / "side-by-side.png")
    for name in ["report.png", "side-by-side.png", "times.png", "threshold.png"]:
        picture = Image.open(WORK / name).convert("RGB").quantize(128, dither=Image.Dither.NONE)
        picture.save(PICTURES / name, optimize=True)
        size = (PICTURES / name).stat().st_size
        assert size < MAX_PICTURE_BYTES, (name, size)
        print(f"docs/pictures/{name}: {size // 1000} kB")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", required=True, help="the browser")
    parser.add_argument("--pictures", action="store_true", help="make docs/pictures anew instead of testing")
    parser.add_argument("only", nargs="*", help="tests to run, by part of their name (the first makes what others read)")
    args = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    if args.only:
        tests = [(name, test) for name, test in tests if any(part in name for part in args.only)]
        if not tests:
            parser.error(f"no test is named like {' or '.join(args.only)}")
    with sync_playwright() as playwright:
        # As root the browser cannot build its sandbox; what it opens was written here.
        browser = playwright.chromium.launch(executable_path=args.chromium, args=["--no-sandbox"])
        if args.pictures:
            make_pictures(browser)
            return
        failed = 0
        for name, test in tests:
            print(name, flush=True)
            try:
                test(browser)
            except Exception as error:  # One failure must not hide the others.
                failed += 1
                print(f"  FAILED: {type(error).__name__}: {error}", flush=True)
        browser.close()
    print(f"{len(tests) - failed} of {len(tests)} browser tests passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
