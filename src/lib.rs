//! The same story, told twice: finds exact copies, near copies, excerpts and rewrites of news stories, and keeps apart
//! what is not one telling.
//!
//! Articles go through the stages of [`engine::Engine`]: [`text`] (normalised, cut into tokens, credits left out),
//! [`shingle`] and [`sketch`] (signatures, keys, a compact record), [`lsh`] (candidate pairs), [`verify`] (evidence,
//! score, relation), [`cluster`]. Each stage can be used alone. The answer is a function of the set of articles and
//! the [`Profile`]: neither threads nor order of arrival change it.
//!
//! ```
//! use samestory::{Article, Engine, Profile};
//! let story = "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard. Fishermen from \
//!              Ivana brought most of them ashore, and the coast guard said nobody was hurt.";
//! let trimmed = "A ferry, the Santa Odilia, ran aground off Batanes on Monday with 214 passengers aboard. Fishermen \
//!                from Ivana brought most of them ashore.";
//! let other = "Wheat futures in Chicago closed lower on Monday as rain reached the plains, and funds sold 4,000 lots.";
//! let articles = [Article::new("a", story), Article::new("b", trimmed), Article::new("c", other)];
//! let clustering = Engine::new(Profile::default()).cluster(articles)?;
//! assert_eq!(clustering.stats.num_clusters, 2);
//! # Ok::<(), samestory::Error>(())
//! ```

pub mod article;
#[doc(hidden)]
pub mod bits;
pub mod cluster;
pub mod engine;
pub mod error;
pub mod fields;
pub mod fixed;
pub mod hash;
pub mod index;
#[cfg(feature = "cli")]
pub mod input;
pub mod lsh;
mod map;
#[cfg(feature = "tables")]
pub mod output;
pub mod plan;
pub mod profile;
pub mod reject;
#[cfg(feature = "report")]
pub mod report;
pub mod shingle;
pub mod sketch;
pub mod text;
mod unnamed;
pub mod verify;

pub mod audit;
pub mod calibrate;
pub mod eval;

#[cfg(all(feature = "cli", any(test, fuzzing)))]
pub mod fuzzing;
#[cfg(any(test, fuzzing))]
mod tests;

/// The guides' examples, run as tests.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[cfg(feature = "cli")]
    #[doc = include_str!("../docs/library.md")]
    mod library {}
}

pub use article::{Article, ArticleId, Timestamp};
pub use engine::{Clustering, Engine, Index};
pub use error::{Error, Result};
pub use profile::Profile;
