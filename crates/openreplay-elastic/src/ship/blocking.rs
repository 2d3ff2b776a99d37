//! Runs blocking file I/O on threads that may block.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A value whose methods block because they read and write files. They run on the threads that the
/// runtime reserves for blocking work.
#[derive(Debug)]
pub(super) struct Blocking<T>(Arc<Mutex<T>>);

impl<T: Send + 'static> Blocking<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    /// Runs `work` to its end, even if the future is dropped.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> R {
        let value = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&mut lock(&value))).await {
            Ok(done) => done,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down and will drop this future.
                Err(_) => std::future::pending().await,
            },
        }
    }

    #[cfg(test)]
    pub(super) fn get(&self) -> MutexGuard<'_, T> {
        lock(&self.0)
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn work_blocks_no_thread_of_the_runtime() {
        let blocking = Blocking::new(());
        let worker = blocking.run(|()| thread::current().id()).await;
        assert_ne!(worker, thread::current().id());
    }
}
