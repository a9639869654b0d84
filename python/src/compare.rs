//! Two articles, and why they tell one story or do not.

use crate::article::{MissingId, articles_of};
use crate::error::{OptionError, of_panic};
use crate::options::Options;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use samestory::fixed::ONE;
use samestory::profile::Measurement;
use samestory::text::Document;
use samestory::verify::{differences, shared_passages};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `a` is to `b`, with what it rests on, as the fields of Python's `Comparison`.
#[pyfunction]
pub(crate) fn compare<'py>(
    py: Python<'py>,
    options: Options<'py>,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let engine = options.engine()?;
    let reading = options.reading(MissingId::Position)?;
    let articles = articles_of(PyList::new(py, [a, b])?.as_any(), &reading)?;
    let [first, second] = articles.as_slice() else {
        return Err(OptionError::new_err(format!("{} articles were given; expected two", articles.len())));
    };
    let max_tokens = engine.profile().sketch().max_tokens;
    let judged = py.detach(|| {
        catch_unwind(AssertUnwindSafe(|| {
            let documents = [first, second].map(|article| Document::new(&article.text, max_tokens));
            let passages = shared_passages(&documents[0], &documents[1]);
            let differences = differences(&documents[0], &documents[1]);
            let passages: Vec<(String, String)> = passages
                .into_iter()
                .map(|passage| {
                    let [first, second] = [&documents[0].text[passage.first], &documents[1].text[passage.second]];
                    (first.to_string(), second.to_string())
                })
                .collect();
            (engine.judge(first, second), passages, differences)
        }))
    });
    let (verdict, passages, differences) = judged.map_err(|panic| of_panic(panic.as_ref()))?;

    let dict = PyDict::new(py);
    dict.set_item("relation", verdict.relation.name())?;
    dict.set_item("is_forward", verdict.is_forward)?;
    dict.set_item("a_is", verdict.of_first().name())?;
    dict.set_item("b_is", verdict.of_second().name())?;
    dict.set_item("one_story", verdict.relation.is_match())?;
    dict.set_item("correction", verdict.is_correction)?;
    dict.set_item("score", f64::from(verdict.probability_e4) / 10_000.0)?;
    dict.set_item("threshold", f64::from(engine.profile().verdict().match_percent) / 100.0)?;
    let evidence = PyDict::new(py);
    for (measurement, value) in Measurement::ALL.iter().zip(verdict.evidence.values) {
        evidence.set_item(measurement.name(), (f64::from(value) / f64::from(ONE) * 10_000.0).round() / 10_000.0)?;
    }
    dict.set_item("evidence", evidence)?;
    dict.set_item("is_complete", verdict.evidence.is_complete)?;
    let model = engine.profile().model();
    let weighed = PyDict::new(py);
    for ((term, _), value) in model.terms().zip(model.contributions(&verdict.evidence.values)) {
        weighed.set_item(term, f64::from(value) / 1024.0)?;
    }
    dict.set_item("weighed", weighed)?;
    dict.set_item("passages", passages)?;
    let sides = [
        ("only_in_a", [differences.first_figures, differences.first_names, differences.first_dates]),
        ("only_in_b", [differences.second_figures, differences.second_names, differences.second_dates]),
    ];
    for (name, lists) in sides {
        let side = PyDict::new(py);
        for (kind, list) in ["figures", "names", "dates"].into_iter().zip(lists) {
            side.set_item(kind, list)?;
        }
        dict.set_item(name, side)?;
    }
    Ok(dict)
}
