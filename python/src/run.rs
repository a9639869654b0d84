//! Work without Python's lock, on a thread of its own, while the calling one reads the data and listens for Ctrl-C.

use crate::error::{of_panic, raised};
use pyo3::prelude::*;
use samestory::engine::Progress;
use samestory::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

/// How long this thread sleeps at first when it has nothing to do, and at most.
const FIRST_PAUSE: Duration = Duration::from_micros(100);
const LAST_PAUSE: Duration = Duration::from_millis(20);
/// Time between two looks at Python's signals.
const BEAT: Duration = Duration::from_millis(50);
/// Blocks that were read and that the work has not taken.
const BLOCKS_AHEAD: usize = 16;

/// What was read, block by block, for the work to take; it ends with [`Error::Canceled`] when the work is to end.
pub(crate) struct Blocks<'a, B> {
    receiver: Receiver<B>,
    progress: &'a Progress,
}

impl<B> Iterator for Blocks<'_, B> {
    type Item = Result<B>;

    fn next(&mut self) -> Option<Result<B>> {
        let block = self.receiver.recv().ok();
        // What is canceled has read only a part: no answer may be made of it.
        if self.progress.is_canceled() { Some(Err(Error::Canceled)) } else { block.map(Ok) }
    }
}

/// Does `work` without the lock and hands back what it says. Ctrl-C cancels `progress`, on which the work is to end.
///
/// # Errors
/// What the work says, and `KeyboardInterrupt`. A panic is an exception, too.
pub(crate) fn released<T: Send>(
    py: Python<'_>,
    progress: &Progress,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    fed(py, progress, &mut || Ok(None::<()>), &mut || Ok(()), |_| work())
}

/// The same for work on blocks, which `source` reads on the calling thread; `beat` is called now and then.
///
/// # Errors
/// The same, and what `source` and `beat` raise.
pub(crate) fn fed<B: Send, T: Send>(
    py: Python<'_>,
    progress: &Progress,
    source: &mut dyn FnMut() -> PyResult<Option<B>>,
    beat: &mut dyn FnMut() -> PyResult<()>,
    work: impl FnOnce(Blocks<'_, B>) -> Result<T> + Send,
) -> PyResult<T> {
    let (sender, receiver) = sync_channel(BLOCKS_AHEAD);
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || work(Blocks { receiver, progress }));
        let mut watch = Watch { py, last_beat: Instant::now(), pause: FIRST_PAUSE, beat };
        let watched = feed(sender, source, &mut watch).and_then(|()| {
            while !worker.is_finished() {
                watch.wait()?;
            }
            Ok(())
        });
        if watched.is_err() {
            progress.cancel();
        }
        let ended = py.detach(|| worker.join());
        watched?;
        ended.map_err(|panic| of_panic(panic.as_ref()))?.map_err(raised)
    })
}

/// Hands over what there is to read, until it ends or nobody takes it.
fn feed<B: Send>(
    sender: SyncSender<B>,
    source: &mut dyn FnMut() -> PyResult<Option<B>>,
    watch: &mut Watch<'_, '_>,
) -> PyResult<()> {
    let mut read =
        || catch_unwind(AssertUnwindSafe(&mut *source)).unwrap_or_else(|panic| Err(of_panic(panic.as_ref())));
    while let Some(mut block) = read()? {
        loop {
            match sender.try_send(block) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) => block = back,
                // The work has ended early: it knows why.
                Err(TrySendError::Disconnected(_)) => return Ok(()),
            }
            watch.wait()?;
        }
        watch.pause = FIRST_PAUSE;
        watch.look()?;
    }
    Ok(())
}

/// Python as seen from the calling thread.
struct Watch<'py, 'a> {
    py: Python<'py>,
    last_beat: Instant,
    pause: Duration,
    beat: &'a mut dyn FnMut() -> PyResult<()>,
}

impl Watch<'_, '_> {
    /// Sleeps a little, without the lock.
    fn wait(&mut self) -> PyResult<()> {
        let pause = self.pause;
        self.py.detach(|| std::thread::sleep(pause));
        self.pause = (pause * 2).min(LAST_PAUSE);
        self.look()
    }

    /// Lets Python handle signals, where it is time.
    fn look(&mut self) -> PyResult<()> {
        if self.last_beat.elapsed() < BEAT {
            return Ok(());
        }
        self.last_beat = Instant::now();
        self.py.check_signals()?;
        (self.beat)()
    }
}
