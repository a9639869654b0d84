"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  root.classList.add("js");

  // A page opened from disk may be refused storage.
  const stored = (value) => {
    try {
      if (value) localStorage.setItem("samestory-theme", value);
      return localStorage.getItem("samestory-theme");
    } catch {
      return null;
    }
  };

  // Light and dark.
  const theme = byId("theme");
  const isDark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const showTheme = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-pressed", String(isDark()));
  };
  const kept = stored();
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    stored(root.dataset.theme);
    showTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
  showTheme();

  // A link to an article opens what holds it.
  const reveal = () => {
    const target = /^#a\d+$/.test(location.hash) && byId(location.hash.slice(1));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.localName === "details") at.open = true;
    target.scrollIntoView({ block: "start" });
  };
  addEventListener("hashchange", reveal);
  reveal();

  // Long lists show their beginning.
  const fold = (list, number, what) => {
    if (!number) return;
    const more = document.createElement("button");
    more.type = "button";
    more.className = "more";
    more.textContent = `Show ${number.toLocaleString("en")} more ${what}`;
    more.addEventListener("click", () => {
      list.classList.add("open");
      more.remove();
    });
    (list.closest(".scroll") || list).after(more);
  };
  for (const list of document.querySelectorAll(".pairs")) fold(list, list.querySelectorAll("[data-rest]").length, "pairs");
  for (const table of document.querySelectorAll(".sources")) fold(table, table.querySelectorAll(".rest").length, "sources");

  // Tables sort by their heads.
  const number = (text) => (text === "" || text === "–" ? NaN : Number(text.replaceAll(",", "")));
  for (const table of document.querySelectorAll(".sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const isNumber = head.classList.contains("num");
        const was = head.getAttribute("aria-sort");
        const order = was ? (was === "descending" ? "ascending" : "descending") : isNumber ? "descending" : "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
        const rows = [...table.tBodies[0].rows].map((row) => [isNumber ? number(value(row)) : value(row), row]);
        rows.sort(([a], [b]) => {
          if (!isNumber) return sign * a.localeCompare(b);
          if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
          return sign * (a - b);
        });
        table.tBodies[0].append(...rows.map(([, row]) => row));
        table.classList.add("open");
        table.closest(".scroll").parentElement.querySelector(".more")?.remove();
      });
    });
  }

  // Stories: search and sort.
  const list = byId("list");
  if (list) {
    const stories = [...list.children];
    const search = byId("search");
    const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    let haystacks = null;
    const filter = () => {
      haystacks ??= stories.map((story) => plain(story.textContent));
      const words = plain(search.value).split(/\s+/).filter(Boolean);
      let found = 0;
      stories.forEach((story, i) => {
        story.hidden = !words.every((word) => haystacks[i].includes(word));
        found += !story.hidden;
      });
      byId("found").textContent = words.length ? `${found} of ${stories.length}` : "";
      byId("nothing").hidden = found > 0;
    };
    let waiting = 0;
    search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(filter, 120);
    });
    addEventListener("keydown", (event) => {
      const isTyping = /^(input|select|textarea)$/.test(document.activeElement.localName);
      if (event.key === "/" && !isTyping && !byId("compare").open) {
        event.preventDefault();
        search.focus();
      }
    });
    const field = (name, none) => (story) => (story.dataset[name] === "" ? none : Number(story.dataset[name]));
    const title = (story) => story.querySelector(".title").textContent;
    const orders = {
      size: (a, b) => field("size")(b) - field("size")(a),
      sources: (a, b) => field("sources")(b) - field("sources")(a),
      newest: (a, b) => field("began", -1e15)(b) - field("began", -1e15)(a),
      oldest: (a, b) => field("began", 1e15)(a) - field("began", 1e15)(b),
      lowest: (a, b) => field("lowest")(a) - field("lowest")(b),
      title: (a, b) => title(a).localeCompare(title(b)),
    };
    byId("sort").addEventListener("change", (event) => {
      // Sorting is stable: ties stay in the page's order.
      list.append(...[...stories].sort(orders[event.target.value]));
    });
  }

  // Side by side.
  const dialog = byId("compare");
  const left = byId("left");
  const right = byId("right");
  let known = null;
  const pairOf = (a, b) => {
    known ??= new Map(JSON.parse(byId("known").textContent).map((pair) => [`${pair.a} ${pair.b}`, pair]));
    const forward = known.get(`${a} ${b}`);
    if (forward) return { pair: forward, isTurned: false };
    const backward = known.get(`${b} ${a}`);
    return backward ? { pair: backward, isTurned: true } : null;
  };

  // Words with their place. Scripts without spaces give a word a character.
  const WORD = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]|[\p{L}\p{M}\p{N}]+(?:['.,:][\p{L}\p{N}]+)*/gu;
  const STOP = new Set(("a an and are as at be been but by for from had has have he her his in into is it its more not of on or "
    + "said she that the their they this to was were which who will with would").split(" "));
  const words = (text) => {
    const out = [];
    for (const match of text.matchAll(WORD)) {
      const word = match[0].toLowerCase();
      const stem = word.length > 4 ? word.replace(/(?:'s|ing|ed|es|s)$/, "") : word.replace(/'s$/, "");
      out.push({ form: match[0], stem, isStop: STOP.has(word), start: match.index, end: match.index + match[0].length });
    }
    return out;
  };

  // Runs of at least four words that stand in both, longest first where they overlap.
  const RUN = 4;
  const passagesOf = (a, b) => {
    const [first, second] = [a, b].map((all) => all.filter((word) => !word.isStop));
    const key = (list, at) => list.slice(at, at + RUN).map((word) => word.stem).join(" ");
    const places = new Map();
    for (let j = 0; j + RUN <= second.length; j++) {
      const at = key(second, j);
      if (!places.has(at)) places.set(at, []);
      if (places.get(at).length < 16) places.get(at).push(j);
    }
    const runs = [];
    for (let i = 0; i + RUN <= first.length; i++) {
      for (const j of places.get(key(first, i)) || []) {
        if (i && j && first[i - 1].stem === second[j - 1].stem) continue;
        let len = RUN;
        while (i + len < first.length && j + len < second.length && first[i + len].stem === second[j + len].stem) len++;
        runs.push([len, i, j]);
      }
    }
    runs.sort((x, y) => y[0] - x[0] || x[1] - y[1] || x[2] - y[2]);
    const taken = [new Uint8Array(first.length), new Uint8Array(second.length)];
    const found = [];
    for (const [len, i, j] of runs) {
      if (taken[0].subarray(i, i + len).includes(1) || taken[1].subarray(j, j + len).includes(1)) continue;
      taken[0].fill(1, i, i + len);
      taken[1].fill(1, j, j + len);
      found.push([first[i].start, first[i + len - 1].end, second[j].start, second[j + len - 1].end]);
    }
    return found.sort((x, y) => x[0] - y[0]);
  };

  // Figures and names that only the first has: a name is a capital within a sentence.
  const factsOnlyIn = (text, own, other) => {
    const there = new Set(other.map((word) => word.stem));
    const isFact = (word) => /\p{N}/u.test(word.form)
      || (/^\p{Lu}/u.test(word.form) && /[\p{L}\p{N},;)]["']? $/u.test(text.slice(Math.max(0, word.start - 3), word.start)));
    return [...new Set(own.filter((word) => !word.isStop && isFact(word) && !there.has(word.stem)).map((word) => word.form))];
  };

  // Where the forms stand, not as part of a longer word or figure.
  const placesOf = (text, forms) => {
    const joins = (c) => c && c < "\u2e80" && /[\p{L}\p{N}]/u.test(c);
    const found = [];
    for (const form of forms) {
      for (let at = form ? text.indexOf(form) : -1; at >= 0; at = text.indexOf(form, at + form.length)) {
        const end = at + form.length;
        const inFigure = (/\d[.,:]$/.test(text.slice(Math.max(0, at - 2), at)) && /^\d/.test(form))
          || (/^[.,:]\d/.test(text.slice(end, end + 2)) && /\d$/.test(form));
        if (!joins(text[at - 1]) && !joins(text[end]) && !inFigure) found.push([at, end]);
      }
    }
    return found;
  };

  // Paragraphs with their words; a text of very many lines in larger pieces.
  const MOST_PARAGRAPHS = 200;
  const paragraphs = (text, tokens) => {
    let out = [];
    for (const match of text.matchAll(/[^\n]*\S[^\n]*/g)) out.push({ start: match.index, end: match.index + match[0].length });
    while (out.length > MOST_PARAGRAPHS) {
      out = out.flatMap((p, i) => (i % 2 ? [] : [{ start: p.start, end: (out[i + 1] ?? p).end }]));
    }
    let at = 0;
    for (const p of out) {
      p.words = [];
      for (; at < tokens.length && tokens[at].start < p.end; at++) if (!tokens[at].isStop) p.words.push(tokens[at]);
      p.stems = new Set(p.words.map((word) => word.stem));
    }
    return out;
  };

  // Pairs of paragraphs by what they share, passages and words that are rare in the two texts. The heaviest chain in
  // order is aligned, the others have moved.
  const LEAST = 0.25;
  const LEAST_MOVED = 0.5;
  const align = (lefts, rights, passages) => {
    const spread = new Map();
    for (const p of [...lefts, ...rights]) for (const stem of p.stems) spread.set(stem, (spread.get(stem) || 0) + 1);
    const rarity = (stem) => 1 / Math.max(spread.get(stem) - 1, 1);
    const total = (p) => [...p.stems].reduce((sum, stem) => sum + rarity(stem), 0);
    const totals = [lefts.map(total), rights.map(total)];
    const at = (list, place) => list.findIndex((p) => place >= p.start && place < p.end);
    const copied = new Map();
    passages.forEach(([start, end, other]) => {
      const key = `${at(lefts, start)} ${at(rights, other)}`;
      copied.set(key, (copied.get(key) || 0) + end - start);
    });
    const pairs = [];
    lefts.forEach((p, i) => rights.forEach((q, j) => {
      let shared = 0;
      for (const stem of p.stems) if (q.stems.has(stem)) shared += rarity(stem);
      const least = Math.max(Math.min(totals[0][i], totals[1][j]), 3);
      const likeness = shared / least + (copied.get(`${i} ${j}`) || 0) / Math.min(p.end - p.start, q.end - q.start);
      if (likeness >= LEAST) pairs.push([i, j, likeness * least, likeness]);
    }));
    pairs.sort((x, y) => y[2] - x[2] || x[0] - y[0] || x[1] - y[1]);
    const used = [new Set(), new Set()];
    const best = pairs.filter(([i, j]) => {
      if (used[0].has(i) || used[1].has(j)) return false;
      used[0].add(i);
      used[1].add(j);
      return true;
    }).sort((x, y) => x[0] - y[0]);
    const sums = best.map((pair) => pair[2]);
    const before = best.map(() => -1);
    best.forEach(([, j, heavy], at) => {
      for (let k = 0; k < at; k++) {
        if (best[k][1] < j && sums[k] + heavy > sums[at]) {
          sums[at] = sums[k] + heavy;
          before[at] = k;
        }
      }
    });
    const chain = new Set();
    for (let k = sums.indexOf(Math.max(...sums)); k >= 0; k = before[k]) chain.add(k);
    return {
      rows: best.filter((_, k) => chain.has(k)),
      moved: best.filter((pair, k) => !chain.has(k) && pair[3] >= LEAST_MOVED),
    };
  };

  // A paragraph with its marks.
  const CHANGED = -2;
  const WORD_IN_BOTH = -3;
  const paint = (text, { start, end }, shared, changed, inBoth) => {
    const node = document.createElement("p");
    node.dir = "auto";
    const kinds = new Int32Array(end - start).fill(-1);
    const fill = (from, to, kind) => kinds.fill(kind, Math.max(from - start, 0), Math.max(Math.min(to - start, end - start), 0));
    for (const word of inBoth) fill(word.start, word.end, WORD_IN_BOTH);
    shared.forEach(([from, to], k) => { if (to > start && from < end) fill(from, to, k); });
    changed.forEach(([from, to]) => { if (to > start && from < end) fill(from, to, CHANGED); });
    for (let from = 0; from < kinds.length;) {
      let to = from;
      while (to < kinds.length && kinds[to] === kinds[from]) to++;
      const piece = text.slice(start + from, start + to);
      const kind = kinds[from];
      if (kind === -1) {
        node.append(piece);
      } else {
        const mark = document.createElement(kind >= 0 ? "mark" : kind === CHANGED ? "b" : "span");
        if (kind >= 0) mark.dataset.p = kind;
        else mark.className = kind === CHANGED ? "changed" : "word";
        mark.textContent = piece;
        node.append(mark);
      }
      from = to;
    }
    return node;
  };

  // Figures, names and dates named above the texts; all are marked in them.
  const NAMED = 12;
  const table = (differs, isTurned) => {
    if (!differs.length) return "";
    const node = document.createElement("table");
    node.className = "differs";
    const head = node.createTHead().insertRow();
    for (const text of ["", "Only in the first", "Only in the second"]) {
      const cell = document.createElement(text ? "th" : "td");
      cell.textContent = text;
      head.append(cell);
    }
    const body = node.createTBody();
    for (const { what, a, b } of differs) {
      const row = body.insertRow();
      const name = document.createElement("th");
      name.textContent = what;
      row.append(name);
      for (const forms of isTurned ? [b, a] : [a, b]) {
        const cell = row.insertCell();
        const more = forms.length - NAMED;
        cell.dir = "auto";
        cell.textContent = (forms.slice(0, NAMED).join(", ") || "–") + (more > 0 ? ` and ${more} more` : "");
      }
    }
    return node;
  };

  const titleOf = (n) => byId(`a${n}`).querySelector(".title").textContent;
  const textOf = (n) => byId(`t${n}`)?.textContent ?? "";

  const threads = (moved) => {
    byId("threads")?.remove();
    if (!moved.length) return;
    const rows = byId("rows");
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.id = "threads";
    svg.setAttribute("aria-hidden", "true");
    const box = rows.getBoundingClientRect();
    for (const [from, to] of moved) {
      const [a, b] = [from.getBoundingClientRect(), to.getBoundingClientRect()];
      const [x1, y1] = [a.right - box.left + 4, a.top + a.height / 2 - box.top];
      const [x2, y2] = [b.left - box.left - 4, b.top + b.height / 2 - box.top];
      const middle = (x1 + x2) / 2;
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`);
      svg.append(path);
    }
    rows.append(svg);
  };

  let redraw = () => {};
  const show = () => {
    const [a, b] = [left.value, right.value];
    const texts = [a, b].map(textOf);
    const found = a === b ? null : pairOf(a, b);
    const tokens = texts.map(words);
    let passages;
    let differs;
    if (found) {
      passages = found.pair.passages.map((p) => (found.isTurned ? [p[2], p[3], p[0], p[1]] : p));
      differs = found.pair.differs;
    } else {
      passages = passagesOf(...tokens);
      const only = [factsOnlyIn(texts[0], tokens[0], tokens[1]), factsOnlyIn(texts[1], tokens[1], tokens[0])];
      differs = only[0].length + only[1].length
        ? [{ what: "figures, names", a: only[0], b: only[1] }]
        : [];
    }
    const isTurned = Boolean(found?.isTurned);
    const forms = (isSecond) => differs.flatMap((d) => (isSecond !== isTurned ? d.b : d.a));
    const changed = [placesOf(texts[0], forms(false)), placesOf(texts[1], forms(true))];

    const verdict = byId("compare-verdict");
    if (found) {
      const [of, to] = isTurned ? ["second", "first"] : ["first", "second"];
      const score = found.pair.score ? ` Score ${found.pair.score}.` : "";
      verdict.textContent = `The ${of} is ${found.pair.phrase} the ${to}.${score}`;
    } else {
      verdict.textContent = a === b ? "One article, twice." : "Aligned on this page, word by word; the run gave no verdict on these two here.";
    }
    byId("compare-differs").replaceChildren(table(differs, isTurned));
    [["left", a], ["right", b]].forEach(([side, n]) => {
      byId(`${side}-by`).textContent = byId(`a${n}`).querySelector(".byline").textContent;
    });

    const [lefts, rights] = texts.map((text, side) => paragraphs(text, tokens[side]));
    const { rows, moved } = align(lefts, rights, passages);
    // In paragraphs that tell the same, single words in both are marked too.
    const partners = [new Map(), new Map()];
    for (const [i, j] of [...rows, ...moved]) {
      partners[0].set(i, rights[j].stems);
      partners[1].set(j, lefts[i].stems);
    }
    const inBoth = (p, stems) => (stems ? p.words.filter((word) => stems.has(word.stem)) : []);
    const nodes = [
      lefts.map((p, i) => paint(texts[0], p, passages.map((x) => [x[0], x[1]]), changed[0], inBoth(p, partners[0].get(i)))),
      rights.map((p, j) => paint(texts[1], p, passages.map((x) => [x[2], x[3]]), changed[1], inBoth(p, partners[1].get(j)))),
    ];
    const ends = moved.map(([i, j]) => [nodes[0][i], nodes[1][j]]);
    ends.forEach((pair) => pair.forEach((node, side) => {
      node.classList.add("moved");
      const jump = document.createElement("button");
      jump.type = "button";
      jump.className = "jump";
      jump.textContent = side ? "moved ←" : "moved →";
      jump.addEventListener("click", () => pair[1 - side].scrollIntoView({ block: "center" }));
      node.append(jump);
    }));
    const out = byId("rows");
    out.replaceChildren();
    const place = (leftNodes, rightNodes, kind) => {
      if (!leftNodes.length && !rightNodes.length) return;
      const row = document.createElement("div");
      row.className = `row ${kind}`;
      for (const side of [leftNodes, rightNodes]) {
        const cell = document.createElement("div");
        cell.append(...side);
        row.append(cell);
      }
      out.append(row);
    };
    let [i, j] = [0, 0];
    for (const [p, q] of [...rows, [lefts.length, rights.length]]) {
      place(nodes[0].slice(i, p), nodes[1].slice(j, q), "gap");
      place(nodes[0].slice(p, p + 1), nodes[1].slice(q, q + 1), "same");
      [i, j] = [p + 1, q + 1];
    }
    if (!lefts.length && !rights.length) out.textContent = "The page does not hold these texts.";
    redraw = () => threads(ends);
    redraw();
  };

  const options = (select, list, chosen) => {
    select.replaceChildren(...list.map((n) => {
      const option = document.createElement("option");
      option.value = n;
      const label = byId(`a${n}`).querySelector(".label")?.textContent;
      const source = byId(`a${n}`).querySelector(".source")?.textContent;
      option.textContent = [source, titleOf(n), label && `(${label})`].filter(Boolean).join(" · ");
      return option;
    }));
    select.value = chosen;
  };

  for (const button of document.querySelectorAll(".side")) {
    button.addEventListener("click", () => {
      const { story, a, b } = button.dataset;
      let list = [a, b];
      let other = b;
      if (story) {
        list = [...byId(`s${story}`).querySelectorAll(".member")].map((member) => member.dataset.n);
        // The first listed stands for the story: each is compared with it, and it with the next.
        other = a === list[0] ? list[1] : list[0];
      }
      options(left, list, story ? other : a);
      options(right, list, story ? a : other);
      dialog.showModal();
      dialog.scrollTop = 0;
      show();
    });
  }
  left.addEventListener("change", show);
  right.addEventListener("change", show);
  byId("swap").addEventListener("click", () => {
    [left.value, right.value] = [right.value, left.value];
    show();
  });
  byId("close").addEventListener("click", () => dialog.close());
  addEventListener("resize", () => dialog.open && redraw());
  const light = (event, isOn) => {
    const p = event.target.closest?.("mark[data-p]")?.dataset.p;
    if (p !== undefined) for (const mark of byId("rows").querySelectorAll(`mark[data-p="${p}"]`)) mark.classList.toggle("on", isOn);
  };
  byId("rows").addEventListener("mouseover", (event) => light(event, true));
  byId("rows").addEventListener("mouseout", (event) => light(event, false));
})();
