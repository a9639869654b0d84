//! The verdict on a pair as one HTML page that needs nothing else.

use super::explanation::{Explanation, Side, share};
use samestory::verify::Relation;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d1d1f;--paper:#fff;--faint:#5c5c66;--line:#d5d5dc;--for:#146c2e;--against:#a8201a;\
--mark:#fff1b8}\
@media(prefers-color-scheme:dark){:root{--ink:#ececf1;--paper:#17171b;--faint:#a6a6b3;--line:#3a3a44;--for:#7bd88f;\
--against:#ff8a80;--mark:#4a3f12}}\
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:62rem;margin:2rem auto;\
padding:0 1rem}\
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}h3{font-size:1rem;margin:1rem 0 0}\
.for{color:var(--for)}.against{color:var(--against)}.faint{color:var(--faint)}\
table{border-collapse:collapse;width:100%}th,td{padding:.3rem .6rem .3rem 0;text-align:left;vertical-align:top;\
border-bottom:1px solid var(--line);overflow-wrap:anywhere}\
th{font-weight:600}.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;width:6rem}\
.pair th,.pair td{width:50%}.differs{background:var(--mark)}meter{width:8rem}\
@media(max-width:40rem){.pair,.pair tbody,.pair tr,.pair td{display:block;width:auto}.pair thead{display:none}\
.pair td::before{content:attr(data-side) ' ';color:var(--faint)}meter{width:4rem}}";

/// The explanation as a page. All that comes from the articles goes through [`escape`].
pub(super) fn to_html(explanation: &Explanation) -> String {
    let class = match explanation.relation {
        relation if relation.is_match() => "for",
        Relation::Undecidable => "",
        _ => "against",
    };
    let sentence = escape(&explanation.sentence);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{sentence}</title>\n<style>{STYLE}</style>\n<h1 class=\"{class}\">{sentence}</h1>\n"
    );
    out.push_str(&format!("<table>\n{}</table>\n", explanation.articles.iter().map(side).collect::<String>()));
    measured(explanation, &mut out);
    weighed(explanation, &mut out);
    if !explanation.passages.is_empty() {
        let (all, shown) = (explanation.num_passages, explanation.passages.len());
        let of = if shown < all { format!("the {shown} longest of {all}") } else { all.to_string() };
        let rows: String = explanation.passages.iter().map(|pair| columns(pair, "")).collect();
        out.push_str(&format!(
            "<h2>Shared passages ({of}), in the order of A</h2>\n<table class=\"pair\">\n\
             <thead><tr><th>A<th>B</thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
        ));
    }
    if !explanation.differing.is_empty() {
        out.push_str("<h2>What differs</h2>\n");
    }
    for (what, pair) in &explanation.differing {
        out.push_str(&format!(
            "<h3>{what}</h3>\n<table class=\"pair\">\n<thead><tr><th>only in A<th>only in B</thead>\n\
             <tbody>\n{}</tbody>\n</table>\n",
            columns(pair, "differs")
        ));
    }
    out.push_str(&format!("<p class=\"faint\">samestory {}</p>\n</html>\n", env!("CARGO_PKG_VERSION")));
    out
}

fn side(side: &Side) -> String {
    let title = side.title.as_deref().map_or(String::new(), |title| format!("<br><bdi>{}</bdi>", escape(title)));
    format!(
        "<tr><th>{}<td><bdi>{}</bdi>{title}<td class=\"faint\"><bdi>{}</bdi>\n",
        side.label,
        escape(&side.name),
        escape(&side.about)
    )
}

fn measured(explanation: &Explanation, out: &mut String) {
    if explanation.measured.is_empty() {
        return;
    }
    let little = if explanation.is_complete { "" } else { "; too little in common to measure more" };
    let shorter = explanation.shorter;
    out.push_str(&format!("<h2>Measured, from 0 to 1 ({shorter} is the shorter{little})</h2>\n<table>\n"));
    let mut row = |meaning: &str, value: f64| {
        out.push_str(&format!(
            "<tr><td>{meaning}<td class=\"number\">{}<td><meter value=\"{value:.4}\"></meter>\n",
            share(value)
        ));
    };
    for (meaning, value) in &explanation.measured {
        row(meaning, *value);
    }
    if let Some(probability) = explanation.probability {
        row("<strong>probability of one story</strong>", probability);
        row("one story from", explanation.threshold);
    }
    out.push_str("</table>\n");
}

fn weighed(explanation: &Explanation, out: &mut String) {
    let Some(weighed) = &explanation.weighed else {
        return;
    };
    out.push_str("<h2>What speaks for one story (+) and against it (&minus;), in log-odds</h2>\n<table>\n");
    for (subject, value) in &weighed.subjects {
        let class = if *value < 0.0 { "against" } else { "for" };
        out.push_str(&format!("<tr><td class=\"number {class}\">{value:+.1}<td>{subject}\n"));
    }
    out.push_str(&format!(
        "<tr><th class=\"number\">{:+.1}<th>in sum; one story from {:+.1}\n</table>\n",
        weighed.sum, weighed.needed
    ));
}

/// A row of two texts; each is read in the direction of its own script.
fn columns(pair: &[String; 2], class: &str) -> String {
    let cell = |side: &str, text: &String| {
        let shown = if text.is_empty() { "–".to_string() } else { escape(text) };
        let class = if text.is_empty() || class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        format!("<td data-side=\"{side}\"><span dir=\"auto\"{class}>{shown}</span>")
    };
    format!("<tr>{}{}\n", cell("A", &pair[0]), cell("B", &pair[1]))
}

/// Text as HTML shows it: safe between tags and in quoted attributes. Characters that HTML forbids or that turn their
/// surroundings round are replaced.
fn escape(text: &str) -> String {
    let text = crate::message::printable(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_a_tag() {
        assert_eq!(escape("<b a='x' b=\"y\">&amp;\u{0}"), "&lt;b a=&#39;x&#39; b=&quot;y&quot;&gt;&amp;amp;\u{fffd}");
    }
}
