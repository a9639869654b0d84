//! Integration tests: the library and the binary as their users see them, a module a subject.

mod bad_corpus;
mod candidates;
mod cli_audit;
mod cli_bad_input;
mod cli_calibrate;
mod cli_cluster;
mod cli_compare;
mod cli_config;
mod cli_dedup;
mod cli_eval;
mod cli_help;
mod cli_plan;
mod cli_weights;
mod determinism;
mod docs;
mod edits;
mod estimators;
mod format;
mod formats;
mod golden;
mod hot_events;
mod made_feed;
mod planted;
mod quality;
mod report;
mod support;
