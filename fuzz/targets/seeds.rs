//! Writes what each target begins with: `seeds FIXTURES CORPUS` fills CORPUS/TARGET.

// Code that is watched calls libFuzzer.
use samestory_fuzz as _;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let folders: Vec<String> = std::env::args().skip(1).collect();
    let [fixtures, corpus] = folders.as_slice() else {
        return Err(std::io::Error::other("usage: seeds FIXTURES CORPUS"));
    };
    for (name, _, patterns) in samestory::fuzzing::TARGETS {
        let folder = Path::new(corpus).join(name);
        std::fs::create_dir_all(&folder)?;
        for (at, seed) in samestory::fuzzing::seeds(name).iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{at}")), seed)?;
        }
        for file in samestory::fuzzing::fixtures(patterns, Path::new(fixtures)) {
            std::fs::copy(&file, folder.join(file.file_name().expect("a file has a name")))?;
        }
    }
    Ok(())
}
