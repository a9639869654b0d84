//! What a run is asked to do, and under which profile.

use crate::article::{MissingId, MissingText, Reading};
use crate::error::{OptionError, ProfileError, raised};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use samestory::engine::{NearSketch, Texts, Verdicts, Versions};
use samestory::profile::{VerdictParams, Weights};
use samestory::verify::Level;
use samestory::{Engine, Error};
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes of the largest profile or table of weights that is read, unpacked.
const MAX_PARAMETERS_LEN: u64 = 256 << 20;

/// The bytes of a profile's or a table's file, unpacked where gzip or zstd has packed them.
#[pyfunction]
pub(crate) fn read_parameters(path: PathBuf) -> PyResult<Vec<u8>> {
    let fail = |error| raised(Error::io(&path, "read", error));
    let mut file = io::BufReader::new(File::open(&path).map_err(fail)?);
    let head = file.fill_buf().map_err(fail)?;
    let (is_gzip, is_zstd) = (head.starts_with(&[0x1f, 0x8b]), head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
    let unpacked: Box<dyn Read> = match (is_gzip, is_zstd) {
        (true, _) => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        (_, true) => Box::new(zstd::stream::read::Decoder::with_buffer(file).map_err(fail)?),
        _ => Box::new(file),
    };
    let mut bytes = Vec::new();
    unpacked.take(MAX_PARAMETERS_LEN + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > MAX_PARAMETERS_LEN {
        let reason = format!("larger than {MAX_PARAMETERS_LEN} bytes");
        return Err(fail(io::Error::new(io::ErrorKind::FileTooLarge, reason)));
    }
    Ok(bytes)
}

/// Every parameter of sketch and verdict.
#[pyclass(frozen, module = "samestory")]
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) inner: samestory::Profile,
}

#[pymethods]
impl Profile {
    /// The profile that ships.
    #[new]
    fn new() -> Self {
        Self { inner: samestory::Profile::default() }
    }

    /// A profile from a file as `samestory calibrate` writes it, and a table of word weights as `samestory weights` does,
    /// either packed or not; without one of them, the one that ships.
    #[staticmethod]
    #[pyo3(signature = (path=None, *, weights=None))]
    fn read(path: Option<PathBuf>, weights: Option<PathBuf>) -> PyResult<Self> {
        let mut inner = samestory::Profile::default();
        if let Some(path) = path {
            let fail = |_| raised(Error::io(&path, "read", io::Error::new(io::ErrorKind::InvalidData, "not UTF-8")));
            let text = String::from_utf8(read_parameters(path.clone())?).map_err(fail)?;
            inner = samestory::Profile::from_toml(&path.display().to_string(), &text).map_err(raised)?;
        }
        if let Some(path) = weights {
            let bytes = read_parameters(path.clone())?;
            inner = inner.with_weights(Weights::from_bytes(&path.display().to_string(), &bytes).map_err(raised)?);
        }
        Ok(Self { inner })
    }

    /// A profile from the text of its file.
    #[staticmethod]
    fn from_toml(text: &str) -> PyResult<Self> {
        samestory::Profile::from_toml("text", text).map(|inner| Self { inner }).map_err(raised)
    }

    /// The text of its file.
    fn to_toml(&self) -> String {
        self.inner.to_toml()
    }

    /// The same profile with another probability from which a pair is a match, in whole percent: 0.01 to 0.99.
    fn with_threshold(&self, score: f64) -> PyResult<Self> {
        let verdict = VerdictParams { match_percent: percent_of(score)?, ..self.inner.verdict().clone() };
        self.inner.clone().with_verdict(verdict).map(|inner| Self { inner }).map_err(raised)
    }

    /// Probability from which a pair is a match.
    #[getter]
    fn threshold(&self) -> f64 {
        f64::from(self.inner.verdict().match_percent) / 100.0
    }

    /// What it is called.
    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }

    /// What its sketches are bound to: sketches of two ids do not compare.
    #[getter]
    fn sketch_id(&self) -> String {
        self.inner.sketch_id()
    }

    /// What its verdicts are bound to.
    #[getter]
    fn verdict_id(&self) -> String {
        self.inner.verdict_id()
    }

    /// Number of slots, seed, tokens a shingle, and number and rows of bands of its MinHash signatures.
    #[getter]
    fn minhash(&self) -> (usize, u64, usize, usize, usize) {
        let sketch = self.inner.sketch();
        let of = |percent: u32| f64::from(percent) / 100.0;
        let (similarity, recall) = (of(sketch.band_similarity_percent), of(sketch.band_recall_percent));
        let bands = samestory::lsh::Bands::choose(sketch.num_slots, similarity, recall);
        (sketch.num_slots, sketch.seed, sketch.shingle_len, bands.num_bands, bands.num_rows)
    }

    fn __eq__(&self, other: &Self) -> bool {
        (self.sketch_id(), self.verdict_id()) == (other.sketch_id(), other.verdict_id())
    }

    fn __repr__(&self) -> String {
        format!("<samestory.Profile {}: sketch {}, verdict {}>", self.name(), self.sketch_id(), self.verdict_id())
    }
}

/// A probability as whole percent.
///
/// # Errors
/// When it is not between 0.01 and 0.99.
pub(crate) fn percent_of(score: f64) -> PyResult<u32> {
    let percent = (score * 100.0).round();
    if !(1.0..=99.0).contains(&percent) {
        return Err(OptionError::new_err(format!("score is {score}; expected a probability from 0.01 to 0.99")));
    }
    Ok(percent as u32)
}

/// What a run is asked for: the attributes of Python's `Detector` and `Index`.
#[derive(FromPyObject)]
pub(crate) struct Options<'py> {
    profile: Py<Profile>,
    level: String,
    near: String,
    versions: String,
    threads: usize,
    memory: Option<u64>,
    temp_dir: Option<PathBuf>,
    texts: bool,
    pairs: bool,
    fields: Bound<'py, PyDict>,
    missing_text: String,
}

/// The value of an option that has a few.
fn choice<T: Copy>(option: &str, got: &str, values: &[(&str, T)]) -> PyResult<T> {
    values.iter().find(|(name, _)| *name == got).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = values.iter().map(|(name, _)| format!("'{name}'")).collect();
        OptionError::new_err(format!("{option} is '{got}'; expected {}", names.join(" or ")))
    })
}

/// The level of that name.
///
/// # Errors
/// When there is none.
pub(crate) fn level_of(name: &str) -> PyResult<Level> {
    choice("level", name, &Level::ALL.map(|level| (level.name(), level)))
}

/// The sketch for near copies of that name.
///
/// # Errors
/// When there is none.
pub(crate) fn near_of(name: &str) -> PyResult<NearSketch> {
    choice("near", name, &NearSketch::ALL.map(|near| (near.name(), near)))
}

/// The rule for versions of that name.
///
/// # Errors
/// When there is none.
pub(crate) fn versions_of(name: &str) -> PyResult<Versions> {
    choice("versions", name, &Versions::ALL.map(|versions| (versions.name(), versions)))
}

impl Options<'_> {
    /// The engine asked for.
    ///
    /// # Errors
    /// When an option is not what it may be.
    pub(crate) fn engine(&self) -> PyResult<Engine> {
        let mut engine = Engine::new(self.profile.get().inner.clone())
            .with_level(level_of(&self.level)?)
            .with_near(near_of(&self.near)?)
            .with_versions(versions_of(&self.versions)?)
            .with_threads(self.threads)
            .with_texts(if self.texts { Texts::Held } else { Texts::Dropped })
            .with_verdicts(if self.pairs { Verdicts::Held } else { Verdicts::Counted });
        if let Some(memory) = self.memory {
            engine = engine.with_memory(memory);
        }
        if let Some(folder) = &self.temp_dir {
            engine = engine.with_temp_folder(folder);
        }
        Ok(engine)
    }

    /// How rows are read.
    ///
    /// # Errors
    /// When a field does not exist, or a name is no text.
    pub(crate) fn reading(&self, missing_id: MissingId) -> PyResult<Arc<Reading>> {
        let missing_text = choice(
            "missing_text",
            &self.missing_text,
            &[("raise", MissingText::Refused), ("empty", MissingText::Empty)],
        )?;
        let mut fields = Vec::new();
        for (field, names) in self.fields.iter() {
            let wrong =
                |_| OptionError::new_err(format!("fields[{field}] is {names}; expected a name or a list of names"));
            let names = match names.extract::<String>() {
                Ok(name) => vec![name],
                Err(_) => names.extract::<Vec<String>>().map_err(wrong)?,
            };
            fields.push((field.to_string(), names));
        }
        Ok(Arc::new(Reading::new(fields, missing_text, missing_id)?))
    }

    /// Threads asked for; 0 for one a core.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Whether texts and verdicts are held.
    pub(crate) fn holds(&self) -> (bool, bool) {
        (self.texts, self.pairs)
    }
}

/// A profile under which something cannot be done.
pub(crate) fn out_of_reach(reason: String) -> PyErr {
    ProfileError::new_err(reason)
}
