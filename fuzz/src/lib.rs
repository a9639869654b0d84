//! What the targets share. What each of them holds is in `src/fuzzing.rs` of the library.

pub use libfuzzer_sys;

/// The target of a name.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        $crate::libfuzzer_sys::fuzz_target!(
            init: $crate::spare_guarded_panics(),
            |bytes: &[u8]| samestory::fuzzing::$name(bytes)
        );
    };
}

/// Lets panics pass that a reader takes for bad input: those of the Parquet and Arrow crates. Every other ends the process,
/// as libFuzzer wants it.
pub fn spare_guarded_panics() {
    #[cfg(feature = "heavy")]
    let abort = std::panic::take_hook();
    #[cfg(feature = "heavy")]
    std::panic::set_hook(Box::new(move |panic| {
        if !samestory::input::is_guarded() {
            abort(panic);
        }
    }));
}
