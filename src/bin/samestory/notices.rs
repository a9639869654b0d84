//! What was set aside: kills with the copies they concern, withheld stories, captions, notes to editors.

use crate::message;
use samestory::Timestamp;
use samestory::engine::Clustering;
use samestory::hash::HashMap;
use samestory::input::{Aside, Notice};
use samestory::output::{Finished, Output};
use std::path::Path;

/// Kills that are named one by one on stderr, and copies named with each; the rest are counted.
const NUM_NAMED: usize = 10;
const NUM_COPIES: usize = 5;

/// A notice with the ids of the articles that it concerns: of a kill, those under its id and all that tell the same
/// story.
pub(crate) struct Concerning {
    notice: Notice,
    copies: Vec<String>,
}

/// Finds the articles that kills concern.
pub(crate) fn concerning(notices: Vec<Notice>, clustering: &Clustering) -> Vec<Concerning> {
    let mut clusters: HashMap<String, Option<u32>> = HashMap::default();
    clusters.extend(notices.iter().filter(|n| n.aside == Aside::Canceled).map(|n| (n.id.to_string(), None)));
    let mut members: HashMap<u32, Vec<String>> = HashMap::default();
    if !clusters.is_empty() {
        let id = |rank| clustering.articles.get(rank).id();
        for member in &clustering.members {
            if let Some(cluster) = clusters.get_mut(id(member.article)) {
                *cluster = Some(member.cluster);
                members.entry(member.cluster).or_default();
            }
        }
        for member in &clustering.members {
            if let Some(ids) = members.get_mut(&member.cluster) {
                ids.push(id(member.article).to_string());
            }
        }
    }
    let copies: Vec<Vec<String>> = notices
        .iter()
        .map(|notice| {
            let cluster = if notice.aside == Aside::Canceled { clusters.get(notice.id.as_str()) } else { None };
            cluster.copied().flatten().and_then(|cluster| members.get(&cluster)).cloned().unwrap_or_default()
        })
        .collect();
    notices.into_iter().zip(copies).map(|(notice, copies)| Concerning { notice, copies }).collect()
}

/// Names the kills on stderr.
pub(crate) fn warn(all: &[Concerning]) {
    let kills = || all.iter().filter(|concerning| concerning.notice.aside == Aside::Canceled);
    for Concerning { notice, copies } in kills().take(NUM_NAMED) {
        let (place, id) = (&notice.place, &notice.id);
        if copies.is_empty() {
            message::warning(&format!("{place}: '{id}' is canceled; no article here tells it"));
            continue;
        }
        let mut named = copies.iter().take(NUM_COPIES).map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
        if let Some(rest) = copies.len().checked_sub(NUM_COPIES).filter(|rest| *rest > 0) {
            named.push_str(&format!(" and {rest} more"));
        }
        message::warning(&format!("{place}: '{id}' is canceled; it was told by {named}"));
    }
    if let Some(rest) = kills().count().checked_sub(NUM_NAMED).filter(|rest| *rest > 0) {
        message::warning(&format!("{rest} more are canceled; --notices FILE names them all"));
    }
}

/// Writes one JSON object a notice.
pub(crate) fn write(path: &Path, all: &[Concerning]) -> samestory::Result<Finished> {
    let mut output = Output::create(path)?;
    for Concerning { notice, copies } in all {
        let time = |time: Timestamp| jiff::Timestamp::from_second(time.0).ok().map(|time| time.to_string());
        let mut line = serde_json::json!({
            "id": notice.id.as_str(),
            "notice": notice.aside.name(),
            "place": &*notice.place,
            "version": notice.version,
            "title": notice.title,
        });
        if let Some(until) = notice.until.and_then(time) {
            line["until"] = until.into();
        }
        if notice.aside == Aside::Canceled {
            line["copies"] = copies.clone().into();
        }
        output.write(format!("{line}\n").as_bytes())?;
    }
    output.finish()
}
