//! `samestory weights`

use crate::args;
use crate::feed::Intake;
use crate::message;
use crate::outputs::Outputs;
use crate::progress::Watch;
use samestory::article::primary_language;
use samestory::hash::{HashMap, hash128};
use samestory::output::Output;
use samestory::profile::Weights;
use samestory::text::{Document, TokenFlags};
use std::process::ExitCode;

/// Tokens of an article that are counted.
const MAX_TOKENS: usize = 20_000;

pub(crate) fn run(args: &args::Weights) -> anyhow::Result<ExitCode> {
    let outputs = Outputs::new(&[("-o", Some(&args.output)), ("--rejects", args.reading.rejects.as_deref())])?;
    let blocks = args.reading.blocks(&args.inputs)?;
    outputs.refuse_inputs(None, blocks.files())?;
    outputs.refuse_unwritable()?;
    let intake = Intake::new(&args.reading)?;
    let watch = Watch::start(args.quiet, &blocks, &intake, None);
    let mut counts: HashMap<u32, u32> = HashMap::default();
    let mut texts = samestory::hash::HashSet::default();
    for block in blocks {
        for article in intake.parse(block?).map_err(|error| intake.failure(error))?.articles {
            let stated = article.language.as_deref().map(primary_language);
            let is_other = stated.is_some_and(|tag| !tag.eq_ignore_ascii_case(&args.language));
            // One text many times is one article, or a popular advertisement would look like common speech.
            if is_other || !texts.insert(hash128(article.text.as_bytes())) {
                continue;
            }
            let document = Document::new(&article.text, MAX_TOKENS);
            let mut stems: Vec<u32> =
                document.tokens.iter().filter(|t| !t.flags.has(TokenFlags::STOP)).map(|t| t.stem_hash).collect();
            stems.sort_unstable();
            stems.dedup();
            for stem in stems {
                *counts.entry(stem).or_default() += 1;
            }
        }
    }
    watch.finish();
    intake.report(args.quiet)?;
    let table = Weights::from_counts(&args.language, texts.len() as u64, &counts, args.min_count);
    let mut output = Output::create(&args.output)?;
    output.write(&table.to_bytes())?;
    output.finish()?.publish()?;
    if !args.quiet {
        let (words, articles) = (message::counted(table.len() as u64, "word"), message::count(table.num_articles()));
        message::line(&format!("{words} of {articles} articles in {}", args.output.display()));
    }
    Ok(ExitCode::SUCCESS)
}
